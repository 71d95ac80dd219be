"""Writes images of Createc: its header of 16 KiB, one value that is not used, then the counts."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

ENTRIES = {
    "DAC-Type": "20bit",
    "Titel / Titel": "sample \xc5",
    "Num.X / Num.X": "8",
    "Num.Y / Num.Y": "6",
    "GainZ / GainZ": "10",
    "Rotation / Rotation": "0.00",
    "BiasVoltage / BiasVolt.[mV]": "45.00",
    "Gainpreamp / GainPre 10^": "9",
    "Channels / Channels": "4",
    "CHMode / CHMode": "0",
    "ScanmodeSine / ScanmodeSine": "0",
    "Channelselectval / Channelselectval": "3",
    "ZPiezoconst": "19.20",
    "ImageYPosMax": "7",
    "FBOff": "0",
    "FBChannel": "0",
    "FBLogIset": "450.00000000",
    "Length x[\xc5]": "160.0",
    "Length y[A]": "90.0",
    "T-STM:": "4.2",
}


def createc(
    images: NDArray[np.float64],
    changes: Mapping[str, str] | None = None,
    kind: str = "[Paramco32]",
    header: int = 2**14,
) -> bytes:
    """Images (channel, row, column), the first row at the top; None of an entry leaves it out."""
    entries = {**ENTRIES, **(changes or {})}
    lines = [kind, *(f"{key}={value}" for key, value in entries.items() if value != "none"), ""]
    text = "\r\n".join(lines).encode("latin-1").ljust(header - 5, b"\0") + b"\nDATA"
    stored = np.concatenate([[7.0], images.ravel(), np.zeros(40)])
    data = stored.astype("<i2" if kind == "[Parameter]" else "<f4").tobytes()
    return text + (zlib.compress(data) if kind == "[Paramco32]" else data)
