"""Does the verdict say so when the world is not in the prior?

    python benchmarks/outside.py nbse2-open [--maps 5] [--ratio 10] [--worlds ...]

Maps of a model's problem are drawn as in benchmarks/posterior.py, and changed by what the problem
does not know. Each is read by the network, whose verdict is `unlike the training maps`, and given
its posterior, whose verdict is `does not explain the map`. Results are kept line by line in a file,
so that a run may be stopped and goes on; the table is of all that are there.

* none: as the prior has them;
* band: hoppings to the third neighbours 15 % larger;
* in-plane moment: 20 meV along x besides;
* two impurities: another of 100 meV, 6 sites away;
* 1/f noise: as strong as the white noise;
* creep: an image that is stretched along its slow axis, by a displacement that grows to 1 site.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from gapscope.inference.posterior.posterior import find_posterior
from gapscope.inference.posterior.residual import Residual
from gapscope.inference.posterior.starts import NetworkStarts
from gapscope.inference.refine import Conditions, Guess
from gapscope.inference.simulated_maps import predict_windows
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.evaluation.tables import aligned
from gapscope.physics.impurity import Impurity
from gapscope.physics.specification import Specification
from gapscope.problem.quantities import quantity
from gapscope.problem.states import Sample
from posterior import Problem, drawn, map_of, noisy

Array = NDArray[np.float64]
OTHER_BAND, IN_PLANE, SECOND, AWAY, CREEP = 1.15, 20.0, 100.0, (6, 2), 1.0


def with_impurity(sample: Sample, more: Impurity) -> Sample:
    """The sample with another impurity besides its own."""
    own: Specification = sample.specification
    return replace(sample, specification=replace(own, impurity=own.impurity + more))


def as_it_is(conditions: Conditions, guess: Guess, rng: np.random.Generator, ratio: float) -> Array:
    del rng, ratio
    return map_of(conditions.sample(guess), conditions)


def band(conditions: Conditions, guess: Guess, rng: np.random.Generator, ratio: float) -> Array:
    del rng, ratio
    draft = quantity("hopping_3").sets(conditions.draft, OTHER_BAND)
    return map_of(replace(conditions, draft=draft).sample(guess), conditions)


def in_plane(conditions: Conditions, guess: Guess, rng: np.random.Generator, ratio: float) -> Array:
    del rng, ratio
    moment = Impurity.magnetic((IN_PLANE, 0.0, 0.0))
    return map_of(with_impurity(conditions.sample(guess), moment), conditions)


def two(conditions: Conditions, guess: Guess, rng: np.random.Generator, ratio: float) -> Array:
    del rng, ratio
    second = Impurity.scalar(SECOND, site=AWAY)
    return map_of(with_impurity(conditions.sample(guess), second), conditions)


def pink(conditions: Conditions, guess: Guess, rng: np.random.Generator, ratio: float) -> Array:
    clean = map_of(conditions.sample(guess), conditions)
    model = NoiseModel.on(conditions.draft.material.lattice, clean.shape[-1])
    field = model.pink_field((len(clean),), rng)
    return np.asarray(clean + model.contrast(clean)[:, None, None] * field / ratio)


def creep(conditions: Conditions, guess: Guess, rng: np.random.Generator, ratio: float) -> Array:
    del rng, ratio
    clean = map_of(conditions.sample(guess), conditions)
    size = clean.shape[-1]
    first, second = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    moved = second + CREEP * (np.log1p(second) / np.log(size) - 0.5)
    return np.array(
        [map_coordinates(one, [first, moved], order=3, mode="grid-wrap") for one in clean]
    )


World = Callable[[Conditions, Guess, np.random.Generator, float], Array]
WORLDS: dict[str, World] = {
    "none": as_it_is,
    "band": band,
    "in-plane moment": in_plane,
    "two impurities": two,
    "1/f noise": pink,
    "creep": creep,
}


def judged(asked: Problem, world: str, number: int, ratio: float, seed: int) -> dict[str, Any]:
    """One map of a world, read by the network and given its posterior."""
    assert asked.predictor is not None
    conditions, problem = asked.conditions, asked.conditions.problem
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    label, truth = drawn(conditions, number, rng)
    map = WORLDS[world](conditions, Guess(problem.labels[label], truth), rng, ratio)
    map, level = noisy(map, conditions, ratio, rng)
    answer = predict_windows(map[None].astype(np.float32), asked.predictor).isel(sample=0)
    found = find_posterior(map, conditions, NetworkStarts(answer), noise=level.tolist(), seed=seed)
    samples = found.leading.samples
    return {
        "world": world,
        "number": number,
        "network": int(answer["label"]) == label,
        "unlike": bool(answer["unlike_training"]) if "unlike_training" in answer else None,
        "right": int(found.probabilities.argmax()) == label,
        "efficiency": 0.0 if samples is None else samples.efficiency,
        "explained": Residual.of(found.forward, found.leading.mode).is_noise,
    }


def table(lines: list[dict[str, Any]]) -> str:
    """How often each is said, world by world."""
    rows = [["world", "maps", "network right", "unlike", "posterior right", "not explained"]]
    for world in dict.fromkeys(one["world"] for one in lines):
        own = [one for one in lines if one["world"] == world]
        not_explained = [not one["explained"] or one["efficiency"] < 0.01 for one in own]
        counts = [[one[name] for one in own] for name in ("network", "unlike", "right")]
        rows.append([world, f"{len(own)}", *(f"{sum(map(bool, c))}" for c in counts)])
        rows[-1].append(f"{sum(not_explained)}")
    return "\n".join(aligned(rows))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--maps", type=int, default=5, help="of every world")
    parser.add_argument("--ratio", type=float, default=10.0, help="signal to noise on a site")
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results"))
    given = parser.parse_args()
    asked = Problem(given.model)
    given.folder.mkdir(parents=True, exist_ok=True)
    name = Path(given.model).name
    file = given.folder / f"outside-{name}-{given.ratio:g}-{given.seed}.jsonl"
    lines = [json.loads(one) for one in file.read_text().splitlines()] if file.exists() else []
    there = {(one["world"], one["number"]) for one in lines}
    for number in range(given.maps):
        for world in given.worlds:
            if (world, number) in there:
                continue
            lines.append(judged(asked, world, number, given.ratio, given.seed))
            with file.open("a") as opened:
                opened.write(json.dumps(lines[-1], default=float) + "\n")
            print(lines[-1], flush=True)
    print(table(lines))


if __name__ == "__main__":
    main()
