"""Prediction for map files as ``simulate`` writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MapFileError
from gapscope.learning.inputs import cut
from gapscope.learning.predictor import BATCH, Predictor
from gapscope.mapfile import read_map as read_map_file
from gapscope.physics import LABELS

ENERGY_TOLERANCE = 1e-9


def predict(run: str | Path, files: Sequence[str | Path]) -> xr.Dataset:
    """Irrep, gap, theta and eps0 of the maps in some files, one sample per file.

    Variables over ``sample`` (coordinate ``file``): probability (sample, class), label (index into
    the attribute labels), gap and eps0 in meV, theta in [0, pi) and NaN where the predicted class
    has no angle. Larger windows are cut to the network's.

    Raises
    ------
    MapFileError : a file is unreadable or lacks the lattice, window or energies the run needs.
    SchemaVersionError : a file or the run was written by a newer gapscope.
    RunError : see :meth:`gapscope.learning.predictor.Predictor.load`.
    """
    if not files:
        raise MapFileError("A prediction needs maps.", "no file", "Name at least one map file.")
    predictor = Predictor.load(run)
    paths = [Path(file) for file in files]
    predictions = predictor(
        np.stack([network_map(path, predictor) for path in paths[first : first + BATCH]])
        for first in range(0, len(paths), BATCH)
    )
    predictions["theta"][predictions["label"].values == LABELS.index("A12u")] = np.nan
    predictions.attrs |= {"run": str(run)}
    return predictions.assign_coords(file=("sample", [str(path) for path in paths]))


def network_map(path: Path, predictor: Predictor) -> NDArray[np.float32]:
    """drho(r) in 1/meV of one file, (energies, size, size), as the run's network needs it.

    Raises
    ------
    MapFileError : see :func:`predict`.
    """
    config = predictor.config
    file = read_map_file(path)
    try:
        lattice = str(file.attrs["lattice"])
        energies = file["energy"].values
        maps = file["ldos_change"].transpose("energy", "r1", "r2").values
    except (KeyError, ValueError) as error:
        raise MapFileError(
            "A map file holds ldos_change(energy, r1, r2) and the attribute lattice.",
            f"{path}: {error}",
            "Write it with `gapscope simulate`.",
        ) from error
    window = maps.shape[-1]
    if lattice != config.lattice:
        raise MapFileError(
            f"This run was trained on the {config.lattice} lattice.",
            f"{path}: {lattice}",
            "Use a run that was trained on such maps.",
        )
    if maps.shape[-2] != window or window < predictor.size or window % 2:
        raise MapFileError(
            f"This run looks at {predictor.size} x {predictor.size} sites around the impurity.",
            f"{path}: {maps.shape[-2]} x {window} sites",
            f"Simulate the map with --window {predictor.size} or larger.",
        )
    chosen = [_nearest(energies, energy, path) for energy in config.energies]
    if not np.isfinite(maps).all():
        raise MapFileError("A map is finite.", f"{path}: NaN or infinity", "Simulate it again.")
    return cut(maps[chosen], predictor.size)


def _nearest(energies: NDArray[np.float64], wanted: float, path: Path) -> int:
    distance = np.abs(energies - wanted)
    if not len(energies) or distance.min() > ENERGY_TOLERANCE:
        raise MapFileError(
            "This run needs a map at each energy that it was trained on.",
            f"{path}: w = {energies.tolist()} meV, without {wanted:g}",
            f"Simulate the map with --energy {wanted:g}.",
        )
    return int(distance.argmin())
