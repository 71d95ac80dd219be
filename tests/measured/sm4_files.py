"""Writes .sm4 files: pages of images and spectra, with the lists of objects that RHK's have."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP_Z = 2.0**-20
"""Unit per count of the stored integers."""


@dataclass(frozen=True)
class Sm4Page:
    """Values in the order of the file, (row, column) or (spectrum, point), and what they mean."""

    values: NDArray[np.float64]
    label: str = "Current"
    units: tuple[str, str, str] = ("m", "m", "A")
    steps: tuple[float, float] = (-2e-9, -1.5e-9)
    start: float = 0.0
    left: bool = False
    vertical: bool = False
    angle: float = 0.0
    kind: int = 0
    line: int = 0
    grid: tuple[int, int] = (0, 0)
    places: NDArray[np.float64] | None = None
    lines_done: str = ""
    bias: float = 0.045
    current: float = 450e-12
    feedback: str = ""
    held: str = "A"

    def texts(self) -> bytes:
        words = [self.label, "", "", "", "C:\\a.sm4", "08/23/21", "15:18:44", *self.units]
        words += ["", self.label, "", self.lines_done, "0", "", "", "A", "Ch1 Drive Value: 1 V"]
        return b"".join(struct.pack("<H", len(w)) + w.encode("utf-16-le") for w in words)

    def header(self, objects: int) -> bytes:
        rows, columns = self.values.shape
        page, scan, data = 1 + self.kind, int(self.left) + 2 * self.vertical, 4 * self.values.size
        ints = (page, 0, self.line, 0, 0, columns, rows, 0, scan, 0, data, 0, 0)
        floats = (*self.steps, STEP_Z, 0, self.start, 0, 0.25, 1e-3, self.bias, self.current)
        return (
            struct.pack("<2H13I11f", 180, 19, *ints, *floats, self.angle)
            + struct.pack("<4I", 1, *self.grid, objects)
            + b"\1".ljust(64, b"\0")
        )

    def data(self) -> bytes:
        return np.round((self.values - 0.25) / STEP_Z).astype("<i4").tobytes()

    def controller(self) -> bytes:
        """Set point, gains, bounds and texts; nothing without a kind of feedback."""
        if not self.feedback:
            return b""
        words = [self.feedback, self.held, "", "", ""]
        texts = b"".join(struct.pack("<H", len(w)) + w.encode("utf-16-le") for w in words)
        return struct.pack("<5dI", 4e-11, 1.0, 1.0, -1.0, 1.0, len(words)) + texts

    def spectra(self) -> bytes:
        """Time, x, y and drifts of each spectrum."""
        if self.places is None:
            return b""
        rows = np.zeros((len(self.places), 7), "<f4")
        rows[:, 1:3] = self.places
        return rows.tobytes()


def sm4_file(*pages: Sm4Page) -> bytes:
    """File header, page index, and then header, texts, places and data of each page."""
    start, entry, header = 2 + 56 + 3 * 12, 32 + 2 * 12, 180 + 4 * 12
    array = start + 16 + 12
    at = array + len(pages) * entry
    index, bodies = b"", b""
    for page in pages:
        texts, places, data = page.texts(), page.spectra(), page.data()
        control = page.controller()
        of_texts = at + header
        of_places = of_texts + len(texts)
        of_control = of_places + len(places)
        of_data = of_control + len(control)
        index += struct.pack("<16s4I", bytes(16), page.kind, 0, 2, 6)
        index += struct.pack("<6I", 3, at, 180, 4, of_data, len(data))
        bodies += page.header(4)
        bodies += struct.pack("<9I", 10, of_texts, len(texts), 0, 0, 0, 8, of_places, len(places))
        bodies += struct.pack("<3I", 27, of_control, min(len(control), 44))
        bodies += texts + places + control + data
        at = of_data + len(data)
    signature = "STiMage 005.004 1".encode("utf-16-le").ljust(36, b"\0")
    return b"".join(
        [
            struct.pack("<H36s5I", 56, signature, len(pages), 3, 12, 0, 0),
            struct.pack("<9I", 1, start, 16, 13, 0, 0, 15, 0, 0),
            struct.pack("<4I", len(pages), 1, 0, 0),
            struct.pack("<3I", 2, array, 32),
            index,
            bodies,
        ]
    )


def grid_places(
    columns: int, rows: int, step: float, angle: float = 0.0, each: int = 1
) -> NDArray[np.float64]:
    """Places in m of a grid's spectra, from the upper right corner to the left, then downwards."""
    x = -step * np.arange(columns)[None, :, None] * np.ones((rows, 1, each))
    y = -step * np.arange(rows)[:, None, None] * np.ones((1, columns, each))
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turned = np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)
    return np.asarray(turned.reshape(-1, 2) + np.array([3e-7, -2e-7]))
