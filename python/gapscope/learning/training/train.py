"""Training: from a dataset folder to a run folder, resumable after every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from gapscope.dataset.load import DatasetReader
from gapscope.errors import RunError
from gapscope.learning.data.samples import Samples
from gapscope.learning.emulator.by_irrep import learn_emulators
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import load_trained, weights_name
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.network.options import training_config
from gapscope.learning.training.begin import (
    begun,
    dataset_attributes,
    dataset_options,
    require_same,
)
from gapscope.learning.training.fit import fit
from gapscope.learning.training.splits import further_maps, samples_of, without_measurement
from gapscope.support.storage import make_folder, only_writer, require_folder

LOCK = "train.lock"
SPLITS = ("train", "validation")


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
    attributes = dataset_attributes(dataset)
    origin = None if start is None else load_trained(start)
    make_folder(folder.path)
    with only_writer(folder.path, LOCK, _in_use(folder.path)):
        if not resume:
            folder.clear()
        if folder.begun:
            require_same(folder.config(), config, attributes, origin, folder)
            if folder.finished:
                return folder
        with DatasetReader(dataset) as reader:
            training, validation = (samples_of(reader, split, config) for split in SPLITS)
            if not folder.begun:
                folder.write_config(begun(training, config, reader, attributes, origin))
            if not folder.trained:
                fit(folder, training, validation, origin, progress)
            if isinstance(training, Samples) and config.surfaces:
                _learn_surfaces(folder, training, also)
    return folder


def _learn_surfaces(folder: RunFolder, training: Samples, also: Sequence[str | Path]) -> None:
    """Write the surfaces of a trained run's training maps, and of those of further datasets."""
    config = folder.config()
    options = config.training
    clean = [training]
    if options.measurement is not None:
        clean = without_measurement(training.reader, options)
    with ExitStack() as stack:
        further = [further_maps(stack, other, training, options.network.energies) for other in also]
        emulators = learn_emulators(folder.trained_network(), config, [*clean, *further])
    emulators.write(folder.emulators, weights_name(folder.best), config.labels)


def _in_use(folder: Path) -> RunError:
    return RunError(
        "One training at a time works in a run folder.",
        str(folder),
        "Wait for the other training, or end it; or train into another folder.",
    )
