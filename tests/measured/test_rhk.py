"""RHK pages: images and spectra lie where their steps and places say; all else is refused."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import COLUMNS, GIVEN, POINTS, ROWS, check_frame, grid, sm4, upright
from refusals import refused
from sm4_files import Sm4Page, grid_places, sm4_file

Opener = Callable[..., xr.Dataset]
IMAGE = Sm4Page(upright()[::-1, ::-1])
SWEEP = Sm4Page(
    grid().reshape(-1, POINTS)[::-1, ::-1],
    units=("V", " ", "A"),
    steps=(-0.1, 1.0),
    start=0.2,
    kind=1,
    line=7,
    grid=(2**32 - 1, 2**32 - 1),
)
MAP = replace(
    SWEEP,
    values=grid()[::-1, ::-1, ::-1].reshape(-1, POINTS),
    grid=(COLUMNS, ROWS),
    places=grid_places(COLUMNS, ROWS, 0.5e-9, angle=10.0),
)


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    def opener(*pages: Sm4Page, variable: str | None = None) -> xr.Dataset:
        (tmp_path / "scan.sm4").write_bytes(sm4_file(*pages))
        return measured.open(tmp_path / "scan.sm4", variable=variable)

    return opener


def test_an_rhk_image_is_upright_in_both_directions(opened: Opener) -> None:
    for x, y in ((2e-9, 1.5e-9), (-2e-9, 1.5e-9), (2e-9, -1.5e-9), (-2e-9, -1.5e-9)):
        turn = np.s_[:: 1 if y > 0 else -1, :: 1 if x > 0 else -1]
        forward = Sm4Page(upright()[turn], steps=(x, y), angle=45.0)
        backward = replace(forward, values=upright(1)[turn], left=True)
        found = opened(forward, backward)
        check_frame(found)
        assert list(found) == ["Current", "Current_backward"]
        np.testing.assert_allclose(found.Current, upright(), atol=1e-6)
        np.testing.assert_allclose(found.Current_backward, upright(1), atol=1e-6)
    assert found.Current.attrs["units"] == "A"
    assert found.attrs == {
        "source_format": "rhk-sm4",
        "file": "scan.sm4",
        "bias": pytest.approx(45.0),
        "current": pytest.approx(450.0),
        "recorded": "2021-08-23T15:18:44",
        "scan_angle": 45.0,
    }


def test_settings_in_which_pages_differ_are_left_out(opened: Opener) -> None:
    found = opened(IMAGE, replace(IMAGE, left=True, bias=-0.045))
    assert set(found.attrs) == {"source_format", "file", "current", "recorded", "scan_angle"}


def test_a_set_point_without_feedback_is_no_current(opened: Opener) -> None:
    off = opened(replace(IMAGE, feedback="Off"))
    assert off.attrs["feedback"] == "off"
    assert "current" not in off.attrs
    on = opened(replace(IMAGE, feedback="Log"))
    assert on.attrs["current"] == pytest.approx(450.0)
    assert "feedback" not in on.attrs
    both = opened(replace(IMAGE, feedback="Log"), replace(IMAGE, feedback="Off", left=True))
    assert not {"current", "feedback"} & set(both.attrs)


def test_a_set_point_of_another_kind_is_no_current(opened: Opener) -> None:
    """The header has it in the place of the current: -1.26 Hz is not -1.26 A."""
    shift = replace(IMAGE, feedback="Linear", held="Hz", current=-1.26)
    force = replace(IMAGE, current=1.04e-4)
    for page in (shift, force):
        assert not {"current", "feedback"} & set(opened(page).attrs)
    assert opened(replace(shift, held="nA", current=0.1)).attrs["current"] == pytest.approx(100.0)


def test_lines_that_were_not_completed_are_nan(opened: Opener) -> None:
    found = opened(replace(IMAGE, lines_done="0002"))
    assert found.Current[-2:].notnull().all()
    assert found.Current[:-2].isnull().all()
    assert opened(replace(IMAGE, lines_done="0000")).Current.notnull().all()


def test_lines_may_run_upwards_and_back(opened: Opener) -> None:
    """XPMPro calls the directions of the lines up and down where the fast axis is y."""
    up = replace(IMAGE, vertical=True, lines_done="0005")
    found = opened(up, replace(up, left=True, values=upright(1)[::-1, ::-1]))
    assert list(found) == ["Current", "Current_backward"]
    np.testing.assert_allclose(found.Current[:, -5:], upright()[:, -5:], atol=1e-6)
    assert found.Current[:, :-5].isnull().all()


def test_sweeps_at_one_point_are_curves_over_bias(opened: Opener) -> None:
    found = opened(SWEEP, replace(SWEEP, label="LIA"))
    assert list(found) == ["Current", "LIA"]
    assert found.LIA.dims == ("curve", "bias")
    np.testing.assert_allclose(found.bias, [-200, -100, 0, 100, 200], atol=1e-5)
    np.testing.assert_allclose(found.LIA, grid().reshape(-1, POINTS)[::-1], atol=1e-6)
    single = opened(replace(SWEEP, values=SWEEP.values[:1]))
    assert single.Current.dims == ("bias",)
    np.testing.assert_allclose(single.Current, grid()[-1, -1], atol=1e-6)


def test_sweeps_meet_zero_where_it_was_typed(opened: Opener) -> None:
    """Headers hold 0.3 and -0.005 V in 32 bits, whose 61st point lies at 19 nV."""
    sweep = replace(SWEEP, values=np.ones((3, 81)), steps=(-0.005, 1.0), start=0.3)
    bias = opened(sweep).bias.values
    np.testing.assert_array_equal(bias, np.arange(-100.0, 301.0, 5.0))


def test_spectra_that_were_not_measured_are_nan(opened: Opener) -> None:
    """R9 writes all sweeps that were planned; those after a stop are zeros in every page."""
    done = SWEEP.values.copy()
    done[2:], done[1, 3:] = 0.25, 0.25  # as stored, 0
    other = done.copy()
    other[1, 3] = 0.5
    found = opened(replace(SWEEP, values=done), replace(SWEEP, values=other, label="LIA"))
    for name in ("Current", "LIA"):
        assert found[name].isnull().sum("bias").values.tolist() == [0, 1] + [POINTS] * (
            ROWS * COLUMNS - 2
        )
    assert found.Current[1].isnull().values.tolist() == [True] + [False] * (POINTS - 1)
    alone = opened(
        replace(SWEEP, values=done), replace(SWEEP, values=other, label="LIA"), variable="Current"
    )
    xr.testing.assert_equal(alone.Current, found.Current)
    last = SWEEP.values.copy()
    last[-1, -1] = 0.25
    assert opened(replace(SWEEP, values=last)).Current.notnull().all()


def test_a_grid_of_spectra_lies_where_its_places_say(opened: Opener) -> None:
    found = opened(replace(IMAGE, angle=10.0), MAP, variable="Current_spectra")
    assert found.Current_spectra.dims == ("y", "x", "bias")
    np.testing.assert_allclose(found.Current_spectra, grid(), atol=1e-6)
    np.testing.assert_allclose(found.x, 0.5 * np.arange(COLUMNS), rtol=1e-3)
    np.testing.assert_allclose(found.y, 0.5 * np.arange(ROWS), rtol=1e-3)
    assert found.attrs["scan_angle"] == 10.0
    from_below = replace(
        MAP, values=grid()[..., ::-1].reshape(-1, POINTS), places=-grid_places(COLUMNS, ROWS, 1e-9)
    )
    np.testing.assert_allclose(opened(from_below).Current, grid(), atol=1e-6)


@pytest.mark.parametrize("angle", [10.0, -72.0, 135.0])
@pytest.mark.parametrize("images", [(), (replace(IMAGE, angle=3.0),)])
def test_a_grid_has_the_angle_of_its_places(
    opened: Opener, angle: float, images: tuple[Sm4Page, ...]
) -> None:
    """Without an image, and around one that is turned by another; by 135 degrees it is the grid by
    -45 measured the other way."""
    places = grid_places(COLUMNS, ROWS, 0.5e-9, angle)
    (found,) = opened(*images, replace(MAP, label="M", places=places), variable="M").values()
    half_turn = abs(angle) > 90
    assert found.dims == ("y", "x", "bias")
    expected = grid()[::-1, ::-1] if half_turn else grid()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    kept = opened(*images, replace(MAP, label="M", places=places), variable="M").attrs
    assert kept["scan_angle"] == pytest.approx(angle - 180.0 * half_turn, abs=0.01)


def test_images_are_opened_and_other_pages_left_out(opened: Opener) -> None:
    """R9 saves spectra beside the images on which they were taken, and transforms of images."""
    image = replace(IMAGE, angle=10.0)
    transform = replace(IMAGE, units=("m-1", "m-1", "A"), label="FFT")
    pages = (image, transform, replace(image, left=True), MAP)
    found = opened(*pages)
    assert list(found) == ["Current", "Current_backward"]
    assert found.attrs["left_out"] == "FFT, Current_spectra"
    alone = opened(*pages, variable="Current_spectra")
    assert "left_out" not in alone.attrs
    assert alone.attrs["scan_angle"] == 10.0
    distance = replace(SWEEP, line=8, units=("m", " ", "A"), label="I(Z)")
    sweeps = opened(distance, SWEEP)
    assert list(sweeps) == ["Current"]
    assert sweeps.attrs["left_out"] == "I(Z)"


def test_sweeps_at_each_point_of_a_grid_are_channels(opened: Opener) -> None:
    twice = np.stack([MAP.values, -MAP.values], axis=1).reshape(-1, POINTS)
    places = grid_places(COLUMNS, ROWS, 0.5e-9, each=2)
    found = opened(replace(MAP, values=twice, places=places))
    assert list(found) == ["Current 0", "Current 1"]
    np.testing.assert_allclose(found["Current 0"], grid(), atol=1e-6)
    np.testing.assert_allclose(found["Current 1"], -grid(), atol=1e-6)


def test_a_grid_of_currents_or_of_conductances_is_chosen(opened: Opener, tmp_path: Path) -> None:
    """Names are those of the pages, and those that both show when they are opened together."""
    places = grid_places(COLUMNS, ROWS, 0.5e-9)
    current = replace(MAP, places=places)
    pages = (current, replace(current, values=-MAP.values, label="LIA"))
    assert list(opened(*pages)) == ["Current", "LIA"]
    chosen = opened(*pages, variable="LIA")
    assert list(chosen) == ["LIA"]
    np.testing.assert_allclose(chosen.LIA, -grid(), atol=1e-6)
    refused(tmp_path / "scan.sm4", "dI/dV, of Current, LIA", variable="dI/dV")

    twice = np.stack([MAP.values, 2 * MAP.values], axis=1).reshape(-1, POINTS)
    both = replace(MAP, values=twice, places=grid_places(COLUMNS, ROWS, 0.5e-9, each=2))
    pages = (both, replace(both, values=-twice, label="LIA"))
    for name, factor in {"Current 0": 1, "Current 1": 2, "LIA 0": -1, "LIA 1": -2}.items():
        assert name in opened(*pages)
        chosen = opened(*pages, variable=name)
        assert list(chosen) == [name]
        np.testing.assert_allclose(chosen[name], factor * grid(), atol=1e-6)
    refused(tmp_path / "scan.sm4", "LIA 2, of LIA 0, LIA 1", variable="LIA 2")


def test_pages_have_names_of_their_own(opened: Opener) -> None:
    small = replace(IMAGE, values=upright()[:3, :4], label="")
    pages = (IMAGE, IMAGE, SWEEP, small, replace(IMAGE, kind=4))
    assert list(opened(*pages, variable="Current 1")) == ["Current 1"]
    assert list(opened(*pages, variable="Current_spectra")) == ["Current_spectra"]
    assert dict(opened(*pages, variable="page 3").sizes) == {"y": 3, "x": 4}


SHEAR = np.array([[1.0, 0.2], [0.0, 1.0]])
OFF = MAP.places + np.eye(ROWS * COLUMNS, 2) * 1e-9
PAGES: dict[str, tuple[tuple[Sm4Page, ...], str]] = {
    "no pages": ((), "object 2 of 32 bytes"),
    "only text": ((replace(IMAGE, kind=4),), "no image or spectrum"),
    "two sizes": ((IMAGE, replace(IMAGE, steps=(1e-9, 1e-9))), "one size and scale"),
    "two angles": ((IMAGE, replace(IMAGE, angle=1.0)), "one size and scale"),
    "two images and a sweep": (
        (IMAGE, replace(IMAGE, steps=(1e-9, 1e-9)), SWEEP),
        r"Current_spectra \(48 x 5\)",
    ),
    "two kinds of sweep": (
        (SWEEP, replace(SWEEP, steps=(-0.2, 1.0), label="I")),
        r"Current \(48 x 5\), I \(48 x 5\)",
    ),
    "Fourier transform": ((replace(IMAGE, units=("m-1", "m-1", "A")),), "real space"),
    "one row": ((replace(IMAGE, values=upright()[:1]),), "pixels a side"),
    "no size": ((replace(IMAGE, steps=(0.0, 0.0)),), "nm long"),
    "NaN step": ((replace(IMAGE, steps=(np.nan, 1e-9)),), "reader of .sm4"),
    "against distance": ((replace(SWEEP, units=("m", " ", "A")),), "against the bias"),
    "distance by type": ((replace(SWEEP, line=8),), "lines of type 8"),
    "still": ((replace(SWEEP, steps=(0.0, 1.0)),), "rises or falls"),
    "no sweep": ((replace(SWEEP, values=SWEEP.values[:0]),), "0 lines|reader of .sm4"),
    "grid, wider": ((replace(MAP, grid=(COLUMNS, ROWS + 1)),), "48 of 56 spectra"),
    "grid, endless": ((replace(MAP, grid=(2**31, 2**31)),), "pixels a side"),
    "grid, nowhere": ((replace(MAP, places=None),), "reader of .sm4"),
    "grid, sheared": ((replace(MAP, places=MAP.places @ SHEAR),), "at right angles"),
    "grid, NaN": ((replace(MAP, places=np.full((ROWS * COLUMNS, 2), np.nan)),), "right angles"),
}


@pytest.mark.parametrize("case", PAGES)
def test_pages_that_are_no_images_or_spectra_are_refused(case: str, tmp_path: Path) -> None:
    pages, told = PAGES[case]
    (tmp_path / "scan.sm4").write_bytes(sm4_file(*pages))
    refused(tmp_path / "scan.sm4", told)


def test_a_spectrum_off_its_grid_is_refused(tmp_path: Path) -> None:
    page = replace(MAP, label="M", places=OFF)
    (tmp_path / "scan.sm4").write_bytes(sm4_file(replace(IMAGE, angle=10.0), page))
    refused(tmp_path / "scan.sm4", "rows and columns", variable="M")


def changed(at: int, value: int) -> bytes:
    content = bytearray(sm4())
    struct.pack_into("<I", content, at, value)
    return bytes(content)


HEADER = 94 + 28 + 2 * 56
DAMAGED: dict[str, tuple[bytes, str]] = {
    "cut": (sm4()[:-1], "object 4 of 192 bytes"),
    "only a signature": (sm4()[:40], "struct.error|unpack"),
    "wide objects": (changed(46, 16), "objects of 16 bytes"),
    "many objects": (changed(42, 2**31), "2147483648 objects"),
    "no index": (changed(58, 7), "KeyError"),
    "many pages": (changed(94, 2**32 - 1), "4294967295 pages"),
    "no array": (changed(110, 7), "KeyError"),
    "array elsewhere": (changed(114, len(sm4()) - 40), "objects at"),
    "header elsewhere": (changed(158, len(sm4()) - 180), "object|text|KeyError|bytes"),
    "terabytes": (changed(HEADER + 24, 2**31), "bytes of a page"),
    "more rows": (changed(HEADER + 28, ROWS + 1), "192 of 224"),
    "endless text": (sm4().replace(b"\7\0C\0u\0", b"\xff\xffC\0u\0", 1), "text of 65535"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_rhk_file_is_refused(case: str, tmp_path: Path) -> None:
    content, told = DAMAGED[case]
    assert content != sm4()
    (tmp_path / "scan.sm4").write_bytes(content)
    refused(tmp_path / "scan.sm4", told)


def test_an_rhk_file_tells_its_own_scale(tmp_path: Path) -> None:
    (tmp_path / "scan.sm4").write_bytes(sm4())
    refused(tmp_path / "scan.sm4", "tells its own scale", **GIVEN)


def test_pages_that_share_their_data_take_bounded_memory(tmp_path: Path) -> None:
    """A thousand pages on the same megabyte of data, and on the same long texts."""
    content = bytearray(sm4_file(*[replace(IMAGE, label="x" * 60_000)] * 2))
    side = 512
    first = struct.unpack_from("<I", content, 122 + 32 + 4)[0]
    big = len(content)
    struct.pack_into("<2I", content, first + 24, side, side)
    entry = struct.pack("<16s4I", bytes(16), 0, 0, 2, 6)
    entry += struct.pack("<6I", 3, first, 180, 4, big, 4 * side**2)
    content += bytes(4 * side**2)
    struct.pack_into("<I", content, 114, len(content))
    struct.pack_into("<I", content, 94, 1000)
    content += entry * 1000
    (tmp_path / "scan.sm4").write_bytes(content)
    tracemalloc.start()
    refused(tmp_path / "scan.sm4", "at most 134217728 values")
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()
