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
from gapscope.learning.data.inputs import lacks, momentum_images
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.data.samples import Samples
from gapscope.learning.emulator.by_irrep import TO_LEARN, Emulators
from gapscope.learning.model_folder.trained import load_trained
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.network.two_heads import IRREP, PARAMETERS, features_of
from gapscope.learning.prediction.averaging import average, copies
from gapscope.learning.uncertainty.alternatives import Alternatives, likely_changes
from gapscope.learning.uncertainty.calibration import LEVEL, NOVELTY_LEVEL, Calibration
from gapscope.learning.uncertainty.centre import centres
from gapscope.learning.uncertainty.discriminator import Discriminator
from gapscope.learning.uncertainty.novelty import Detector
from gapscope.learning.uncertainty.repeats import repeats
from gapscope.physics.lattice import Lattice
from gapscope.problem.paper import predicted_problem
from gapscope.problem.problem import Problem

BATCH = 32
NO_CONTRAST = "A QPI image has a contrast: values that are finite and not all the same."
Maps = NDArray[np.float32]


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
        of it, "repeated" for maps that :mod:`gapscope.learning.uncertainty.repeats` finds and
        "off" with a site for those off :mod:`gapscope.learning.uncertainty.centre`, whose novelty
        is infinite, else "".

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
        foreign = np.flatnonzero(applied["unlike_training"].values)
        factor = np.full(len(novelty), np.nan)
        all_maps = np.concatenate(kept)
        factor[foreign] = [self._likely_factor(one) for one in all_maps[foreign]]
        change = np.full(len(novelty), "", dtype="U24")
        if len(undone):
            known = self.calibration.in_units(novelty[foreign], beside[foreign])[:, 1:]
            enough = self.calibration.exceeded(self.novelty_level)
            kinds = self.calibration.kinds
            change[foreign] = likely_changes(known, undone[foreign], enough, kinds)
        for row in np.flatnonzero(np.isinf(novelty)):
            change[row] = self._at_once(all_maps[row][None])
        return applied.assign(likely_factor=("sample", factor), likely_change=("sample", change))

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
        novelty = self._novelty(maps, self._images(maps), self.calibration)
        return self.calibration.novelty_p(novelty, self._beside(maps)[0])

    def novelty(self, batches: Iterable[Maps], detector: Detector | None) -> NDArray[np.float64]:
        """How unlike the training maps are maps as :meth:`__call__` takes them.

        A detector's scores, means over the copies of a map. Without one, the distance from the
        nearest clean training map of the surfaces, least of the copies: what a measurement adds is
        foreign to a detector, but leaves a map near the one that it is of.
        """
        return np.concatenate([self._score(self._images(maps), detector) for maps in batches])

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

    @property
    def _averages(self) -> bool:
        return self._copies > 1

    @property
    def _copies(self) -> int:
        """Images that a map is looked at as."""
        return len(self.problem.moves) if self.symmetry else 1

    def _images(self, maps: Maps) -> NDArray[np.float32]:
        """Images of maps; where answers are averaged, of all copies, move by move."""
        images = momentum_images(maps, self.lattice, self.config.training.network.odd)
        return copies(images, self.problem.moves) if self._averages else images

    def _inputs(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.config.inputs.apply(images)

    def _passed(self, batches: Iterable[Maps], kept: list[Maps]) -> Iterator[Maps]:
        """The batches, once they are seen to have a contrast; they are kept in a list."""
        for maps in batches:
            if not len(maps):
                continue
            if (reason := lacks(maps, self.lattice)) is not None:
                raise MapFileError(NO_CONTRAST, reason, "Leave it out.")
            kept.append(maps)
            yield maps

    def _beside(self, maps: Maps) -> tuple[NDArray[np.float64] | None, NDArray[np.str_]]:
        """Scores (n, columns) of the calibration's companion, discriminator or alternatives; and
        what these undid, in words (n, columns)."""
        calibration, nothing = self.calibration, np.empty(0, dtype=np.str_)
        if calibration is None or calibration.beside is None:
            return None, nothing
        if calibration.companion is not None:
            return calibration.companion(maps, self.lattice)[0], nothing
        if calibration.discriminator is not None:
            scores = self.discriminated(maps, calibration.discriminator)
            return scores, np.full(scores.shape, "", dtype=np.str_)
        return self.alternatives(maps)

    def discriminated(self, maps: Maps, discriminator: Discriminator) -> NDArray[np.float64]:
        """Scores (n, kinds) of maps (n, energies, size, size), averaged over the moves."""
        moves, of_features = self.problem.moves, discriminator.of_features
        images = copies(momentum_images(maps, self.lattice, odd=not of_features), moves)
        if not of_features:
            return discriminator(images, len(moves))
        features = self.features(images)
        return discriminator.score(features, np.empty((len(features), 0)), len(moves))

    def features(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network makes of images, before its heads: (n, features)."""
        return np.asarray(self._headless.predict_on_batch(self._inputs(images)), dtype=np.float32)

    @cached_property
    def _headless(self) -> keras.Model:
        return features_of(self.network)

    @property
    def _surfaces(self) -> Emulators:
        if self.emulators is None or not self.emulators.known:
            raise CalibrationError(
                "Without a detector, foreign maps are known by the surfaces of the training maps.",
                "a network without surfaces",
                TO_LEARN,
            )
        return self.emulators

    @cached_property
    def alternatives(self) -> Alternatives:
        """What a map may be instead of one like the training maps.

        Raises
        ------
        CalibrationError : a network without surfaces.
        """
        return Alternatives(self._surfaces, self.lattice)

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
        images = self._images(maps)
        inputs = self._inputs(images)
        outputs = self.network.predict_on_batch(inputs)
        probability, parameters = outputs[IRREP], outputs[PARAMETERS]
        if self.answering is not None:
            mean = probability.reshape(self._copies, -1, probability.shape[-1]).mean(axis=0)
            label = np.tile(mean.argmax(axis=1), self._copies)
            parameters = self.answering.joined(images, label, parameters)
        if self._averages:
            probability, parameters = average(probability, parameters, self.config.targets)
        if self.calibration is None:
            return probability, parameters, np.empty(0), np.empty(0), np.empty(0)
        beside, undone = self._beside(maps)
        return (
            probability,
            parameters,
            self._novelty(maps, images, self.calibration),
            np.empty(0) if beside is None else beside,
            undone,
        )

    def _novelty(
        self, maps: Maps, images: NDArray[np.float32], calibration: Calibration
    ) -> NDArray[np.float64]:
        """Novelty of maps with these images, infinite where :meth:`_at_once` says something."""
        seen = np.array([bool(self._at_once(one[None])) for one in maps], dtype=bool)
        return np.where(seen, np.inf, self._score(images, calibration.detector))

    def _at_once(self, one: Maps) -> str:
        """What a map (1, energies, size, size) by itself shows to be wrong with it, else "".

        Where a network has learned from noise, nothing else sees that a map is moved. Zeros around
        a map are a smaller field of view for those that have learned from measurements alone.
        """
        if repeats(one, gaps=self.config.training.measurement is not None).any():
            return "repeated"
        if self.config.noise is not None and (site := centres(one)[0]).any():
            return f"off ({site[0]}, {site[1]})"
        return ""

    def _score(self, images: NDArray[np.float32], detector: Detector | None) -> NDArray[np.float64]:
        if detector is not None:
            noisy = self.config.noise is not None
            scores = detector.score(self._inputs(images), noisy=noisy).reshape(self._copies, -1)
            return np.asarray(scores.mean(axis=0))
        _, _, distance, _ = self._surfaces.nearest(images, 1)
        return np.asarray(distance.reshape(self._copies, -1).min(axis=0))


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
