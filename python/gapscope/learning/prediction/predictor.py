"""A trained network with its scalings: maps in, probabilities and parameters out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.load import ENERGY_TOLERANCE, DatasetReader
from gapscope.errors import CalibrationError, MapFileError, RunError
from gapscope.learning.data.inputs import lacks
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.data.samples import Samples
from gapscope.learning.emulator.by_irrep import Emulators
from gapscope.learning.model_folder.trained import load_trained
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.network.two_heads import FEATURES, IRREP, PARAMETERS, with_features
from gapscope.learning.prediction.averaging import average
from gapscope.learning.prediction.look import Look, Maps
from gapscope.learning.prediction.scores import Scores
from gapscope.learning.uncertainty.alternatives import likely_changes
from gapscope.learning.uncertainty.calibration import LEVEL, NOVELTY_LEVEL, Calibration
from gapscope.learning.uncertainty.novelty import Detector
from gapscope.physics.lattice import Lattice
from gapscope.problem.paper import predicted_problem
from gapscope.problem.problem import Problem

BATCH = 32
NO_CONTRAST = "A QPI image has a contrast: values that are finite and not all the same."


@dataclass(frozen=True)
class Predictor:
    """Inference in float32, so that a prediction does not depend on the machine it is made on.

    Attributes
    ----------
    symmetry : average over the problem's moves; see :mod:`gapscope.learning.prediction.averaging`.
    emulators : what joins the network's answers for clean maps; None: they stand alone, as those of
        a network for measured maps do.
    calibration : what sets, intervals and novelty come from; None: there are none.
    level : probability that a set or an interval holds the truth.
    novelty_level : share of maps like the training ones that are called unlike them.
    """

    config: RunConfig
    network: keras.Model
    symmetry: bool = True
    emulators: Emulators | None = None
    calibration: Calibration | None = None
    level: float = LEVEL
    novelty_level: float = NOVELTY_LEVEL

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        symmetry: bool = True,
        level: float = LEVEL,
        novelty_level: float = NOVELTY_LEVEL,
    ) -> Self:
        """The best network of a run, or an exported model, with its calibration if it has one.

        Calibrations are made with ``symmetry``: without it, a calibration is left aside.

        Raises
        ------
        RunError : no run or model, no trained weights, or a damaged file.
        CalibrationError : a damaged calibration, or one of other weights.
        SchemaVersionError : written by a newer gapscope.
        """
        trained = load_trained(folder)
        calibration = trained.calibration() if symmetry else None
        return cls(
            trained.config,
            trained.network,
            symmetry,
            trained.emulators,
            calibration,
            level,
            novelty_level,
        )

    @property
    def size(self) -> int:
        """Sites per side of the window that the network looks at."""
        return self.config.training.network.input_size

    @property
    def problem(self) -> Problem:
        """What the network is asked."""
        return self.config.problem

    @property
    def lattice(self) -> Lattice:
        """That of the maps, with a constant of 1."""
        return self.config.crystal_lattice

    @property
    def answering(self) -> Emulators | None:
        """The surfaces that unknowns are read off: none for networks of measurements, whose maps
        are not on them."""
        return self.emulators if self.config.training.measurement is None else None

    def __call__(self, batches: Iterable[Maps]) -> xr.Dataset:
        """Predictions for maps that come in batches (n, energies, size, size), in 1/meV.

        Variables over ``sample``: probability (sample, class), label (index into the attribute
        labels), and the unknowns of the attribute problem (JSON) by name, whatever the class, no
        farther out than :attr:`gapscope.problem.unknown.Unknown.reach`. With a calibration also
        what :meth:`Calibration.applied` adds, and for maps unlike training what explains it:
        ``likely_factor``, a map divided by which would be like them, else NaN, and
        ``likely_change``, a kind of :mod:`gapscope.learning.uncertainty.alternatives` and how much
        of it, "repeated" for maps that :mod:`gapscope.learning.uncertainty.repeats` finds, "off"
        with a site for those off :mod:`gapscope.learning.uncertainty.centre` and "empty" where they
        are even about none, "masked" for :mod:`gapscope.learning.uncertainty.hidden`; the novelty
        of all these is infinite; else "".

        Raises
        ------
        CalibrationError : see :meth:`Calibration.applied`.
        MapFileError : no maps, or maps that are constant, empty or not finite.
        """
        if self.calibration is not None:
            self.calibration.require_levels(self.level, self.novelty_level)
        kept: list[Maps] = []
        answers = [self._answer(one) for one in self._passed(batches, kept)]
        if not answers:
            raise MapFileError("A prediction needs maps.", "no map", "Give at least one.")
        probability, raw, novelty, beside, undone = (
            np.concatenate(part) for part in zip(*answers, strict=True)
        )
        label, problem = probability.argmax(axis=1), self.problem
        decoded = self.config.targets.decode(raw, label)
        parameters = {
            one.name: ("sample", one.within(decoded[one.name]), {"units": one.unit})
            for one in problem.learned
        }
        predictions = xr.Dataset(
            {
                "probability": (("sample", "class"), probability.astype(np.float32)),
                "label": ("sample", label.astype(np.int8)),
                **parameters,
            },
            coords={"class": list(problem.labels)},
            attrs={
                "labels": list(problem.labels),
                "backbone": self.config.training.network.backbone,
                "problem": json.dumps(problem.to_dict()),
            },
        )
        if self.calibration is None:
            return predictions
        scores = None if self.calibration.beside is None else beside
        applied = self.calibration.applied(
            predictions, novelty, self.level, self.novelty_level, scores
        )
        return self._explained(applied, self.calibration, np.concatenate(kept), beside, undone)

    def novelty_p(self, maps: Maps) -> NDArray[np.float64]:
        """p-values (n,) of maps (n, energies, size, size): the share of maps like the training
        ones that look as odd.

        Raises
        ------
        CalibrationError : a network that is not calibrated.
        """
        if self.calibration is None:
            raise CalibrationError(
                "What is unlike training is known to a calibrated network.",
                "a network without calibration",
                "Run `gapscope calibrate`.",
            )
        look = self.look(maps)
        novelty = self.scores.novelty(look, self.calibration.detector)
        return self.calibration.novelty_p(novelty, self.scores.beside(look, self.calibration)[0])

    def novelty(self, batches: Iterable[Maps], detector: Detector | None) -> NDArray[np.float64]:
        """How unlike the training maps are maps as :meth:`__call__` takes them: scores of a
        detector, or without one distances from the nearest clean training map."""
        return np.concatenate([self.scores.distance(self.look(m), detector) for m in batches])

    def look(self, maps: Maps) -> Look:
        """Maps (n, energies, size, size) as the network sees them."""
        moves = self.problem.moves if self.symmetry else ()
        return Look(maps, self.config, moves, self._whole)

    def features(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network makes of images, before its heads: (n, features)."""
        given = self.config.inputs.apply(images)
        return np.asarray(self._whole.predict_on_batch(given)[FEATURES], dtype=np.float32)

    @cached_property
    def scores(self) -> Scores:
        """What tells maps that are unlike the training ones."""
        hidden = 0.0 if self.calibration is None else self.calibration.hidden
        return Scores(self.config, self.emulators, hidden <= self.novelty_level)

    @cached_property
    def _whole(self) -> keras.Model:
        return with_features(self.network)

    def require_fit(self, reader: DatasetReader) -> None:
        """Raise RunError unless a dataset has this network's lattice, energies and window."""
        config = self.config
        apart = np.abs(np.subtract.outer(config.energies, reader.energies)).min(axis=1)
        seen = (apart <= ENERGY_TOLERANCE).all()
        same = seen and reader.crystal_lattice.is_alike(self.lattice)
        if not same or reader.window < self.size:
            raise RunError(
                f"This run needs maps on the {config.lattice} lattice, of at least {self.size} "
                f"sites per side, at w = {list(config.energies)} meV.",
                f"{reader.lattice}, {reader.window} sites, w = {reader.energies.tolist()} meV",
                "Use a dataset of that kind, or train a network on this one.",
            )

    def samples(self, reader: DatasetReader, split: str, noise: SiteNoise | None = None) -> Samples:
        """The maps of a split as this network was trained to see them, measured or clean, or clean
        with noise.

        Raises
        ------
        RunError, DatasetError, TrainingError : see :meth:`require_fit` and
            :meth:`gapscope.learning.data.samples.Samples.of`.
        """
        self.require_fit(reader)
        measurement = self.config.training.measurement
        odd = self.config.training.network.odd
        return Samples.of(
            reader,
            split,
            self.size,
            measurement=measurement,
            odd=odd,
            energies=self.config.energies,
            noise=noise,
        )

    def _passed(self, batches: Iterable[Maps], kept: list[Maps]) -> Iterator[Maps]:
        """The batches, once they are seen to have a contrast; they are kept in a list."""
        for maps in batches:
            if not len(maps):
                continue
            if (reason := lacks(maps, self.lattice)) is not None:
                raise MapFileError(NO_CONTRAST, reason, "Leave it out.")
            kept.append(maps)
            yield maps

    def _explained(
        self,
        applied: xr.Dataset,
        calibration: Calibration,
        maps: Maps,
        beside: NDArray[np.float64],
        undone: NDArray[np.str_],
    ) -> xr.Dataset:
        """Predictions with what :meth:`__call__` says of maps unlike training."""
        novelty = applied["novelty"].values
        foreign = np.flatnonzero(applied["unlike_training"].values)
        factor = np.full(len(novelty), np.nan)
        factor[foreign] = [self._likely_factor(one) for one in maps[foreign]]
        change = np.full(len(novelty), "", dtype="U24")
        if len(undone):
            known = calibration.in_units(novelty[foreign], beside[foreign])[:, 1:]
            enough, kinds = calibration.exceeded(self.novelty_level), calibration.kinds
            change[foreign] = likely_changes(known, undone[foreign], enough, kinds)
        for row in np.flatnonzero(np.isinf(novelty)):
            change[row] = self.scores.at_once(maps[row][None])
        return applied.assign(likely_factor=("sample", factor), likely_change=("sample", change))

    def _likely_factor(self, one: Maps) -> float:
        """The divisor that makes a map (energies, size, size) like the training maps, or NaN."""
        if self.calibration is None or self.calibration.companion is None:
            return np.nan
        for sign in (1, -1):
            signed = sign * one[None]
            _, amplitude = self.calibration.companion(signed, self.lattice)
            factor = float(np.exp(np.log(amplitude).mean()))
            divided = (signed / factor).astype(np.float32)
            if self.novelty_p(divided)[0] >= self.novelty_level:
                return sign * factor
        return np.nan

    def _answer(self, maps: Maps) -> tuple[NDArray[Any], ...]:
        """Probabilities, parameters and, with a calibration, its scores and what alternatives undid
        (else none)."""
        look = self.look(maps)
        probability, parameters = look.outputs[IRREP], look.outputs[PARAMETERS]
        if self.answering is not None:
            mean = probability.reshape(look.copies, -1, probability.shape[-1]).mean(axis=0)
            label = np.tile(mean.argmax(axis=1), look.copies)
            parameters = self.answering.joined(look.images, label, parameters)
        if look.copies > 1:
            probability, parameters = average(probability, parameters, self.config.targets)
        if self.calibration is None:
            return probability, parameters, np.empty(0), np.empty(0), np.empty(0)
        novelty = self.scores.novelty(look, self.calibration.detector)
        beside, undone = self.scores.beside(look, self.calibration)
        nothing = np.empty(0)
        return probability, parameters, novelty, nothing if beside is None else beside, undone


def without_meaningless_angles(predictions: xr.Dataset) -> xr.Dataset:
    """Predictions with unknowns NaN where the predicted class has none."""
    problem, label = predicted_problem(predictions.attrs), predictions["label"]
    having = {one.name: problem.has(one.name) for one in problem.unknowns}
    return predictions.assign(
        {
            name: predictions[name].where(label.copy(data=has[label.values]))
            for name, has in having.items()
            if not has.all()
        }
    )


def beside_truth(predictor: Predictor, samples: Samples) -> xr.Dataset:
    """Predictions for a split, with true_label and each unknown as true_NAME."""
    predictions = predictor(samples.maps(rows) for rows in samples.chunks())
    predictions = predictions.assign_coords(sample=samples.ids)
    predictions["true_label"] = ("sample", samples.label.astype(np.int8))
    for one in predictor.problem.learned:
        truth = samples.parameters[one.name]
        predictions[f"true_{one.name}"] = ("sample", truth, {"units": one.unit})
    return predictions
