"""Training: from a dataset folder to a run folder, resumable after every epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from gapscope.dataset.load import DatasetReader, open_dataset
from gapscope.errors import RunError, TrainingError
from gapscope.learning.data.constant_current import ConstantCurrent
from gapscope.learning.data.fresh_maps import FreshMaps, OwnImages
from gapscope.learning.data.inputs import InputScaling
from gapscope.learning.data.moves import pixel_gathers
from gapscope.learning.data.samples import Samples
from gapscope.learning.data.targets import TargetScaling
from gapscope.learning.emulator.by_irrep import learn_emulators
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import Trained, load_trained, weights_name
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.network.fresh_images import IMAGES, FreshImages, fresh_inputs
from gapscope.learning.network.options import TABLE, training_config
from gapscope.learning.network.precision import choose_precision
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.network.two_heads import IRREP
from gapscope.learning.training.batches import Batches, TrainingBatches
from gapscope.learning.training.display import Progress
from gapscope.learning.training.fresh_batches import FreshBatches
from gapscope.learning.training.loss import loss_weights, losses
from gapscope.learning.training.optimizer import adamw
from gapscope.learning.training.run_checkpoint import RunCheckpoint
from gapscope.problem.problem import Problem
from gapscope.support.storage import make_folder, only_writer, require_folder

LOCK = "train.lock"
SPLITS = ("train", "validation")
EXAMPLES = 4096
"""Samples of Green's functions whose maps the scaling of images is found from, at most."""


def train(
    dataset: str | Path,
    run: str | Path,
    config: TrainingConfig | None = None,
    *,
    start: str | Path | None = None,
    also: Sequence[str | Path] = (),
    resume: bool = True,
    progress: bool = True,
) -> RunFolder:
    """Train the two-head network on a dataset and keep everything in a run folder.

    A run that was interrupted goes on after its last finished epoch and ends with the weights it
    would have had, to rounding; a finished one is left as it is. Everything random follows from
    the config's seed.

    Parameters
    ----------
    dataset : folder written by ``gapscope dataset build``.
    run : folder to write; see :mod:`gapscope.learning.model_folder.run`.
    config : options; None takes those of the dataset's recipe, and else the defaults.
    start : folder of a run or of a model to begin with, instead of random weights; its scalings of
        images and targets are taken over.
    also : folders of further datasets of the same kind, whose training maps the emulators learn
        from beside those of ``dataset``, the network does not
        (see :mod:`gapscope.learning.emulator.emulator`).
    resume : go on with what lies in ``run``; otherwise its run is replaced.
    progress : print a line per epoch, and on a terminal a bar.

    Raises
    ------
    TrainingError : the dataset's maps cannot be trained on with these options, or ``start`` holds
        another network or one for other maps.
    RunError : another training works in ``run``; or it holds a run with other options, of another
        dataset or from another start, or a damaged one; or ``start`` holds no trained network.
    DatasetError, CorruptShardError, SchemaVersionError : see
        :class:`gapscope.dataset.load.DatasetReader`.
    StorageError : the system refused to write.
    """
    config = config or training_config(dataset_options(dataset))
    require_folder(run)
    folder = RunFolder(run)
    attributes = _attributes(dataset)
    origin = None if start is None else load_trained(start)
    make_folder(folder.path)
    with only_writer(folder.path, LOCK, _in_use(folder.path)):
        if not resume:
            folder.clear()
        if folder.begun:
            _require_same(folder.config(), config, attributes, origin, folder)
            if folder.finished:
                return folder
        with DatasetReader(dataset) as reader:
            training, validation = (_split(reader, split, config) for split in SPLITS)
            if not folder.begun:
                folder.write_config(_begin(training, config, reader, attributes, origin))
            if not folder.trained:
                _fit(folder, training, validation, origin, progress)
            if isinstance(training, Samples) and config.surfaces:
                seen = config.network.energies
                with ExitStack() as stack:
                    clean = [training] if config.measurement is None else _clean(reader, config)
                    splits = [*clean, *(_further(stack, other, training, seen) for other in also)]
                    emulators = learn_emulators(folder.trained_network(), folder.config(), splits)
                emulators.write(folder.emulators, weights_name(folder.best), folder.config().labels)
    return folder


def dataset_options(dataset: str | Path) -> dict[str, Any]:
    """The table of training options in a dataset's recipe; empty where it has none."""
    with open_dataset(dataset) as opened:
        table: dict[str, Any] = json.loads(opened.attrs["recipe"]).get(TABLE, {})
    return table


def _in_use(folder: Path) -> RunError:
    return RunError(
        "One training at a time works in a run folder.",
        str(folder),
        "Wait for the other training, or end it; or train into another folder.",
    )


