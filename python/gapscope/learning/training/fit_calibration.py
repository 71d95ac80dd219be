"""From a run and maps that it has not seen to ``calibration.npz``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.load import DatasetReader
from gapscope.dataset.manifest import Manifest
from gapscope.errors import CalibrationError, GapscopeError
from gapscope.learning.data.samples import CHUNK, Samples
from gapscope.learning.model_folder.trained import load_trained
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.prediction.look import Maps
from gapscope.learning.prediction.predictor import Predictor, beside_truth
from gapscope.learning.training import fit_discriminator
from gapscope.learning.training.fit_discriminator import (
    learn_discriminator,
    learn_from_features,
    measured_looks,
    noisy_looks,
    with_scores,
)
from gapscope.learning.uncertainty.calibration import (
    CALIBRATION,
    FEWEST,
    HIDDEN,
    Calibration,
)
from gapscope.learning.uncertainty.companion import MOST_ODD, Companion
from gapscope.learning.uncertainty.discriminator import Discriminator
from gapscope.learning.uncertainty.hidden import is_hidden
from gapscope.learning.uncertainty.intervals import errors
from gapscope.learning.uncertainty.novelty import MOST_COMPONENTS, Detector
from gapscope.learning.uncertainty.temperature import fit_temperature
from gapscope.support.memory import require_memory
from gapscope.support.storage import require_output

MOST_IMAGES = 5000
"""Training images that the detector knows: more of them make a model larger, and little sharper."""
FEW_IMAGES, FEW_COMPONENTS = 2000, 60
"""What the detector of a network of noisy maps knows: noise hides what is finer (decision 24)."""


def calibrate(
    run: str | Path,
    dataset: str | Path,
    split: str = "test",
    *,
    training: str | Path | None = None,
) -> Calibration:
    """Calibrate a run and write ``calibration.npz`` into its folder.

    The split is of maps that the network was neither trained on nor will be judged by; they stand
    for the maps it will be asked about. A network of Green's functions is calibrated with noise as
    it was trained with.

    Parameters
    ----------
    run : folder of a run, or of an exported model.
    dataset, split : the calibration set, at least FEWEST maps.
    training : folder of the dataset that the run was trained on; None where it is ``dataset`` or
        lies beside it.

    Raises
    ------
    CalibrationError : too few maps, maps that were trained on, or another training dataset.
    RunError : no trained run, or one that does not fit the datasets.
    DatasetError, CorruptShardError, SchemaVersionError : see
        :class:`gapscope.dataset.load.DatasetReader`.
    StorageError : the system refused to write.
    """
    trained = load_trained(run)
    require_output(Path(run) / CALIBRATION)
    predictor = Predictor(trained.config, trained.network, emulators=trained.emulators)
    with DatasetReader(dataset) as reader:
        samples = predictor.samples(reader, split, trained.config.noise)
        identity = Manifest.read(Path(dataset)).identity
        _require_unseen(samples, split, identity == trained.config.dataset["identity"])
        detector = companion = alternatives = None
        folder = _training(trained.config, Path(dataset), training)
        measured = trained.config.training.measurement is not None
        if not measured:
            detector, companion = _detector(predictor, folder), learn_companion(predictor, folder)
            companion = None if companion is None else scored(companion, samples)
        discriminator = discriminator_of(predictor, folder, samples)
        if measured and discriminator is None:
            alternatives = alternative_scores(predictor, samples)
        predictions = beside_truth(predictor, samples)
        hidden: list[bool] = []

        def looked_at() -> Iterator[Maps]:
            for rows in samples.chunks():
                maps = samples.maps(rows)
                hidden.extend(map(is_hidden, maps))
                yield maps

        novelty = predictor.novelty(looked_at(), detector)
        about: dict[str, Any] = {
            "name": str(reader.recipe["name"]),
            "identity": identity,
            "split": split,
            HIDDEN: float(np.mean(hidden)),
        }
    calibration = Calibration(
        problem=predictor.problem,
        temperature=fit_temperature(
            predictions["probability"].values, predictions["true_label"].values
        ),
        predicted=predictions["label"].values,
        scores=errors(predictions),
        novelty=novelty,
        detector=detector,
        about={"weights": trained.weights, **about},
        companion=companion,
        alternatives=alternatives,
        discriminator=discriminator,
    )
    calibration.write(Path(run) / CALIBRATION)
    return calibration


def _require_unseen(samples: Samples, split: str, of_training: bool) -> None:
    if of_training and split == "train":
        raise CalibrationError(
            "A calibration set is of maps that the network was not trained on.",
            f"the split {split} of the dataset that the run was trained on",
            "Choose the split validation or test, or another dataset.",
        )
    if len(samples) < FEWEST:
        raise CalibrationError(
            f"A calibration set has at least {FEWEST} maps.",
            f"{len(samples)} maps in the split {split}",
            "Build a larger dataset.",
        )


def _training(config: RunConfig, dataset: Path, given: str | Path | None) -> Path:
    """The folder of the run's dataset: the given one, else ``dataset`` or one beside it."""
    wanted = config.dataset["identity"]
    candidates = [dataset, *sorted(dataset.resolve().parent.iterdir())]
    for folder in candidates if given is None else [Path(given)]:
        if _is_dataset(folder, wanted):
            return folder
    raise CalibrationError(
        f"What is unlike training is learned from the training maps, {config.dataset['name']}.",
        f"{given or dataset}: another dataset, or none",
        "Name the folder of the dataset that the run was trained on (--training).",
    )


