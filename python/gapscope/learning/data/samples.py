"""A split of a dataset as learning sees it: parameters and windows of maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.load import DatasetReader
from gapscope.errors import DatasetError, TrainingError
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.constant_current import ConstantCurrent
from gapscope.learning.data.inputs import cut, momentum_images
from gapscope.learning.data.measured_augmentation import MeasurementAugmentation
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.data.single_impurity import Broadened, Feedback
from gapscope.physics.lattice import Lattice
from gapscope.problem.problem import Problem

CHUNK = 64
"""Lattice constants by which vectors of one lattice may differ."""
GIB = 2**30


@dataclass(frozen=True)
class Samples:
    """Ids and parameters in memory; maps from the reader or, where they fit, from memory.

    Attributes
    ----------
    size : sites per side of the window that is looked at.
    ids, label : sample ids and numbers of classes.
    parameters : unknowns of the problem by name, a map's by the one that it goes by
        (:meth:`gapscope.problem.problem.Problem.named`); NaN where a class has none.
    measurement : maps are as it leaves them; without, the window cut out of each.
    cached : all maps (samples, energies, L, L) in 1/meV, or None; L is ``size``, with a measurement
        the window of the dataset.
    odd : whether images have Im rho(q) beside Re rho(q).
    seen : which of the dataset's energies are looked at; None: all.
    noise : what clean maps get; drawn like a measurement.
    feedback, broadened : beside them, where the dataset has setpoints, or energy resolutions, that
        the measurement needs.
    """

    reader: DatasetReader
    size: int
    ids: NDArray[np.int64]
    label: NDArray[np.int64]
    parameters: Mapping[str, NDArray[np.float64]]
    measurement: MeasurementAugmentation | ConstantCurrent | None = None
    cached: NDArray[np.float32] | None = None
    feedback: Sequence[Feedback] | None = None
    broadened: Sequence[Broadened] | None = None
    odd: bool = False
    seen: NDArray[np.int64] | None = None
    noise: SiteNoise | None = None

    @classmethod
    def of(
        cls,
        reader: DatasetReader,
        split: str,
        size: int,
        cache_gib: float = 0.0,
        measurement: MeasurementAugmentation | ConstantCurrent | None = None,
        *,
        odd: bool = False,
        energies: Sequence[float] | None = None,
        noise: SiteNoise | None = None,
    ) -> Self:
        """The samples of a split; their maps are read now if they need at most ``cache_gib``.

        Parameters
        ----------
        energies : those that are looked at, in meV; None: all.

        Raises
        ------
        DatasetError : the split is empty, or an energy is not there.
        TrainingError : the window is larger than the maps.
        """
        ids = split_ids(reader, split, size)
        if measurement is not None and reader.window < 2 * size:
            raise TrainingError(
                "Measured maps show other impurities: they are made of maps of twice their window.",
                f"input_size = {size}, window = {reader.window}",
                f"Build the dataset with window = {2 * size}.",
            )
        label = reader.parameters["label"][ids].astype(np.int64)
        names = [unknown.name for unknown in reader.problem.unknowns]
        parameters = {name: reader.parameters[name][ids].astype(np.float64) for name in names}
        named = reader.problem.named(parameters, label)
        seen = reader.places(energies)
        samples = cls(reader, size, ids, label, named, measurement, odd=odd, seen=seen, noise=noise)
        images = len(seen) + samples._setpoints + samples._resolutions
        if 4 * len(ids) * images * samples._window**2 > cache_gib * GIB:
            return samples
        maps = np.concatenate([samples._stored(rows) for rows in samples.chunks()])
        feedback = samples._read_feedback(ids) if samples._setpoints else None
        broadened = samples._read_broadened(ids) if samples._resolutions else None
        return replace(samples, cached=maps, feedback=feedback, broadened=broadened)

    def __len__(self) -> int:
        return len(self.ids)

    def first(self, count: int) -> Self:
        """The first samples, at most ``count``; they are read when they are asked for."""
        parameters = {name: values[:count] for name, values in self.parameters.items()}
        return replace(
            self,
            ids=self.ids[:count],
            label=self.label[:count],
            parameters=parameters,
            cached=None,
            feedback=None,
            broadened=None,
        )

    @property
    def problem(self) -> Problem:
        """The dataset's."""
        return self.reader.problem

    @property
    def lattice(self) -> Lattice:
        """That of the maps."""
        return self.reader.crystal_lattice

    def values(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Parameters of some rows of the split."""
        return {name: values[rows] for name, values in self.parameters.items()}

    def maps(
        self, rows: NDArray[np.int64], generators: Sequence[np.random.Generator] | None = None
    ) -> NDArray[np.float32]:
        """Maps (n, energies, size, size) in 1/meV of some rows of the split.

        With a measurement, which is drawn from the generators, one per row; by default from ones
        that belong to the samples, so that a map is always measured in the same way.
        """
        stored = self._stored(rows)
        noise, measurement = self.noise, self.measurement
        if measurement is None and noise is None:
            return stored
        if generators is None:
            generators = [np.random.default_rng(int(i)) for i in self.ids[rows]]
        if measurement is None:
            assert noise is not None
            model = NoiseModel.on(self.lattice, self.size)
            pairs = zip(stored, generators, strict=True)
            return np.stack([noise.added(model, one, rng) for one, rng in pairs])
        beside = self._feedback(rows), self._broadened(rows)
        together = zip(stored, generators, *beside, strict=True)
        lattice = self.lattice
        return np.stack([measurement(*one, lattice=lattice) for one in together])

    @property
    def acquisition(self) -> int:
        """n where all maps are taken at constant current with the n-th setpoint, else 0."""
        return self.measurement.setpoint + 1 if isinstance(self.measurement, ConstantCurrent) else 0

    @property
    def _window(self) -> int:
        return self.size if self.measurement is None else self.reader.window

    @property
    def _setpoints(self) -> int:
        if self.measurement is None or not self.measurement.constant_current:
            return 0
        return len(self.reader.setpoints)

    def _feedback(self, rows: NDArray[np.int64]) -> Sequence[Feedback | None]:
        if not self._setpoints:
            return [None] * len(rows)
        if self.feedback is not None:
            return [self.feedback[row] for row in rows]
        return self._read_feedback(self.ids[rows])

    def _read_feedback(self, ids: NDArray[np.int64]) -> list[Feedback]:
        densities = self._of_seen(self.reader.densities(ids))
        read = zip(densities, self.reader.integral_changes(ids), strict=True)
        return [Feedback(rho0, change.astype(np.float32)) for rho0, change in read]

    @property
    def _resolutions(self) -> int:
        if self.measurement is None or not self.measurement.resolution:
            return 0
        return len(self.reader.resolutions)

    def _broadened(self, rows: NDArray[np.int64]) -> Sequence[Broadened | None]:
        if not self._resolutions:
            return [None] * len(rows)
        if self.broadened is not None:
            return [self.broadened[row] for row in rows]
        return self._read_broadened(self.ids[rows])

    def _read_broadened(self, ids: NDArray[np.int64]) -> list[Broadened]:
        read = zip(*self.reader.broadened(ids), strict=True)
        return [Broadened(maps.astype(np.float32), density) for maps, density in read]

    def _stored(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        if self.cached is not None:
            return self.cached[rows]
        return self._of_seen(cut(self.reader.images(self.ids[rows]), self._window))

    def _of_seen(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (n, energies, ...) at the energies that are seen."""
        return values if self.seen is None else values[:, self.seen]

    def images(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """rho(q) in 1/meV of some rows, (n, size, size, channels)."""
        return momentum_images(self.maps(rows), self.lattice, self.odd)

    def chunks(self) -> Iterator[NDArray[np.int64]]:
        """All row numbers in order, a few at a time."""
        for first in range(0, len(self), CHUNK):
            yield np.arange(first, min(first + CHUNK, len(self)))


def split_ids(reader: DatasetReader, split: str, size: int) -> NDArray[np.int64]:
    """Sample ids of a split whose maps hold a window.

    Raises
    ------
    DatasetError : the split is empty.
    TrainingError : the window is larger than the maps.
    """
    ids = reader.ids(split)
    if not len(ids):
        raise DatasetError(
            "Training and evaluation need samples.",
            f"the split {split} is empty",
            f"Build the dataset with {split} > 0 in its recipe.",
        )
    if size > reader.window:
        raise TrainingError(
            "input_size is at most the window of the maps.",
            f"input_size = {size}, window = {reader.window}",
            "Choose a smaller input_size, or build the dataset with a larger window.",
        )
    return ids