def _clean(reader: DatasetReader, config: TrainingConfig) -> list[Samples]:
    """The training maps without what a measurement adds: at constant height and, where the network
    learns from such, at constant current."""
    size, measurement = config.network.input_size, config.measurement
    acquisitions: list[ConstantCurrent | None] = [None]
    if measurement is not None and measurement.constant_current:
        acquisitions += [ConstantCurrent(size, n) for n in range(len(reader.setpoints))]
    return [Samples.of(reader, "train", size, measurement=one) for one in acquisitions]


def _further(
    stack: ExitStack,
    dataset: str | Path,
    training: Samples,
    energies: Sequence[float] | None,
) -> Samples:
    """Training maps of another dataset at the energies that a network sees.

    Raises
    ------
    TrainingError : maps of another kind.
    """
    reader = stack.enter_context(DatasetReader(dataset))
    there, here = (
        {"lattice": _shape(one), "energies": one.energies.tolist(), **_asked(one.problem)}
        for one in (reader, training.reader)
    )
    if there != here:
        raise TrainingError(
            "Surfaces learn from maps of the same kind as the network.",
            f"{dataset}: {there}, and not {here}",
            "Leave that dataset out.",
        )
    return Samples.of(reader, "train", training.size, energies=energies)


def _shape(reader: DatasetReader) -> dict[str, Any]:
    """A lattice, whatever its constant."""
    content = reader.crystal_lattice.to_dict()
    del content["lattice_constant"]
    return content


def _asked(problem: Problem) -> dict[str, Any]:
    """What two networks, or a network and maps, have in common where they are asked the same."""
    unknowns = [f"{one.name} ({one.scale})" for one in problem.learned]
    return {"labels": problem.labels, "unknowns": unknowns}


def _split(reader: DatasetReader, split: str, config: TrainingConfig) -> Samples | FreshMaps:
    """The samples of a split; of Green's functions without their maps.

    Raises
    ------
    TrainingError : options that Green's functions cannot be trained with.
    """
    size = config.network.input_size
    if reader.store == "maps":
        return Samples.of(
            reader,
            split,
            size,
            config.cache_gib,
            config.measurement,
            odd=config.network.odd,
            energies=config.network.energies,
        )
    if config.measurement is not None or config.surfaces:
        raise TrainingError(
            "Networks for measured maps, and surfaces, are trained on datasets of maps.",
            f"{reader.folder} with store = {reader.store!r}",
            "Leave the measurement out and say surfaces = false (--no-surfaces), or build the"
            " dataset without store.",
        )
    return FreshMaps.of(reader, split, size, config.network.energies)


def _scaling(training: Samples | FreshMaps, config: TrainingConfig) -> InputScaling:
    if isinstance(training, Samples):
        return InputScaling.of(training, relative=config.measurement is not None)
    return InputScaling.of(OwnImages(training.first(EXAMPLES), config.network.odd))


def _begin(
    samples: Samples | FreshMaps,
    config: TrainingConfig,
    reader: DatasetReader,
    dataset: dict[str, Any],
    origin: Trained | None,
) -> RunConfig:
    lattice = samples.lattice
    fresh = RunConfig(
        training=config,
        precision=choose_precision(config.precision),
        lattice=lattice.name,
        lattice_vectors=None if lattice.cell is None else (*lattice.cell[0], *lattice.cell[1]),
        energies=tuple(reader.energies[reader.places(config.network.energies)].tolist()),
        inputs=_scaling(samples, config),
        scaling=TargetScaling.of(samples.problem, samples.parameters),
        labels=reader.labels,
        dataset=dataset,
        versions={
            "gapscope": version("gapscope"),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
        },
    )
    if origin is None:
        return fresh
    _require_fit(origin, fresh)
    relative = replace(origin.config.inputs, relative=fresh.inputs.relative)
    return replace(fresh, inputs=relative, scaling=origin.config.scaling, start=origin.weights)


def _require_fit(origin: Trained, fresh: RunConfig) -> None:
    """Raise TrainingError unless a network's weights can begin a run."""
    there, here = (
        {
            **asdict(one.training.network),
            "lattice": one.lattice,
            "lattice vectors": one.lattice_vectors,
            "energies": one.energies,
            **_asked(one.problem),
        }
        for one in (origin.config, fresh)
    )
    differing = [f"{k}: {there[k]!r} there, {here[k]!r} here" for k in here if there[k] != here[k]]
    if differing:
        raise TrainingError(
            "Training starts from a network of the same architecture, for maps of the same kind.",
            f"{origin.folder}: " + "; ".join(differing),
            "Start from another network, or change the options.",
        )


