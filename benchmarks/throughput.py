"""Training images per second of gapscope and of plain Keras, in turns, and the pipeline's stall.

    python benchmarks/throughput.py [--maps 320] [--turns 3]

Maps are those of a dataset by the recipe "demo", made beforehand.

gapscope: its own batches (noise, symmetry, Fourier transform) made while it trains, its precision
for this machine. Plain Keras: the body of keras.applications.VGG16 with gapscope's heads in
float32, compiled as Keras does, the network inputs of the same maps as an array in memory, no
augmentation; and gapscope's own layers in the same way, which tell what precision alone gives.
These have AdamW. Without it and without normalisation, in gapscope's precision, is what the
convolutions leave to be gained. One epoch each per turn, the first step of an epoch not counted;
medians of the rates are printed. A product of large matrices in both precisions tells what the
processor itself gains: the rate of the same convolutions, were they as fast as that product in the
lower precision, over plain Keras' rate bounds the gain.

The stall is the part of gapscope's time per step that disappears where the same epoch's batches lie
ready in memory: steps wait for their batch, or share the cores with the making of the next. Making
a batch is also timed by itself.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from keras import layers

from gapscope.dataset.build import build
from gapscope.dataset.load import DatasetReader
from gapscope.learning.data.inputs import InputScaling
from gapscope.learning.data.samples import Samples
from gapscope.learning.data.targets import Targets, TargetScaling, column_count
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.network.precision import choose_precision, dtype_policy
from gapscope.learning.network.two_heads import IRREP, PARAMETERS, build_network
from gapscope.learning.training.batches import Batch, Batches, TrainingBatches
from gapscope.learning.training.fit import compiled
from gapscope.learning.training.loss import loss_weights, losses
from gapscope.learning.training.optimizer import adamw
from gapscope.problem.problem import Problem
from gapscope.support.resources import find_recipe

TITLES = {
    "gapscope": "gapscope, {precision}, augmented",
    "ready": "gapscope, batches ready in memory",
    "plain": "plain Keras, float32",
    "layers": "gapscope's layers, float32",
    "floor": "convolutions and SGD alone, {precision}",
}


class Ready(keras.utils.PyDataset):  # type: ignore[misc]
    """An epoch's batches, made beforehand."""

    def __init__(self, batches: TrainingBatches) -> None:
        super().__init__()
        self.made = [batches[index] for index in range(len(batches))]

    def __len__(self) -> int:
        return len(self.made)

    def __getitem__(self, index: int) -> Batch:
        return self.made[index]


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Seconds per step of an epoch, its first step left out."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Start anew."""
        self.steps = -1

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Count a step."""
        self.steps += 1
        if self.steps == 0:
            self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """All steps have ended: their losses are known."""
        self.seconds = (time.perf_counter() - self.began) / self.steps


def demo(folder: Path) -> Path:
    """The dataset of ``make demo``."""
    return build(find_recipe("demo"), folder / "demo", progress=False)


def first_maps(reader: DatasetReader, size: int, count: int) -> Samples:
    """The first maps of the training split, in memory."""
    whole = Samples.of(reader, "train", size)
    rows = np.arange(min(count, len(whole)))
    return replace(
        whole,
        ids=whole.ids[rows],
        label=whole.label[rows],
        parameters=whole.values(rows),
        cached=whole.maps(rows),
    )


def applications_vgg16(config: TrainingConfig, energies: int, problem: Problem) -> keras.Model:
    """Body of keras.applications.VGG16 with gapscope's aggregation and heads."""
    size = config.network.input_size
    body = keras.applications.VGG16(
        include_top=False, weights=None, input_shape=(size, size, energies)
    )
    x = layers.AdaptiveAveragePooling2D(7)(body.output)
    x = layers.Dense(config.network.width, activation="relu")(layers.Flatten()(x))
    heads = {
        IRREP: layers.Dense(len(problem.classes), activation="softmax", name=IRREP)(x),
        PARAMETERS: layers.Dense(column_count(problem, False), name=PARAMETERS)(x),
    }
    return keras.Model(body.input, heads)


def plain(
    network: keras.Model,
    config: TrainingConfig,
    steps: int,
    optimizer: keras.optimizers.Optimizer | None = None,
) -> keras.Model:
    """A network compiled as a user of Keras would."""
    network.compile(
        optimizer=optimizer or adamw(config, steps),
        loss=losses(),
        loss_weights=loss_weights(config.irrep_weight, config.parameter_weight),
    )
    return network


