"""Would a normalizing flow on the network's features be a better proposal for the posterior?

    pip install --group judge
    python benchmarks/flow.py DATA [--irrep Eg] [--maps 10] [--ratio 10] [--fresh 12]

DATA is the dataset of Green's functions that ``nbse2-open`` was trained with (`make reference`).
BayesFlow's coupling flow of splines learns p(unknowns | features of the network) of one irrep, from
its training states, each around ``fresh`` impurities and with other noise of the one ratio that it
is judged at, which favours it. Both proposals are then asked about the same fresh maps:

* the share of its draws that the weights of a proposal q are worth,
  (E_q w)^2 / E_q w^2 = 1 / E_p[p / q], where p is the posterior that ``gapscope predict
  --posterior`` has found, and the expectation a sum over its weighted points;
* how much wider q is than p, unknown by unknown.

What is sampled by p alone overlooks where q has weight and p has points of little weight: the
share of q is an upper bound within its noise.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import bayesflow as bf
import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from gapscope.dataset.load import DatasetReader
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.posterior import find_posterior
from gapscope.inference.posterior.result import named_columns, normalised
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.fresh_maps import FreshMaps
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.network.two_heads import PARAMETERS
from gapscope.learning.prediction.predictor import Predictor
from gapscope.problem.problem import Problem
from posterior import Problem as Asked
from posterior import clean_map, drawn, noisy

MODEL = "nbse2-open"
SEED, OWN_SEED = 1, 20261202
CHUNK, EPOCHS, HELD_BACK, DRAWS, NAMES = 64, 40, 0.05, 1000, 400
Array = NDArray[np.float64]


class Eyes:
    """The network's features, and what it says itself of one irrep."""

    def __init__(self, predictor: Predictor, cube: Cube) -> None:
        self.predictor, self.cube = predictor, cube
        network = predictor.network
        features = network.get_layer("aggregation").output
        self._model = keras.Model(network.input, [features, network.output[PARAMETERS]])

    def __call__(self, maps: NDArray[np.floating]) -> tuple[Array, Array]:
        """Features (n, f), and the network's answer as points (n, k) of the cube."""
        predictor = self.predictor
        odd = predictor.config.training.network.odd
        images = momentum_images(maps.astype(np.float32), predictor.lattice, odd)
        seen, raw = self._model.predict_on_batch(predictor.config.inputs.apply(images))
        label = np.full(len(maps), self.cube.index)
        said = predictor.config.targets.decode(raw, label)
        return np.asarray(seen, np.float64), points_of(self.cube, said)


def points_of(cube: Cube, columns: Any) -> Array:
    """Points (n, k) of unknowns by name, (n,) each."""
    count = len(columns[cube.names[0]])
    return np.array(
        [cube.point({n: float(columns[n][row]) for n in cube.names}) for row in range(count)]
    )


def apart(cube: Cube, points: Array, said: Array) -> Array:
    """Points less what the network says, the shorter way around circles."""
    step = points - said
    return np.where(cube.circles, step - np.round(step), step)


def names_of(problem: Problem, cube: Cube, rng: np.random.Generator) -> float:
    """How many states of the prior have one map."""
    points = rng.uniform(size=(NAMES, cube.size))
    columns = cube.columns(points)
    own = points_of(cube, problem.named(columns, np.full(NAMES, cube.index)))
    kept = (np.abs(apart(cube, own, points)) < 1e-6).all(axis=1)
    return float(1 / kept.mean())


def looks(eyes: Eyes, fresh: FreshMaps, ratio: float, times: int) -> tuple[Array, Array, Array]:
    """Features, answers and true points of training states, ``times`` each."""
    cube, found = eyes.cube, []
    model = NoiseModel.on(fresh.lattice, fresh.size)
    rows = np.flatnonzero(fresh.label == cube.index)
    for time in range(times):
        for first in range(0, len(rows), CHUNK):
            some = rows[first : first + CHUNK]
            generators = [np.random.default_rng([SEED, time, row]) for row in some]
            seen = fresh.redrawn(some, generators)
            maps = fresh.maps(seen)
            level = model.contrast(maps)[..., None, None] / ratio
            noise = np.stack([rng.standard_normal(maps.shape[1:]) for rng in generators])
            features, said = eyes(maps + level * noise)
            named = fresh.problem.named(seen.values, fresh.label[some])
            found.append((features, said, points_of(cube, named)))
        print(f"looked {time + 1} of {times} times at {len(rows)} states", flush=True)
    features, said, points = (np.concatenate(part) for part in zip(*found, strict=True))
    return features, said, points


