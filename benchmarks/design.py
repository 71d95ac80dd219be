"""Is what `gapscope design` names first worth measuring? Ambiguous maps, measured once more.

    python benchmarks/design.py --maps 200

Maps of a square lattice at one energy, as noisy as leaves open which of two irreps it is. Each gets
its posterior and its ranking; then every candidate is really simulated, with noise and, where it is
of another defect, with a defect drawn anew. Green's functions are computed once, for states all
over the prior: one half of them are the points of the posteriors that the rankings are made of,
weighted by the map; over the other half is summed to say how sure one is before and after. Results
are kept line by line in a file, so that a run may be stopped and goes on; printed is how often the
entropy of the irrep falls to a half or less by the first choice, by one taken at random, and by
each kind of measurement, with 95 % intervals of a binomial distribution (Clopper and Pearson).
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import beta, qmc

import gapscope as gs
from gapscope.dataset.samples import simulate_samples
from gapscope.inference.design.candidates import Candidate, candidates
from gapscope.inference.design.gain import entropy
from gapscope.inference.design.measure import judged
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.noise import Noise
from gapscope.inference.posterior.response import Response
from gapscope.inference.posterior.responses import Responses
from gapscope.inference.refine import Conditions, Guess
from posterior import SQUARE, _conditions

Array = NDArray[np.float64]
MEASURED, WINDOW, LARGER = 5.0, 16, 32
ENERGIES = (-30.0, -15.0, 0.0, 15.0, 30.0)
MOMENT = (10.0, 100.0)
RATIOS = (0.03, 0.3)
"""Signal to noise on a site, evenly on a logarithmic scale."""
AMBIGUOUS = 0.5 * np.log(2)
"""Least entropy of the irrep in nats of a map that counts."""
STATES, STRENGTHS, MOMENTS = 512, 32, 12
DRAWS, SIMULATIONS = 128, 256
"""Half of what the command takes, for the sake of time."""
FLOOR = 1e-3
TRIES = 100


def the_conditions(window: int, *energies: float) -> Conditions:
    numerics = gs.Numerics(list(energies), 5.0, window, gs.Grid(96))
    return _conditions("bi2212", SQUARE, ("A1g", "B1g"), numerics)


class Table:
    """Responses of states all over the prior, and sums over their maps.

    Parameters
    ----------
    first : number of the first state in Sobol's sequence.
    """

    def __init__(self, offered: list[Candidate], first: int) -> None:
        energies = dict.fromkeys([MEASURED, *(e for one in offered for e in one.energies)])
        self.conditions = {
            WINDOW: the_conditions(WINDOW, *energies),
            LARGER: the_conditions(LARGER, MEASURED),
        }
        self.cubes = Responses(self.conditions[WINDOW]).cubes
        self.known: dict[int, dict[tuple[int, ...], Response]] = {}
        self._offered = offered
        sobol = qmc.Sobol(self.cubes[0].outer, scramble=False).random(2 * STATES)
        self.places = sobol[first : first + STATES]
        self.inner = (np.arange(STRENGTHS) + 0.5) / STRENGTHS
        for window, conditions in self.conditions.items():
            responses, own = Responses(conditions), {}
            for cube in self.cubes:
                for place in self.places:
                    own[_key(cube.index, place)] = responses.of(cube, place)
            self.known[window] = own
        self._coefficients: dict[Any, Any] = {}

    def responses(self, conditions: Conditions) -> _Known:
        """As :class:`Responses`, of the table's states."""
        return _Known(conditions, self)

    def log_likelihood(self, one: Candidate, data: Array) -> Array:
        """(classes, states, impurities), the noise not known; another defect is integrated out."""
        numerics = self.conditions[one.window].numerics
        e = numerics.energies.index(one.energies[0])
        floor = FLOOR * float(np.sqrt((data**2).mean()))
        made = []
        for (x, quadratic), response in zip(
            self._of(one, e), self.known[one.window].values(), strict=True
        ):
            squares = data @ data - 2 * x @ (data @ response.design[e]) + quadratic
            made.append(np.maximum(squares, 1e-12 * (data @ data)))
        squares = np.reshape(made, (len(self.cubes), STATES, -1))
        found = Noise(len(data), np.array([floor]), False).log_likelihood(squares[..., None])
        if one.defect is None:
            return found
        return np.asarray(logsumexp(found, axis=2, keepdims=True) - np.log(found.shape[2]))

    def _of(self, one: Candidate, e: int) -> list[tuple[Array, Array]]:
        """x of all impurities, and |A x|^2, of each state."""
        key = one.window, e, one.defect
        if key not in self._coefficients:
            responses = Responses(self.conditions[one.window])
            if one.defect is None:
                potentials = responses.potentials(self.cubes[0], self.inner[:, None])
            else:
                count = MOMENTS if one.defect[1].high else 1
                values = np.zeros((STRENGTHS, count, 4))
                values[..., 0] = [[one.defect[0].drawn(x)] for x in self.inner]
                steps = (np.arange(count) + 0.5) / count
                values[..., 3] = [one.defect[1].drawn(x) for x in steps]
                potentials = responses.strengths(values.reshape(-1, 4))
            made = []
            for response in self.known[one.window].values():
                x = response.coefficients(potentials)[:, e]
                made.append((x, np.einsum("pc,cd,pd->p", x, response.gram[e], x, optimize=True)))
            self._coefficients[key] = made
        return self._coefficients[key]

    def posterior(self, log_likelihood: Array) -> xr.DataTree:
        """What `gapscope.posterior` returns, as far as a ranking needs it."""
        log_weight = log_likelihood - logsumexp(log_likelihood)
        by_state = np.exp(logsumexp(log_weight, axis=2))
        share = by_state.sum(axis=1)
        effective = share**2 / (by_state**2).sum(axis=1)
        columns = []
        for cube in self.cubes:
            place = np.repeat(self.places, STRENGTHS, axis=0)
            inner = np.tile(self.inner, STATES)[:, None]
            columns.append(cube.columns(np.concatenate([place, inner], axis=1)))
        count = len(self.cubes)
        weighted = {
            "label": np.repeat(np.arange(count), STATES * STRENGTHS),
            "group": np.tile(np.repeat(np.arange(STATES), STRENGTHS), count),
            "log_weight": log_weight.ravel(),
            **{name: np.concatenate([one[name] for one in columns]) for name in SQUARE},
        }
        summary = {
            "probability": share,
            "sampled": share > 0,
            "effective": effective,
            "evaluated": np.full(count, STATES),
        }
        labels = {"class": list(self.cubes[0].problem.labels)}
        return xr.DataTree.from_dict(
            {
                "/": xr.Dataset({k: ("class", v) for k, v in summary.items()}, labels),
                "/weighted": xr.Dataset({k: ("sample", v) for k, v in weighted.items()}),
            }
        )


