"""Whether amplitude and odd part of a map are those that go with the shape of its image.

A detector (:mod:`gapscope.learning.uncertainty.novelty`) looks at Re rho(q), the part of a map that
is even in r, on a compressed scale. Two things leave little or no mark there: a factor, and what is
odd in r, Im rho(q). Both follow from the image's shape s = asinh(Re rho / u), u = <|Re rho|>, and
from the irrep: maps of an irrep fill a surface of few dimensions
(:mod:`gapscope.learning.emulator.emulator`). :mod:`gapscope.learning.uncertainty.expected` says
what both are on the surface that is nearest in shape, and how far off that may be. A map that lies
off the impurity, is turned upside down or stands in another unit has a large score. Maps that are
even in r are the same upside down.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import CalibrationError
from gapscope.learning.data.inputs import even_half
from gapscope.learning.emulator.by_irrep import FEWEST, Emulators, class_heads
from gapscope.learning.emulator.emulator import shape_and_scale
from gapscope.learning.emulator.regression import Array
from gapscope.learning.uncertainty.belonging import damaged, require_weights
from gapscope.learning.uncertainty.expected import FLOORS, Expected, Half
from gapscope.physics.fourier import qpi_image
from gapscope.physics.lattice import Lattice
from gapscope.support.array_file import UNREADABLE, Arrays, read_arrays, write_arrays

logger = logging.getLogger(__name__)

COMPANION = "companion.npz"
COMPANION_SCHEMA = 3
MOST_ODD = 800
"""Maps of an irrep that odd parts are learned from."""


@dataclass(frozen=True)
class Companion:
    """What goes with the shapes of the training maps of a network with surfaces.

    Attributes
    ----------
    emulators : those of the network.
    expected : what goes with each class; None where there is no emulator.
    labels : of the classes.
    scores : (maps, 2), of the first maps of the calibration set, in its order.
    """

    emulators: Emulators
    expected: tuple[Expected | None, ...]
    labels: tuple[str, ...]
    scores: Array

    @classmethod
    def fit(
        cls,
        emulators: Emulators,
        batches: Iterable[tuple[NDArray[np.integer], NDArray[np.floating]]],
        lattice: Lattice | str,
        labels: Sequence[str],
    ) -> Self:
        """From the training maps that the surfaces begin with, in their order; without scores.

        A batch holds irreps (n,) and maps (n, energies, L, L) in 1/meV.

        Raises
        ------
        CalibrationError : other maps than the surfaces', or too few of an irrep.
        """
        parts: list[list[tuple[Half, Array, Half]]] = [[] for _ in labels]
        for label, maps in batches:
            described = _described(maps, lattice)
            for index, own in enumerate(parts):
                shape, scale, odd = (part[label == index] for part in described)
                own.append((shape, scale, odd))
        expected: list[Expected | None] = [None] * len(labels)
        for index, emulator in emulators.known:
            shape, scale, odd = (
                np.concatenate(part)[:MOST_ODD] for part in zip(*parts[index], strict=True)
            )
            if len(shape) < FEWEST:
                raise CalibrationError(
                    f"A companion needs {FEWEST} training maps of each irrep.",
                    f"{len(shape)} of {labels[index]}",
                    "Name the folder of the dataset that the run was trained on (--training).",
                )
            expected[index] = Expected.fit(emulator, shape, scale, odd)
        return cls(emulators, tuple(expected), tuple(labels), np.empty((0, len(FLOORS))))

    def __call__(self, maps: NDArray[np.floating], lattice: Lattice | str) -> tuple[Array, Array]:
        """Scores (n, 2) of maps (n, energies, L, L), and the amplitude, (n, energies), as a
        multiple of that which goes with the shape."""
        shape, scale, odd = _described(maps, lattice)
        scores = np.empty((len(shape), len(FLOORS)))
        apart = np.empty(scale.shape)
        label = self._nearest(shape)
        for index, emulator in self.emulators.known:
            own, expected = label == index, self.expected[index]
            if own.any() and expected is not None:
                apart[own], scores[own] = expected.apart(emulator, shape[own], scale[own], odd[own])
        return scores, np.exp(apart)

    def _nearest(self, shape: Half) -> NDArray[np.int64]:
        """The irrep (n,) of the training map of nearest shape."""
        index = np.array([i for i, _ in self.emulators.known])
        distance = [one.nearest(shape, 1)[1][:, 0] for _, one in self.emulators.known]
        return np.asarray(index[np.argmin(distance, axis=0)])

    def write(self, path: Path, weights: str) -> None:
        """Write the file, beside the weights of this name (their SHA-256); raises StorageError."""
        arrays: Arrays = {"scores": self.scores.astype(np.float32)}
        for label, expected in enumerate(self.expected):
            if expected is not None:
                arrays |= {f"{label}_{name}": v for name, v in expected.arrays().items()}
        about = {"weights": weights, "labels": list(self.labels), "numbered": True}
        write_arrays(path, COMPANION_SCHEMA, about, arrays)

    @classmethod
    def read(
        cls,
        path: Path,
        weights: str,
        labels: Sequence[str],
        count: int,
        emulators: Emulators | None,
    ) -> Companion | None:
        """The file beside the weights of this name, a calibration of ``count`` maps and surfaces.

        Names of arrays begin with the number of the class; in schema 2 it was its label. One of
        schema 1, a regression for all irreps in one, is left aside with a warning.

        Raises
        ------
        CalibrationError : the file is damaged or foreign, or belongs to other weights.
        SchemaVersionError : it was written by a newer gapscope.
        """
        about, arrays = read_arrays(path, COMPANION_SCHEMA, damaged)
        if "points" in arrays:
            logger.warning("%s is of an older kind and left aside: calibrate again", path)
            return None
        try:
            owner = str(about["weights"])
            scores = arrays["scores"].astype(np.float64)
            if scores.shape[1:] != (len(FLOORS),) or not 0 < len(scores) <= count:
                raise ValueError(f"scores {scores.shape} of {count} calibration maps")
            if not np.isfinite(scores).all():
                raise ValueError("scores that are not finite")
            if emulators is None:
                raise ValueError("no surfaces beside it")
            if list(about.get("labels", labels)) != list(labels):
                raise ValueError("other classes")
            expected: list[Expected | None] = [None] * len(labels)
            heads = class_heads(about, labels)
            for index, emulator in emulators.known:
                head = f"{heads[index]}_"
                own = {n.removeprefix(head): v for n, v in arrays.items() if n.startswith(head)}
                expected[index] = Expected.from_arrays(own, emulator)
        except UNREADABLE as error:
            raise damaged(path, error) from error
        require_weights(path, owner, weights)
        return cls(emulators, tuple(expected), tuple(labels), scores)


def _described(maps: NDArray[np.floating], lattice: Lattice | str) -> tuple[Half, Array, Half]:
    """Shape (n, pixels), log u (n, energies) and o (n, pixels)."""
    rho = np.moveaxis(qpi_image(maps.astype(np.float64), lattice), 1, -1)
    shape, scale = shape_and_scale(rho.real)
    norm = np.sqrt(np.square(rho.real).sum(axis=(1, 2), keepdims=True))
    odd = rho.imag / np.maximum(norm, np.finfo(np.float64).tiny)
    return shape, scale, even_half(odd.astype(np.float32))