class Flow:
    """p(point - answer | features), by BayesFlow."""

    def __init__(self, features: Array, steps: Array) -> None:
        self._scales = [(a.mean(axis=0), a.std(axis=0) + 1e-9) for a in (features, steps)]
        given, wanted = self._standard(features, 0), self._standard(steps, 1)
        held = int(HELD_BACK * len(given))
        flow = bf.networks.CouplingFlow(depth=6, transform="spline")
        self._workflow = bf.BasicWorkflow(
            inference_network=flow,
            inference_variables=["steps"],
            inference_conditions=["features"],
            standardize=None,
        )
        self._workflow.fit_offline(
            {"steps": wanted[held:], "features": given[held:]},
            epochs=EPOCHS,
            batch_size=256,
            validation_data={"steps": wanted[:held], "features": given[:held]},
            verbose=2,
        )

    def _standard(self, values: Array, which: int) -> NDArray[np.float32]:
        mean, deviation = self._scales[which]
        return ((values - mean) / deviation).astype(np.float32)

    def log_density(self, features: Array, steps: Array) -> Array:
        """log q (n,) of steps (n, k) beside one map's features (f,)."""
        given = np.repeat(self._standard(features, 0)[None], len(steps), axis=0)
        data = {"steps": self._standard(steps, 1), "features": given}
        found = np.asarray(self._workflow.log_prob(data), dtype=np.float64)
        return found - np.log(self._scales[1][1]).sum()

    def draws(self, features: Array, count: int) -> Array:
        """Steps (count, k)."""
        given = {"features": self._standard(features, 0)[None]}
        drawn = self._workflow.sample(num_samples=count, conditions=given)["steps"][0]
        mean, deviation = self._scales[1]
        return np.asarray(drawn * deviation + mean, dtype=np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--irrep", default="Eg")
    parser.add_argument("--maps", type=int, default=10)
    parser.add_argument("--ratio", type=float, default=10.0)
    parser.add_argument("--fresh", type=int, default=12, help="impurities of each state")
    parser.add_argument("--split", default="train")
    given = parser.parse_args()
    keras.utils.set_random_seed(SEED)
    asked = Asked(MODEL)
    assert asked.predictor is not None
    conditions, problem = asked.conditions, asked.conditions.problem
    cube = Cube(problem, list(problem.labels).index(given.irrep))
    eyes = Eyes(asked.predictor, cube)
    with DatasetReader(given.data) as reader:
        fresh = FreshMaps.of(reader, given.split, asked.predictor.size)
        features, said, points = looks(eyes, fresh, given.ratio, given.fresh)
    del fresh
    flow = Flow(features, apart(cube, points, said))
    names = names_of(problem, cube, np.random.default_rng(SEED))
    print(f"{given.irrep} at {given.ratio:g}: {len(points)} looks; {names:.1f} states have one map")
    shares, others, widths = [], [], []
    for number in range(given.maps):
        rng = np.random.default_rng([OWN_SEED, number])
        _, truth = drawn(conditions, cube.index, rng)
        map, _ = noisy(clean_map(conditions, cube.index, truth), conditions, given.ratio, rng)
        found = find_posterior(map, conditions, asked.starts(map, truth, rng), seed=OWN_SEED)
        one = found.classes[cube.index]
        if one.samples is None:
            print(f"map {number}: its irrep was not sampled")
            continue
        weights, _ = normalised(one)
        keep = weights > 0
        weights = weights[keep]
        columns = named_columns(problem, cube.index, one)
        own = points_of(cube, {n: columns[n][keep] for n in cube.names})
        seen, answer = eyes(map[None])
        steps = apart(cube, own, answer)
        posterior = one.samples.log_likelihood.ravel()[keep] - one.log_evidence + np.log(names)
        proposal = flow.log_density(seen[0], steps)
        share = -logsumexp(np.log(weights) + posterior - proposal)
        drawn_steps = flow.draws(seen[0], DRAWS)
        mean = weights @ steps
        deviation = np.sqrt(weights @ (steps - mean) ** 2)
        shares.append(share)
        others.append(one.samples.efficiency)
        widths.append(drawn_steps.std(axis=0) / deviation)
        print(
            f"map {number}: flow {np.exp(share):.2g}, emulator {others[-1]:.2f}; times as wide "
            + ", ".join(f"{n} {w:.1f}" for n, w in zip(cube.names, widths[-1], strict=True)),
            flush=True,
        )
    middle = np.median(widths, axis=0)
    print(
        f"share of draws, median: flow {np.exp(np.median(shares)):.2g}, emulator"
        f" {np.median(others):.2f}; the flow is wider by (median) "
        + ", ".join(f"{n} {w:.1f}" for n, w in zip(cube.names, middle, strict=True))
    )


if __name__ == "__main__":
    main()