def _key(index: int, place: Array) -> tuple[int, ...]:
    """Coordinates that went through values and back are the same but for rounding."""
    return index, *np.round(place * 2**20).astype(int).tolist()


class _Known(Responses):
    def __init__(self, conditions: Conditions, table: Table) -> None:
        super().__init__(conditions)
        numerics = conditions.numerics
        known = table.conditions[numerics.window].numerics.energies
        self._at = [known.index(one) for one in numerics.energies]
        self._known_states = table.known[numerics.window]

    def of(self, cube: Cube, point: Array) -> Response:
        """The response of one of the table's states."""
        found = self._known_states[_key(cube.index, point[: cube.outer])]
        return found.at(self._at)


def probabilities(log_likelihood: Array) -> Array:
    """Probabilities of the classes."""
    evidence = logsumexp(log_likelihood, axis=(1, 2))
    return np.asarray(np.exp(evidence - logsumexp(evidence)))


def simulated(
    one: Candidate, truth: Guess, level: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A measurement with noise, its whole window."""
    conditions = the_conditions(one.window, *one.energies)
    if one.defect is not None:
        v, moment = (unknown.drawn(rng.uniform()) for unknown in one.defect)
        draft = replace(conditions.draft, moment=(0.0, 0.0, moment))
        conditions = replace(conditions, draft=draft)
        truth = replace(truth, values={**truth.values, "potential": v})
    maps = simulate_samples([conditions.sample(truth)], conditions.numerics)[0][0]
    return maps + level / one.quieter * rng.standard_normal(maps.shape)


def measured_again(
    number: int, seed: int, offered: list[Candidate], points: Table, table: Table
) -> Any:
    """One ambiguous map: what was expected of each candidate, and what came of it."""
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    conditions = the_conditions(WINDOW, MEASURED)
    problem, first = conditions.problem, Candidate("", (MEASURED,), WINDOW)
    for _ in range(TRIES):
        label = problem.labels[rng.integers(len(problem.labels))]
        values = {name: problem.unknown(name).drawn(rng.uniform()) for name in SQUARE}
        truth = Guess(label, values)
        clean = simulated(first, truth, 0.0, rng)
        ratio = float(np.exp(rng.uniform(*np.log(RATIOS))))
        level = float(clean[:, conditions.sites_away].std()) / ratio
        map = clean + level * rng.standard_normal(clean.shape)
        before = table.log_likelihood(first, map[0, conditions.sites_away])
        now = float(entropy(probabilities(before)))
        if now >= AMBIGUOUS:
            break
    start = time.process_time()
    told = judged(
        points.posterior(points.log_likelihood(first, map[0, conditions.sites_away])),
        conditions,
        np.array([level]),
        offered,
        draws=DRAWS,
        simulations=SIMULATIONS,
        seed=number,
        responses=points.responses,
    )
    spent = time.process_time() - start
    after = []
    for one in offered:
        away = the_conditions(one.window, *one.energies).sites_away
        data = simulated(one, truth, level, rng)[0, away]
        after.append(float(entropy(probabilities(before + table.log_likelihood(one, data)))))
    return {
        "number": number,
        "ratio": ratio,
        "now": now,
        "posterior": told.now,
        "gain": [one.gain[0] for one in told.expected],
        "expected": [one.entropy[0] for one in told.expected],
        "halving": [one.halving[0] for one in told.expected],
        "after": after,
        "random": int(rng.integers(len(offered))),
        "seconds": spent,
    }


def interval(hits: int, count: int) -> str:
    low = beta.ppf(0.025, hits, count - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, count - hits) if hits < count else 1.0
    return f"{hits} of {count}, {hits / count:.0%} [{low:.0%}, {high:.0%}]"


def shown(lines: list[dict[str, Any]], offered: list[Candidate]) -> str:
    """The table."""
    after = np.array([one["after"] for one in lines])
    now = np.array([one["now"] for one in lines])[:, None]
    expected = np.array([one["expected"] for one in lines])
    halved = after <= now / 2
    count = len(lines)
    every = np.arange(count)
    text = [
        f"{count} maps, entropy of the irrep {now.mean():.3f} nats (mean), by the posterior"
        f" {np.mean([one['posterior'] for one in lines]):.3f}; ranking took"
        f" {np.median([one['seconds'] for one in lines]):.0f} CPU seconds here (median)",
        "halved by              maps, 95 % interval           entropy after",
    ]
    choices = {
        "first for the irrep": expected.argmin(axis=1),
        "first for everything": np.array([one["gain"] for one in lines]).argmax(axis=1),
        "one at random": np.array([one["random"] for one in lines]),
        "best of all, unknown": after.argmin(axis=1),
    }
    for words, chosen in choices.items():
        hits = int(halved[every, chosen].sum())
        text.append(f"{words:22} {interval(hits, count):28} {after[every, chosen].mean():.3f}")
    text.append(f"all candidates, as random ones: {halved.mean():.1%}")
    ratio = np.array([one["ratio"] for one in lines])
    first = halved[every, choices["first for the irrep"]]
    ends = np.quantile(ratio, [0, 1 / 3, 2 / 3, 1])
    for low, high in pairwise(ends.tolist()):
        own = (ratio >= low) & (ratio <= high)
        text.append(
            f"signal to noise {low:.2f} to {high:.2f}: first for the irrep {first[own].mean():.0%},"
            f" all candidates {halved[own].mean():.0%},"
            f" best of all {halved[own].any(axis=1).mean():.0%}"
        )
    text += [
        "",
        "candidate               first  halved, 95 % interval        expected  entropy  expected",
    ]
    halving = np.array([one["halving"] for one in lines])
    for i, one in enumerate(offered):
        first = int((choices["first for the irrep"] == i).sum())
        text.append(
            f"{one.name:22} {first:6}  {interval(int(halved[:, i].sum()), count):28}"
            f" {halving[:, i].mean():8.0%} {after[:, i].mean():8.3f} {expected[:, i].mean():9.3f}"
        )
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--maps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results"))
    given = parser.parse_args()
    offered = candidates(
        the_conditions(WINDOW, MEASURED).problem,
        [MEASURED],
        WINDOW,
        energies=ENERGIES,
        larger=LARGER,
        quieter=2.0,
        potential=None,
        moment=MOMENT,
    )
    given.folder.mkdir(parents=True, exist_ok=True)
    file = given.folder / f"design-{given.seed}.jsonl"
    lines = [json.loads(one) for one in file.read_text().splitlines()] if file.exists() else []
    there = {one["number"] for one in lines}
    missing = [number for number in range(given.maps) if number not in there]
    tables = [Table(offered, first) for first in (0, STATES)] if missing else []
    for number in missing:
        start = time.monotonic()
        made = measured_again(number, given.seed, offered, *tables)
        lines.append(made)
        with file.open("a") as opened:
            opened.write(json.dumps(made) + "\n")
        best = int(np.argmin(made["expected"]))
        print(
            f"map {number}: entropy {made['now']:.2f}, {offered[best].name} makes it"
            f" {made['after'][best]:.2f}, {time.monotonic() - start:.0f} s",
            flush=True,
        )
    print(shown(lines, offered))


if __name__ == "__main__":
    main()
