"""What a network is trained with: the samples of a dataset's splits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gapscope.dataset.load import DatasetReader
from gapscope.errors import TrainingError
from gapscope.learning.data.constant_current import ConstantCurrent
from gapscope.learning.data.fresh_maps import FreshMaps, OwnImages
from gapscope.learning.data.inputs import InputScaling
from gapscope.learning.data.samples import Samples
from gapscope.learning.network.config import TrainingConfig
from gapscope.problem.problem import Problem

EXAMPLES = 4096
"""Samples of Green's functions whose maps the scaling of images is found from, at most."""


def samples_of(reader: DatasetReader, split: str, config: TrainingConfig) -> Samples | FreshMaps:
    """The samples of a split; of Green's functions without their maps.

    Raises
    ------
    TrainingError : options that these samples, or measured maps, cannot be trained with.
    """
    size = config.network.input_size
    if config.measurement is not None and config.network.odd:
        raise TrainingError(
            "The atoms of a measured map do not tell half a turn, which reverses Im rho(q):"
            " networks for measured maps see Re rho(q) alone.",
            "odd = true with a measurement",
            "Leave odd out.",
        )
    if reader.others is not None and (config.measurement is not None or config.surfaces):
        raise TrainingError(
            "Measured maps are made of maps of one impurity, and surfaces are of maps that unknowns"
            " alone decide.",
            f"{reader.folder} with [others] in its recipe",
            "Leave the measurement out and say surfaces = false (--no-surfaces), or build the"
            " dataset without [others].",
        )
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


def scaling_of(training: Samples | FreshMaps, config: TrainingConfig) -> InputScaling:
    """How images are scaled for the network, by those of the training samples."""
    if isinstance(training, Samples):
        return InputScaling.of(training, relative=config.measurement is not None)
    return InputScaling.of(OwnImages(training.first(EXAMPLES), config.network.odd))


def without_measurement(reader: DatasetReader, config: TrainingConfig) -> list[Samples]:
    """The training maps without what a measurement adds: at constant height and, where the network
    learns from such, at constant current."""
    network, measurement = config.network, config.measurement
    acquisitions: list[ConstantCurrent | None] = [None]
    if measurement is not None and measurement.constant_current:
        setpoints = range(len(reader.setpoints))
        acquisitions += [ConstantCurrent(network.input_size, n) for n in setpoints]
    return [
        Samples.of(
            reader,
            "train",
            network.input_size,
            measurement=one,
            energies=network.energies,
        )
        for one in acquisitions
    ]


def further_maps(
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
        {"lattice": _shape(one), "energies": one.energies.tolist(), **asked(one.problem)}
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


def asked(problem: Problem) -> dict[str, Any]:
    """What two networks, or a network and maps, have in common where they are asked the same."""
    unknowns = [f"{one.name} ({one.scale})" for one in problem.learned]
    return {"labels": problem.labels, "unknowns": unknowns}
