"""CPU seconds per training map: fresh impurities of Green's functions beside stored maps, in turns.

    python benchmarks/fresh.py [--backbone vgg16-half] [--turns 3]

Networks, energies, size of batch and noise are the same; what maps show makes no difference to the
time, so that random numbers stand for maps and Green's functions. Making a batch is timed by
itself, too: for one impurity in each map its images are made within the step, for several before.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from gapscope.dataset.load import DatasetReader
from gapscope.dataset.recipe import load_recipe
from gapscope.learning.data.fresh_maps import FreshMaps, OwnImages
from gapscope.learning.data.inputs import InputScaling
from gapscope.learning.data.moves import pixel_gathers
from gapscope.learning.data.one_site import OneSite
from gapscope.learning.data.samples import Samples
from gapscope.learning.data.several_sites import SeveralSites
from gapscope.learning.data.targets import Targets, TargetScaling
from gapscope.learning.network.config import NetworkConfig, TrainingConfig
from gapscope.learning.network.fresh_images import FreshImages
from gapscope.learning.network.precision import choose_precision, dtype_policy
from gapscope.learning.network.two_heads import build_network
from gapscope.learning.training.batches import TrainingBatches
from gapscope.learning.training.fit import compiled
from gapscope.learning.training.fresh_batches import FreshBatches
from gapscope.physics.impurity_cluster import Elements
from gapscope.problem.others import Others
from gapscope.problem.sampling import draw
from gapscope.simulation.materials import material
from gapscope.support.resources import find_recipe

COUNT, BATCH, STEPS = 64, 32, 2
CONSERVED = np.kron(np.eye(2), np.ones((2, 2)))[[0, 2, 3, 1]][:, [0, 2, 3, 1]] > 0
"""Elements of G with conserved s_z: up with holes of down, down with holes of up."""
DISTANCE = 8
SEVERAL = {
    "one to three": Others(0, 2, DISTANCE),
    "three impurities": Others(2, 2, DISTANCE),
}


def random_maps(size: int, others: Others | None = None) -> FreshMaps:
    """Samples of the recipe nbse2-open with random numbers for images, or for Green's functions."""
    recipe = load_recipe(find_recipe("nbse2-open"))
    matter = material(recipe.material)
    problem, draft = recipe.define(matter), recipe.draft(matter)
    drawn = [draw(problem, recipe.seed, i) for i in range(COUNT)]
    rng = np.random.default_rng(0)
    energies = len(recipe.energies)
    label = np.array([one.label for one in drawn])
    held: OneSite | SeveralSites
    if others is None:
        held = OneSite(
            rng.normal(size=(COUNT, energies, 16, size, size)).astype(np.float16),
            np.full((COUNT, energies, 16), 1e-6, np.float32),
            1e-3 * rng.normal(size=(COUNT, energies, 4, 4)).astype(np.complex128),
            np.tile(np.argwhere(CONSERVED), (COUNT, 1, 1)),
        )
    else:
        own = Elements.of(CONSERVED, np.ones(4, dtype=bool))
        whole, inner = 2 * (size // 2 + DISTANCE) + 1, 4 * DISTANCE + 1
        outer = (COUNT, energies, len(own.outer), 2, whole, whole)
        between = (COUNT, energies, inner, inner, len(own.between))
        held = SeveralSites(
            size,
            label,
            (own,) * len(problem.classes),
            rng.normal(size=outer).astype(np.float16),
            np.full(outer[:3], 1e-3, np.float32),
            1e-3 * rng.normal(size=between).astype(np.complex64),
        )
    return FreshMaps(
        problem,
        draft,
        matter.lattice,
        np.arange(COUNT),
        label,
        {u.name: np.array([d.values.get(u.name, np.nan) for d in drawn]) for u in problem.unknowns},
        held,
        others,
    )


def stored_maps(fresh: FreshMaps, size: int, odd: bool) -> Samples:
    """The maps of the samples' own impurities, as they lie in memory."""
    rows = np.arange(COUNT)
    stand_in = SimpleNamespace(problem=fresh.problem, crystal_lattice=fresh.lattice)
    reader = cast(DatasetReader, stand_in)
    maps = fresh.maps(fresh.own(rows))
    return Samples(reader, size, rows, fresh.label, fresh.parameters, cached=maps, odd=odd)


def seconds_per_map(work: Callable[[Any], object], batch: Callable[[int], Any]) -> float:
    """CPU seconds of making batches and working on them, per map."""
    began = time.process_time()
    for index in range(STEPS):
        work(batch(index % (COUNT // BATCH)))
    return (time.process_time() - began) / (STEPS * BATCH)


def main() -> None:
    """Print CPU seconds and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="vgg16-half")
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    network = NetworkConfig(backbone=given.backbone, odd=True)
    config = TrainingConfig(
        network, batch_size=BATCH, gaussian_noise=0.5, pink_noise=0.5, surfaces=False
    )
    size = network.input_size
    fresh = random_maps(size)
    inputs = InputScaling.of(OwnImages(fresh, True))
    targets = Targets(fresh.problem, TargetScaling.of(fresh.problem, fresh.parameters))
    ways: dict[str, Any] = {
        "stored maps": TrainingBatches(stored_maps(fresh, size, True), inputs, targets, config),
        "fresh impurities": FreshBatches(fresh, targets, config),
    }
    for name, others in SEVERAL.items():
        ways[name] = FreshBatches(random_maps(size, others), targets, config)
    gathers = pixel_gathers(fresh.problem.moves, size)
    images = FreshImages(fresh.lattice, size, inputs, True, gathers, seed=0)
    precision = choose_precision()
    steps: dict[str, Callable[[Any], object]] = {}
    for name, batches in ways.items():
        with dtype_policy(precision):
            net = build_network(replace(network), fresh.held.images.shape[1], fresh.problem)
        layer = None if name == "stored maps" else images
        trainer = compiled(net, config, len(batches), layer, batches[0][0])
        steps[name] = lambda batch, trainer=trainer: trainer.train_on_batch(*batch)
        steps[name](batches[0])
    found: dict[str, list[float]] = {f"{n}, {w}": [] for n in ways for w in ("step", "batch")}
    for _ in range(given.turns):
        for name, batches in ways.items():
            whole = seconds_per_map(steps[name], batches.__getitem__)
            found[f"{name}, step"].append(whole)
            alone = seconds_per_map(lambda batch: batch, batches.__getitem__)
            found[f"{name}, batch"].append(alone)
    medians = {name: statistics.median(values) for name, values in found.items()}
    print(f"{given.backbone}, {precision}: CPU ms per map, batch and step together, and the batch")
    for name in ways:
        step, batch = (medians[f"{name}, {what}"] * 1e3 for what in ("step", "batch"))
        print(f"{name:<20}{step:8.2f}{batch:8.2f}")
    stored = medians["stored maps, step"]
    for name in list(ways)[1:]:
        print(f"{name} over stored maps: {medians[f'{name}, step'] / stored:.2f}")


if __name__ == "__main__":
    main()
