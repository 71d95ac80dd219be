"""One sample, scanned in a frame that is turned, lies the same by the file of every instrument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from createc_files import createc
from gapscope import measured
from measured_files import COLUMNS, HEIGHT, POINTS, ROWS, WIDTH, sxm, three_ds
from sm4_files import Sm4Page, grid_places, sm4_file

TURNED = 25.0
"""Degrees by which the frame is turned, counterclockwise, on a sample that stays."""


def sample(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height at places (..., 2) in nm of the sample, without any symmetry."""
    x, y = points[..., 0], points[..., 1]
    return np.asarray(np.sin(0.5 * x) + 0.3 * np.cos(0.4 * y) + 0.05 * x * y)


def on_sample(
    x: NDArray[np.float64], y: NDArray[np.float64], degrees: float
) -> NDArray[np.float64]:
    """Places of a frame (x to the right, y upwards) that is turned counterclockwise by degrees."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.stack([c * x - s * y, s * x + c * y], axis=-1)


def seen() -> NDArray[np.float64]:
    """What the frame sees, rows from below."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    return sample(on_sample(x * WIDTH / COLUMNS, y * HEIGHT / ROWS, TURNED))


def nanonis_scan() -> bytes:
    """Nanonis counts clockwise."""
    content = sxm(direction="forward").replace(b"4.500E+1", f"{-TURNED:.3E}".encode())
    values = np.stack([seen(), seen()])[:, ::-1].astype(">f4").tobytes()
    return content[: -len(values)] + values


def nanonis_grid() -> bytes:
    content = three_ds().replace(b"3.0E+1", f"{-TURNED:E}".encode())
    at = content.index(b":HEADER_END:\r\n") + 14
    blocks = np.frombuffer(content[at:], ">f4").reshape(ROWS, COLUMNS, -1).copy()
    blocks[..., 5 : 5 + POINTS] = seen()[..., None]
    return content[:at] + blocks.tobytes()


def rhk_image() -> bytes:
    return sm4_file(Sm4Page(seen()[::-1, ::-1], angle=TURNED))


def rhk_grid() -> bytes:
    """Spectra by their places on the sample, which the reader must find along the turned axes."""
    page = Sm4Page(
        np.repeat(seen()[::-1, ::-1].reshape(-1, 1), POINTS, axis=1),
        label="I",
        units=("V", " ", "A"),
        steps=(-0.1, 1.0),
        start=0.2,
        kind=1,
        line=7,
        grid=(COLUMNS, ROWS),
    )
    image = Sm4Page(seen(), angle=TURNED, label="Z")
    places = grid_places(COLUMNS, ROWS, 1e-9)
    scaled = places - places[0]
    scaled = scaled * [WIDTH / COLUMNS, HEIGHT / ROWS]
    turned = 1e-9 * on_sample(scaled[:, 0] * 1e9, scaled[:, 1] * 1e9, TURNED)
    return sm4_file(image, replace(page, places=turned))


def createc_image() -> bytes:
    """Createc counts counterclockwise, and stores counts."""
    scale = 20 / 2**20 * 10 * 19.2e-10
    changes = {"Channels / Channels": "2", "Rotation / Rotation": f"{TURNED:.2f}"}
    return createc(np.stack([seen(), seen()])[:, ::-1] / scale, changes)


FILES: dict[str, tuple[Callable[[], bytes], str | None, str]] = {
    "scan.sxm": (nanonis_scan, None, "Z"),
    "grid.3ds": (nanonis_grid, None, "Current"),
    "image.sm4": (rhk_image, None, "Current"),
    "grid.sm4": (rhk_grid, "I", "I"),
    "image.dat": (createc_image, None, "Z"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_scan_angle_turns_the_image_onto_the_sample(name: str, tmp_path: Path) -> None:
    """The image at (x, y) shows the sample at (x, y) turned counterclockwise by scan_angle."""
    content, variable, channel = FILES[name]
    (tmp_path / name).write_bytes(content())
    found = measured.open(tmp_path / name, variable=variable)
    image = found[channel]
    image = image.isel(bias=2) if "bias" in image.dims else image
    x, y = np.meshgrid(found.x.values, found.y.values)
    assert found.attrs["scan_angle"] == pytest.approx(TURNED)
    expected = sample(on_sample(x, y, found.attrs["scan_angle"]))
    np.testing.assert_allclose(image.values, expected, atol=2e-3)
    wrong = sample(on_sample(x, y, -found.attrs["scan_angle"]))
    assert np.abs(image.values - wrong).max() > 0.5
