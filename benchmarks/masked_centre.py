"""What a network of simulated maps makes of maps whose value at r = 0 is missing, or another's.

    python benchmarks/masked_centre.py [nbse2-open] [--states 40] [--ratios none 10 2] [--filled 40]

States are drawn from the network's ranges by a seed that no training saw, classes in turn, and
simulated once. Their maps are read as they are; with zero, the map's median or mean, the mean of
the nearest sites or one neighbour's value at r = 0; with that value times a factor; and, of the
first --filled, with NaN there, which gapscope fills in. Each line has the number that are called
masked, and unlike training; the gap's and the potential's mean absolute errors, and the share of
intervals that hold the gap. Maps that were filled in are parted by what they leave (`centre_left`):
less than LEFT or MORE_LEFT times the noise, or more. Last come the intervals of weak impurities,
|v| < WEAK.

Decision 24 has the numbers.
"""

from __future__ import annotations

import argparse

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.samples import simulate_samples
from gapscope.inference.refine import Conditions, Guess
from gapscope.inference.simulated_maps import predict_windows
from gapscope.inference.unseen_centre import filled
from gapscope.learning.evaluation.tables import aligned
from gapscope.learning.prediction.predictor import Predictor
from gapscope.physics.lattice import Lattice
from gapscope.support.resources import find_model
from posterior import drawn

SEED = 20261201
WEAK = 30.0
LEFT, MORE_LEFT = 0.3, 1.2
FACTORS = (1.5, 3.0)
HEAD = ["map", "maps", "masked", "unlike", "gap (meV)", "v (meV)", "intervals hold the gap"]

Maps = NDArray[np.float32]
Truth = dict[str, float]


def substitutes(maps: Maps, lattice: Lattice) -> dict[str, Maps]:
    """Maps (n, energies, L, L) with other values at r = 0."""
    middle = maps.shape[-1] // 2
    own = maps[..., middle, middle]
    nearest = sorted({tuple(one @ (1, 0)) for one in lattice.operations})
    beside = np.stack([maps[..., middle + i, middle + j] for i, j in nearest])
    values = {
        "as it is": own,
        "zero": np.zeros_like(own),
        "median": np.median(maps, axis=(-2, -1)),
        "mean": maps.mean(axis=(-2, -1)),
        "mean of the nearest": beside.mean(axis=0),
        "one neighbour's": beside[0],
        **{f"{factor:g} times as large": factor * own for factor in FACTORS},
    }
    found = {}
    for name, value in values.items():
        found[name] = maps.copy()
        found[name][..., middle, middle] = value
    return found


def line(name: str, answer: xr.Dataset, truths: list[Truth]) -> list[str]:
    """What a table says of maps of one kind."""
    gap = np.array([one["gap"] for one in truths])
    potential = np.array([one["potential"] for one in truths])
    masked = answer["likely_change"].values == "masked"
    errors = [np.abs(answer["gap"].values - gap), np.abs(answer["potential"].values - potential)]
    return [
        name,
        f"{len(gap)}",
        f"{masked.sum()}",
        f"{answer['unlike_training'].values.sum()}",
        *(f"{one.mean():.3g}" for one in errors),
        f"{100 * held(answer, gap).mean():.0f} %",
    ]


def held(answer: xr.Dataset, gap: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the gap's interval holds it."""
    low, high = answer["gap_low"].values, answer["gap_high"].values
    return np.asarray((low <= gap) & (gap <= high))


def with_noise(maps: Maps, conditions: Conditions, ratio: float, rng: np.random.Generator) -> Maps:
    """Maps with white noise, by the map's standard deviation off r = 0 at each energy."""
    level = maps[..., conditions.sites_away].std(axis=-1)[..., None, None] / ratio
    return (maps + level * rng.standard_normal(maps.shape)).astype(np.float32)


def filled_in(
    maps: Maps,
    clean: Maps,
    truths: list[Truth],
    predictor: Predictor,
    conditions: Conditions,
    least: float,
) -> list[list[str]]:
    """Lines of maps that are NaN at r = 0: those that leave little, and the others."""
    middle = maps.shape[-1] // 2
    made, left = maps.copy(), np.zeros(len(maps))
    made[..., middle, middle] = np.nan
    for number, one in enumerate(made):
        made[number], left[number] = filled(one, predictor, conditions)
    own = clean[..., middle, middle]
    off = np.abs(made[..., middle, middle] - own) / np.abs(own)
    print(f"value at r = 0 off by {100 * np.median(off):.0f} % (median)")
    found = []
    for name, chosen in (
        ("filled, little left", left < least),
        ("filled, more left", left >= least),
    ):
        if chosen.any():
            some = [one for one, keep in zip(truths, chosen, strict=True) if keep]
            found.append(line(name, predict_windows(made[chosen], predictor), some))
            found.append(
                line("the same as they were", predict_windows(maps[chosen], predictor), some)
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="nbse2-open")
    parser.add_argument("--states", type=int, default=40)
    parser.add_argument("--ratios", nargs="+", default=["none", "10", "2"])
    parser.add_argument("--filled", type=int, default=40, help="of the states, at most")
    given = parser.parse_args()
    predictor = Predictor.load(find_model(given.model))
    conditions = Conditions.of(predictor.config, predictor.size)
    rng = np.random.default_rng(SEED)
    labels = conditions.problem.labels
    states = [drawn(conditions, number, rng) for number in range(given.states)]
    truths = [truth for _, truth in states]
    samples = [conditions.sample(Guess(labels[label], truth)) for label, truth in states]
    clean = np.stack([simulate_samples([one], conditions.numerics)[0][0] for one in samples])
    for ratio in given.ratios:
        noise = 0.0 if ratio == "none" else 1 / float(ratio)
        maps = with_noise(clean, conditions, 1 / noise, rng) if noise else clean
        print(f"\n{given.model}, signal-to-noise ratio {ratio}")
        answers = {
            name: predict_windows(one, predictor)
            for name, one in substitutes(maps, predictor.lattice).items()
        }
        lines = [line(name, one, truths) for name, one in answers.items()]
        some = slice(0, given.filled)
        least = max(LEFT, MORE_LEFT * noise)
        lines += filled_in(maps[some], clean[some], truths[some], predictor, conditions, least)
        print("\n".join(aligned([HEAD, *lines])))
        gap, potential = (np.array([one[name] for one in truths]) for name in ("gap", "potential"))
        weak = np.abs(potential) < WEAK
        if weak.any():
            share = 100 * held(answers["as it is"], gap)[weak].mean()
            print(
                f"intervals of the {weak.sum()} states with |v| < {WEAK:g} meV:"
                f" {share:.0f} % hold the gap",
                flush=True,
            )


if __name__ == "__main__":
    main()
