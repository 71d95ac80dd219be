"""Batches of superconductors with fresh impurities; what the trainer makes images of.

Impurities, strengths of the noise and move depend on (seed, epoch, sample), the order on (seed,
epoch); the noise itself on (seed, epoch) and the step.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from gapscope.learning.data.fresh_maps import FreshMaps, Looks
from gapscope.learning.data.noise import strength
from gapscope.learning.data.targets import Targets, Values
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.network.fresh_images import IMAGES, MOVE, NOISE, WEIGHTS
from gapscope.learning.network.two_heads import IRREP, PARAMETERS
from gapscope.problem.impurities import own_impurity
from gapscope.problem.moves import ALONG_Z

Batch = tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]
VALIDATION = 2**32 - 1
"""Key of the noise that validation maps have, the same in every epoch."""


class FreshBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """A split in a new order each epoch with fresh impurities; the incomplete last batch is left
    out. As ``validation`` the split is in order and its impurities are its own.

    ``epoch`` is to be set before an epoch begins.
    """

    def __init__(
        self, maps: FreshMaps, targets: Targets, config: TrainingConfig, validation: bool = False
    ) -> None:
        super().__init__(workers=4, max_queue_size=8)
        self.maps = maps
        self.targets = targets
        self.config = config
        self.validation = validation
        self.epoch = 0
        self.batch_size = min(config.batch_size, len(maps))

    def __len__(self) -> int:
        if self.validation:
            return -(-len(self.maps) // self.batch_size)
        return len(self.maps) // self.batch_size

    def __getitem__(self, index: int) -> Batch:
        looks, generators = self._drawn(index)
        rows, values = looks.rows, looks.values
        moves = np.zeros(len(rows), np.int32)
        label = self.maps.label[rows]
        images, weights = self.maps.images(looks)
        given: dict[str, NDArray[Any]] = {
            IMAGES: images,
            WEIGHTS: weights,
            NOISE: self._noise(generators),
        }
        if self.config.symmetry and not self.validation:
            most = len(self.targets.problem.moves)
            moves = np.array([rng.integers(most) for rng in generators], np.int32)
        parameters = self.targets.encode(self._moved(rows, values, moves), label)
        return {**given, MOVE: moves}, {IRREP: label, PARAMETERS: parameters}

    def _moved(
        self,
        rows: NDArray[np.int64],
        values: dict[str, NDArray[np.float64]],
        moves: NDArray[np.int32],
    ) -> Values:
        """The unknowns of moved samples.

        Where the moment lies along z, what a move does depends on the moment's sign alone: it is
        found once for each sample, move and sign.
        """
        problem, label = self.targets.problem, self.maps.label[rows]
        free = set(own_impurity(problem)) - {"potential"}
        if free - {ALONG_Z}:
            return problem.moved(values, label, moves.tolist())
        along = values.get(ALONG_Z, np.ones(len(rows)))
        place = rows, moves, (along < 0).astype(int)
        unknown = np.flatnonzero(np.isnan(self._known[ALONG_Z][place]))
        if len(unknown):
            unit = {name: column[unknown] for name, column in values.items()}
            unit[ALONG_Z] = np.where(along[unknown] < 0, -1.0, 1.0)
            found = problem.moved(unit, label[unknown], moves[unknown].tolist())
            there = tuple(index[unknown] for index in place)
            # The moment last, since that is where other threads look for what is known.
            for name in sorted(found, key=lambda one: one == ALONG_Z):
                self._known[name][there] = found[name]
        known = {name: self._known[name][place] for name in values}
        if ALONG_Z in free:
            known[ALONG_Z] = known[ALONG_Z] * np.abs(along)
        return known | ({"potential": values["potential"]} if "potential" in values else {})

    @cached_property
    def _known(self) -> dict[str, NDArray[np.float64]]:
        """What :meth:`_moved` has found, (samples, moves, signs) of each name."""
        shape = len(self.maps), len(self.targets.problem.moves), 2
        return {name: np.full(shape, np.nan) for name in {*self.maps.drawn, ALONG_Z}}

    def drawn(self, index: int) -> Looks:
        """Rows of a batch and the impurities around which their maps are, before they are moved."""
        return self._drawn(index)[0]

    def _drawn(self, index: int) -> tuple[Looks, list[np.random.Generator]]:
        rows = np.arange(len(self.maps))
        epoch = VALIDATION if self.validation else self.epoch
        if not self.validation:
            rows = self._generator(epoch).permutation(rows)
        rows = rows[index * self.batch_size : (index + 1) * self.batch_size]
        generators = [self._generator(epoch, int(i)) for i in self.maps.ids[rows]]
        own = self.validation
        looks = self.maps.own(rows) if own else self.maps.redrawn(rows, generators)
        return looks, generators

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.config.seed, spawn_key=key))

    def _noise(self, generators: list[np.random.Generator]) -> NDArray[np.float32]:
        largest = self.config.gaussian_noise, self.config.pink_noise
        return np.array([[x * strength(rng) for x in largest] for rng in generators], np.float32)
