"""Writes files of Nanosurf: sections of entries, then integers, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

INFO = {
    "-- Scan --": "--------",
    "Image size": "16nm",
    "Scan direction": "Down",
    "Rotation": "0 °",
    "Date": "14-06-2023",
    "Time": "11:56:19",
    "Setpoint": "0.45nA",
    "Tip voltage": "600mV",
    "Op. mode": "STM",
}


@dataclass(frozen=True)
class Part:
    """A channel: integers (line, point), what they are, and entries of its section."""

    values: NDArray[np.integer]
    name: str = "Z-Axis"
    frame: str = "Scan forward"
    bits: int = 32
    entries: Mapping[str, str] = field(default_factory=dict)


def nid(*parts: Part, info: Mapping[str, str] | None = None) -> bytes:
    """A file with one group for each frame; None of an entry leaves it out."""
    frames = list(dict.fromkeys(part.frame for part in parts))
    groups: list[Sequence[Part]] = [[p for p in parts if p.frame == one] for one in frames]
    lines = ["[DataSet]", "Version=2", f"GroupCount={len(groups)}"]
    for i, group in enumerate(groups):
        lines += [f"Gr{i}-Name={frames[i]}", f"Gr{i}-Count=8"]
        # Channels have numbers of their own, of which some are missing.
        lines += [f"Gr{i}-Ch{2 * j}=DataSet-{i}:{2 * j}" for j in range(len(group))]
    lines += ["", "[DataSet-Info]"]
    lines += [f"{k}={v}" for k, v in {**INFO, **(info or {})}.items() if v != "none"] + [""]
    data = b""
    for i, group in enumerate(groups):
        for j, part in enumerate(group):
            last = len(part.values) - 1
            entries = {
                "Points": str(part.values.shape[1]),
                "Lines": str(part.values.shape[0]),
                "Frame": part.frame,
                "CurLine": "0" if part.entries.get("Dim0Unit", "m") == "m" else f"{last}",
                "Dim0Unit": "m",
                "Dim0Range": "1.6e-08",
                "Dim0Min": "0",
                "Dim1Unit": "m",
                "Dim1Range": "9e-09",
                "Dim1Min": "0",
                "Dim2Unit": "m",
                "Dim2Range": "2e-07",
                "Dim2Min": "-1e-07",
                "Dim2Name": part.name,
                "SaveMode": "Binary",
                "SaveBits": str(part.bits),
                "SaveSign": "Signed",
                "SaveOrder": "Intel",
                **part.entries,
            }
            lines += [f"[DataSet-{i}:{2 * j}]"]
            lines += [f"{key}={value}" for key, value in entries.items() if value != "none"] + [""]
            data += part.values.astype(f"<i{part.bits // 8}").tobytes()
    return "\r\n".join([*lines, "", "#!"]).encode() + data
