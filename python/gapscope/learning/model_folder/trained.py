"""A trained network on disk: the folder of a run, or a model exported from one to be shipped.

config.json, surfaces.npz, calibration.npz    as in the run's folder
weights.json, weights-*         see :mod:`gapscope.learning.model_folder.weights`; index last
MODEL_CARD.md                   what it is and is not for
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import keras

from gapscope.errors import RunError
from gapscope.learning.emulator.by_irrep import Emulators
from gapscope.learning.model_folder.model_card import model_card
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.weights import (
    Index,
    read_weights,
    remove_weights,
    write_weights,
)
from gapscope.learning.network.backbone import BACKBONES
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.network.two_heads import feature_count
from gapscope.learning.uncertainty.calibration import CALIBRATION, Calibration
from gapscope.support.networks import INDEX
from gapscope.support.storage import make_folder, require_folder, write_whole

CARD = "MODEL_CARD.md"
TABLE = Path("test", "table.txt")
"""Where ``gapscope evaluate`` puts Table I of a run, unless told otherwise."""


@dataclass(frozen=True)
class Trained:
    """What a folder holds.

    Attributes
    ----------
    config : the run's, also in an exported model.
    network : the network with its weights, in float32.
    weights : SHA-256 of the run's file of weights, which names them, also in an exported model.
    emulators : where the training has learned them.
    """

    folder: Path
    config: RunConfig
    network: keras.Model
    weights: str
    emulators: Emulators | None

    def calibration(self) -> Calibration | None:
        """The calibration, if the folder has one; raises as :meth:`Calibration.read`."""
        path = self.folder / CALIBRATION
        if not os.path.lexists(path):
            return None
        config = self.config
        size, energies = config.training.network.input_size, len(config.energies)
        return Calibration.read(
            path,
            self.weights,
            config.problem,
            self.emulators,
            size,
            energies,
            feature_count(self.network),
        )


def load_trained(folder: str | Path) -> Trained:
    """The network of a run's or a model's folder.

    Raises
    ------
    RunError : neither of them, or one that is not complete, damaged or of another network.
    SchemaVersionError : written by a newer gapscope.
    """
    run = RunFolder(folder)
    config = run.config()
    if os.path.lexists(run.path / INDEX):
        architecture = config.training.network
        kernel = architecture.kernel or BACKBONES[architecture.backbone].kernel
        index = Index.read(run.path)
        channels = architecture.channels(len(config.energies))
        index.require_held(run.path, kernel, architecture.width, channels)
        network = config.empty_network()
        weights = read_weights(network, run.path).source
    else:
        network, weights = run.trained_network(), weights_name(run.best)
    emulators = None
    if os.path.lexists(run.emulators):
        size = config.training.network.input_size
        setpoints = len(config.dataset["recipe"].get("setpoints", ()))
        emulators = Emulators.read(
            run.emulators, weights, config.targets, size, len(config.energies), setpoints
        )
    return Trained(run.path, config, network, weights, emulators)


def weights_name(path: Path) -> str:
    """SHA-256 of a file of weights, by which what was made with them knows them."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def export(run: str | Path, folder: str | Path, name: str | None = None) -> Path:
    """Write a run's best network, with its calibration, as a model folder.

    Parameters
    ----------
    run : folder of a run.
    folder : the model's; an older model in it is replaced.
    name : the model's name on its card; None takes the folder's.

    Raises
    ------
    RunError : no trained run, weights that half precision cannot hold, or a folder in use.
    CalibrationError, SchemaVersionError : see :meth:`Calibration.read`.
    StorageError : the system refused to write.
    """
    target = Path(folder)
    _require_free(target)
    require_folder(target)
    trained = load_trained(run)
    calibration = trained.calibration()
    source = RunFolder(run)
    table = source.path / TABLE
    text = model_card(
        name or target.resolve().name,
        trained.config,
        source.history(),
        trained.network.count_params(),
        table.read_text(encoding="utf-8") if table.is_file() else None,
        calibration,
        trained.emulators is not None,
    )
    make_folder(target)
    write_whole(target / CARD, text.encode())
    remove_weights(target)
    model = RunFolder(target)
    model.write_config(trained.config)
    if trained.emulators is None:
        model.emulators.unlink(missing_ok=True)
    else:
        trained.emulators.write(model.emulators, trained.weights, trained.config.labels)
    if calibration is None:
        (target / CALIBRATION).unlink(missing_ok=True)
    else:
        calibration.write(target / CALIBRATION)
    write_weights(trained.network, target, trained.weights)
    return target


def _require_free(folder: Path) -> None:
    """A folder is new, empty or a model's; what is a run's, or anyone's, stays untouched."""
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if held and CARD not in held:
        raise RunError(
            "A model is exported to a new folder, an empty one, or an older model's.",
            f"{folder}, which holds {', '.join(sorted(held)[:3])}",
            "Choose another folder.",
        )
