"""Writes files of Matrix: the parameters of an experiment, and data files that it names."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

TIME = 1_600_000_000
MAGIC = b"ONTMATRX0101"
FACTOR = 2.0**20
CHANNEL = bytes.fromhex("4300440002000000")
Value = float | int | bool | str
PARAMETERS: dict[str, tuple[Value, str]] = {
    "XYScanner.Points": (8, "Count"),
    "XYScanner.Lines": (6, "Count"),
    "XYScanner.Width": (16e-9, "Meter"),
    "XYScanner.Height": (9e-9, "Meter"),
    "XYScanner.X_Retrace": (True, "--"),
    "XYScanner.Y_Retrace": (True, "--"),
    "XYScanner.Angle": (30, "Degree"),
    "XYScanner.Enable_Subgrid": (False, "--"),
    "XYScanner.Subgrid_X": (2, "Count"),
    "XYScanner.Subgrid_Y": (3, "Count"),
    "GapVoltageControl.Voltage": (0.045, "Volt"),
    "Regulator.Feedback_Loop_Enabled": (True, "--"),
    "Regulator.Setpoint_1": (450e-12, "Ampere"),
    "Spectroscopy.Device_1_Start": (-0.25, "Volt"),
    "Spectroscopy.Device_1_End": (0.25, "Volt"),
    "Spectroscopy.Device_1_Points": (5, "Count"),
    "Spectroscopy.Enable_Device_1_Ramp_Reversal": (True, "--"),
    "Note.Text": ("words", "--"),
}
LINEAR: tuple[str, dict[str, Value]] = ("TFF_Linear1D", {"Factor": FACTOR, "Offset": 3.0})


def text(words: str) -> bytes:
    return struct.pack("<I", len(words)) + words.encode("utf-16-le")


def value(one: Value) -> bytes:
    if isinstance(one, bool):
        return b"LOOB" + struct.pack("<I", one)
    if isinstance(one, int):
        return b"GNOL" + struct.pack("<i", one)
    return b"GRTS" + text(one) if isinstance(one, str) else b"BUOD" + struct.pack("<d", one)


def plain(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body


def timed(name: bytes, body: bytes, time: int = TIME) -> bytes:
    return name + struct.pack("<IQ", len(body), time) + body


def elements(parameters: Mapping[str, tuple[Value, str]]) -> bytes:
    """All parameters, as an experiment begins with them."""
    instances: dict[str, list[bytes]] = {}
    for key, (one, unit) in parameters.items():
        instance, _, name = key.partition(".")
        entry = text(name) + text(unit) + bytes(4) + value(one)
        instances.setdefault(instance, []).append(entry)
    body = bytes(4) + struct.pack("<I", len(instances))
    for instance, entries in instances.items():
        body += text(instance) + struct.pack("<I", len(entries)) + b"".join(entries)
    return timed(b"APEE", body)


def changed(key: str, one: Value, unit: str) -> bytes:
    """One parameter that was changed in the course of the experiment."""
    instance, _, name = key.partition(".")
    body = bytes(4) + text(instance) + text(name) + text(unit) + bytes(4) + value(one)
    return timed(b"DOMP", body)


def channels(
    name: str, unit: str, function: tuple[str, Mapping[str, Value]] = LINEAR, number: int = 7
) -> bytes:
    """One channel, and the function of its values."""
    dictionary = bytes(8) + struct.pack("<I", 1) + bytes(16) + text("A") + text("B")
    dictionary += struct.pack("<2I", 1, 0) + struct.pack("<I8x", number) + text(name) + text(unit)
    dictionary += struct.pack("<I", 1) + CHANNEL + struct.pack("<II", 0, number) + text("stored")
    kind, given = function
    transfer = struct.pack("<2I", 0, number) + text(kind) + text(unit)
    transfer += struct.pack("<I", len(given))
    transfer += b"".join(text(key) + value(one) for key, one in given.items())
    return timed(b"YSCC", bytes(4) + plain(b"TCID", dictionary) + plain(b"REFX", transfer))


def written(name: str, time: int = TIME) -> bytes:
    """The mark that a data file was written."""
    return timed(b"FERB", bytes(4) + text(name), time)


def experiment(*blocks: bytes, **changes: tuple[Value, str]) -> bytes:
    """A parameter file; parameters are changed by INSTANCE__PROPERTY=(value, unit)."""
    given = {key.replace("__", "."): one for key, one in changes.items()}
    return MAGIC + timed(b"ATEM", bytes(8)) + elements({**PARAMETERS, **given}) + b"".join(blocks)


def data_file(values: Sequence[float] | NDArray[np.float64], time: int = TIME) -> bytes:
    """A data file of the function LINEAR, in the order of measuring."""
    flat = np.ravel(np.asarray(values, dtype=np.float64))
    counts = np.round(flat * FACTOR + 3.0).astype("<i4").tobytes()
    about = CHANNEL + struct.pack("<5I", 1, 0, 0, len(flat), len(flat))
    about += text("SI32") + struct.pack("<4I", 4, 1, 0, len(flat))
    body = bytes(4) + plain(b"CSED", about) + plain(b"ATAD", counts)
    return MAGIC + timed(b"TLKB", body, time)


def stored(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a data file holds of values, which are integers there."""
    return np.asarray((np.round(values * FACTOR + 3.0) - 3.0) / FACTOR)
