"""What a network says of simulated maps."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.load import ENERGY_TOLERANCE
from gapscope.errors import MapFileError, SpecificationError
from gapscope.inference.lattices import in_words, lattice_of
from gapscope.learning.data.inputs import cut, lacks
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.prediction.predictor import (
    BATCH,
    NO_CONTRAST,
    Predictor,
    without_meaningless_angles,
)
from gapscope.physics.lattice import Lattice
from gapscope.support.resources import shipped_models

SITE_TOLERANCE = 1e-6
"""Rounding of a coordinate that counts lattice sites."""


def predict_windows(windows: NDArray[np.float32], predictor: Predictor) -> xr.Dataset:
    """A network's predictions for maps (n, energies, size, size) in 1/meV; see
    :func:`gapscope.predict`."""
    batches = (windows[first : first + BATCH] for first in range(0, len(windows), BATCH))
    return without_meaningless_angles(predictor(batches))


def network_map(maps: xr.Dataset, config: RunConfig, name: str) -> NDArray[np.float32]:
    """drho(r) in 1/meV, (energies, size, size), as a run's network needs it, of a dataset as
    ``simulate`` returns it; larger windows are cut to the network's, and the atoms of a cell are
    counted together, as in datasets.

    Parameters
    ----------
    name : for errors.

    Returns
    -------
    Finite but for r = 0, which may be NaN where one impurity stands there.

    Raises
    ------
    MapFileError : it lacks the lattice, window or energies that the run needs, or a contrast.
    """
    size = config.training.network.input_size
    try:
        lattice = lattice_of(maps.attrs)
        if "energy" not in maps.coords:  # xarray would count them
            raise ValueError("no coordinate energy")
        if "energy" not in maps["ldos_change"].dims:  # chosen by sel or isel
            maps = maps.expand_dims("energy")
        energies = np.asarray(maps["energy"].values, dtype=np.float64)
        ldos = maps["ldos_change"]
        if "atom" in ldos.dims:  # datasets count by cells
            ldos = ldos.sum("atom", skipna=False)
        ldos = ldos.transpose("energy", "r1", "r2")
        for which, values in {"ldos_change": ldos, **ldos.coords}.items():
            if which in ("ldos_change", "r1", "r2") and values.dtype.kind not in "fiu":
                raise ValueError(f"{which} of the type {values.dtype}")
    except (KeyError, ValueError, SpecificationError) as error:
        raise MapFileError(
            "A map file holds ldos_change(energy, r1, r2) in numbers and the attribute lattice.",
            f"{name}: {error}",
            "Write it with `gapscope simulate`.",
        ) from error
    known = config.crystal_lattice
    if not lattice.is_alike(known):
        raise MapFileError(
            f"This run was trained on the {in_words(known)} lattice.",
            f"{name}: {in_words(lattice)}",
            _trained_on(lattice),
        )
    _require_units(maps, name)
    ldos = ldos[:, _around_origin(ldos, "r1", size, name), _around_origin(ldos, "r2", size, name)]
    chosen = [_nearest(energies, energy, name) for energy in config.energies]
    # In double precision: a value that overflows in single precision is refused by its size.
    window = ldos.values[chosen].astype(np.float64)
    away = _away(window, config, name)
    if (reason := lacks(away, known)) is not None:
        raise MapFileError(
            NO_CONTRAST, f"{name}: {reason}", "Check the impurity, and the file's values in 1/meV."
        )
    return cut(window, size)


def _away(window: NDArray[np.float64], config: RunConfig, name: str) -> NDArray[np.float64]:
    """A map (energies, size, size) with zero at r = 0 where it may be, and is, NaN there; raises
    MapFileError where it is not finite."""
    away = window.copy()
    middle = window.shape[-1] // 2
    centre = away[:, middle, middle]
    masked = config.others is None and config.training.measurement is None
    if masked:
        centre[np.isnan(centre)] = 0
    if not np.isfinite(away).all():
        sites = np.argwhere((~np.isfinite(away)).any(axis=0)) - middle
        first = f"r1 = {sites[0, 0]}, r2 = {sites[0, 1]}"
        received = (
            f"at {first}" if len(sites) == 1 else f"at {len(sites)} sites, one of them {first}"
        )
        where = ", but for NaN at r = 0 alone, where the impurity stands" if masked else ""
        raise MapFileError(
            f"A map is finite{where}.",
            f"{name}: NaN or infinity {received}",
            f"Give a number at every {'other ' if masked else ''}site.",
        )
    return away


def _trained_on(lattice: Lattice) -> str:
    """A remedy: which networks know a lattice."""
    fitting = []
    for folder in shipped_models():
        config = RunFolder(folder).config()
        if config.training.measurement is None and config.crystal_lattice.is_alike(lattice):
            energies = ", ".join(f"{one:g}" for one in config.energies)
            fitting.append(f"{folder.name} (at {energies} meV)")
    named = f", of the shipped ones --model {' or '.join(fitting)}" if fitting else ""
    return f"Use a network that was trained on such maps{named}, or train one."


def _require_units(maps: xr.Dataset, name: str) -> None:
    """Raise MapFileError where a file states other units than simulate writes."""
    for which, wanted in (("ldos_change", "1/meV"), ("energy", "meV")):
        stated = str(maps[which].attrs.get("units", wanted))
        if stated != wanted:
            raise MapFileError(
                f"A map file has {which} in {wanted}.",
                f"{name}: {which} in {stated}",
                f"Convert the values to {wanted}, and the attribute units with them.",
            )


def _around_origin(maps: xr.DataArray, axis: str, size: int, name: str) -> slice:
    """The sites -size/2 .. size/2 - 1 of an axis; where it has no coordinates, the middle ones."""
    count = maps.sizes[axis]
    sites = maps[axis].values if axis in maps.coords else np.arange(count) - count // 2
    first = int(np.abs(sites + size // 2).argmin()) if count else 0
    wanted = np.arange(size) - size // 2
    found = sites[first : first + size]
    if len(found) != size or not np.allclose(found, wanted, rtol=0, atol=SITE_TOLERANCE):
        there = f"{sites.min():g} to {sites.max():g}" if count else "none"
        fault, remedy = _fault(sites, axis, size)
        raise MapFileError(
            f"This run looks at {size} x {size} sites around the impurity, {axis} from"
            f" {-(size // 2)} to {size // 2 - 1}.",
            f"{name}: {count} sites, {axis} from {there}{fault}",
            remedy,
        )
    return slice(first, first + size)


def _fault(sites: NDArray[np.generic], axis: str, size: int) -> tuple[str, str]:
    """Text: what is wrong with the sites of an axis, "" where they are too few, and a remedy."""
    steps = np.diff(np.asarray(sites, dtype=np.float64))
    if not np.isfinite(steps).all():
        return ", some of them not finite", f"Give {axis} as it was simulated."
    if not (np.abs(steps - steps.round()) <= SITE_TOLERANCE).all():
        return (
            ", not all a whole number apart",
            f"Give {axis} in lattice sites, as simulate does, and not as a length.",
        )
    if (steps < 0).any():
        return ", not in rising order", f'Sort the map by its sites, maps.sortby("{axis}").'
    if (steps == 0).any():
        return ", some of them twice", "Leave out what is there twice, or simulate the map again."
    return "", (
        f"Simulate the map with --window {size} or larger; of a larger map, do not cut these sites"
        " off."
    )


def _nearest(energies: NDArray[np.float64], wanted: float, name: str) -> int:
    near = np.abs(energies - wanted) <= ENERGY_TOLERANCE
    if near.sum() > 1:
        raise MapFileError(
            "A map file holds one map at an energy.",
            f"{name}: {near.sum()} maps at w = {wanted:g} meV",
            "Choose one of them, maps.isel(energy=[...]).",
        )
    if not near.any():
        raise MapFileError(
            "This run needs a map at each energy that it was trained on.",
            f"{name}: w = {energies.tolist()} meV, without {wanted:g}",
            f"Simulate the map with --energy {wanted:g}.",
        )
    return int(near.argmax())
