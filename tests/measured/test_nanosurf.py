"""Nanosurf files: scales, sweeps, lines that were not reached, and spectra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import check_frame, upright
from nid_files import Part, nid
from reader_contract import check_contract
from refusals import refused

COUNTS = np.round(2**28 * upright()).astype(np.int64)
BACK = np.round(2**28 * upright(1)).astype(np.int64)
SWEEP = {"Dim0Unit": "V", "Dim0Min": "0.1", "Dim0Range": "-0.2", "Dim1Unit": "none"}
CURRENT = {"Dim2Unit": "A", "Dim2Range": "200", "Dim2Min": "-100"}


def metres(counts: np.ndarray, bits: int = 32) -> np.ndarray:
    """Integers from -2^(bits-1) on span 200 nm."""
    return (counts + 2 ** (bits - 1)) / 2**bits * 2e-7 - 1e-7


def opened(folder: Path, content: bytes, **given: object) -> xr.Dataset:
    path = folder / "scan.nid"
    path.write_bytes(content)
    found = measured.open(path, **given)  # type: ignore[arg-type]
    check_contract(found)
    return found


def test_images_are_upright_with_both_sweeps(tmp_path: Path) -> None:
    parts = (Part(COUNTS), Part(COUNTS // 3, "Tip Current", entries=CURRENT))
    found = opened(tmp_path, nid(*parts, Part(BACK, frame="Scan backward")))
    check_frame(found)
    assert list(found) == ["Z-Axis", "Tip Current", "Z-Axis_backward"]
    np.testing.assert_allclose(found["Z-Axis"], metres(COUNTS), rtol=1e-12, atol=1e-20)
    np.testing.assert_allclose(found["Z-Axis_backward"], metres(BACK), rtol=1e-12, atol=1e-20)
    np.testing.assert_allclose(found["Tip Current"], 1e9 * metres(COUNTS // 3), atol=1e-12)
    assert found["Tip Current"].attrs["units"] == "A"
    assert found.attrs["current"] == pytest.approx(450.0)
    assert found.attrs["recorded"] == "2023-06-14T11:56:19"
    assert found.attrs["scan_angle"] == 0.0
    assert "bias" not in found.attrs


@pytest.mark.parametrize("bits", [8, 16])
def test_fewer_bits_span_the_same_range(tmp_path: Path, bits: int) -> None:
    counts = COUNTS >> (32 - bits)
    found = opened(tmp_path, nid(Part(counts, bits=bits)))
    np.testing.assert_allclose(found["Z-Axis"], metres(counts, bits), rtol=1e-12, atol=1e-20)


@pytest.mark.parametrize(("direction", "measured_lines"), [("Down", [2, 6]), ("Up", [0, 3])])
def test_lines_of_an_older_scan_are_missing(
    tmp_path: Path, direction: str, measured_lines: list[int]
) -> None:
    content = nid(Part(COUNTS, entries={"CurLine": "2"}), info={"Scan direction": direction})
    assert opened(tmp_path, content)["Z-Axis"].isnull().any()
    found = measured.open(tmp_path / "scan.nid", finished=True)
    np.testing.assert_allclose(found["Z-Axis"], metres(COUNTS)[slice(*measured_lines)], atol=1e-20)
    assert found.attrs["unfinished_lines"] == 6 - len(found.y)


def test_what_is_not_stated_is_not_told(tmp_path: Path) -> None:
    info = {"Op. mode": "Dynamic Force", "Setpoint": "65 %", "Rotation": "-45 °", "Date": "x"}
    found = opened(tmp_path, nid(Part(COUNTS), info=info))
    assert {"current", "scan_angle", "recorded"}.isdisjoint(found.attrs)


def test_spectra_are_curves_over_the_voltage(tmp_path: Path) -> None:
    spectra = [
        Part(one, "Tip Current", frame, entries={**CURRENT, **SWEEP})
        for one, frame in ((COUNTS, "Spec forward"), (BACK, "Spec backward"))
    ]
    found = opened(tmp_path, nid(*spectra))
    np.testing.assert_allclose(found["bias"], np.linspace(-100, 100, 8))
    assert found["Tip Current"].dims == ("curve", "bias")
    np.testing.assert_allclose(found["Tip Current"], 1e9 * metres(COUNTS)[:, ::-1], atol=1e-12)
    both = nid(*spectra, Part(COUNTS))
    scan = opened(tmp_path, both)
    assert list(scan) == ["Z-Axis"]
    assert scan.attrs["left_out"] == "Spec forward, Spec backward"
    back = opened(tmp_path, both, variable="Spec backward")
    np.testing.assert_allclose(
        back["Tip Current_backward"], 1e9 * metres(BACK)[:, ::-1], atol=1e-12
    )
    stopped = opened(tmp_path, nid(Part(COUNTS, entries={**SWEEP, "CurLine": "3"})))
    assert stopped["Z-Axis"].isnull().all("bias").values.tolist() == [False] * 4 + [True] * 2
    assert stopped["Z-Axis"][:4].notnull().all()
    alone = opened(tmp_path, nid(Part(COUNTS[:1], entries=SWEEP)))
    assert alone["Z-Axis"].dims == ("bias",)


LINE = {"LineDim0Points": "8", "LineDim0Range": "-0.2", "LineDim0Min": "0.1"}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (nid(Part(COUNTS))[:-1], "as much data"),
        (nid(Part(COUNTS)) + b"\0", "as much data"),
        (nid(Part(COUNTS)).replace(b"#!", b"##"), "begin with #!"),
        (nid(Part(COUNTS, entries={"Points": "9"})), "as much data"),
        (nid(Part(COUNTS, entries={"Lines": "1e9"})), "whole number up to"),
        (nid(Part(COUNTS, entries={"SaveSign": "Unsigned"})), "8, 16 or 32"),
        (nid(Part(COUNTS, entries={"SaveBits": "64"})), "8, 16 or 32"),
        (nid(Part(COUNTS, entries={"Dim0Range": "0"})), "nm long"),
        (nid(Part(COUNTS, entries={"Dim2Range": "none"})), "finite number"),
        (nid(Part(COUNTS, entries={"Dim0Unit": "Hz"})), "images over two lengths"),
        (nid(Part(COUNTS), Part(COUNTS[:5])), "Images of one size"),
        (nid(Part(COUNTS)).replace(b"GroupCount=1", b"GroupCount=1e9"), "whole number up to"),
        (nid(Part(COUNTS)).replace(b"=DataSet-0:0", b"=DataSet-9:0"), "name of a section"),
        (nid(Part(COUNTS, entries=SWEEP), Part(COUNTS[:, 1:], entries=SWEEP)), "same voltage"),
        (nid(Part(COUNTS, entries={**SWEEP, **LINE, "LineDim0Points": "5"})), "same voltage"),
        (nid(Part(COUNTS, entries={**SWEEP, **LINE, "LineDim0Min": "0.2"})), "same voltage"),
    ],
)
def test_what_a_header_cannot_mean_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    path = tmp_path / "scan.nid"
    path.write_bytes(content)
    refused(path, rule)


def test_curves_that_agree_are_read_and_other_names_are_refused(tmp_path: Path) -> None:
    content = nid(Part(COUNTS, entries={**SWEEP, **LINE}), Part(COUNTS, "A"))
    assert opened(tmp_path, content, variable="Z-Axis")["Z-Axis"].dims == ("curve", "bias")
    assert "--variable" in refused(tmp_path / "scan.nid", "over two lengths", variable="B").remedy
