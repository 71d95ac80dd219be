"""Prediction for map files as ``simulate`` writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import GapscopeError, MapFileError
from gapscope.learning.data.inputs import cut, lacks
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.prediction.predictor import (
    BATCH,
    ENERGY_TOLERANCE,
    NO_CONTRAST,
    Predictor,
    without_meaningless_angles,
)
from gapscope.learning.uncertainty.calibration import LEVEL, NOVELTY_LEVEL
from gapscope.simulation.mapfile import read_map as read_map_file
from gapscope.support.resources import find_model


def predict(
    model: str | Path,
    files: Sequence[str | Path],
    *,
    symmetry: bool = True,
    level: float = LEVEL,
    novelty_level: float = NOVELTY_LEVEL,
    left_out: Callable[[Path, GapscopeError], None] | None = None,
) -> xr.Dataset:
    """Irrep, gap, theta and eps0 of the maps in some files, one sample per file.

    Variables over ``sample`` (coordinate ``file``): probability (sample, class), label (index into
    the attribute labels), gap and eps0 in meV, theta in [0, pi) and NaN where the predicted class
    has no angle. Where the model has a calibration, also irrep_set, the ends of intervals
    (gap_low, gap_high, ...) and novelty, as
    :meth:`gapscope.learning.uncertainty.calibration.Calibration.applied` says; else none of them.
    Larger windows are cut to the network's.

    Parameters
    ----------
    model : folder of a run or of an exported model, or the name of a shipped model.
    files : map files.
    symmetry, level, novelty_level : see :class:`gapscope.learning.prediction.predictor.Predictor`.
    left_out : called for each file that cannot be used, which is left out, with its error; by
        default, and where no file can be used, the error is raised.

    Raises
    ------
    MapFileError : a file is unreadable, lacks the lattice, window or energies the run needs, or
        holds a map without contrast.
    SchemaVersionError : a file or the run was written by a newer gapscope.
    RunError, CalibrationError : see :meth:`gapscope.learning.prediction.predictor.Predictor.load`.
    """
    if not files:
        raise MapFileError("A prediction needs maps.", "no file", "Name at least one map file.")
    folder = find_model(model)
    predictor = Predictor.load(folder, symmetry=symmetry, level=level, novelty_level=novelty_level)
    paths: list[Path] = []

    def batches() -> Iterator[NDArray[np.float32]]:
        for part in _usable([Path(file) for file in files], predictor.config, left_out):
            paths.extend(path for path, _ in part)
            yield np.stack([one for _, one in part])

    predictions = predictor(batches())
    predictions = without_meaningless_angles(predictions)
    predictions.attrs |= {"run": str(folder)}
    return predictions.assign_coords(file=("sample", [str(path) for path in paths]))


def _usable(
    files: Sequence[Path],
    config: RunConfig,
    left_out: Callable[[Path, GapscopeError], None] | None,
) -> Iterator[list[tuple[Path, NDArray[np.float32]]]]:
    """Files that can be used and their maps, BATCH at a time; see :func:`predict`."""
    part: list[tuple[Path, NDArray[np.float32]]] = []
    faults: list[GapscopeError] = []
    for path in files:
        try:
            part.append((path, _network_map(path, config)))
        except GapscopeError as error:
            faults.append(error)
            if left_out is None or len(faults) == len(files):
                raise
            left_out(path, error)
        if len(part) == BATCH:
            yield part
            part = []
    if part:
        yield part


def network_maps(files: Sequence[str | Path], config: RunConfig) -> NDArray[np.float32]:
    """drho(r) in 1/meV of some files, (n, energies, size, size), as a run's network needs them.

    Raises
    ------
    MapFileError : see :func:`predict`.
    """
    return np.stack([_network_map(Path(file), config) for file in files])


def _network_map(path: Path, config: RunConfig) -> NDArray[np.float32]:
    size = config.training.network.input_size
    file = read_map_file(path)
    try:
        lattice = str(file.attrs["lattice"])
        energies = np.asarray(file["energy"].values, dtype=np.float64)
        ldos = file["ldos_change"].transpose("energy", "r1", "r2")
        for name, values in {"ldos_change": ldos, **ldos.coords}.items():
            if name in ("ldos_change", "r1", "r2") and values.dtype.kind not in "fiu":
                raise ValueError(f"{name} of the type {values.dtype}")
    except (KeyError, ValueError) as error:
        raise MapFileError(
            "A map file holds ldos_change(energy, r1, r2) in numbers and the attribute lattice.",
            f"{path}: {error}",
            "Write it with `gapscope simulate`.",
        ) from error
    if lattice != config.lattice:
        raise MapFileError(
            f"This run was trained on the {config.lattice} lattice.",
            f"{path}: {lattice}",
            "Use a run that was trained on such maps.",
        )
    _require_units(file, path)
    ldos = ldos[:, _around_origin(ldos, "r1", size, path), _around_origin(ldos, "r2", size, path)]
    chosen = [_nearest(energies, energy, path) for energy in config.energies]
    # In double precision: a value that overflows in single precision is refused by its size.
    window = ldos.values[chosen].astype(np.float64)
    if not np.isfinite(window).all():
        raise MapFileError("A map is finite.", f"{path}: NaN or infinity", "Simulate it again.")
    if (reason := lacks(window, lattice)) is not None:
        raise MapFileError(
            NO_CONTRAST, f"{path}: {reason}", "Check the impurity, and the file's values in 1/meV."
        )
    return cut(window, size)


def _require_units(file: xr.Dataset, path: Path) -> None:
    """Raise MapFileError where a file states other units than simulate writes."""
    for name, wanted in (("ldos_change", "1/meV"), ("energy", "meV")):
        stated = str(file[name].attrs.get("units", wanted))
        if stated != wanted:
            raise MapFileError(
                f"A map file has {name} in {wanted}.",
                f"{path}: {name} in {stated}",
                f"Convert the values to {wanted}, and the attribute units with them.",
            )


def _around_origin(maps: xr.DataArray, axis: str, size: int, path: Path) -> slice:
    """The sites -size/2 .. size/2 - 1 of an axis; where it has no coordinates, the middle ones."""
    count = maps.sizes[axis]
    sites = maps[axis].values if axis in maps.coords else np.arange(count) - count // 2
    first = int(np.abs(sites + size // 2).argmin()) if count else 0
    if not np.array_equal(sites[first : first + size], np.arange(size) - size // 2):
        there = f"{sites.min():g} to {sites.max():g}" if count else "none"
        raise MapFileError(
            f"This run looks at {size} x {size} sites around the impurity, {axis} from"
            f" {-(size // 2)} to {size // 2 - 1}.",
            f"{path}: {count} sites, {axis} from {there}",
            f"Simulate the map with --window {size} or larger; of a larger map, do not cut these"
            " sites off.",
        )
    return slice(first, first + size)


def _nearest(energies: NDArray[np.float64], wanted: float, path: Path) -> int:
    distance = np.abs(energies - wanted)
    if not len(energies) or distance.min() > ENERGY_TOLERANCE:
        raise MapFileError(
            "This run needs a map at each energy that it was trained on.",
            f"{path}: w = {energies.tolist()} meV, without {wanted:g}",
            f"Simulate the map with --energy {wanted:g}.",
        )
    return int(distance.argmin())
