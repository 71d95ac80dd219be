"""Ranked measurements as labelled data."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.inference.design.candidates import Candidate
from gapscope.inference.design.measure import Judged
from gapscope.inference.refine import Conditions
from gapscope.problem.impurities import IMPURITY
from gapscope.problem.problem import Problem

Array = NDArray[np.float64]
DESIGN_SCHEMA = 1


def aims_of(problem: Problem) -> list[str]:
    """What candidates may be sorted by."""
    return ["all", "irrep", *(one.name for one in problem.shown if one.name not in IMPURITY)]


def design_dataset(told: Judged, conditions: Conditions, aim: str, seed: int) -> xr.Dataset:
    """The result of :func:`gapscope.design`."""
    problem, numerics = conditions.problem, conditions.numerics
    order = np.argsort(_worth(told, problem, aim), kind="stable")
    expected = [told.expected[i] for i in order]
    chosen = [told.candidates[i] for i in order]
    words = {
        "gain": ("expected information about class and unknowns of the superconductor", "nat"),
        "entropy": ("expected entropy of the class", "nat"),
        "halving": ("probability that the entropy of the class falls to a half or less", "1"),
    }
    variables = {}
    for name, (about, unit) in words.items():
        for which, (key, of) in enumerate(((name, about), (f"{name}_error", "standard error"))):
            values = np.array([getattr(one, name)[which] for one in expected])
            variables[key] = ("candidate", values, {"long_name": of, "units": unit})
    times = [_time(one, len(numerics.energies), numerics.window) for one in chosen]
    return xr.Dataset(
        {
            **variables,
            "deviation": (
                ("candidate", "class", "unknown"),
                told.deviations[order],
                {"long_name": "expected posterior standard deviation, if the class is the map's"},
            ),
            "deviation_now": (
                ("class", "unknown"),
                told.deviations_now,
                {"long_name": "posterior standard deviation, phases by all of their names"},
            ),
            "entropy_now": ((), told.now, {"long_name": "entropy of the class", "units": "nat"}),
            "probability": (
                "class",
                _probabilities(told, problem),
                {"long_name": "probability of the class, of those that count"},
            ),
            "time": (
                "candidate",
                np.array(times),
                {"long_name": "sites times energies over the noise squared, of the map's"},
            ),
        },
        coords={
            "candidate": [one.name for one in chosen],
            "class": list(problem.labels),
            "unknown": [one.name for one in problem.shown],
        },
        attrs={
            "design_schema": DESIGN_SCHEMA,
            "title": "measurements that may come next, the best first",
            "aim": aim,
            "problem": json.dumps(problem.to_dict()),
            "draws": sum(len(one) for one in told.classes),
            "seed": seed,
        },
    )


def _worth(told: Judged, problem: Problem, aim: str) -> Array:
    """What is the less, the better."""
    if aim == "all":
        return np.array([-one.gain[0] for one in told.expected])
    if aim == "irrep":
        return np.array([one.entropy[0] for one in told.expected])
    column = [one.name for one in problem.shown].index(aim)
    share = _probabilities(told, problem)
    return np.asarray(np.nansum(share * told.deviations[:, :, column], axis=1))


def _probabilities(told: Judged, problem: Problem) -> Array:
    made = np.zeros(len(problem.labels))
    for one in told.classes:
        made[one.cube.index] = one.probability
    return made


def _time(one: Candidate, energies: int, window: int) -> float:
    return len(one.energies) / energies * (one.window / window) ** 2 * one.quieter**2
