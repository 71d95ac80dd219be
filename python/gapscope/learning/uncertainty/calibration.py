"""What makes a network's answers into statements of known reliability, and its file.

``calibration.npz`` lies beside the weights it belongs to: arrays and JSON text, no pickle.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import CalibrationError
from gapscope.learning.emulator.by_irrep import Emulators
from gapscope.learning.uncertainty.alternatives import KINDS
from gapscope.learning.uncertainty.belonging import damaged, require_weights
from gapscope.learning.uncertainty.companion import COMPANION, Companion
from gapscope.learning.uncertainty.conformal import Scores, p_values, require_level
from gapscope.learning.uncertainty.discriminator import DISCRIMINATOR, Discriminator
from gapscope.learning.uncertainty.intervals import Interval, around, outside_ranges
from gapscope.learning.uncertainty.novelty import Detector
from gapscope.learning.uncertainty.temperature import tempered
from gapscope.problem.problem import Problem
from gapscope.support.array_file import UNREADABLE, read_arrays, write_arrays

CALIBRATION_SCHEMA = 1
CALIBRATION = "calibration.npz"
LEVEL = 0.9
NOVELTY_LEVEL = 0.01
HIDDEN = "hidden"
"""Share of calibration maps that :mod:`gapscope.learning.uncertainty.hidden` takes for masked, in
``about``; older files lack it."""
FEWEST = 100
"""Maps of the smallest calibration set: fewer give no p-value below NOVELTY_LEVEL."""

_CLASSES = ("sample", "class")
Array = NDArray[np.float64]
_DETECTOR = "detector_"
_ALTERNATIVES = "alternatives"


@dataclass(frozen=True)
class Calibration:
    """A calibration set's scores, in the order of its samples, and what was fitted.

    Attributes
    ----------
    temperature : that of the irrep's probabilities; see
        :mod:`gapscope.learning.uncertainty.temperature`.
    problem : what the network is asked.
    predicted : (samples,), the most probable class.
    scores : nonconformity scores by name, each (samples,): irrep, 1 - probability of the true
        class at temperature 1; an unknown, its distance from the truth (see
        :mod:`gapscope.learning.uncertainty.intervals`), NaN where the true class has none.
    novelty : (samples,), scores of ``detector``, which knows the training images; None: distances
        as :meth:`gapscope.learning.prediction.predictor.Predictor.novelty` says.
    about : weights (their SHA-256), name and identity of the data set, split, versions.
    companion : what knows amplitudes and odd parts, with its scores; None where there is none.
    alternatives : (maps, kinds), scores of the first calibration maps, see
        ``gapscope.learning.uncertainty.alternatives``; None where nothing looks for any.
    discriminator : what tells maps from changed ones, with its scores; None where there is none.
    """

    problem: Problem
    temperature: float
    predicted: NDArray[np.int8]
    scores: Mapping[str, NDArray[np.float64]]
    novelty: NDArray[np.float64]
    detector: Detector | None
    about: Mapping[str, Any]
    companion: Companion | None = None
    alternatives: NDArray[np.float64] | None = None
    discriminator: Discriminator | None = None

    def __len__(self) -> int:
        return len(self.predicted)

    def bounds(self, name: str, level: float) -> NDArray[np.float64]:
        """Per predicted class, what the error (or irrep score) exceeds with <= 1 - level.

        Raises
        ------
        CalibrationError : see :meth:`gapscope.learning.uncertainty.conformal.Scores.bounds`.
        """
        classes = len(self.problem.classes)
        return Scores.of(self.scores[name], self.predicted, classes).bounds(level)

    def require_levels(self, level: float, novelty_level: float) -> None:
        """Raise CalibrationError unless the calibration reaches these levels of :meth:`applied`."""
        self._require_novelty_level(novelty_level)
        for name in ("irrep", *(unknown.name for unknown in self.problem.shown)):
            self.bounds(name, level)

    def applied(
        self,
        predictions: xr.Dataset,
        novelty: NDArray[np.float64],
        level: float,
        novelty_level: float,
        beside: NDArray[np.float64] | None = None,
    ) -> xr.Dataset:
        """Predictions at temperature 1 with all that the calibration knows of them.

        ``probability`` becomes the calibrated one. New over ``sample``: irrep_set (sample, class);
        NAME_low and NAME_high of every unknown, NaN where the predicted class has none;
        outside_range, the names of unknowns whose whole interval lies outside of the range that the
        network has learned from, "" where there are none; novelty, novelty_p, unlike_training. Ends
        of what is positive are cut at 0. On a circle they are the
        ends of an arc around the value, at most as long as its period, which the value plus any
        number of periods lies on, too.

        With a probability of at least ``level`` the set holds the true irrep, and each interval
        the true value, among maps of each predicted class that have one, provided that the map
        comes from where the calibration set came from. ``unlike_training``
        (novelty_p < novelty_level) says of at most that share of such maps that they do not.
        ``beside`` are scores (sample, columns) of companion, discriminator or alternatives, where
        there are any.

        Raises
        ------
        CalibrationError : a level outside 0 .. 1, or one that needs more calibration maps.
        """
        self.require_levels(level, novelty_level)
        label = predictions["label"].values
        raw = predictions["probability"].values
        chosen = 1 - raw <= self.bounds("irrep", level)[label][:, None]
        chosen[np.arange(len(label)), label] = True
        p = self.novelty_p(novelty, beside)
        calibrated = tempered(raw, self.temperature).astype(raw.dtype)
        new: dict[str, Any] = {
            "probability": (_CLASSES, calibrated),
            "irrep_set": (_CLASSES, chosen),
        }
        intervals: dict[str, Interval] = {}
        for unknown in self.problem.shown:
            name = unknown.name
            width = np.where(self.problem.has(name)[label], self.bounds(name, level)[label], np.nan)
            units = predictions[name].attrs
            intervals[name] = low, high = around(unknown, predictions[name].values, width)
            new |= {f"{name}_low": ("sample", low, units), f"{name}_high": ("sample", high, units)}
        new |= {
            "outside_range": ("sample", outside_ranges(self.problem, intervals, len(label))),
            "novelty": ("sample", novelty),
            "novelty_p": ("sample", p),
            "unlike_training": ("sample", p < novelty_level),
        }
        attributes = {
            "level": level,
            "novelty_level": novelty_level,
            "novelty_floor": self.floor,
            "temperature": self.temperature,
            "calibration_set": str(self.about["name"]),
        }
        return predictions.assign(new).assign_attrs(attributes)

    def novelty_p(
        self, novelty: NDArray[np.float64], beside: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """p-values (n,) of maps with these scores, (n,) and (n, columns) of what stands beside.

        The scores' largest counts, in the units of :meth:`in_units`.
        """
        known = self.in_units(self.novelty, self.beside).max(axis=1)
        return p_values(np.sort(known), self.in_units(novelty, beside).max(axis=1))

    def in_units(
        self, novelty: NDArray[np.float64], beside: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Scores (n, 1 + columns), each measured from the calibration maps' median in units of the
        distance to their quantile 1 - NOVELTY_LEVEL."""
        own = _columns(self.novelty, self.beside if beside is not None else None)
        middle, high = np.quantile(own, (0.5, 1 - NOVELTY_LEVEL), axis=0)
        return np.asarray((_columns(novelty, beside) - middle) / np.maximum(high - middle, 1e-9))

    def exceeded(self, level: float) -> float:
        """What the largest score of at most this share of the calibration maps exceeds."""
        return float(np.quantile(self.in_units(self.novelty, self.beside).max(axis=1), 1 - level))

    @property
    def hidden(self) -> float:
        """Share of the calibration maps that look masked at r = 0; 0 where it was not counted."""
        return float(self.about.get(HIDDEN, 0.0))

    @property
    def beside(self) -> NDArray[np.float64] | None:
        """Scores (maps, columns) beside the novelty of the first calibration maps, if any."""
        known = self.companion or self.discriminator
        return self.alternatives if known is None else known.scores

    @property
    def kinds(self) -> tuple[str, ...]:
        """Changes that the columns of discriminator or alternatives stand for."""
        return KINDS if self.discriminator is None else self.discriminator.kinds

    @property
    def floor(self) -> float:
        """The smallest p-value, of maps with larger scores than all calibration maps."""
        return 1 / (self._judges + 1)

    @property
    def _judges(self) -> int:
        """Number of calibration maps that p-values are counted from."""
        return len(self) if self.beside is None else len(self.beside)

    def _require_novelty_level(self, level: float) -> None:
        require_level(level)
        if level * (self._judges + 1) <= 1:
            raise CalibrationError(
                f"p-values below {level:g} need more than {1 / level - 1:.0f} calibration maps.",
                f"{self._judges} maps",
                "Ask for a higher novelty_level, or calibrate with more maps.",
            )

    def write(self, path: Path) -> None:
        """Write the file, and beside it those of companion and discriminator, each whole or not;
        raises StorageError."""
        about = {
            "labels": list(self.problem.labels),
            "temperature": self.temperature,
            **({} if self.alternatives is None else {_ALTERNATIVES: list(KINDS)}),
            **self.about,
        }
        detector = {} if self.detector is None else self.detector.arrays()
        arrays: dict[str, Any] = {
            "predicted": self.predicted,
            "novelty": self.novelty,
            **self.scores,
            **({} if self.alternatives is None else {_ALTERNATIVES: self.alternatives}),
            **{_DETECTOR + name: value for name, value in detector.items()},
        }
        write_arrays(path, CALIBRATION_SCHEMA, about, arrays)
        beside = {COMPANION: self.companion, DISCRIMINATOR: self.discriminator}
        for name, known in beside.items():
            if known is None:
                path.with_name(name).unlink(missing_ok=True)
            else:
                known.write(path.with_name(name), self.about["weights"])

    @classmethod
    def read(
        cls,
        path: Path,
        weights: str,
        problem: Problem,
        emulators: Emulators | None,
        size: int,
        energies: int,
        features: int,
    ) -> Calibration:
        """The calibration in a file, of the weights of this name (their SHA-256), the network's
        problem and its surfaces, of maps of this size at so many energies; and of a network with so
        many features.

        Raises
        ------
        CalibrationError : the file is damaged or foreign, or belongs to other weights.
        SchemaVersionError : it was written by a newer gapscope.
        """
        about, arrays = read_arrays(path, CALIBRATION_SCHEMA, damaged)
        try:
            calibration = cls._of(arrays, about, problem)
        except UNREADABLE as error:
            raise damaged(path, error) from error
        require_weights(path, calibration.about["weights"], weights)
        count = len(calibration)
        if os.path.lexists(beside := path.with_name(COMPANION)):
            companion = Companion.read(beside, weights, problem.labels, count, emulators)
            calibration = replace(calibration, companion=companion)
        if os.path.lexists(beside := path.with_name(DISCRIMINATOR)):
            discriminator = Discriminator.read(beside, weights, count, size, energies, features)
            calibration = replace(calibration, discriminator=discriminator)
        return calibration

    @classmethod
    def _of(
        cls, arrays: dict[str, NDArray[Any]], about: dict[str, Any], problem: Problem
    ) -> Calibration:
        if tuple(about.pop("labels")) != problem.labels:
            raise ValueError("other classes")
        missing = {"weights", "name", "identity", "split"} - about.keys()
        if missing:
            raise ValueError(f"no {sorted(missing)}")
        temperature = float(about.pop("temperature"))
        predicted = arrays["predicted"].astype(np.int8)
        names = ["irrep", *(unknown.name for unknown in problem.shown)]
        scores = {name: arrays[name].astype(np.float64) for name in names}
        novelty = arrays["novelty"].astype(np.float64)
        shapes = [predicted.shape, novelty.shape, *(column.shape for column in scores.values())]
        if set(shapes) != {(len(predicted),)}:
            raise ValueError(f"shapes {shapes}")
        if not (temperature > 0 and np.isin(predicted, range(len(problem.classes))).all()):
            raise ValueError(f"temperature {temperature}, classes {np.unique(predicted)}")
        detector = None
        if any(name.startswith(_DETECTOR) for name in arrays):
            detector = Detector.from_arrays(lambda name: arrays[_DETECTOR + name])
        alternatives = None
        if about.pop(_ALTERNATIVES, None) == list(KINDS):
            alternatives = arrays[_ALTERNATIVES].astype(np.float64)
            count, columns = alternatives.shape
            if columns != len(KINDS) or not 0 < count <= len(predicted):
                raise ValueError(f"alternatives of the shape {alternatives.shape}")
            if not np.isfinite(alternatives).all():
                raise ValueError("alternatives that are not finite")
        return cls(
            problem, temperature, predicted, scores, novelty, detector, about, None, alternatives
        )


def _columns(
    novelty: NDArray[np.float64], beside: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """(n, 1 + columns), of the maps that have all."""
    if beside is None:
        return novelty[:, None]
    return np.concatenate([novelty[: len(beside), None], beside], axis=1)
