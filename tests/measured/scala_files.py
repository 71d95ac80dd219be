"""Writes scans of SCALA: a parameter file, and big-endian integers for each channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEADER = {
    "Format": "1",
    "System": "SCALA",
    "Date": "22.10.2014 15:19",
    "VGAP Contact": "SAMPLE",
    "Field X Size in nm": "16.0     ;[nm]",
    "Field Y Size in nm": "9.0     ;[nm]",
    "Image Size in X": "8",
    "Image Size in Y": "6",
    "Scan Angle": "0.000     ;[Degree]",
    "SPM Method": ": STM",
    "Dual mode": "Off",
    "Gap Voltage": "0.045     ;[V]",
    "Feedback Set": "0.45     ;[nA]",
    "Spectroscopy Grid Value in X": "1",
    "Spectroscopy Grid Value in Y": "1",
    "Spectroscopy Points in X": "8",
    "Spectroscopy Lines in Y": "6",
}


@dataclass(frozen=True)
class Part:
    """Integers (y, x) of an image or (y, x, bias) of spectra, the lowest line first."""

    values: NDArray[np.integer]
    ending: str = "tf0"
    name: str = "Z"
    direction: str = "Forward"
    unit: str = "nm"
    parameter: str = "V"
    start: float = -0.1
    end: float = 0.1
    raw: tuple[int, int] = (-1000, 1000)

    @property
    def lines(self) -> list[str]:
        """Those of the parameter file: the raw range spans -5 to 15 of the unit."""
        ranges = [self.direction, *map(str, self.raw), "-5.0", "15.0", "0.01", self.unit]
        more = [f"m1.{self.ending}", self.name]
        if self.values.ndim == 2:
            return ["Topographic Channel", "Z", *ranges, *more]
        points = self.values.shape[-1]
        sweep = [str(points), f"{self.start}", f"{self.end}", "0.05", "1.0", "2.0", "Off"]
        return ["Spectroscopy Channel", "I(V)", self.parameter, *ranges, *sweep, *more]

    @property
    def data(self) -> bytes:
        """The integers, plane by plane."""
        planes = np.moveaxis(self.values, -1, 0) if self.values.ndim == 3 else self.values
        return planes.astype(">i2").tobytes()


def par(*parts: Part, changes: Mapping[str, str] | None = None) -> bytes:
    """The parameter file; a second line of an entry follows a |, None leaves one out."""
    entries = {**HEADER, **(changes or {})}
    lines = [
        ";",
        ";               Omicron SPM Control.",
        ";  Parameter file for SPM data.",
        ";",
        "",
    ]
    for key, value in entries.items():
        first, _, second = value.partition("|")
        lines += [f"{key:32}: {first}"] if value != "none" else []
        lines += [" " * 34 + second] if second else []
    for part in parts:
        key, first, *rest = part.lines
        lines += ["", f"{key:32}: {first}   ;Channel"]
        lines += [" " * 34 + f"{one}   ;said" for one in rest]
    return "\r\n".join([*lines, "", ";", ""]).encode("latin-1")


def scala(*parts: Part, changes: Mapping[str, str] | None = None) -> bytes:
    """All files of a scan, one behind the other, as the reader gets them."""
    return par(*parts, changes=changes) + b"".join(part.data for part in parts)


def written(folder: Path, *parts: Part, changes: Mapping[str, str] | None = None) -> Path:
    """The files of a scan in a folder; the endings in capitals."""
    for part in parts:
        (folder / f"m1.{part.ending.upper()}").write_bytes(part.data)
    path = folder / "m1.par"
    path.write_bytes(par(*parts, changes=changes))
    return path
