"""Writes USID files: main datasets with the four tables that they refer to."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import h5py
import numpy as np
from numpy.typing import NDArray

BIASES = np.array([-0.1, -0.05, 0.0, 0.06, 0.1])


@dataclass(frozen=True)
class Main:
    """An image (y, x) or spectra (y, x, bias), y upwards, and how its positions are stored."""

    values: NDArray[np.generic]
    order: NDArray[np.intp] | None = None
    """Which position each row has, if not one after the other."""
    labels: tuple[str, str] = ("Y", "X")
    units: tuple[str, str] = ("m", "m")
    sweep: tuple[str, str] = ("Bias", "V")
    changes: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = field(
        default_factory=dict
    )
    """What is done with a table before it is written."""


def usid(mains: Mapping[str, Main]) -> bytes:
    """A file of USID with main datasets by name."""
    file = io.BytesIO()
    with h5py.File(file, "w") as whole:
        for name, main in mains.items():
            _write(whole, name, main)
    return file.getvalue()


def _write(whole: h5py.File, name: str, main: Main) -> None:
    rows, columns = main.values.shape[:2]
    spectra = main.values.reshape(rows * columns, -1)
    order = np.arange(rows * columns) if main.order is None else main.order
    at = np.stack(np.divmod(order, columns), axis=-1)
    steps = np.array([1.5e-9, 2e-9])
    points = spectra.shape[1]
    has_sweep = main.values.ndim == 3
    tables = {
        "Position_Indices": at,
        "Position_Values": at * steps + 1e-8,
        "Spectroscopic_Indices": np.arange(points)[None],
        "Spectroscopic_Values": BIASES[None, :points] if has_sweep else np.zeros((1, 1)),
    }
    made = whole.create_dataset(name, data=spectra[order])
    made.attrs.update({"quantity": "Current", "units": "nA"})
    for key, table in tables.items():
        changed = main.changes.get(key, lambda one: one)(np.asarray(table, dtype=float))
        stored = whole.create_dataset(f"{name}_of/{key}", data=changed)
        labels, units = (main.labels, main.units)
        if key.startswith("S"):
            labels, units = [(one,) for one in (main.sweep if has_sweep else ("none", "a.u."))]
        stored.attrs["labels"] = np.array([*labels], dtype="S")
        stored.attrs["units"] = np.array([*units], dtype="S")
        made.attrs[key] = stored.ref
