"""Writes files of NanoScope: lists of entries, then integers at the places that they state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SHARED = (
    ("File list", {"Date": "02:03:59 PM Wed May 06 2015"}),
    ("Scanner list", {"@Sens. Zsens": "V 20.00000 nm/V"}),
    (
        "Ciao scan list",
        {
            "Scan Size": "16 nm",
            "Rotate Ang.": "0",
            "@Sens. CurrentSens": "V 10.00000 nA/V",
            "@Sens. Phase": "V 1.000000 ",
            "@2:Bias": "V (0.3051758 mV/LSB) 600.0000 mV",
        },
    ),
)
OFFSET = 4096


@dataclass(frozen=True)
class Image:
    """Integers (line, pixel), the lowest line first, and entries of their list."""

    values: NDArray[np.integer]
    name: str = "Height"
    scale: str = "V [Sens. Zsens] (0.0000762939 V/LSB) 5.000000 V"
    bytes_each: int = 2
    entries: Mapping[str, str] = field(default_factory=dict)


def nanoscope(*images: Image, version: str = "0x09200000") -> bytes:
    """A file of images; "none" of an entry leaves it out."""
    lists = [(name, dict(entries)) for name, entries in SHARED]
    lists[0][1]["Version"] = version
    at, data = OFFSET, b""
    for one in images:
        stored = one.values.astype(f"<i{one.bytes_each}").tobytes()
        entries = {
            "Data offset": str(at),
            "Data length": str(len(stored)),
            "Bytes/pixel": "2",
            "Samps/line": str(one.values.shape[1]),
            "Number of lines": str(one.values.shape[0]),
            "Scan Size": "0.016 0.009 ~m",
            "Aspect Ratio": "1:1",
            "Line Direction": "Trace",
            "@2:Image Data": f'S [Key] "{one.name}"',
            "@2:Z scale": one.scale,
            **one.entries,
        }
        lists.append(("Ciao image list", entries))
        at, data = at + len(stored), data + stored
    lines = [
        line
        for name, entries in lists
        for line in (f"\\*{name}", *(f"\\{k}: {v}" for k, v in entries.items() if v != "none"))
    ]
    text = "\r\n".join([*lines, "\\*File list end", "\x1a"]).encode("latin-1")
    return text.ljust(OFFSET, b"\0") + data
