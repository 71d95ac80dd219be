"""What a network says of measured maps, and which simulated ones are nearest."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result
from numpy.typing import NDArray

import toys
from gapscope.cli.main import main
from gapscope.dataset.load import DatasetReader
from gapscope.errors import PreparationError
from gapscope.inference.answers import answer_beside, nearest_beside
from gapscope.inference.measured_maps import departures, predict_sites
from gapscope.inference.nearest import nearest_maps, with_answers
from gapscope.inference.refine import Conditions, Guess
from gapscope.learning.data.samples import Samples
from gapscope.learning.emulator.by_irrep import Emulators
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.prediction.predictor import Predictor
from gapscope.measured.preparation.report import PREPARED_SCHEMA
from gapscope.physics import LABELS
from gapscope.physics.lattice import symmetric_window
from gapscope.plots.report import Page, save_report
from gapscope.simulation.maps import simulate_batch
from gapscope.support.netcdf import write_netcdf


@pytest.fixture(scope="module")
def predictor(calibrated: RunFolder) -> Predictor:
    return Predictor.load(calibrated.path)


@pytest.fixture(scope="module")
def maps() -> NDArray[np.float64]:
    states = [("A1g", 0.9, 0.4, -50.0), ("Eg", 0.6, 1.0, 20.0), ("A12u", 1.2, None, -200.0)]
    return np.stack([toys.toy_map(*state) for state in states])


def test_with_a_unit_they_are_maps_like_others(
    maps: NDArray[np.float64], predictor: Predictor
) -> None:
    measured = predict_sites([toys.on_sites(one / 2e-6) for one in maps], predictor, unit=2e-6)
    hexagon = symmetric_window("triangular", 16)
    simulated = predictor([np.where(hexagon, maps, 0)[:, None].astype(np.float32)])
    for name in ("probability", "gap", "eps0", "gap_low", "novelty_p"):
        np.testing.assert_allclose(measured[name], simulated[name], rtol=1e-4, atol=1e-6)
    assert np.isnan(measured["theta"].values).tolist() == [False, False, True]


def test_without_one_their_amplitude_says_nothing(
    maps: NDArray[np.float64], predictor: Predictor
) -> None:
    one, other = (
        predict_sites([toys.on_sites(factor * m) for m in maps], predictor) for factor in (1, 4e7)
    )
    for name in ("probability", "gap", "eps0", "nearest_distance"):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-3, atol=1e-5)
    assert one.attrs["scale"] == "unknown"


def test_maps_at_another_bias_than_the_networks_energy_are_told(
    maps: NDArray[np.float64], predictor: Predictor
) -> None:
    taken = [{}, {"bias": 0.05}, {"bias": -1.2}]
    sites = [toys.on_sites(one).assign_attrs(at) for one, at in zip(maps, taken, strict=True)]
    predictions = predict_sites(sites, predictor)
    np.testing.assert_array_equal(predictions["bias"], [np.nan, 0.05, -1.2])
    words = "taken at -1.2 mV, the network has learned from maps at 0 mV"
    assert departures(predictions) == [[], [], [words]]


def test_small_windows_are_filled_and_large_ones_cut(predictor: Predictor) -> None:
    large, small = (toys.toy_map("A2g", 0.8, 0.7, 30.0, window) for window in (24, 12))
    filled = np.zeros((16, 16))
    filled[2:-2, 2:-2] = np.where(symmetric_window("triangular", 12), small, 0)
    seen = large[4:-4, 4:-4]
    seen = seen - seen[symmetric_window("triangular", 16)].mean()
    expected = predict_sites([toys.on_sites(seen), toys.on_sites(filled)], predictor, unit=1.0)
    found = predict_sites([toys.on_sites(large), toys.on_sites(small)], predictor, unit=1.0)
    np.testing.assert_allclose(found["probability"], expected["probability"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found["gap"], expected["gap"], rtol=1e-4)


def test_nearest_are_the_training_maps_themselves(
    toy_dataset: Path, predictor: Predictor, calibrated: RunFolder
) -> None:
    with DatasetReader(toy_dataset) as reader:
        samples = Samples.of(reader, "train", 16)
        rows = np.array([3, 31, 111])
        found = predict_sites([toys.on_sites(one[0]) for one in samples.maps(rows)], predictor)
        first = found.isel(rank=0)
        np.testing.assert_array_equal(first["nearest_label"], samples.label[rows])
        np.testing.assert_allclose(first["nearest_gap"], samples.parameters["gap"][rows], rtol=1e-4)
        np.testing.assert_allclose(
            first["nearest_eps0"], samples.parameters["eps0"][rows], rtol=1e-4
        )
        assert (first["nearest_distance"] < 0.02).all()
        assert (found["nearest_distance"].diff("rank") >= 0).all()
    shown = nearest_maps(found, calibrated.path)
    assert shown.sizes == {"sample": 3, "rank": 3, "r1": 16, "r2": 16, "q1": 16, "q2": 16}
    one = found.isel(sample=1, rank=2)
    conditions = Conditions.of(calibrated.config(), 16)
    known = conditions.problem.classes[int(one["nearest_label"])]
    state = Guess(known.label, {name: float(one[f"nearest_{name}"]) for name in known.unknowns})
    expected = simulate_batch([conditions.sample(state).specification], conditions.numerics)
    np.testing.assert_allclose(shown["ldos_change"][1, 2], expected.ldos_change[0, 0], rtol=1e-9)


def test_a_network_of_too_few_maps_names_none(
    maps: NDArray[np.float64], predictor: Predictor, calibrated: RunFolder
) -> None:
    poor = replace(predictor, emulators=Emulators((None,) * len(LABELS)))
    found = predict_sites([toys.on_sites(maps[0])], poor)
    assert "nearest_label" not in found
    with pytest.raises(PreparationError, match="without surfaces"):
        nearest_maps(found, calibrated.path)
    assert with_answers(found).sizes["rank"] == 1


def test_maps_of_answers_stand_before_the_nearest(
    maps: NDArray[np.float64], predictor: Predictor, calibrated: RunFolder
) -> None:
    found = predict_sites([toys.on_sites(one) for one in maps[:2]], predictor)
    states = with_answers(found)
    assert states.sizes["rank"] == 1 + found.sizes["rank"]
    later = states.isel(rank=slice(1, None))
    for name in ("nearest_label", "nearest_gap", "nearest_distance"):
        np.testing.assert_array_equal(later[name], found[name])
    assert np.isnan(states["nearest_distance"][:, 0]).all()
    shown = nearest_maps(states.isel(rank=[0]), calibrated.path)
    conditions = Conditions.of(calibrated.config(), 16)
    for number in range(2):
        one = found.isel(sample=number)
        beside = answer_beside(one, shown["ldos_change"].values[number], conditions)
        assert beside is not None
        assert beside.share < 1e-6
    lacking = found.assign(gap=found["gap"] * np.nan)
    assert with_answers(lacking) is lacking


def test_what_is_no_qpi_map_of_the_network_is_refused(predictor: Predictor) -> None:
    flat = toys.on_sites(np.zeros((16, 16)))
    with pytest.raises(PreparationError, match="contrast"):
        predict_sites([flat], predictor)
    square = toys.on_sites(np.eye(16)).assign_attrs(lattice="square")
    with pytest.raises(PreparationError, match="triangular"):
        predict_sites([square], predictor)


def command(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in ("predict", *arguments)])


@pytest.fixture
def prepared_file(maps: NDArray[np.float64], tmp_path: Path) -> Path:
    sites = toys.on_sites(maps[1]).assign_attrs(prepared_schema=PREPARED_SCHEMA)
    return write_netcdf(sites, tmp_path / "prepared.nc")


def test_a_map_is_not_written_over(prepared_file: Path) -> None:
    before = prepared_file.read_bytes()
    result = command(prepared_file, "-o", prepared_file)
    assert result.exit_code == 1
    assert "not written over" in result.output
    assert prepared_file.read_bytes() == before


def test_prepared_files_are_predicted(
    prepared_file: Path, calibrated: RunFolder, tmp_path: Path
) -> None:
    figure, output = tmp_path / "figure.png", tmp_path / "out.nc"
    given = ["--model", calibrated.path, "--figure", figure, "-o", output]
    result = command(prepared_file, *given)
    assert result.exit_code == 0, result.output
    assert "like (p =" in result.output or "UNLIKE (p <= " in result.output
    assert "nearest" in result.output
    assert figure.read_bytes().startswith(b"\x89PNG")
    with xr.open_dataset(output, engine="h5netcdf") as written:
        assert LABELS[int(written["nearest_label"][0, 0])] == "Eg"
        assert written["file"].values.tolist() == [str(prepared_file)]


def atoms() -> NDArray[np.float64]:
    """Three Bragg waves of a lattice of 3.44 Angstrom, and noise, 8 nm wide."""
    rng = np.random.default_rng(5)
    x, y = np.meshgrid(*2 * [0.05 * np.arange(160)])
    length = 4 * np.pi / np.sqrt(3) / 0.344
    angles = np.radians([30, 90, 150])
    waves = sum(np.cos(length * (np.cos(a) * x + np.sin(a) * y)) for a in angles)
    return np.asarray(waves + 0.3 * rng.standard_normal(x.shape))


def test_files_of_instruments_are_prepared_first(calibrated: RunFolder, tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", atoms())
    scan = [tmp_path / "scan.npy", "--width", 8, "--height", 8]
    result = command(*scan, "--model", calibrated.path)
    assert result.exit_code == 0, result.output
    assert "scan.npy" in result.output
    assert "UNLIKE (p <= " in result.output
    assert "taken at" not in result.output
    result = command(*scan, "--model", calibrated.path, "--bias", 45)
    assert "channel image at 45 mV" in result.output
    assert "scan.npy was taken at 45 mV" in result.output


def test_a_file_that_is_not_read_takes_no_other_with_it(
    prepared_file: Path, calibrated: RunFolder, tmp_path: Path
) -> None:
    noise, broken = tmp_path / "noise.txt", tmp_path / "broken.sxm"
    np.savetxt(noise, np.random.default_rng(3).standard_normal((64, 64)))
    broken.write_bytes(b":NANONIS_VERSION:\n2\n")
    output, figure = tmp_path / "out.nc", tmp_path / "figure.png"
    given = ["--model", calibrated.path, "--width", 8, "-o", output, "--figure", figure]
    result = command(noise, prepared_file, broken, *given)
    assert result.exit_code == 1
    for words in ("noise.txt: LatticeNotFoundError", "broken.sxm: MeasurementFileError"):
        assert words in result.output
    assert "2 of 3 were not" in result.output
    assert "prepared.nc" in result.output
    assert figure.is_file()
    with xr.open_dataset(output, engine="h5netcdf") as written:
        assert written["file"].values.tolist() == [str(prepared_file)]
    nothing = command(noise, broken, "--model", calibrated.path, "--width", 8)
    assert nothing.exit_code == 1
    assert "Error: MeasurementFileError" in nothing.output


@pytest.mark.parametrize(
    ("simulated", "arguments", "message"),
    [
        (True, ["--channel", "Z"], "--channel is for measured files"),
        (False, ["--refine"], "--refine compares the amplitudes"),
        (None, [], "one command each"),
    ],
)
def test_options_go_with_the_kind_of_map(
    simulated: bool | None,
    arguments: list[str],
    message: str,
    prepared_file: Path,
    calibrated: RunFolder,
    tmp_path: Path,
) -> None:
    files = [] if simulated else [prepared_file]
    if simulated is not False:
        files.append(toys.one_map(tmp_path / "map.nc", 16))
    result = command(*files, "--model", calibrated.path, *arguments)
    assert result.exit_code == 1
    assert message in result.output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "other.nc, which does not"),
        (b"", "other.nc of 0 bytes"),
        (b"CDF\x02" + bytes(50), "Save it as netCDF-4"),
    ],
)
def test_what_is_no_map_at_all_is_not_called_a_simulated_one(
    content: bytes | None,
    message: str,
    prepared_file: Path,
    calibrated: RunFolder,
    tmp_path: Path,
) -> None:
    if content is not None:
        (tmp_path / "other.nc").write_bytes(content)
    for files in ([tmp_path / "other.nc", prepared_file], [tmp_path / "other.nc"]):
        result = command(*files, "--model", calibrated.path)
        assert result.exit_code == 1
        assert message in result.output
        assert "simulated" not in result.output


def test_a_stopped_scan_is_predicted_from_its_finished_lines(
    calibrated: RunFolder, tmp_path: Path
) -> None:
    waves = atoms()
    waves[:31] = np.nan  # the first row is the top
    np.save(tmp_path / "scan.npy", waves)
    scan = [tmp_path / "scan.npy", "--width", 8, "--model", calibrated.path, "--centre", 4, 3]
    refused = command(*scan)
    assert refused.exit_code == 1
    assert "--finished" in refused.output
    result = command(*scan, "--finished")
    assert result.exit_code == 0, result.output
    assert "129 of 160 lines were finished, y = 0 to 6.4 nm" in result.output


def pages(monkeypatch: pytest.MonkeyPatch) -> list[Page]:
    """The pages of reports that are written."""
    kept: list[Page] = []

    def save(made: Sequence[Page], path: Path, title: str, creator: str) -> Path:
        kept.extend(made)
        return save_report(made, path, title, creator)

    monkeypatch.setattr("gapscope.cli.report.save_report", save)
    return kept


def test_a_report_has_a_page_for_each_measured_map(
    prepared_file: Path, calibrated: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, broken, report = (tmp_path / name for name in ("$s can.npy", "broken.sxm", "a.pdf"))
    np.save(scan, atoms())
    broken.write_bytes(b":NANONIS_VERSION:\n2\n")
    kept = pages(monkeypatch)
    given = ["--width", 8, "--height", 8, "--model", calibrated.path, "--report", report]
    result = command(broken, scan, prepared_file, *given)
    assert f"wrote {report}" in result.output
    assert [page.title for page in kept] == ["$s can.npy", "prepared.nc"]
    first, second = kept
    assert first.verdict[0].startswith("UNLIKE the training maps (p <= ")
    assert first.doubted
    assert all("(" in line for line in first.blocks["Network"][2:])
    found = float(re.findall(r"[\d.]+", first.blocks["Lattice found"][0])[0])
    assert found == pytest.approx(3.44, abs=0.02)
    assert any("channel image" in line for line in first.blocks["Read and prepared"])
    assert {"raw", "prepared"} <= set(first.map)
    assert "Read and prepared" not in second.blocks
    typed = ["gapscope", "predict", *map(str, (broken, scan, prepared_file, *given))]
    assert shlex.split(second.blocks["Command"][0]) == typed
    digest = hashlib.sha256(scan.read_bytes()).hexdigest()
    assert any(digest in line for line in first.blocks["Made with"])


def test_the_residual_of_a_measured_map_is_its_distance(
    maps: NDArray[np.float64], predictor: Predictor, calibrated: RunFolder
) -> None:
    window = 3e4 * np.where(symmetric_window("triangular", 16), maps[1], 0)
    found = predict_sites([toys.on_sites(window)], predictor)
    nearest = nearest_maps(found, calibrated.path).isel(sample=0, rank=0)
    beside = nearest_beside(window[None], nearest)
    shape = np.arcsinh(beside.seen)
    share = np.linalg.norm(shape - np.arcsinh(beside.simulated)) / np.linalg.norm(shape)
    assert beside.share == pytest.approx(share)
    itself = nearest_beside(nearest["ldos_change"].values[None], nearest)
    assert itself.share == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "message"),
    [("page.png", "ends in .pdf"), ("none/page.pdf", "no folder"), ("same.pdf", "two files")],
)
def test_a_report_that_cannot_be_written_is_refused_first(
    prepared_file: Path, tmp_path: Path, name: str, message: str
) -> None:
    given = ["--report", tmp_path / name, "--figure", tmp_path / "same.pdf", "--model", "absent"]
    result = command(prepared_file, *given)
    assert result.exit_code == 1
    assert message in result.output


def test_a_simulated_map_lies_beside_that_of_the_answer(calibrated: RunFolder) -> None:
    conditions = Conditions.of(calibrated.config(), 16)
    values = {"gap": 0.9, "theta": 0.5, "eps0": -80.0}
    near = Guess("Eg", values), Guess("Eg", {**values, "gap": 0.8})
    specifications = [conditions.sample(one).specification for one in near]
    own, other = simulate_batch(specifications, conditions.numerics).ldos_change
    answer = xr.Dataset({"label": LABELS.index("Eg"), **values})
    exact = answer_beside(answer, own, conditions)
    assert exact is not None
    assert exact.share < 1e-9
    off = answer_beside(answer, other, conditions)
    inside = symmetric_window("triangular", 16)
    expected = np.linalg.norm((other - own)[:, inside]) / np.linalg.norm(other[:, inside])
    assert off is not None
    assert off.share == pytest.approx(expected)
    np.testing.assert_allclose(off.left, off.seen - exact.seen, atol=1e-12)
    best = xr.Dataset(
        {
            "probability": ("class", [float(label == "Eg") for label in LABELS]),
            "best": (("class", "unknown"), np.tile(list(values.values()), (len(LABELS), 1))),
        },
        {"unknown": list(values)},
    )
    inside[8, 8] = False
    tree = xr.DataTree(best)
    found = answer_beside(answer.assign(gap=0.3), other, conditions, tree)
    expected = np.linalg.norm((other - own)[:, inside]) / np.linalg.norm(other[:, inside])
    assert found is not None
    assert found.share == pytest.approx(expected)
    assert answer_beside(answer.assign(theta=np.nan), own, conditions) is None
