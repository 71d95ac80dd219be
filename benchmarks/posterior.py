"""Are posteriors right? Fresh maps with noise from the prior, and what the field asks of them.

    python benchmarks/posterior.py nbse2-vgg16 --maps 40 --ratio 10
    python benchmarks/posterior.py open --maps 20 --ratio 10
    python benchmarks/posterior.py square --maps 200 --ratio 2

``nbse2-vgg16`` begins with the shipped network; ``open`` has everything unknown that an impurity on
NbSe2 leaves open at three energies; ``square`` are small maps of a square lattice, of which many
can be judged. The last two begin near the truth, as far off as a network might be, in every class.
Results are kept line by line in a file, so that a run may be stopped and goes on, and others may
do maps of other numbers beside it; the table is of all that are there. Asked is:

* simulation-based calibration (S. Talts et al., arXiv:1804.06788): ranks of the truth are uniform;
* TARP (P. Lemos et al., ICML 2023): so is the share of draws nearer than the truth to a point that
  knows the map, but not the truth;
* expected coverage: sets of 50, 90 and 95 % hold the truth as often;
* the posterior's deviation over the marginal Cramer-Rao bound at the truth;
* how many of the computed maps the weights are worth, and whether the class of largest evidence is
  the right one, beside the class of the nearest map;
* how far the posterior's mean is from the truth, and what it says of the sign of the chirality
  c = sin 2 theta sin phi against the moment J_z, where |J_z| >= 10 meV and |c| >= 0.2.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from scipy.stats import kstest

import gapscope as gs
from gapscope.dataset.samples import simulate_samples
from gapscope.inference.least_squares import Fit, differentiate, follow
from gapscope.inference.posterior.credible import centre, credible_set, holds
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.forward import Forward, Point
from gapscope.inference.posterior.posterior import find_posterior
from gapscope.inference.posterior.residual import Residual
from gapscope.inference.posterior.result import LEVELS, named_columns, normalised
from gapscope.inference.posterior.starts import NetworkStarts, Starts
from gapscope.inference.refine import Conditions, Guess, accurate
from gapscope.problem.define import Named, define
from gapscope.problem.draft import Draft
from gapscope.problem.quantities import quantity
from gapscope.problem.states import Sample

Array = NDArray[np.float64]
OPEN = {
    "gap": (0.3, 1.5),
    "theta": (0.0, np.pi),
    "phi": (-np.pi / 2, np.pi / 2),
    "eps0": (-300.0, 100.0),
    "potential": (-300.0, 300.0),
    "moment": (0.5, 50.0),
    "broadening": (0.05, 0.5),
    "hopping": (0.95, 1.05),
}
CLASSES = ("A1g", "A1u", "A2g", "Eg", "Eu")
SQUARE = {"gap": (10.0, 50.0), "potential": (20.0, 200.0), "broadening": (2.0, 8.0)}
DRAWS = 200
"""Equally weighted draws that are kept of each map, in standard deviations from their mean."""
SCATTER = 0.02
"""How far off starts of the open problem are, over the widths of ranges."""


class Near:
    """Starts around the truth, of every class by the numbers that it has."""

    def __init__(self, truth: dict[str, float], rng: np.random.Generator) -> None:
        self._truth, self._rng = truth, rng

    def points(self, cubes: Sequence[Cube]) -> list[Point]:
        """Two for every class, and two more where it has a phase."""
        found: list[Point] = []
        for cube in cubes:
            here = {u.name: self._truth.get(u.name, u.drawn(0.5)) for u in cube.unknowns}
            states = [here, here]
            if "phi" in here:
                states.append({**here, "phi": -here["phi"]})
                states.append({**here, "phi": -here["phi"], "theta": np.pi - here["theta"]})
            for one in states:
                step = SCATTER * self._rng.standard_normal(cube.size)
                found.append((cube.index, cube.moved(cube.point(one), step)))
        return found


class Problem:
    """What is asked, and where a search begins."""

    def __init__(self, name: str) -> None:
        self.predictor = None
        if name == "open":
            numerics = gs.Numerics([-0.5, 0.0, 0.5], 0.1, 64)
            self.conditions = _conditions("nbse2", OPEN, CLASSES, numerics)
            return
        if name == "square":
            numerics = gs.Numerics([5.0, 20.0], 5.0, 16, gs.Grid(96))
            self.conditions = _conditions("bi2212", SQUARE, ("A1g", "B1g"), numerics)
            return
        from gapscope.learning.prediction.predictor import Predictor
        from gapscope.support.resources import find_model

        self.predictor = Predictor.load(find_model(name))
        self.conditions = Conditions.of(self.predictor.config, self.predictor.size)

    def starts(self, map: Array, truth: dict[str, float], rng: np.random.Generator) -> Starts:
        """Where the search of one map begins."""
        if self.predictor is None:
            return Near(truth, rng)
        from gapscope.inference.simulated_maps import predict_windows

        answer = predict_windows(map[None].astype(np.float32), self.predictor)
        return NetworkStarts(answer.isel(sample=0))


def _conditions(
    material: str,
    ranges: dict[str, tuple[float, float]],
    classes: Sequence[str],
    numerics: gs.Numerics,
) -> Conditions:
    draft = Draft(gs.material(material), numerics.broadening, 50.0)
    unknowns = [quantity(one).unknown(one, *ends) for one, ends in ranges.items()]
    problem = define(draft, [Named(one) for one in classes], unknowns, {})
    return Conditions(problem, draft, numerics)


def cpu_seconds() -> float:
    total = 0.0
    for one in (me := psutil.Process(), *me.children(recursive=True)):
        times = one.cpu_times()
        total += times.user + times.system
    return total


def drawn(
    conditions: Conditions, number: int, rng: np.random.Generator
) -> tuple[int, dict[str, float]]:
    """A state from the prior, classes in turn."""
    problem = conditions.problem
    label = number % len(problem.labels)
    own = problem.classes[label].unknowns
    return label, {name: problem.unknown(name).drawn(rng.uniform()) for name in own}


def map_of(sample: Sample, conditions: Conditions) -> Array:
    """drho (energies, L, L) in 1/meV, whose error is small beside the noise."""
    return simulate_samples([sample], accurate(conditions.numerics))[0][0].astype(np.float64)


def clean_map(conditions: Conditions, label: int, truth: dict[str, float]) -> Array:
    """That of a state."""
    return map_of(conditions.sample(Guess(conditions.problem.labels[label], truth)), conditions)


def noisy(
    map: Array, conditions: Conditions, ratio: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """A map with white noise, and the noise's standard deviation at each energy."""
    away = conditions.sites.copy()
    away[away.shape[0] // 2, away.shape[1] // 2] = False
    level = map[:, away].std(axis=1) / ratio
    return map + level[:, None, None] * rng.standard_normal(map.shape), level


def judged(asked: Problem, number: int, ratio: float, seed: int, known: bool) -> dict[str, Any]:
    """One map: its truth, its posterior, and how they go together."""
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    conditions = asked.conditions
    problem = conditions.problem
    label, truth = drawn(conditions, number, rng)
    own = problem.classes[label].unknowns
    map, level = noisy(clean_map(conditions, label, truth), conditions, ratio, rng)
    before = cpu_seconds()
    noise = level.tolist() if known else None
    found = find_posterior(map, conditions, asked.starts(map, truth, rng), noise=noise, seed=seed)
    spent = cpu_seconds() - before
    named = problem.named({k: np.array([v]) for k, v in truth.items()}, np.array([label]))
    one = found.classes[label]
    likelihoods = [c.mode.log_likelihood for c in found.classes]
    made: dict[str, Any] = {
        "number": number,
        "label": label,
        "probability": float(found.probabilities[label]),
        "right": int(found.probabilities.argmax()) == label,
        "nearest": int(np.argmax(likelihoods)) == label,
        "explained": Residual.of(found.forward, found.leading.mode).is_noise,
        "computed": found.forward.computed,
        "cpu": spent,
        "sampled": one.samples is not None,
    }
    if one.samples is None:
        return made
    weights, groups = normalised(one)
    keep = weights > 0
    weights, groups = weights[keep], groups[keep]
    columns = named_columns(problem, label, one)
    bound = bounds(found.forward, label, truth, level)
    standard = np.zeros((len(own), int(keep.sum())))
    standard_truth, reference = np.zeros(len(own)), np.zeros(len(own))
    made |= {
        "efficiency": one.samples.efficiency,
        "effective": one.samples.effective,
        "unknowns": {},
    }
    for k, name in enumerate(own):
        unknown = problem.unknown(name)
        period = unknown.period
        values, true = columns[name][keep], float(named[name][0])
        mean, deviation = centre(values, weights, period)
        from_mean, true_from_mean = values - mean, true - mean
        if period:
            from_mean = from_mean - period * np.round(from_mean / period)
            true_from_mean -= period * np.round(true_from_mean / period)
        reference[k] = 2 * rng.standard_normal()
        if deviation:
            standard[k], standard_truth[k] = from_mean / deviation, true_from_mean / deviation
        held = [
            holds(credible_set(values, weights, x, period, groups), true, period) for x in LEVELS
        ]
        made["unknowns"][name] = {
            "rank": float(weights[from_mean < true_from_mean].sum()),
            "held": held,
            "deviation": deviation,
            "error": float(true_from_mean),
            "bound": bound[name],
        }
    apart = ((standard - reference[:, None]) ** 2).sum(axis=0)
    made["tarp"] = float(weights[apart < ((standard_truth - reference) ** 2).sum()].sum())
    picked = standard[:, rng.choice(len(weights), DRAWS, p=weights / weights.sum())].T
    made["standard"] = {
        "draws": np.round(picked, 3).tolist(),
        "truth": standard_truth.tolist(),
        "reference": reference.tolist(),
    }
    if {"theta", "phi", "moment_z"} <= set(own):
        true = _chirality({name: named[name] for name in own})[0]
        if abs(true) >= 0.2 and abs(named["moment_z"][0]) >= 10:
            turned = _chirality({name: columns[name][keep] for name in own})
            made["sign"] = float(weights[turned * true > 0].sum())
    return made


def _chirality(columns: dict[str, Array]) -> Array:
    """sin 2 theta sin phi, with the sign of J_z."""
    turn = np.sin(2 * columns["theta"]) * np.sin(columns["phi"])
    return np.asarray(turn * np.sign(columns["moment_z"]))


def bounds(forward: Forward, label: int, truth: dict[str, float], level: Array) -> dict[str, float]:
    """Marginal Cramer-Rao bounds at the truth, of the noise that was added; with the prior, whose
    range is the bound of what a map does not tell."""
    cube = forward.cubes[label]
    fit = Fit(forward.observed, (label, cube.point(truth)))
    follow([fit], forward, 0)
    differentiate([fit], forward)
    assert fit.slopes is not None
    slopes = fit.slopes.reshape(cube.size, len(level), -1)
    slopes = (slopes * (forward.scale / level)[:, None]).reshape(cube.size, -1)
    covariance = np.linalg.inv(slopes @ slopes.T + 12 * np.eye(cube.size))
    found = {}
    for k, unknown in enumerate(cube.unknowns):
        width = float(np.sqrt(covariance[k, k]))
        span = unknown.high - unknown.low
        if unknown.scale == "logarithmic":
            span = truth[unknown.name] * float(np.log(unknown.high / unknown.low))
        found[unknown.name] = width * span
    return found


def shown(name: str, lines: list[dict[str, Any]], labels: Sequence[str]) -> str:
    """The table."""
    count = len(lines)
    good = [one for one in lines if one["sampled"]]
    efficiency = np.array([one["efficiency"] for one in good])
    text = [
        f"{name}: {count} maps, {len(good)} sampled in their own class",
        f"right by evidence {sum(one['right'] for one in lines)} of {count}, by the nearest map"
        f" {sum(one['nearest'] for one in lines)}; explained {sum(o['explained'] for o in lines)}",
        f"Green's functions a map {np.median([one['computed'] for one in lines]):.0f} (median),"
        f" CPU seconds {np.median([one['cpu'] for one in lines]):.0f} (median),"
        f" {max(one['cpu'] for one in lines):.0f} (most)",
    ]
    for number, label in enumerate(labels):
        own = [one for one in lines if one["label"] == number]
        sampled = [one["efficiency"] for one in own if one["sampled"]]
        middle = f"{100 * np.median(sampled):.0f} %" if sampled else "/"
        right = sum(one["right"] for one in own)
        text.append(f"  {label:5} right {right} of {len(own)}, efficiency {middle} (median)")
    if not good:
        return "\n".join(text)
    tarp = kstest([one["tarp"] for one in good], "uniform").pvalue
    text += [
        f"efficiency {100 * np.median(efficiency):.0f} % (median), {100 * efficiency.min():.1f} %"
        f" (least), at least 10 % in {np.mean(efficiency >= 0.1):.0%}",
        f"TARP p = {tarp:.2f}",
        "",
        "unknown       maps   SBC p   held by sets of "
        + ", ".join(f"{x:.0%}" for x in LEVELS)
        + "   deviation/bound median, 80 %   error: mean, median",
    ]
    names = list(dict.fromkeys(name for one in good for name in one["unknowns"]))
    for unknown in names:
        own = [one["unknowns"][unknown] for one in good if unknown in one["unknowns"]]
        rank = kstest([one["rank"] for one in own], "uniform").pvalue
        held = np.mean([one["held"] for one in own], axis=0)
        ratio = np.array([one["deviation"] / one["bound"] for one in own])
        shares = " ".join(f"{one:6.0%}" for one in held)
        ratios = f"{np.median(ratio):.2f}, {np.quantile(ratio, 0.8):.2f}"
        error = np.abs([one["error"] for one in own])
        text.append(
            f"{unknown:12} {len(own):5}   {rank:5.2f}   {shares}   {ratios}"
            f"   {error.mean():.3g}, {np.median(error):.3g}"
        )
    if signs := [one["sign"] for one in good if "sign" in one]:
        text.append(f"sign of phi right in {sum(x > 0.5 for x in signs)} of {len(signs)}")
    every = [one for line in good for one in line["unknowns"].values()]
    held = np.mean([one["held"] for one in every], axis=0)
    text.append(f"{'all':12} {len(every):5}           {held[0]:6.1%} {held[1]:6.1%} {held[2]:6.1%}")
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("problem", help="open, square, or a model for simulated maps")
    parser.add_argument("--maps", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="number of the first map")
    parser.add_argument("--ratio", type=float, default=10.0, help="signal to noise on a site")
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument("--known", action="store_true", help="the noise is stated")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results"))
    given = parser.parse_args()
    asked = Problem(given.problem)
    words = f"{given.problem} at {given.ratio:g}" + (", noise stated" if given.known else "")
    given.folder.mkdir(parents=True, exist_ok=True)
    kind = "known" if given.known else "unknown"
    file = given.folder / f"posterior-{given.problem}-{given.ratio:g}-{kind}-{given.seed}.jsonl"
    lines = [json.loads(one) for one in file.read_text().splitlines()] if file.exists() else []
    there = {one["number"] for one in lines}
    for number in range(given.first, given.first + given.maps):
        if number in there:
            continue
        start = time.monotonic()
        made = judged(asked, number, given.ratio, given.seed, given.known)
        lines.append(made)
        with file.open("a") as opened:
            opened.write(json.dumps(made, default=float) + "\n")
        print(
            f"map {number}: right {made['right']}, efficiency {made.get('efficiency', 0):.2f},"
            f" {made['computed']} Green's functions, {time.monotonic() - start:.0f} s",
            flush=True,
        )
    print(shown(words, lines, asked.conditions.problem.labels))


if __name__ == "__main__":
    main()
