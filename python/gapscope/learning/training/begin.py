"""What a run is begun with, and what it may go on with."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from gapscope.dataset.load import DatasetReader, open_dataset
from gapscope.errors import RunError, TrainingError
from gapscope.learning.data.fresh_maps import FreshMaps
from gapscope.learning.data.samples import Samples
from gapscope.learning.data.targets import TargetScaling
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import Trained
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.network.options import TABLE
from gapscope.learning.network.precision import choose_precision
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.training.splits import asked, scaling_of


def dataset_options(dataset: str | Path) -> dict[str, Any]:
    """The table of training options in a dataset's recipe; empty where it has none."""
    with open_dataset(dataset) as opened:
        table: dict[str, Any] = json.loads(opened.attrs["recipe"]).get(TABLE, {})
    return table


def dataset_attributes(dataset: str | Path) -> dict[str, Any]:
    """What a run keeps of its dataset: identity, recipe and problem."""
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


def begun(
    samples: Samples | FreshMaps,
    config: TrainingConfig,
    reader: DatasetReader,
    dataset: dict[str, Any],
    origin: Trained | None,
) -> RunConfig:
    """The config of a new run, its scalings from the samples or from the network it starts with.

    Raises
    ------
    TrainingError : ``origin`` holds another network, or one for other maps.
    """
    lattice = samples.lattice
    fresh = RunConfig(
        training=config,
        precision=choose_precision(config.precision),
        lattice=lattice.name,
        lattice_vectors=None if lattice.cell is None else (*lattice.cell[0], *lattice.cell[1]),
        energies=tuple(reader.energies[reader.places(config.network.energies)].tolist()),
        inputs=scaling_of(samples, config),
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
    units = replace(
        origin.config.inputs, relative=fresh.inputs.relative, together=fresh.inputs.together
    )
    return replace(fresh, inputs=units, scaling=origin.config.scaling, start=origin.weights)


def _require_fit(origin: Trained, fresh: RunConfig) -> None:
    """Raise TrainingError unless a network's weights can begin a run."""
    there, here = (
        {
            **asdict(one.training.network),
            "lattice": one.lattice,
            "lattice vectors": one.lattice_vectors,
            "energies": one.energies,
            **asked(one.problem),
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


def require_same(
    stored: RunConfig,
    config: TrainingConfig,
    dataset: dict[str, Any],
    origin: Trained | None,
    folder: RunFolder,
) -> None:
    """Raise RunError unless options, dataset and start are those that a run was begun with."""
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
