"""What a measured file holds, and what gapscope takes it for."""

from __future__ import annotations

from typing import Any

import xarray as xr

from gapscope.measured.channels import image_channels, said
from gapscope.measured.readers.finished import was_measured
from gapscope.measured.readers.recording import GRID

OF_THE_FILE = ("bias", "current", "feedback", "scan_angle", "temperature", "recorded", "segments")
OF_A_CHANNEL = ("harmonic", "pass", "bias", "current", "feedback", "height_offset")
UNITS = {
    "bias": "mV",
    "current": "pA",
    "scan_angle": "degrees",
    "temperature": "K",
    "height_offset": "nm",
}


def contents(opened: xr.Dataset) -> dict[str, Any]:
    """What a dataset of :func:`gapscope.measured.open` holds, as plain numbers and words.

    Nothing is computed but the sizes and how many values are missing. What the file does not state
    is None.

    Returns
    -------
    file, format; pixels (x, y), size (nm); bias_axis (points, first and last in mV); curves, how
    many spectra of a channel there are where they have no places; settings, by
    their names, as `open` has them; left_out, unfinished_lines; channels, each with name, units,
    dimensions, missing values, conditions, and what it is taken for; map, the channel that is
    prepared and predicted where none is named, and map_bias, what it was taken at (mV), of a grid
    of spectra where no bias is named.
    """
    maps = image_channels(opened)
    bias = opened["bias"].values if "bias" in opened.coords else None
    first = opened[maps[0]] if maps else None
    if first is not None and bias is not None and first.dims == GRID:
        inside = bias[0] <= 0.0 <= bias[-1]
        nearest = first["bias"].sel(bias=0.0, method="nearest")  # as image_of chooses
        map_bias = float(nearest) if inside else None
    elif first is not None:
        map_bias = first.attrs.get("bias", opened.attrs.get("bias"))
    else:
        map_bias = None
    return {
        "file": opened.attrs.get("file"),
        "format": opened.attrs["source_format"],
        "pixels": [opened.sizes["x"], opened.sizes["y"]] if first is not None else None,
        "size": [_side(opened[axis].values) for axis in ("x", "y")] if first is not None else None,
        "bias_axis": None if bias is None else [len(bias), float(bias[0]), float(bias[-1])],
        "curves": opened.sizes.get("curve"),
        "settings": {key: opened.attrs.get(key) for key in OF_THE_FILE},
        "left_out": opened.attrs.get("left_out"),
        "unfinished_lines": opened.attrs.get("unfinished_lines", 0),
        "channels": [_channel(opened, str(name), maps) for name in opened.data_vars],
        "map": maps[0] if maps else None,
        "map_bias": map_bias,
    }


def _channel(opened: xr.Dataset, name: str, maps: list[str]) -> dict[str, Any]:
    one = opened[name]
    return {
        "name": name,
        "units": one.attrs["units"],
        "dimensions": list(one.dims),
        "missing": int((~was_measured(one.values) if name in maps else one.isnull().values).sum()),
        "conditions": {key: one.attrs[key] for key in OF_A_CHANNEL if key in one.attrs},
        "taken_for": said(opened, name) if name in maps else "spectra without places: no map",
    }


def _side(places: Any) -> float:
    """Length of an axis whose places are the pixels' lower edges."""
    return float(len(places) * (places[1] - places[0]))


def table(about: dict[str, Any]) -> str:
    """The same in words and columns, for a reader."""
    lines = [f"{about['file']}: {about['format']}"]
    if about["pixels"]:
        (columns, rows), (width, height) = about["pixels"], about["size"]
        lines.append(f"  {'image':13}{columns} x {rows} pixels, {width:.5g} x {height:.5g} nm")
    if about["bias_axis"]:
        points, start, end = about["bias_axis"]
        curves = f"{about['curves']} of " if about["curves"] else ""
        lines.append(f"  {'spectra':13}{curves}{points} points, {start:.5g} to {end:.5g} mV")
    for key, value in about["settings"].items():
        if value is not None:
            lines.append(f"  {key.replace('_', ' '):13}{_stated(key, value)}")
    if about["left_out"]:
        lines.append(f"  {'left out':13}{about['left_out']}: see --variable")
    if about["unfinished_lines"]:
        lines.append(f"  {'left out':13}{about['unfinished_lines']} unfinished lines")
    rows = [("channel", "unit", "over", "taken for", "stated of it alone")]
    for one in about["channels"]:
        conditions = [f"{key} {_stated(key, value)}" for key, value in one["conditions"].items()]
        if one["missing"]:
            conditions.append(f"{one['missing']} values were not measured")
        over = ", ".join(one["dimensions"])
        words = (one["name"], one["units"], over, one["taken_for"], "; ".join(conditions))
        rows.append(words)
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        cells = (word.ljust(width) for word, width in zip(row, widths, strict=True))
        lines.append(("  " + "  ".join(cells)).rstrip())
    if about["map"] is None:
        lines.append("  no map: prepare and predict refuse this file")
    else:
        at = f" at {about['map_bias']:.5g} mV" if about["map_bias"] is not None else ""
        of_spectra = any(
            one["name"] == about["map"] and "bias" in one["dimensions"] for one in about["channels"]
        )
        takes = f"prepare and predict take {about['map']}{at}"
        if of_spectra:
            at = at or " where --bias says: 0 mV is not among them"
            takes = f"prepare takes {about['map']}{at}, predict at its network's energy; --bias"
            takes += " chooses it"
        lines.append(f"  {takes}; --channel names another")
        if any(one["name"] == about["map"] and one["missing"] for one in about["channels"]):
            lines.append("  --finished keeps its lines that were measured")
    return "\n".join(lines)


def _stated(key: str, value: float | str) -> str:
    words = value if isinstance(value, str) else f"{value:.5g}"
    return f"{words} {UNITS[key]}" if key in UNITS else words