def _is_dataset(folder: Path, identity: str) -> bool:
    try:
        return Manifest.read(folder).identity == identity
    except GapscopeError:
        return False


def _detector(predictor: Predictor, training: Path) -> Detector:
    with DatasetReader(training) as reader:
        samples, config = predictor.samples(reader, "train"), predictor.config
        images, components = MOST_IMAGES, MOST_COMPONENTS
        if config.noise is not None:
            images, components = FEW_IMAGES, FEW_COMPONENTS
        rows = np.arange(min(len(samples), images))
        chunks = np.array_split(rows, -(-len(rows) // CHUNK))
        seen = (config.inputs.apply(samples.images(chunk)) for chunk in chunks)
        return Detector.fit(seen, most=components)


def learn_companion(predictor: Predictor, training: Path) -> Companion | None:
    """What goes with the shapes of the training maps of a dataset, without scores.

    None for a network without surfaces, from which it is read.

    Raises
    ------
    CalibrationError : see :meth:`gapscope.learning.uncertainty.companion.Companion.fit`.
    """
    if predictor.emulators is None or not predictor.emulators.known:
        return None
    with DatasetReader(training) as reader:
        samples = predictor.samples(reader, "train")
        classes = len(samples.problem.classes)
        rows = np.sort(
            np.concatenate([np.flatnonzero(samples.label == i)[:MOST_ODD] for i in range(classes)])
        )
        chunks = np.array_split(rows, -(-len(rows) // CHUNK))
        batches = ((samples.label[chunk], samples.maps(chunk)) for chunk in chunks)
        labels = samples.problem.labels
        return Companion.fit(predictor.emulators, batches, samples.lattice, labels)


def discriminator_of(
    predictor: Predictor, training: Path, calibration: Samples
) -> Discriminator | None:
    """What tells the training maps of a dataset from changed ones, with scores of calibration maps.

    None for a network that learned from maps that are neither noisy nor measured, or from few.
    """
    noise, measured = predictor.config.noise, predictor.config.training.measurement is not None
    if noise is None and not measured:
        return None
    with DatasetReader(training) as reader:
        samples = predictor.samples(reader, "train").first(fit_discriminator.MOST)
        if len(samples) < fit_discriminator.FEWEST:
            return None
        moves = predictor.problem.moves
        if noise is None:
            found = learn_from_features(measured_looks(samples), moves, predictor.features)
        else:
            shape = (len(samples), len(predictor.config.energies), samples.size, samples.size)
            require_memory(f"maps of {len(samples)} samples", 4.0 * np.prod(shape), ())
            maps = np.concatenate([samples.maps(rows) for rows in samples.chunks()])
            found = learn_discriminator(noisy_looks(maps, predictor.lattice, noise), moves)
    return with_scores(found, predictor, calibration)


def scored(companion: Companion, samples: Samples) -> Companion:
    """A companion with the scores of calibration maps."""
    lattice = samples.lattice
    scores = [companion(samples.maps(rows), lattice)[0] for rows in samples.chunks()]
    # A file keeps them in single precision.
    return replace(companion, scores=np.concatenate(scores).astype(np.float32).astype(np.float64))


def alternative_scores(predictor: Predictor, samples: Samples) -> NDArray[np.float64]:
    """Scores (maps, kinds) of :mod:`gapscope.learning.uncertainty.alternatives`, as a file keeps
    them; raises as ``Scores.alternatives`` does."""
    seek = predictor.scores.alternatives
    scores = [seek(samples.maps(rows))[0] for rows in samples.chunks()]
    return np.concatenate(scores).astype(np.float32).astype(np.float64)
