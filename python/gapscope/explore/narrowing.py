"""The posterior of the page's map on its way: from the network's answer to weighted maps."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.explore.judge import Judge
from gapscope.explore.results import netcdf_bytes
from gapscope.inference.posterior.ask import compared
from gapscope.inference.posterior.credible import centre, credible_set
from gapscope.inference.posterior.posterior import ClassPosterior, Found, find_posterior
from gapscope.inference.posterior.result import named_columns, normalised, posterior_tree
from gapscope.inference.posterior.starts import NetworkStarts
from gapscope.inference.posterior.words import LEVEL
from gapscope.inference.refine import Conditions
from gapscope.inference.simulated_maps import predict_windows
from gapscope.problem.problem import Problem
from gapscope.problem.unknown import Unknown

MAP_FILE, POSTERIOR_FILE, OF_FILE = "compared.nc", "posterior.nc", "posterior_of_file.nc"
"""Names of downloads: a state's map at the network's energies, its posterior, that of a file."""
SEED = 0
DRAWN = 2000
"""Points of Laplace's approximation by which its widths are told."""

Array = NDArray[np.float64]


class _Stopped(Exception):
    """Nobody waits for the posterior any more."""


@dataclass(frozen=True, eq=False)
class Marginal:
    """What is known of one unknown of the leading class.

    Attributes
    ----------
    parts : (n, 2), intervals of the credible set of :data:`LEVEL`.
    """

    unknown: Unknown
    mean: float
    deviation: float
    parts: Array


@dataclass(frozen=True, eq=False)
class Standing:
    """What is known of a map at a stage of its posterior.

    Attributes
    ----------
    problem : its classes and unknowns.
    probability : (classes,), by evidences: sampled ones, or where there is none yet Laplace's.
    leading : number of the most probable class; ``marginals`` are its unknowns'.
    computed : Green's functions so far.
    effective, weighted : of the leading class, the effective number of its Green's functions and
        their number; (0, 0) before it is sampled.
    """

    problem: Problem
    probability: Array
    leading: int
    marginals: tuple[Marginal, ...]
    computed: int
    effective: float = 0.0
    weighted: int = 0

    @classmethod
    def of(cls, found: Found) -> Standing:
        """That of a posterior on its way, or at its end."""
        number = int(found.probabilities.argmax())
        one = found.classes[number]
        sampled = one.samples is not None and bool(np.isfinite(one.samples.log_evidence))
        return cls(
            found.forward.conditions.problem,
            found.probabilities,
            number,
            tuple(_marginals(found, number, sampled)),
            found.forward.computed,
            one.samples.effective if one.samples is not None and sampled else 0.0,
            len(one.samples.points) if one.samples is not None and sampled else 0,
        )


def _marginals(found: Found, number: int, sampled: bool) -> list[Marginal]:
    """Those of the weighted points or, before there are any, of Laplace's approximation."""
    problem, one = found.forward.conditions.problem, found.classes[number]
    groups: NDArray[np.intp] | None = None
    if sampled:
        columns = named_columns(problem, number, one)
        weights, groups = normalised(one)
    else:
        points = _drawn(one)
        if not len(points):
            return []
        columns = problem.named(one.mode.cube.columns(points), np.full(len(points), number))
        weights = np.full(len(points), 1 / len(points))
    keep = weights > 0
    groups = None if groups is None else groups[keep]
    made = []
    for unknown in problem.shown:
        if unknown.name in columns:
            values, own = columns[unknown.name][keep], weights[keep]
            mean, deviation = centre(values, own, unknown.period)
            parts = credible_set(values, own, LEVEL, unknown.period, groups)
            made.append(Marginal(unknown, mean, deviation, np.array(parts)))
    return made


def _drawn(one: ClassPosterior) -> Array:
    """Points (n, k) of the normal distribution around a class's best map, inside its cube."""
    mode = one.mode
    if mode.precision is None or not mode.cube.size:
        return np.empty((0, mode.cube.size))
    rng = np.random.default_rng(SEED)
    points = rng.multivariate_normal(mode.point, np.linalg.inv(mode.precision), DRAWN)
    points = np.where(mode.cube.circles, points % 1.0, points)
    return np.asarray(points[mode.cube.inside(points)])


class Narrowing:
    """The posterior of a map, by the network for simulated maps and its prior.

    Parameters
    ----------
    source : gives the map, as :func:`gapscope.simulate` returns it.
    """

    def __init__(self, judge: Judge, source: Callable[[], xr.Dataset]) -> None:
        self._judge, self._source = judge, source
        self._stopped = Event()
        self._map: xr.Dataset | None = None
        self._asked: tuple[NDArray[np.float32], Conditions, xr.Dataset] | None = None

    def stop(self) -> None:
        """End :meth:`run` before its next Green's function."""
        self._stopped.set()

    def answer(self) -> xr.Dataset:
        """The network's answer for the map.

        Raises
        ------
        MapFileError : a network for measured maps, or a map that does not fit the network.
        MaterialFileError : the network's material is not found.
        KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
        """
        self._map = self._source()
        window, conditions, network = compared(self._map, self._judge.network)
        prediction = predict_windows(window[None], network)
        self._asked = window, conditions, prediction
        return prediction

    def run(self, heard: Callable[[Standing | int], None]) -> xr.DataTree | None:
        """The result of :func:`gapscope.posterior`; None where it was stopped. After
        :meth:`answer`.

        Parameters
        ----------
        heard : called with what is known after the search and after each round of weights, and in
            between with the number of Green's functions so far.

        Raises
        ------
        MapFileError : see :func:`gapscope.posterior`.
        KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
        """
        assert self._asked is not None
        window, conditions, prediction = self._asked

        def tell(computed: int) -> None:
            if self._stopped.is_set():
                raise _Stopped
            heard(computed)

        def told(found: Found) -> None:
            heard(Standing.of(found))

        starts = NetworkStarts(prediction.isel(sample=0))
        try:
            found = find_posterior(window, conditions, starts, seed=SEED, tell=tell, told=told)
            return posterior_tree(found, SEED)
        except _Stopped:
            return None

    def map_file(self) -> bytes:
        """The map that is compared, as ``gapscope simulate`` writes it."""
        assert self._map is not None
        return netcdf_bytes(self._map, MAP_FILE)


def posterior_file(tree: xr.DataTree) -> bytes:
    """A posterior, as ``gapscope predict --posterior`` writes it."""
    return netcdf_bytes(tree, POSTERIOR_FILE)


def command(map: str, model: str, posterior: str) -> str:
    """The command that computes the page's posterior of a map's file."""
    words = ["gapscope", "predict", map, "--model", model, "--posterior", posterior]
    return shlex.join(words)
