"""Batches for Keras: network inputs and targets, for training augmented and in a random order.

Everything random depends on (seed, epoch, sample), the order on (seed, epoch).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import InputScaling, momentum_images
from gapscope.learning.data.moves import move_images, pixel_gathers
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.data.samples import Samples
from gapscope.learning.data.targets import Targets, Values
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.network.two_heads import IRREP, PARAMETERS

Batch = tuple[NDArray[np.float32], dict[str, NDArray[Any]]]


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """A split in order, as it is: for validation."""

    def __init__(
        self, samples: Samples, inputs: InputScaling, targets: Targets, batch_size: int
    ) -> None:
        super().__init__()
        self.samples = samples
        self.inputs = inputs
        self.targets = targets
        self.batch_size = min(batch_size, len(samples))

    def __len__(self) -> int:
        return -(-len(self.samples) // self.batch_size)

    def __getitem__(self, index: int) -> Batch:
        rows = np.arange(len(self.samples))[self._slice(index)]
        return self._batch(rows, self.samples.images(rows), self.samples.values(rows))

    def _slice(self, index: int) -> slice:
        return slice(index * self.batch_size, (index + 1) * self.batch_size)

    def _batch(self, rows: NDArray[np.int64], images: NDArray[np.float32], values: Values) -> Batch:
        label = self.samples.label[rows]
        parameters = self.targets.encode(values, label)
        return self.inputs.apply(images), {IRREP: label, PARAMETERS: parameters}


class TrainingBatches(Batches):
    """A split in a new order each epoch, augmented; an incomplete last batch is left out.

    ``epoch`` is to be set before an epoch begins.
    """

    def __init__(
        self,
        samples: Samples,
        inputs: InputScaling,
        targets: Targets,
        config: TrainingConfig,
    ) -> None:
        super().__init__(samples, inputs, targets, config.batch_size)
        self.config = config
        self.epoch = 0
        self._noise = NoiseModel.on(samples.lattice, samples.size)
        self._moves = targets.problem.moves if config.symmetry else targets.problem.moves[:1]
        self._gathers = pixel_gathers(self._moves, samples.size)

    def __len__(self) -> int:
        return len(self.samples) // self.batch_size

    def __getitem__(self, index: int) -> Batch:
        order = self._generator(self.epoch).permutation(len(self.samples))
        rows = order[self._slice(index)]
        generators = [self._generator(self.epoch, int(i)) for i in self.samples.ids[rows]]
        maps, values = self.samples.maps(rows, generators), self.samples.values(rows)
        if self.samples.measurement is None:
            maps = self._noisy(maps, generators)
        images = momentum_images(maps, self.samples.lattice, self.samples.odd)
        if len(self._moves) > 1:
            moves = np.array([rng.integers(len(self._moves)) for rng in generators])
            images = move_images(images, moves, self._gathers)
            values = self.targets.problem.moved(values, self.samples.label[rows], moves.tolist())
        return self._batch(rows, images, values)

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.config.seed, spawn_key=key))

    def _noisy(
        self, maps: NDArray[np.float32], generators: list[np.random.Generator]
    ) -> NDArray[np.float32]:
        noise = SiteNoise(self.config.gaussian_noise, self.config.pink_noise)
        if not (noise.gaussian or noise.pink):
            return maps
        pairs = zip(maps, generators, strict=True)
        return np.stack([noise.added(self._noise, one, rng) for one, rng in pairs])
