"""The Green's functions of some of a dataset's samples, one after another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.load import DatasetReader

Complex = NDArray[np.complexfloating]


def over_largest(
    values: NDArray[np.floating], axes: tuple[int, ...]
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Values over the largest magnitude along some axes, in half precision, and that magnitude, in
    single precision and without these axes; 1 where all is zero."""
    largest = np.abs(values).max(axis=axes, keepdims=True)
    largest[largest == 0] = 1
    return (values / largest).astype(np.float16), largest.squeeze(axes).astype(np.float32)


@dataclass(frozen=True)
class StoredGreens:
    """G(r) of samples, (energies, 2s + 1, 2s + 1, d, d) per meV, by their rows.

    Attributes
    ----------
    ids : of the samples.
    seen : which of the dataset's energies.
    """

    reader: DatasetReader
    ids: NDArray[np.int64]
    seen: NDArray[np.int64]
    _reading: Lock = field(default_factory=Lock)

    def __len__(self) -> int:
        return len(self.ids)

    def __call__(self, row: int) -> Complex:
        """G of one; raises as :meth:`gapscope.dataset.load.DatasetReader.green` does."""
        with self._reading:
            return self.reader.green(int(self.ids[row]))[self.seen]

    @property
    def energies(self) -> int:
        """Number of energies."""
        return len(self.seen)

    @property
    def first_of_classes(self) -> list[int]:
        """The first row of every class, and of every candidate in it."""
        columns = (self.reader.parameters[name][self.ids] for name in ("label", "candidate"))
        _, first = np.unique(np.stack([*columns]), axis=1, return_index=True)
        found: list[int] = first.tolist()
        return found

    def local(self, green: Complex) -> Complex:
        """G(r = 0), (energies, d, d)."""
        middle = green.shape[1] // 2
        return green[:, middle, middle]

    def each(self, use: Callable[[int, Complex], None]) -> None:
        """Call a function, in several threads, with every row and its G."""
        with ThreadPoolExecutor() as pool:
            for _ in pool.map(lambda row: use(row, self(row)), range(len(self))):
                pass
