"""What the headers of Nanonis files have in common (Nanonis file formats, SPECS manual)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import PICOAMPERES, decoded, number

MAX_HEADER = 2**22
DEMODULATOR = re.compile(r"\bLI[ _]Demod[ _](\d+)", re.IGNORECASE)
SELECTED = re.compile(r"\bLI[XYR]?[ _]n[ _]omega", re.IGNORECASE)
"""Lock-in channels whose harmonic is a setting: of a demodulator, or of the one that is n omega."""

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
            f"The header of a Nanonis file ends with {end.decode().strip()}.",
            "no such line",
            "The file is cut off or damaged: copy it again.",
        )
    return decoded(content[:at]), at + len(end)


def moment(text: str) -> dict[str, str]:
    """``recorded`` from ``22.10.2014 15:19:04``; empty where a file has another notation."""
    try:
        moment = datetime.strptime(" ".join(text.split()), "%d.%m.%Y %H:%M:%S")
    except ValueError:
        return {}
    return {"recorded": moment.isoformat()}


def settings(header: Mapping[str, str]) -> dict[str, float | str]:
    """Bias, set point and temperature of the module parameters ``Module>Parameter (unit)``.

    While the feedback is off its set point is not held: there is no current, but feedback = "off".
    The tag REC_TEMP of .sxm is not used: it is 290 K wherever no sensor is connected.
    """
    found: dict[str, float | str] = {}
    for name, key, factor in (
        ("bias", "Bias>Bias (V)", 1e3),
        ("temperature", "Temperature 1>Temperature 1 (K)", 1.0),
    ):
        if header.get(key, "").strip():
            found[name] = number(header, key) * factor
    held, key = header.get("Z-Controller>Setpoint unit", "").strip(), "Z-Controller>Setpoint"
    if is_off(header.get("Z-Controller>Controller status", "")):
        found["feedback"] = "off"
    elif held in PICOAMPERES and header.get(key, "").strip():
        found["current"] = number(header, key) * PICOAMPERES[held]
    return found


def is_off(word: str) -> bool:
    """Whether a switch of a header is off; an empty one is not known to be."""
    return word.strip().lower() in ("0", "off", "false")


def scan_angle(header: Mapping[str, str], key: str) -> float:
    """Degrees by which the scan frame is turned, counterclockwise; Nanonis counts clockwise.

    SPECS, Nanonis TCP protocol, Scan.FrameSet: "positive angle means clockwise rotation".
    """
    return 0.0 - number(header, key)


def harmonic(header: Mapping[str, str], name: str) -> dict[str, float | str]:
    """``harmonic`` of a lock-in channel whose demodulator the header sets; else empty."""
    demodulator = DEMODULATOR.search(name)
    if demodulator is not None:
        word = header.get(f"Lock-in>Harmonic D{demodulator[1]}", "").strip()
    else:
        word = header.get("Lock-in>Harmonic", "").strip() if SELECTED.search(name) else ""
    return {"harmonic": int(word)} if re.fullmatch(r"\d{1,3}", word) else {}


def floats(content: bytes, start: int, order: str) -> NDArray[np.float32]:
    """The single-precision values from a byte on; a rest that makes no value is left over."""
    count = (len(content) - start) // 4
    return np.frombuffer(content, dtype=f"{order}f4", count=count, offset=start)