def _fit(
    folder: RunFolder,
    training: Samples | FreshMaps,
    validation: Samples | FreshMaps,
    origin: Trained | None,
    progress: bool,
) -> None:
    stored = folder.config()
    config = stored.training
    keras.utils.set_random_seed(config.seed)
    network = stored.network(stored.precision)
    if origin is not None:
        network.set_weights(origin.network.get_weights())
    images = None
    batches: TrainingBatches | FreshBatches
    unseen: Batches | FreshBatches
    if isinstance(training, FreshMaps):
        assert isinstance(validation, FreshMaps)
        batches = FreshBatches(training, stored.targets, config)
        unseen = FreshBatches(validation, stored.targets, config, validation=True)
        images = fresh_images(stored)
    else:
        assert isinstance(validation, Samples)
        batches = TrainingBatches(training, stored.inputs, stored.targets, config)
        unseen = Batches(validation, stored.inputs, stored.targets, config.batch_size)
    trainer = compiled(network, config, len(batches), images, batches[0][0])
    _build(trainer, *batches[0])
    checkpoint = RunCheckpoint(folder, network, batches)
    callbacks: list[keras.callbacks.Callback] = [checkpoint]
    if images is not None:
        begin = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: images.begin(epoch))
        callbacks.append(begin)
    if config.ema_momentum is not None:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if progress:
        callbacks.append(Progress(config.epochs, len(batches)))
    trainer.fit(
        batches,
        validation_data=unseen,
        initial_epoch=checkpoint.resume(trainer),
        epochs=config.epochs,
        callbacks=callbacks,
        shuffle=False,  # the batches come in their own, reproducible order
        verbose=0,
    )
    folder.finish()


def fresh_images(stored: RunConfig) -> FreshImages:
    """The layer that makes the images of a run on Green's functions."""
    config, size = stored.training, stored.training.network.input_size
    moves = stored.problem.moves
    return FreshImages(
        stored.crystal_lattice,
        size,
        stored.inputs,
        config.network.odd,
        pixel_gathers(moves, size),
        config.seed,
    )


def compiled(
    network: keras.Model,
    config: TrainingConfig,
    steps_per_epoch: int,
    images: FreshImages | None = None,
    first: Any = None,
) -> keras.Model:
    """A model that shares the network's layers and trains them on the paper's eq. 16.

    The network itself stays without an optimizer, so that saving it saves weights only.

    Parameters
    ----------
    images : what makes the network's images of inputs such as ``first``; None: they are given.
    """
    if images is None:
        trainer = keras.Model(network.inputs, network.output)
    else:
        given = fresh_inputs(*first[IMAGES].shape[1:4])
        trainer = keras.Model(given, network(images(given)))
    trainer.compile(
        optimizer=adamw(config, steps_per_epoch),
        loss=losses(config.objective),
        loss_weights=loss_weights(config.irrep_weight, config.parameter_weight),
        metrics={IRREP: keras.metrics.SparseCategoricalAccuracy(name="hit")},
        # XLA trains convolutions half as fast as TensorFlow's own kernels on a CPU.
        jit_compile=keras.backend.backend() == "jax",
    )
    return trainer


def _build(trainer: keras.Model, inputs: Any, targets: Any) -> None:
    """Make all variables that Keras would make in the first step.

    TensorFlow traces a step that makes variables twice, which takes longer than a short epoch.
    """
    trainer.optimizer.build(trainer.trainable_variables)
    few = inputs[:1] if isinstance(inputs, np.ndarray) else {k: v[:1] for k, v in inputs.items()}
    answers = trainer([few] if isinstance(inputs, np.ndarray) else few)
    one = {name: values[:1] for name, values in targets.items()}
    trainer.compute_loss(y=one, y_pred=answers)
    trainer.compute_metrics(None, one, answers)
    trainer.reset_metrics()


def _attributes(dataset: str | Path) -> dict[str, Any]:
    with open_dataset(dataset) as opened:
        attributes = opened.attrs
        recipe = json.loads(attributes["recipe"])
        recipe.pop(TABLE, None)  # the run's own options may differ
        stored: dict[str, Any] = {
            **{name: str(attributes[name]) for name in ("identity", "name", "material")},
            "recipe": recipe,
        }
        if math.isfinite(attributes["broadening"]):  # else it is unknown
            stored["broadening"] = float(attributes["broadening"])
        if "problem" in attributes:
            stored["problem"] = json.loads(attributes["problem"])
        return stored


def _require_same(
    stored: RunConfig,
    config: TrainingConfig,
    dataset: dict[str, Any],
    origin: Trained | None,
    folder: RunFolder,
) -> None:
    # Where maps are kept changes no result.
    now = asdict(replace(config, cache_gib=stored.training.cache_gib))
    before = asdict(stored.training)
    differing = [f"{k}: {before[k]!r} there, {now[k]!r} now" for k in now if before[k] != now[k]]
    if stored.dataset["identity"] != dataset["identity"]:
        differing.append(f"dataset: {stored.dataset['name']} there, {dataset['name']} now")
    if stored.start != (origin and origin.weights):
        differing.append("start: other weights there than now")
    if differing:
        remedy = "Train into another folder, or replace this run with resume=False (--restart)."
        if folder.finished:
            remedy += (
                f" To go on from its weights, train into another folder with --start {folder.path}."
            )
        raise RunError(
            "A run folder holds one run: one set of options, one dataset and one start.",
            f"{folder.path}: " + "; ".join(differing),
            remedy,
        )
