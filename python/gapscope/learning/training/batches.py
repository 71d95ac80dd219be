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
from gapscope.learning.data.moves import C3V, move_angles, move_images, pixel_gathers
from gapscope.learning.data.samples import Samples
from gapscope.learning.data.targets import TargetScaling
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.network.two_heads import IRREP, PARAMETERS

Batch = tuple[NDArray[np.float32], dict[str, NDArray[Any]]]


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """A split in order, as it is: for validation."""

    def __init__(
        self, samples: Samples, inputs: InputScaling, targets: TargetScaling, batch_size: int
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
        return self._batch(rows, self.samples.images(rows), self.samples.theta[rows])

    def _slice(self, index: int) -> slice:
        return slice(index * self.batch_size, (index + 1) * self.batch_size)

    def _batch(
        self,
        rows: NDArray[np.int64],
        images: NDArray[np.float32],
        theta: NDArray[np.float64],
    ) -> Batch:
        samples = self.samples
        parameters = self.targets.encode(theta, samples.eps0[rows], samples.gap[rows])
        return self.inputs.apply(images), {IRREP: samples.label[rows], PARAMETERS: parameters}


class TrainingBatches(Batches):
    """A split in a new order each epoch, augmented; an incomplete last batch is left out.

    ``epoch`` is to be set before an epoch begins.
    """

    def __init__(
        self,
        samples: Samples,
        inputs: InputScaling,
        targets: TargetScaling,
        config: TrainingConfig,
    ) -> None:
        super().__init__(samples, inputs, targets, config.batch_size)
        self.config = config
        self.epoch = 0
        lattice = samples.reader.lattice
        self._noise = NoiseModel.on(lattice, samples.size)
        self._symmetric = config.symmetry and lattice == "triangular"
        self._gathers = pixel_gathers(samples.size)

    def __len__(self) -> int:
        return len(self.samples) // self.batch_size

    def __getitem__(self, index: int) -> Batch:
        order = self._generator(self.epoch).permutation(len(self.samples))
        rows = order[self._slice(index)]
        generators = [self._generator(self.epoch, int(i)) for i in self.samples.ids[rows]]
        maps, theta = self.samples.maps(rows, generators), self.samples.theta[rows]
        if self.samples.measurement is None:
            maps = self._noisy(maps, generators)
        images = momentum_images(maps, self.samples.reader.lattice)
        if self._symmetric:
            moves = np.array([rng.integers(len(C3V)) for rng in generators])
            images = move_images(images, moves, self._gathers)
            theta = move_angles(theta, self.samples.label[rows], moves)
        return self._batch(rows, images, theta)

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.config.seed, spawn_key=key))

    def _noisy(
        self, maps: NDArray[np.float32], generators: list[np.random.Generator]
    ) -> NDArray[np.float32]:
        gaussian, pink = self.config.gaussian_noise, self.config.pink_noise
        if not (gaussian or pink):
            return maps
        return np.stack(
            [
                self._noise.add(
                    one, rng, gaussian=gaussian * _strength(rng), pink=pink * _strength(rng)
                )
                for one, rng in zip(maps, generators, strict=True)
            ]
        )


def _strength(rng: np.random.Generator) -> float:
    """Noise between none and the largest, small more often: the cube of a uniform number.

    A network that sees clean maps often reads parameters finely; one that also sees the noise of a
    poor measurement reads the irrep there too.
    """
    return float(rng.random() ** 3)
