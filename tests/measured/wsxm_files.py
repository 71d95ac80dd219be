"""Writes images of WSxM: sections of entries, then values from the lower right corner."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

ENTRIES = {
    "Control": {
        "Angle": "0",
        "Set Point": "0.45 nA",
        "Topography Bias": "-45 mV",
        "X Amplitude": "160 \xc5",
        "Y Amplitude": "9 nm",
    },
    "General Info": {
        "Acquisition channel": "Topography",
        "Image Data Type": "double",
        "Number of columns": "8",
        "Number of rows": "6",
        "X scanning direction": "Forward",
        "Z Amplitude": "2.5 nm",
    },
    "Miscellaneous": {"Comments": "a: b", "Maximum": "1", "Minimum": "0"},
}


def wsxm(values: NDArray[np.float64], changes: Mapping[str, str] | None = None) -> bytes:
    """An image (y, x), y upwards; None of an entry leaves it out."""
    given = dict(changes or {})
    lines = ["WSxM file copyright UAM", "SxM Image file", "Image header size: 0", ""]
    kind = given.get("Image Data Type", "double")
    for section, entries in ENTRIES.items():
        lines += [f"[{section}]", ""]
        chosen = {key: given.get(key, one) for key, one in entries.items()}
        lines += [f"    {key}: {one}" for key, one in chosen.items() if one != "none"] + [""]
    text = "\r\n".join([*lines, "[Header end]", ""]).encode("latin-1")
    stored = {"short": "<i2", "float": "<f4"}.get(kind, "<f8")
    return text + values[:, ::-1].astype(stored).tobytes()
