"""What the headers of Nanonis files have in common (Nanonis file formats, SPECS manual)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.limits import number

MAX_HEADER = 2**22

# Own readers rather than a library: xarray-nanonis 2025.10 and nanonispy2 1.2.0 fill what a cut-off
# grid lacks, allocate what a header asks for, ignore byte order and scan direction, and go by the
# ending alone; xarray-nanonis reads a grid of one channel as one channel per letter.


def split_header(content: bytes, end: bytes) -> tuple[str, int]:
    """The text before the line that ends the header, and where that line stops.

    Raises
    ------
    MeasurementFileError : no such line in the first 4 MiB.
    """
    at = content.find(end, 0, MAX_HEADER)
    if at < 0:
        raise MeasurementFileError(
            f"The header of a Nanonis file ends with {end.decode()}.",
            "no such line",
            "The file is cut off or damaged: copy it again.",
        )
    return content[:at].decode("utf-8", errors="replace"), at + len(end)


def moment(text: str) -> dict[str, str]:
    """``recorded`` from ``22.10.2014 15:19:04``; empty where a file has another notation."""
    try:
        moment = datetime.strptime(" ".join(text.split()), "%d.%m.%Y %H:%M:%S")
    except ValueError:
        return {}
    return {"recorded": moment.isoformat()}


def settings(header: Mapping[str, str]) -> dict[str, float]:
    """Bias, set point and temperature of the module parameters ``Module>Parameter (unit)``.

    The tag REC_TEMP of .sxm is not used: it is 290 K wherever no sensor is connected.
    """
    found = {}
    for name, key, factor in (
        ("bias", "Bias>Bias (V)", 1e3),
        ("current", "Z-Controller>Setpoint", 1e12),
        ("temperature", "Temperature 1>Temperature 1 (K)", 1.0),
    ):
        wanted = name != "current" or header.get("Z-Controller>Setpoint unit", "").strip() == "A"
        if wanted and header.get(key, "").strip():
            found[name] = number(header, key) * factor
    return found


def floats(content: bytes, start: int, order: str) -> NDArray[np.float32]:
    """The single-precision values from a byte on; a rest that makes no value is left over."""
    count = (len(content) - start) // 4
    return np.frombuffer(content, dtype=f"{order}f4", count=count, offset=start)
