"""A split of a dataset as learning sees it: parameters and windows of maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.load import DatasetReader
from gapscope.errors import DatasetError, TrainingError
from gapscope.learning.inputs import cut, momentum_images

CHUNK = 64
GIB = 2**30


@dataclass(frozen=True)
class Samples:
    """Ids and parameters in memory; maps from the reader or, where they fit, from memory.

    Attributes
    ----------
    size : sites per side of the window cut out of each map.
    ids, label : sample ids and indices into LABELS.
    theta, eps0, gap : in rad (NaN where it has no meaning), meV, meV.
    cached : all maps (samples, energies, size, size) in 1/meV, or None.
    """

    reader: DatasetReader
    size: int
    ids: NDArray[np.int64]
    label: NDArray[np.int64]
    theta: NDArray[np.float64]
    eps0: NDArray[np.float64]
    gap: NDArray[np.float64]
    cached: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, reader: DatasetReader, split: str, size: int, cache_gib: float = 0.0) -> Self:
        """The samples of a split; their maps are read now if they need at most ``cache_gib``.

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
        label, theta, eps0, gap = (
            reader.parameters[name][ids] for name in ("label", "theta", "eps0", "gap")
        )
        samples = cls(reader, size, ids, label.astype(np.int64), theta, eps0, gap)
        needed = 4 * len(ids) * len(reader.energies) * size**2
        if needed > cache_gib * GIB:
            return samples
        maps = np.concatenate([samples.maps(rows) for rows in samples.chunks()])
        return cls(reader, size, ids, samples.label, theta, eps0, gap, maps)

    def __len__(self) -> int:
        return len(self.ids)

    def maps(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Maps (n, energies, size, size) in 1/meV of some rows of the split."""
        if self.cached is not None:
            return self.cached[rows]
        return cut(self.reader.images(self.ids[rows]), self.size)

    def images(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Re rho(q) in 1/meV of some rows, (n, size, size, energies)."""
        return momentum_images(self.maps(rows), self.reader.lattice)

    def chunks(self) -> Iterator[NDArray[np.int64]]:
        """All row numbers in order, a few at a time."""
        for first in range(0, len(self), CHUNK):
            yield np.arange(first, min(first + CHUNK, len(self)))
