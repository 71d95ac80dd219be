"""A posterior as labelled data: a tree that ``arviz`` opens, too."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp

from gapscope.inference.posterior.credible import centre, credible_set
from gapscope.inference.posterior.posterior import ClassPosterior, Found
from gapscope.inference.posterior.residual import Residual
from gapscope.inference.posterior.words import verdict
from gapscope.problem.problem import Problem

Array = NDArray[np.float64]
POSTERIOR_SCHEMA = 1
LEVELS = (0.5, 0.9, 0.95)
CHAINS, DRAWS = 4, 500
MOST_PARTS = 4
"""Intervals of a credible set that are kept, the longest ones."""


def posterior_tree(found: Found, seed: int) -> xr.DataTree:
    """The result of :func:`gapscope.posterior`."""
    problem = found.forward.conditions.problem
    columns = [named_columns(problem, number, one) for number, one in enumerate(found.classes)]
    weighted = _weighted(found, columns)
    groups = {"/": _summary(found, columns, seed), "/posterior": _draws(weighted, problem, seed)}
    return xr.DataTree.from_dict({**groups, "/weighted": weighted})


def named_columns(problem: Problem, number: int, one: ClassPosterior) -> Mapping[str, Array]:
    """Unknowns of all weighted points of a class, by the names that their maps go by."""
    if one.samples is None:
        return {}
    points = one.samples.points.reshape(one.samples.log_likelihood.size, one.mode.cube.size)
    points = np.clip(points, 0, 1)  # what lies outside has no weight
    return problem.named(one.mode.cube.columns(points), np.full(len(points), number))


def normalised(one: ClassPosterior) -> tuple[Array, NDArray[np.intp]]:
    """Weights of a class's points, adding up to one, and their groups, numbers of the Green's
    functions that they have."""
    assert one.samples is not None
    weights = one.samples.log_weights
    groups = np.repeat(np.arange(len(weights)), weights.shape[1])
    return np.asarray(np.exp(weights - logsumexp(weights))).ravel(), groups


def _weighted(found: Found, columns: list[Mapping[str, Array]]) -> xr.Dataset:
    problem = found.forward.conditions.problem
    parts = []
    for number, (one, own) in enumerate(zip(found.classes, columns, strict=True)):
        if one.samples is None:
            continue
        weights, groups = normalised(one)
        keep = weights > 0
        with np.errstate(divide="ignore"):
            whole = np.log(weights[keep]) + np.log(found.probabilities[number])
        count = int(keep.sum())
        parts.append(
            {
                "label": np.full(count, number, dtype=np.int8),
                "group": groups[keep],
                "log_weight": whole,
                "log_likelihood": one.samples.log_likelihood.ravel()[keep],
                **{
                    u.name: own[u.name][keep] if u.name in own else np.full(count, np.nan)
                    for u in problem.shown
                },
            }
        )
    about = {
        "label": ("class, index into the attribute labels", "1"),
        "group": ("points with one number in a class have one Green's function", "1"),
        "log_weight": ("log of the posterior weight; all add up to one", "1"),
        "log_likelihood": ("log of the likelihood", "1"),
        **{u.name: (u.long_name, u.unit) for u in problem.unknowns},
    }
    return xr.Dataset(
        {
            name: (
                "sample",
                np.concatenate([part[name] for part in parts]),
                {"long_name": about[name][0], "units": about[name][1]},
            )
            for name in parts[0]
        },
        attrs={"labels": list(problem.labels)},
    )


def _draws(weighted: xr.Dataset, problem: Problem, seed: int) -> xr.Dataset:
    """Points drawn from the weighted ones, as many chains as a sampler would have."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 2**32]))
    weights = np.exp(weighted["log_weight"].values)
    count = CHAINS * DRAWS
    places = (np.arange(count) + rng.uniform()) / count
    chosen = np.searchsorted(np.cumsum(weights) / weights.sum(), places)
    chosen = rng.permutation(np.minimum(chosen, len(weights) - 1))
    there = weighted.isel(sample=chosen)
    kept = ("label", *(u.name for u in problem.shown))
    return xr.Dataset(
        {
            name: (("chain", "draw"), there[name].values.reshape(CHAINS, DRAWS), there[name].attrs)
            for name in kept
            if not np.isnan(there[name].values).all()
        },
        coords={"chain": np.arange(CHAINS), "draw": np.arange(DRAWS)},
        attrs={"labels": list(problem.labels)},
    )


