"""Writes files of WSxM: sections of entries, then values from the lower right corner."""

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

STORED = {
    "short": "<i2",
    "integer": "<i2",
    "unsignedshort": "<u2",
    "signedinteger": "<i4",
    "float": "<f4",
    "simple": "<f4",
}
CURVE = {
    "Number of lines": "2",
    "X axis text": "V [#x]",
    "X axis unit": "mV",
    "Y axis text": "I [#y]",
    "Y axis unit": "nA",
    "First Forward": "Yes",
}
STACK = {
    "Spectroscopy Amplitude": "1 nA",
    "Spectroscopy direction": "Forward",
    "ADC to V conversion factor": "0.5 V",
    "Conversion factor 0 for input channel": "-4 pA/V",
    "Conversion offset 0 for input channel": "3 pA",
    "Acquisition channel": "Current",
}


def wsxm_matrix(values: NDArray[np.float64], unit: str = "nm") -> bytes:
    """A matrix as WSxM exports it: the lowest row first, from the right to the left."""
    head = "WSxM file copyright UAM\nWSxM ASCII Matrix file\n"
    head += f"X Amplitude: 16 {unit}\nY Amplitude: 9 {unit}\nZ Amplitude: 1.5 pA\n\n"
    return (head + _rows(values[:, ::-1])).encode("latin-1")


def wsxm_columns(
    values: NDArray[np.float64], units: tuple[str, str, str] = ("Å", "Å", "nA")
) -> bytes:
    """Columns as WSxM exports them, x the faster one, for pixels of 2 x 1.5 nm."""
    y, x = np.mgrid[: values.shape[0], : values.shape[1]]
    columns = np.stack([20.0 * x, 15.0 * y, values], axis=-1).reshape(-1, 3)
    head = "WSxM file copyright UAM\nWSxM ASCII XYZ file\n" + "X[{}]\tY[{}]\tZ[{}]\n\n"
    return (head.format(*units) + _rows(columns)).encode("latin-1")


def _rows(values: NDArray[np.float64]) -> str:
    return "".join("\t".join(repr(float(one)) for one in row) + "\n" for row in values)


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
    return text + values[:, ::-1].astype(STORED.get(kind, "<f8")).tobytes()


def stack(
    spectra: NDArray[np.float64],
    topography: NDArray[np.float64],
    ramp: list[str],
    changes: Mapping[str, str] | None = None,
) -> bytes:
    """Spectra (y, x, bias) behind a topography, y upwards; the ramp in words such as 0.1 V."""
    given = dict(changes or {})
    info = {**ENTRIES["General Info"], **STACK, "Number of points per ramp": str(len(ramp))}
    ramps = {f"Image {i:03d}": one for i, one in enumerate(ramp)}
    sections = {
        "Control": ENTRIES["Control"],
        "General Info": info,
        "Spectroscopy images ramp value list": ramps,
    }
    lines = ["WSxM file copyright UAM", "Spectroscopy Imaging Image file", ""]
    for section, entries in sections.items():
        chosen = {key: given.get(key, one) for key, one in entries.items()}
        told = [f"    {key}: {one}" for key, one in chosen.items() if one != "none"]
        lines += [f"[{section}]", "", *told, ""]
    text = "\r\n".join([*lines, "[Header end]", ""]).encode("latin-1")
    images = [topography, *np.moveaxis(spectra, -1, 0)]
    kind = STORED.get(given.get("Image Data Type", "double"), "<f8")
    return text + np.stack(images)[:, :, ::-1].astype(kind).tobytes()


def curve(
    columns: NDArray[np.float64], changes: Mapping[str, str] | None = None, end: str = "\n"
) -> bytes:
    """A .cur of IV curves, two columns each."""
    given = dict(changes or {})
    entries = {"Number of points": str(len(columns)), **CURVE, **given}
    told = [f"    {key}: {one}" for key, one in entries.items() if key != "First Forward"]
    lines = ["WSxM file copyright Nanotec Electronica", "IV curve file", "", "[General Info]"]
    more = ["[Miscellaneous]", f"    First Forward: {entries['First Forward']}", "[Header end]"]
    rows = [" ".join(f"{value:g}" for value in row) for row in columns]
    return end.join([*lines, *told, *more, *rows, ""]).encode()
