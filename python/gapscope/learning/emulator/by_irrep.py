"""The emulators of all irreps (see :mod:`gapscope.learning.emulator.emulator`), and their file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import NDArray

from gapscope.errors import RunError
from gapscope.learning.data.samples import Samples
from gapscope.learning.data.targets import Targets
from gapscope.learning.emulator.emulator import QUIET, Emulator, shape_and_scale
from gapscope.learning.network.config import COMPONENTS
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.network.two_heads import PARAMETERS
from gapscope.support.array_file import UNREADABLE, Arrays, read_arrays, write_arrays

EMULATORS_SCHEMA = 3
MOST_POINTS = 5000
"""Training maps of an irrep that are kept."""
FEWEST = 40
"""Training maps of an irrep below which the network's answers are left alone."""

TO_LEARN = (
    f"Train it with --surfaces, or surfaces = true among the options of its training, on {FEWEST}"
    " maps of each class or more."
)
"""What gives a network its emulators, for errors."""
REMEDY = "Remove it and give the command of the training again, or copy the model again."

_HALF = ("mean", "basis", "quiet", "points")
_DOUBLE = ("scale_mean", "scale_spread", "targets", "strength", "network")
Part = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Emulators:
    """Emulators in the order of a problem's classes; None where there were too few maps."""

    emulators: tuple[Emulator | None, ...]

    @classmethod
    def fit(cls, batches: Iterable[Part], classes: int, components: int = COMPONENTS) -> Self:
        """Learn from batches of training maps; of each irrep the first MOST_POINTS count.

        A batch holds images, Re rho(q), (n, L, L, energies) in 1/meV; irreps, (n,); targets and
        errors (target - answer of the network), (n, columns), NaN where they have no meaning; and
        acquisitions, (n,), see :class:`Emulator`.
        """
        known: list[list[Part]] = [[] for _ in range(classes)]
        for images, label, targets, errors, acquisition in batches:
            parts = (*shape_and_scale(images), targets, errors, acquisition)
            for index, own in enumerate(known):
                own.append(tuple(part[label == index] for part in parts))
        return cls(tuple(_fitted(own, components) for own in known))

    def joined(
        self,
        images: NDArray[np.floating],
        label: NDArray[np.integer],
        answers: NDArray[np.floating],
    ) -> NDArray[np.float64]:
        """Answers (n, columns) of network and emulators, for images taken for these irreps."""
        joined = answers.astype(np.float64)
        shape, scale = shape_and_scale(images)
        for index, emulator in enumerate(self.emulators):
            own = label == index
            if emulator is not None and own.any():
                joined[own] = emulator.joined(shape[own], scale[own], joined[own])
        return joined

    @property
    def known(self) -> list[tuple[int, Emulator]]:
        """The emulators that there are, with their irreps."""
        return [(i, emulator) for i, emulator in enumerate(self.emulators) if emulator is not None]

    def nearest(
        self, images: NDArray[np.floating], count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int8]]:
        """The maps of all irreps whose shapes are nearest, whatever their amplitude.

        Returns their irreps (n, count), targets (n, count, columns), distances and kinds (n,
        count); see :meth:`Emulator.nearest`. At least one emulator is ``known``.
        """
        shape, _ = shape_and_scale(images)
        found = [(i, *emulator.nearest(shape, count)) for i, emulator in self.known]
        label = np.concatenate([np.full((len(shape), count), i) for i, *_ in found], axis=1)
        targets, distance, acquisition = (
            np.concatenate(part, axis=1) for part in list(zip(*found, strict=True))[1:]
        )
        order = np.argsort(distance, axis=1)[:, :count]
        rows = np.arange(len(shape))[:, None]
        return (
            label[rows, order],
            targets[rows, order],
            distance[rows, order],
            acquisition[rows, order],
        )

    def cosine(self, images: NDArray[np.floating]) -> NDArray[np.float64]:
        """Largest cosine (n,) of the angles between shapes of images and of all training maps."""
        shape, _ = shape_and_scale(images)
        return np.asarray(np.max([one.cosine(shape) for _, one in self.known], axis=0))

    def factorise(self) -> None:
        """Do now what the first answer on each irrep would take seconds for."""
        for _, emulator in self.known:
            _ = emulator.weights

    def write(self, path: Path, weights: str, labels: Sequence[str]) -> None:
        """Write the file, beside the weights of this name (their SHA-256); raises StorageError.

        Names of arrays begin with the number of the class; in schema 2 it was its label.
        """
        arrays: dict[str, Any] = {}
        for label, emulator in enumerate(self.emulators):
            if emulator is not None:
                for names, dtype in ((_HALF, np.float16), (_DOUBLE, np.float64)):
                    for name in names:
                        arrays[f"{label}_{name}"] = getattr(emulator, name).astype(dtype)
                if emulator.acquisition.any():
                    arrays[f"{label}_kind"] = emulator.acquisition
        about = {"labels": list(labels), "weights": weights, "numbered": True}
        write_arrays(path, EMULATORS_SCHEMA, about, arrays)

    @classmethod
    def read(
        cls,
        path: Path,
        weights: str,
        targets: Targets,
        size: int,
        energies: int,
        setpoints: int = 0,
    ) -> Emulators:
        """The emulators in a file, of the weights of this name and these targets, of images of this
        size and a dataset with so many energies and setpoints.

        Raises
        ------
        RunError : the file is damaged or foreign, or belongs to other weights.
        SchemaVersionError : it was written by a newer gapscope.
        """
        about, arrays = read_arrays(path, EMULATORS_SCHEMA, _damaged)
        try:
            owner, pixels = str(about["weights"]), (size**2 // 2 + 2) * energies
            labels = targets.problem.labels
            if tuple(about["labels"]) != labels:
                raise ValueError("other classes")
            heads = class_heads(about, labels)
            found = [_read(arrays, head, pixels, energies, targets.columns) for head in heads]
            emulators = cls(tuple(found))
            if any((one.acquisition > setpoints).any() for _, one in emulators.known):
                raise ValueError(f"kinds beyond {setpoints} setpoints")
        except UNREADABLE as error:
            raise _damaged(path, error) from error
        if owner != weights:
            raise RunError(
                "Emulators belong to the weights that they were made with.",
                f"{path}, of weights {owner}, beside {weights}",
                REMEDY,
            )
        return emulators


def learn_emulators(
    network: keras.Model, config: RunConfig, splits: Sequence[Samples]
) -> Emulators:
    """Emulators of a run's training maps, as they are, beside the network's answers for them."""

    def batches() -> Iterable[Part]:
        for samples in splits:
            for rows in samples.chunks():
                images = samples.images(rows)
                answers = network.predict_on_batch(config.inputs.apply(images))[PARAMETERS]
                targets = config.targets.encode(samples.values(rows), samples.label[rows])
                taken = np.full(len(rows), samples.acquisition)
                yield images, samples.label[rows], targets, targets - answers, taken

    return Emulators.fit(batches(), len(config.labels), config.training.surface_components)


def class_heads(about: Mapping[str, Any], labels: Sequence[str]) -> list[str]:
    """What the names of each class's arrays in a file begin with."""
    return [str(i) for i in range(len(labels))] if about.get("numbered") else list(labels)


def _fitted(parts: list[Part], components: int) -> Emulator | None:
    joined = (np.concatenate(part)[:MOST_POINTS] for part in zip(*parts, strict=True))
    shape, scale, targets, errors, acquisition = joined
    if len(shape) < FEWEST:
        return None
    return Emulator.fit(shape, scale, targets, errors, acquisition, components)


def _read(arrays: Arrays, label: str, pixels: int, energies: int, columns: int) -> Emulator | None:
    if f"{label}_points" not in arrays:
        return None
    values: dict[str, Any] = {
        **{name: arrays[f"{label}_{name}"].astype(np.float32) for name in _HALF},
        **{name: arrays[f"{label}_{name}"].astype(np.float64) for name in _DOUBLE},
    }
    components, maps = values["basis"].shape[1], len(values["points"])
    # Without it all maps were taken at constant height.
    taken = arrays[f"{label}_kind"] if f"{label}_kind" in arrays else np.zeros(maps)
    values["acquisition"] = taken.astype(np.int8)
    shapes = {
        "mean": (pixels,),
        "basis": (pixels, components),
        "quiet": (pixels, values["quiet"].shape[1]),
        "points": (maps, components + energies),
        "scale_mean": (energies,),
        "scale_spread": (energies,),
        "targets": (maps, columns),
        "strength": (columns,),
        "network": (columns,),
        "acquisition": (maps,),
    }
    if maps > MOST_POINTS or components > COMPONENTS or values["quiet"].shape[1] > QUIET:
        raise ValueError(f"{maps} maps of {components} components")
    if any(values[name].shape != shape for name, shape in shapes.items()) or not maps:
        raise ValueError(f"shapes {[values[name].shape for name in shapes]}")
    if not all(np.isfinite(value).all() for value in values.values()):
        raise ValueError("numbers that are not finite")
    if not ((values["scale_spread"] > 0).all() and (values["strength"] >= 0).all()):
        raise ValueError("spreads or variances that are not positive")
    if (values["acquisition"] < 0).any():
        raise ValueError("acquisitions below zero")
    return Emulator(**values)


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(
        "surfaces.npz is a file that `gapscope train` wrote.",
        f"{path}: {type(error).__name__}: {error}",
        REMEDY,
    )
