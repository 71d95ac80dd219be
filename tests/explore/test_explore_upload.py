"""Files that are dropped on the page."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from gapscope.errors import (
    GapscopeError,
    LatticeNotFoundError,
    MeasurementFileError,
    PreparationError,
)
from gapscope.explore import upload
from gapscope.explore.files import Dropper
from gapscope.explore.judge import Judge
from gapscope.explore.measured_view import Measurement
from gapscope.explore.momentum import middles
from gapscope.explore.prepared_map import Work, facts, preparation_file, transform_of, with_error
from gapscope.explore.upload import biases, channels, open_bytes, safe_name, topographs
from gapscope.explore.words import error_html, facts_html
from gapscope.inference.predict import predict
from gapscope.measured.preparation import Measured, Prepared
from spip_text import atoms, spip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_nothing_is_left_of_a_file(folder: Path) -> None:
    found = open_bytes("../../etc/figure 2a.txt", spip(atoms(64), 4.0).encode())
    assert found.attrs["file"] == "_.._etc_figure_2a.txt"
    assert found["image"].shape == (64, 64)
    assert list(folder.iterdir()) == []


def test_nothing_is_left_of_a_bad_one(folder: Path) -> None:
    with pytest.raises(MeasurementFileError):
        open_bytes("bad.sxm", b":NANONIS_VERSION:\n2\n:SCANIT_END:")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "a/b", "<img src=x>.npy", "\0", "", "..", "é" * 500])
def test_names_lose_what_could_do_harm(name: str) -> None:
    assert set(safe_name(name)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
    )
    assert 0 < len(safe_name(name)) <= 60
    assert not safe_name(name).startswith(".")


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_BYTES", 10)
    with pytest.raises(MeasurementFileError, match="10 bytes"):
        open_bytes("a.npy", bytes(11))


def test_the_drop_area_counts_the_bytes_that_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_BYTES", 10)
    drop, refused = Dropper(), list[GapscopeError]()
    drop.refused = refused.append

    def send(name: str, *parts: bytes) -> None:
        for chunk, part in enumerate(parts, start=1):
            data = {
                "name": name,
                "chunk": chunk,
                "total_chunks": len(parts),
                "type": "application/octet-stream",
                "data": part,
            }
            drop._process_event(SimpleNamespace(event_name="upload_event", data=data))

    send("small", b"12345", b"67890")
    assert drop.value == {"small": b"1234567890"}
    send("large", b"12345", b"678901", b"2")
    assert list(drop.value) == ["small"]
    assert len(refused) == 1
    assert not drop._file_buffer


def test_channels_images_first_and_what_goes_with_them() -> None:
    y, x, bias = np.arange(3.0), np.arange(4.0), np.array([-1.0, 0.0, 1.0])
    dataset = xr.Dataset(
        {
            "sweep": ("bias", bias),
            "Z": (("y", "x"), np.ones((3, 4))),
            "dI/dV": (("y", "x", "bias"), np.ones((3, 4, 3))),
        },
        {"x": x, "y": y, "bias": bias},
    )
    assert channels(dataset) == ["dI/dV", "Z", "sweep"]
    assert biases(dataset, "dI/dV") == [-1.0, 0.0, 1.0]
    assert biases(dataset, "Z") == []
    assert topographs(dataset, "dI/dV") == ["Z"]
    assert topographs(dataset, "Z") == []


def test_a_map_of_atoms_is_prepared_and_its_lattice_found(judge: Judge) -> None:
    dataset = open_bytes("atoms.txt", spip(atoms(256, 11.0), 11.0).encode())
    work = Work(dataset, "image", None, 3.44, judge)
    image, transform = work.raw()
    assert image.shape == (256, 256)
    assert transform.values.max() == 0
    assert not len(transform.bragg)
    placed = work.prepare()
    assert float(placed.prepared.lattice.constant.value) == pytest.approx(3.44, rel=2e-3)
    lengths = np.linalg.norm(placed.transform.bragg, axis=1)
    assert lengths == pytest.approx(6 * [4 * np.pi / np.sqrt(3) / 3.44], rel=5e-3)
    rows = dict(facts(placed))
    assert rows["lattice constant"].startswith("3.4")
    assert "affine correction" in rows["steps"]
    assert "slow distortions" in rows["steps"]
    assert "slow distortions" not in rows


def test_the_page_says_why_slow_distortions_were_left(judge: Judge) -> None:
    dataset = open_bytes("atoms.txt", spip(atoms(128, 8.0), 8.0).encode())
    dataset = dataset.assign(topograph=dataset["image"])
    placed = Work(dataset, "image", None, 3.44, judge, "topograph").prepare()
    rows = dict(facts(placed))
    assert rows["slow distortions"] == "left: the atoms are those of a topograph"
    assert "slow distortions" not in rows["steps"]


def test_the_page_is_given_the_image_on_sites_and_makes_none_itself(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = open_bytes("atoms.txt", spip(atoms(128, 8.0), 8.0).encode())
    placed = Work(dataset, "image", None, 3.44, judge).prepare()
    xr.testing.assert_identical(placed.sites, placed.prepared.network_input())

    def network_input(self: Prepared) -> xr.Dataset:
        raise AssertionError("this takes seconds, while no other page is answered")

    monkeypatch.setattr(Prepared, "network_input", network_input)
    measurement = Measurement(lambda x, y: None)
    measurement.show_prepared(placed)
    assert f"<td>{placed.sites.sizes['r1']}</td>" in measurement.found.object
    assert preparation_file(placed).startswith(b"\x89PNG\r\n")


def test_an_impurity_elsewhere_is_read_there(judge: Judge) -> None:
    dataset = open_bytes("atoms.txt", spip(atoms(256, 11.0), 11.0).encode())
    work = Work(dataset, "image", None, 3.44, judge)
    middle, there = work.prepare(), work.around((4.0, 6.5)).prepare()
    assert there.prepared is middle.prepared
    assert np.hypot(there.in_scan[0] - 4.0, there.in_scan[1] - 6.5) < 0.344 / np.sqrt(3) + 0.02
    assert np.hypot(there.in_scan[0] - middle.in_scan[0], there.in_scan[1] - middle.in_scan[1]) > 1
    np.testing.assert_allclose(there.prepared.corrected(there.in_scan), there.in_final)
    assert tuple(there.sites.attrs["centre"]) == there.in_final
    assert there.sites.sizes["r1"] < middle.sites.sizes["r1"]
    answer = work.around((4.0, 6.5)).predict()
    xr.testing.assert_allclose(answer, predict(middle.prepared, centre=(4.0, 6.5)))
    assert not np.allclose(answer["probability"], work.predict()["probability"])
    with pytest.raises(PreparationError, match="centre"):
        work.around((40.0, 6.5)).prepare()


@pytest.mark.parametrize("cut", [0.6, 10.0])
@pytest.mark.parametrize("pixels", [32, 33])
def test_a_wave_is_drawn_at_its_momentum(pixels: int, cut: float) -> None:
    # nm; so that the wave is one of the transform's own momenta, 9 of them to the right, 4 down.
    x = 0.5 * np.arange(pixels)
    qx, qy = 2 * np.pi * np.array([9, -4]) / (0.5 * pixels)
    image = xr.DataArray(np.cos(qy * x[:, None] + qx * x), {"y": x, "x": x}, ("y", "x"))
    found = transform_of(image, cut * np.pi / 0.5)
    half = found.values.shape[1] // 2
    row, column = np.unravel_index(found.values[:, half:].argmax(), (2 * half + 1, half + 1))
    for index, count, reach, q in (
        (half + column, found.values.shape[1], found.reach[0], qx),
        (row, found.values.shape[0], found.reach[1], qy),
    ):
        assert middles(count, reach)[index] == pytest.approx(0.1 * q, rel=1e-9)  # in 1/Angstrom


def test_the_network_answers_for_a_prepared_map(judge: Judge) -> None:
    dataset = open_bytes("atoms.txt", spip(atoms(256, 11.0), 11.0).encode())
    work = Work(dataset, "image", None, 3.44, judge)
    prediction = work.predict()
    xr.testing.assert_allclose(prediction, predict(work.prepare().prepared))
    assert prediction.sizes["sample"] == 1
    assert bool(prediction["unlike_training"][0])  # atoms alone are no QPI


def test_noise_without_a_lattice_is_said_to_have_none(
    rng: np.random.Generator, judge: Judge
) -> None:
    dataset = open_bytes("noise.txt", spip(rng.standard_normal((64, 64)), 8.0).encode())
    work = Work(dataset, "image", None, 3.44, judge)
    work.raw()
    with pytest.raises(LatticeNotFoundError):
        work.prepare()


def test_errors_are_told_with_their_spacing_and_escaped() -> None:
    assert with_error(Measured(np.array(3.13907), np.array(2.6e-5))) == "3.13907 ± 0.00003"
    assert with_error(Measured(np.array(25.1), np.array(0.2))) == "25.1 ± 0.2"
    error = MeasurementFileError("A <b>rule</b>", "<script>alert(1)</script>", "a & b")
    html = error_html(error)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "A &lt;b&gt;rule" in html
    assert "secret" not in error_html(RuntimeError("secret"))
    assert "<i>" not in facts_html([("<i>", "<i>")])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nbs2/figure_2a.txt", "3.1"),
        ("nbs2/figure_2g.txt", None),
        ("nbs2/figure_3b.txt", None),
        ("fese/FeSe_topography.sxm", "3."),
    ],
)
def test_real_files_are_shown_or_refused_with_a_reason(
    measured: Path, judge: Judge, name: str, expected: str | None
) -> None:
    path = measured / name
    if not path.is_file():
        pytest.skip(f"{path} is not here: set GAPSCOPE_MEASURED")
    dataset = open_bytes(path.name, path.read_bytes())
    work = Work(dataset, channels(dataset)[0], None, 3.33, judge)
    if expected is None:
        with pytest.raises(GapscopeError):
            work.prepare()
    else:
        assert dict(facts(work.prepare()))["lattice constant"].startswith(expected)


def test_the_density_wave_is_taken_out_where_that_is_chosen(judge: Judge) -> None:
    dataset = open_bytes("map.txt", spip(atoms(192, 12.0, wave=0.4), 12.0).encode())
    kept, masked = (
        Work(dataset, "image", None, 3.44, judge, mask_wave=mask).prepare().prepared
        for mask in (False, True)
    )
    assert kept.wave is not None
    assert kept.wave.found
    assert not kept.steps.mask_wave
    assert masked.steps.mask_wave
    assert float(np.abs(masked.final - kept.final).max()) > 0