def seconds_per_batch(batches: TrainingBatches) -> float:
    """Median seconds that making one batch takes."""
    times = []
    for index in range(len(batches)):
        start = time.perf_counter()
        batches[index]
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def operations(network: keras.Model) -> float:
    """Operations (1e9) of one training image in the convolutions: the map and its two gradients.

    A multiplication and an addition are two; the first layer needs no gradient of its input.
    """
    total = 0
    for index, layer in enumerate(
        each for each in network.layers if isinstance(each, layers.Conv2D)
    ):
        _, height, width, _ = layer.output.shape
        total += 2 * (2 if index == 0 else 3) * height * width * int(np.prod(layer.kernel.shape))
    return 1e-9 * total


def product_rate(precision: str, size: int = 4096, turns: int = 8) -> float:
    """Best rate of a product of square matrices (1e9 operations per second)."""
    factors = keras.ops.cast(keras.random.normal((2, size, size)), precision)
    times = []
    for _ in range(turns + 1):  # the first one starts the threads
        start = time.perf_counter()
        float(keras.ops.matmul(*factors)[0, 0])
        times.append(time.perf_counter() - start)
    return 2e-9 * size**3 / min(times[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", type=int, default=320)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    config, precision = TrainingConfig(), choose_precision()
    with TemporaryDirectory() as folder, DatasetReader(demo(Path(folder))) as reader:
        samples = first_maps(reader, config.network.input_size, options.maps)
        energies = len(reader.energies)
        problem = samples.problem
        targets = Targets(problem, TargetScaling.of(problem, samples.parameters))
        scalings = InputScaling.of(samples), targets
        batches = TrainingBatches(samples, *scalings, config)
        inputs, targets = Batches(samples, *scalings, len(samples))[0]
    with dtype_policy(precision):
        ours = compiled(build_network(config.network, energies, problem), config, len(batches))
    with dtype_policy("float32"):
        others = {
            "plain": plain(applications_vgg16(config, energies, problem), config, len(batches)),
            "layers": plain(build_network(config.network, energies, problem), config, len(batches)),
        }
    bare = replace(config, network=replace(config.network, batch_norm=False))
    with dtype_policy(precision):
        floor = build_network(bare.network, energies, problem)
        others["floor"] = plain(floor, config, len(batches), keras.optimizers.SGD(1e-4))
    clock = Clock()
    quiet = {"epochs": 1, "verbose": 0, "callbacks": [clock]}
    array = {"batch_size": config.batch_size, "shuffle": True}

    def fit(name: str) -> float:
        if name == "gapscope":
            batches.epoch += 1
            ours.fit(batches, shuffle=False, **quiet)
        elif name == "ready":
            ours.fit(Ready(batches), shuffle=False, **quiet)
        else:
            others[name].fit(inputs, targets, **array, **quiet)
        return clock.seconds

    times: dict[str, list[float]] = {name: [] for name in TITLES}
    making = []
    for name in TITLES:
        fit(name)  # compiles
    for _ in range(options.turns):
        for name in TITLES:
            times[name].append(fit(name))
        making.append(seconds_per_batch(batches))
    step = {name: statistics.median(each) for name, each in times.items()}
    print(
        f"{len(samples)} maps, window {samples.size}, batches of {config.batch_size}, Keras"
        f" {keras.__version__} on {keras.backend.backend()}; medians of {options.turns} epochs each"
    )
    print(f"{'training':<44}{'images/s':>9}{'range':>16}{'gapscope/this':>15}")
    for name, title in TITLES.items():
        rate, low, high = (
            config.batch_size / seconds
            for seconds in (step[name], max(times[name]), min(times[name]))
        )
        print(
            f"{title.format(precision=precision):<44}{rate:>9.1f}"
            f"{f'{low:.1f} to {high:.1f}':>16}{step[name] / step['gapscope']:>15.2f}"
        )
    stall = 1 - step["ready"] / step["gapscope"]
    print(
        f"\none step: {1e3 * step['gapscope']:.0f} ms, with batches ready in memory"
        f" {1e3 * step['ready']:.0f} ms: stall {stall:.1%} (below zero: the scatter of turns)"
        f"\none batch: {1e3 * statistics.median(making):.0f} ms to make,"
        f" {statistics.median(making) / step['ready']:.1%} of a step"
    )
    rates = {name: product_rate(name) for name in ("float32", "bfloat16")}
    image = operations(others["plain"])
    convolved = image * config.batch_size / step["plain"]
    print(
        "product of matrices:"
        + "".join(f" {name} {rate:.0f}" for name, rate in rates.items())
        + f" GFLOP/s, ratio {rates['bfloat16'] / rates['float32']:.2f}"
        f"\nconvolutions of one image: {image:.2f} GFLOP; of plain Keras {convolved:.0f} GFLOP/s,"
        f" so that bfloat16 at the rate of matrices would be {rates['bfloat16'] / convolved:.2f}"
        " times as fast"
    )


if __name__ == "__main__":
    main()
