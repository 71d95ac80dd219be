"""All that decides a network: options, scalings, classes and data, as ``config.json`` holds it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import keras

from gapscope.errors import RecipeError, SchemaVersionError, SpecificationError, TrainingError
from gapscope.learning.data.inputs import InputScaling
from gapscope.learning.data.measured_augmentation import MeasurementAugmentation
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.data.targets import Targets, TargetScaling
from gapscope.learning.network.backbone import without_weights
from gapscope.learning.network.config import STOKES, NetworkConfig, TrainingConfig
from gapscope.learning.network.precision import dtype_policy
from gapscope.learning.network.two_heads import build_network
from gapscope.physics.lattice import Lattice
from gapscope.problem.others import Others
from gapscope.problem.paper import stored_problem
from gapscope.problem.problem import Problem
from gapscope.support.reading import parse_json

RUN_SCHEMA = 2
MOST_ENERGIES = 256


@dataclass(frozen=True)
class RunConfig:
    """Content of ``config.json``.

    Attributes
    ----------
    training : options as they were given; ``precision`` is what ``auto`` stood for.
    lattice, energies : those of the maps; energies in meV, the channels of the input.
    inputs, scaling : of images and of targets, from the training split.
    labels : names of the classes in the order of the network's output.
    dataset : identity, recipe and other attributes of the data set, and its problem unless the
        recipe is of schema 1.
    versions : versions of gapscope, keras and the backend's name.
    start : SHA-256 of the weights that training began with; None: random ones.
    lattice_vectors : rows a1, a2 over the lattice constant, where the lattice's name does not
        determine them.
    """

    training: TrainingConfig
    precision: str
    lattice: str
    energies: tuple[float, ...]
    inputs: InputScaling
    scaling: TargetScaling
    labels: tuple[str, ...]
    dataset: dict[str, Any]
    versions: dict[str, str]
    start: str | None = None
    lattice_vectors: tuple[float, ...] | None = None

    @cached_property
    def problem(self) -> Problem:
        """What the network is asked."""
        return stored_problem(self.dataset)

    @cached_property
    def targets(self) -> Targets:
        """What its parameter head gives."""
        stokes = self.training.network.targets == STOKES
        return Targets(self.problem, self.scaling, stokes)

    @property
    def noise(self) -> SiteNoise | None:
        """The noise that maps had in training, where a network is calibrated with it: that of
        Green's functions, whose maps it never saw without."""
        if self.dataset["recipe"].get("store") != "green":
            return None
        return SiteNoise(self.training.gaussian_noise, self.training.pink_noise)

    @cached_property
    def others(self) -> Others | None:
        """The impurities that maps have beside the one on r = 0; None: there are none."""
        table = self.dataset["recipe"].get("others")
        return None if table is None else Others.of(table)

    @cached_property
    def crystal_lattice(self) -> Lattice:
        """The maps' lattice, with a constant of 1."""
        content: dict[str, Any] = {"lattice": self.lattice, "lattice_constant": 1.0}
        if self.lattice_vectors is not None:
            content["lattice_vectors"] = self.lattice_vectors
        return Lattice.from_dict(content)

    def network(self, precision: str = "float32") -> keras.Model:
        """The network with fresh weights."""
        with dtype_policy(precision):
            return build_network(self.training.network, len(self.energies), self.problem)

    def empty_network(self) -> keras.Model:
        """The network in float32, whose weights are read afterwards."""
        with without_weights():
            return self.network()

    def to_json(self) -> str:
        """Text of ``config.json``."""
        return json.dumps({"schema": RUN_SCHEMA, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> RunConfig:
        """Inverse of :meth:`to_json`; any error but SchemaVersionError means a damaged text."""
        content = parse_json(text)
        schema = content.pop("schema")
        if schema > RUN_SCHEMA:
            raise SchemaVersionError(
                f"This version of gapscope reads runs of schema {RUN_SCHEMA} and older.",
                f"schema {schema}",
                "Update gapscope.",
            )
        training = content["training"]
        network = NetworkConfig(**training.pop("network"))
        measurement = training.pop("measurement", None)
        content["training"] = TrainingConfig(
            network=network,
            measurement=None if measurement is None else MeasurementAugmentation(**measurement),
            **training,
        )
        stored = content["inputs"]
        relative, together = (stored.pop(name, False) for name in ("relative", "together"))
        scaling = {name: tuple(value) for name, value in stored.items()}
        content["inputs"] = InputScaling(**scaling, relative=relative, together=together)
        content["scaling"] = _scaling(content.pop("targets") if schema < 2 else content["scaling"])
        for name in ("energies", "labels"):
            content[name] = tuple(content[name])
        if content.get("lattice_vectors") is not None:
            content["lattice_vectors"] = tuple(map(float, content["lattice_vectors"]))
        len(content["dataset"]["recipe"].get("setpoints", ()))
        if not 1 <= len(content["energies"]) <= MOST_ENERGIES:
            raise ValueError(f"{len(content['energies'])} energies")
        config = cls(**content)
        try:
            _require_consistent(config)
        except (RecipeError, SpecificationError, TrainingError) as error:
            raise ValueError(str(error)) from error
        return config


def _scaling(content: Mapping[str, Any]) -> TargetScaling:
    """The scaling as stored; schema 1 joins the name of an unknown and _mean or _deviation."""
    if "mean" in content:
        parts = [content["mean"], content["deviation"]]
    else:
        ends = ("_mean", "_deviation")
        parts = [
            {name.removesuffix(end): value for name, value in content.items() if name.endswith(end)}
            for end in ends
        ]
    mean, deviation = ({str(k): float(v) for k, v in part.items()} for part in parts)
    return TargetScaling(mean, deviation)


def _require_consistent(config: RunConfig) -> None:
    """Raise an error where lattice, problem, classes and scalings do not belong together."""
    problem, scaling = config.problem, config.scaling
    if config.labels != problem.labels:
        raise ValueError(f"classes {config.labels} of a problem with {problem.labels}")
    scaled = {one.name for one in problem.unknowns if not one.circular}
    numbers = [*scaling.mean.values(), *scaling.deviation.values()]
    if not (scaled == scaling.mean.keys() == scaling.deviation.keys()):
        raise ValueError(f"scalings of {sorted(scaling.mean)} for {sorted(scaled)}")
    if not (all(map(math.isfinite, numbers)) and min(scaling.deviation.values(), default=1) > 0):
        raise ValueError(f"scalings {scaling}")
    _ = config.targets.columns, config.others
    allowed = {operation.tobytes() for operation in config.crystal_lattice.operations}
    if not problem.moves or any(m.matrix.tobytes() not in allowed for m in problem.moves):
        raise ValueError(f"moves that a {config.lattice} lattice does not have")