def _summary(found: Found, columns: list[Mapping[str, Array]], seed: int) -> xr.Dataset:
    """A line per class, and of every class a line per unknown."""
    forward = found.forward
    problem = forward.conditions.problem
    classes, unknowns = len(found.classes), problem.shown
    residuals = [Residual.of(forward, one.mode) for one in found.classes]
    shape = (classes, len(unknowns))
    best, mean, deviation = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    sets = np.full((*shape, len(LEVELS), MOST_PARTS, 2), np.nan)
    for i, (one, own) in enumerate(zip(found.classes, columns, strict=True)):
        at = problem.named(one.mode.cube.columns(one.mode.point[None]), np.array([i]))
        for j, unknown in enumerate(unknowns):
            if unknown.name not in at:
                continue
            best[i, j] = at[unknown.name][0]
            if one.samples is None:
                continue
            weights, groups = normalised(one)
            keep = weights > 0
            values, weights, groups = own[unknown.name][keep], weights[keep], groups[keep]
            mean[i, j], deviation[i, j] = centre(values, weights, unknown.period)
            for k, level in enumerate(LEVELS):
                parts = credible_set(values, weights, level, unknown.period, groups)
                parts = sorted(sorted(parts, key=lambda p: p[0] - p[1])[:MOST_PARTS])
                sets[i, j, k, : len(parts)] = parts

    def of_samples(name: str) -> Array:
        given = [None if one.samples is None else one.samples for one in found.classes]
        return np.array([np.nan if one is None else float(getattr(one, name)) for one in given])

    evaluated = [0 if one.samples is None else len(one.samples.points) for one in found.classes]
    one_each, by_energy = ("class",), ("class", "energy")
    variables = {
        "probability": (one_each, found.probabilities, "probability of the class"),
        "log_evidence": (
            one_each,
            np.array([one.log_evidence for one in found.classes]),
            "log of the evidence; an upper bound where the class was not sampled",
        ),
        "log_evidence_error": (
            one_each,
            of_samples("evidence_error"),
            "standard error of log_evidence",
        ),
        "sampled": (
            one_each,
            np.array([one.samples is not None for one in found.classes]),
            "whether the class was sampled",
        ),
        "effective": (one_each, of_samples("effective"), "effective number of Green's functions"),
        "evaluated": (one_each, np.array(evaluated), "number of Green's functions with a weight"),
        "residual": (
            by_energy,
            np.stack([one.share for one in residuals]),
            "what the class's best map leaves, over the map's root mean square",
        ),
        "correlation": (
            by_energy,
            np.stack([one.correlation for one in residuals]),
            "strongest correlation of what is left on sites up to two steps apart",
        ),
        "whiteness": (
            by_energy,
            np.stack([one.whiteness for one in residuals]),
            "probability that white noise has correlations as strong",
        ),
        "best": (("class", "unknown"), best, "unknowns of the class's best map"),
        "mean": (("class", "unknown"), mean, "posterior mean, on circles of the direction"),
        "deviation": (("class", "unknown"), deviation, "posterior standard deviation"),
        "credible": (
            ("class", "unknown", "level", "part", "end"),
            sets,
            "ends of the intervals of the credible set",
        ),
    }
    noise = forward.noise
    return xr.Dataset(
        {
            **{
                name: (dims, values, {"long_name": words})
                for name, (dims, values, words) in variables.items()
            },
            "map_size": (
                "energy",
                forward.size,
                {"long_name": "root mean square of the map without r = 0", "units": "1/meV"},
            ),
            "noise": (
                "energy",
                noise.level,
                {
                    "long_name": "standard deviation of the noise"
                    if noise.known
                    else "least standard deviation of the noise, which is integrated out",
                    "units": "1/meV",
                },
            ),
        },
        coords={
            "class": list(problem.labels),
            "unknown": [one.name for one in unknowns],
            "level": list(LEVELS),
            "end": ["low", "high"],
            "energy": (
                "energy",
                np.asarray(forward.conditions.numerics.energies),
                {"units": "meV"},
            ),
        },
        attrs={
            "posterior_schema": POSTERIOR_SCHEMA,
            "title": "posterior of a QPI map",
            "verdict": "\n".join(verdict(found, residuals)),
            "problem": json.dumps(problem.to_dict()),
            "noise_known": int(noise.known),
            "sites": noise.sites,
            "greens_functions": forward.computed,
            "seed": seed,
        },
    )
