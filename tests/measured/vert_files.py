"""Writes spectra of Createc: a header of 16 KiB, four numbers, and a table in text."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

ENTRIES = {
    "DAC-Type": "20bit",
    "Titel / Titel": "DATA \xc5",
    "BiasVoltage / BiasVolt.[mV]": "45.00",
    "Gainpreamp / GainPre 10^": "8",
    "CHMode / CHMode": "0",
    "Rotation / Rotation": "0.00",
    "Vertmangain": "9",
    "VertSpecBack": "1",
    "FBChannel": "0",
    "FBLogIset": " 450.000",
    "ZPiezoconst": "  9.50",
}


def vert(
    columns: NDArray[np.float64],
    changes: Mapping[str, str] | None = None,
    selected: int = 3,
    kind: str = "[ParVERT30]",
    points: int | None = None,
    header: int = 2**14,
) -> bytes:
    """A table (row, column) of V in mV, Z, ...; None of an entry leaves it out."""
    entries = {**ENTRIES, **(changes or {})}
    lines = [kind, *(f"{key}={value}" for key, value in entries.items() if value != "none"), ""]
    text = "\r\n".join(lines).encode("latin-1").ljust(header - 4, b"\0") + b"DATA\r\n"
    count = len(columns) if points is None else points
    text += f"{count:8d}   -4032   10512 {selected:18d}\r\n".encode()
    rows = ["\t".join([str(i), *(f"{x:.8E}" for x in row), ""]) for i, row in enumerate(columns)]
    return text + "\r\n".join([*rows, ""]).encode()
