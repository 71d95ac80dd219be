"""The posterior of a map by a network's problem: ``gapscope.posterior``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MapFileError, SchemaVersionError
from gapscope.inference.choice import usual_model
from gapscope.inference.refine import Conditions
from gapscope.simulation.mapfile import read_map
from gapscope.simulation.materials import material as find_material
from gapscope.support.netcdf import UNREADABLE, load_tree
from gapscope.support.networks import require_keras
from gapscope.support.progress import counting
from gapscope.support.resources import find_model

if TYPE_CHECKING:
    from gapscope.learning.network.run_config import RunConfig
    from gapscope.learning.prediction.predictor import Predictor

USUAL = 250
"""Green's functions of a usual map, for the bar."""
GROUPS = {
    "/": ("probability", "log_evidence", "sampled", "mean", "deviation", "credible"),
    "/posterior": ("label",),
    "/weighted": ("label", "log_weight", "log_likelihood"),
}


def posterior(
    map: str | Path | xr.Dataset,
    model: str | Path | Predictor | None = None,
    *,
    noise: float | Sequence[float] | None = None,
    seed: int = 0,
    material: str | None = None,
    progress: bool = False,
) -> xr.DataTree:
    """p(class, unknowns | map): importance sampling with simulated maps, begun by a network.

    The prior is what the network's dataset is drawn from: classes alike, each unknown uniform over
    its range, on a logarithmic scale where it is drawn so. The likelihood is that of white noise on
    every site of the symmetric window but r = 0, where a tip sees the impurity's own orbitals.

    Parameters
    ----------
    map : what :func:`gapscope.simulate` returns, or its file.
    model : name of a shipped model, folder of a run or of a model, or a loaded network, trained on
        simulated maps; by default the one that :func:`gapscope.predict` takes.
    noise : standard deviation on each site in 1/meV, one for all energies or one for each; where it
        is not given it is integrated out, at each energy by itself.
    seed : of the draws.
    material : name or file of the normal state, where the one that the model's recipe names is not
        found.
    progress : show a bar on a terminal.

    Returns
    -------
    xarray.DataTree. At its root ``probability``, ``log_evidence`` with ``log_evidence_error``,
    ``effective`` and ``residual`` of every class, ``mean``, ``deviation`` and ``credible`` sets of
    its unknowns, and the attribute ``verdict``: whether the model explains the map. The group
    ``posterior`` holds equally weighted draws (chain, draw), as ``arviz`` has them, ``weighted``
    what was computed, with ``log_weight``.

    Raises
    ------
    MapFileError : a map that is unreadable, measured or does not have what the network needs, or a
        network for measured maps or of several impurities.
    NumericsError : noise that is not positive, or not of every energy.
    MaterialFileError, RunError, SettingError : see :func:`gapscope.predict`.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    from gapscope.inference.simulated_maps import predict_windows

    window, conditions, predictor = compared(map, model, material)
    prediction = predict_windows(window[None], predictor).isel(sample=0)
    return posterior_from(prediction, window, conditions, noise=noise, seed=seed, progress=progress)


def posterior_from(
    prediction: xr.Dataset,
    window: NDArray[np.float32],
    conditions: Conditions,
    *,
    noise: float | Sequence[float] | None = None,
    seed: int = 0,
    progress: bool = False,
) -> xr.DataTree:
    """The posterior of a map that a network has answered for already.

    Parameters
    ----------
    prediction : one sample of what :func:`gapscope.predict` returns.
    window, conditions : the map and the network's conditions, as :func:`compared` gives them.
    noise, seed, progress : as of :func:`posterior`, as are results and errors.
    """
    from gapscope.inference.posterior.posterior import find_posterior
    from gapscope.inference.posterior.result import posterior_tree
    from gapscope.inference.posterior.starts import NetworkStarts

    given = None
    if noise is not None:
        given = [float(noise)] * len(window) if isinstance(noise, float | int) else noise
    with counting(USUAL, "map/maps") as bar:

        def tell(_: int) -> None:
            bar.update(1)

        found = find_posterior(
            window,
            conditions,
            NetworkStarts(prediction),
            noise=given,
            seed=seed,
            tell=tell if progress else None,
        )
    return posterior_tree(found, seed)


def compared(
    map: str | Path | xr.Dataset,
    model: str | Path | Predictor | None = None,
    material: str | None = None,
) -> tuple[NDArray[np.float32], Conditions, Predictor]:
    """A map as simulated ones are compared with it, their conditions, and the network; parameters
    and errors as of :func:`posterior`."""
    from gapscope.inference.simulated_maps import network_map
    from gapscope.inference.unseen_centre import filled, is_unseen

    name = str(map) if isinstance(map, str | Path) else "map"
    dataset = map if isinstance(map, xr.Dataset) else read_map(map)
    predictor = _loaded(model or usual_model([map]))
    config = predictor.config
    require_scale(config)
    window = network_map(dataset, config, name)
    crystal = None if material is None else find_material(material)
    conditions = Conditions.of(config, predictor.size, crystal)
    if is_unseen(window):  # the likelihood leaves r = 0 out, the network does not
        window, _ = filled(window, predictor, conditions)
    return window, conditions, predictor


def require_scale(config: RunConfig) -> None:
    """Raise MapFileError for a network that knows no amplitude."""
    if config.training.measurement is not None:
        raise MapFileError(
            "A posterior compares simulated maps with a map in 1/meV.",
            "a network for measured maps, whose scale is not known",
            "Use one that was trained on simulated maps.",
        )


def _loaded(model: str | Path | Predictor) -> Predictor:
    if not isinstance(model, str | Path):
        return model
    require_keras()
    from gapscope.learning.prediction.loaded import load_predictor

    return load_predictor(find_model(model))


def read_posterior(path: str | Path) -> xr.DataTree:
    """Read a file of :func:`posterior`'s result, as :func:`gapscope.write_netcdf` writes it.

    Raises
    ------
    MapFileError : not such a file, or a damaged one.
    SchemaVersionError : written by a newer version.
    """
    from gapscope.inference.posterior.result import POSTERIOR_SCHEMA

    schema = 0
    try:
        tree = load_tree(path)
        schema = int(tree.attrs["posterior_schema"])
        for group, names in GROUPS.items() if schema <= POSTERIOR_SCHEMA else ():
            missing = [name for name in names if name not in tree[group]]
            if missing:
                raise KeyError(f"{group} lacks {', '.join(missing)}")
    except UNREADABLE as error:
        raise MapFileError(
            "A file of a posterior is netCDF4/HDF5 as written by gapscope predict --posterior.",
            f"{path}: {error}",
            "Check the path, or compute it again.",
        ) from error
    if schema > POSTERIOR_SCHEMA:
        raise SchemaVersionError(
            f"This version reads posteriors of schema {POSTERIOR_SCHEMA} and older.",
            f"{path}: {schema}",
            "Update gapscope.",
        )
    return tree
