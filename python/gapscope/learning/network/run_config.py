"""All that decides a network: options, scalings, classes and data, as ``config.json`` holds it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import keras

from gapscope.errors import SchemaVersionError
from gapscope.learning.data.inputs import InputScaling
from gapscope.learning.data.measured_augmentation import MeasurementAugmentation
from gapscope.learning.data.targets import TargetScaling
from gapscope.learning.network.config import NetworkConfig, TrainingConfig
from gapscope.learning.network.precision import dtype_policy
from gapscope.learning.network.two_heads import build_network
from gapscope.support.reading import parse_json

RUN_SCHEMA = 1
MOST_ENERGIES = 256


@dataclass(frozen=True)
class RunConfig:
    """Content of ``config.json``.

    Attributes
    ----------
    training : options as they were given; ``precision`` is what ``auto`` stood for.
    lattice, energies : those of the maps; energies in meV, the channels of the input.
    inputs, targets : scalings, from the training split.
    labels : names of the classes in the order of the network's output.
    dataset : identity, recipe and other attributes of the data set.
    versions : versions of gapscope, keras and the backend's name.
    start : SHA-256 of the weights that training began with; None: random ones.
    """

    training: TrainingConfig
    precision: str
    lattice: str
    energies: tuple[float, ...]
    inputs: InputScaling
    targets: TargetScaling
    labels: tuple[str, ...]
    dataset: dict[str, Any]
    versions: dict[str, str]
    start: str | None = None

    def network(self, precision: str = "float32") -> keras.Model:
        """The network with fresh weights."""
        with dtype_policy(precision):
            return build_network(self.training.network, len(self.energies))

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
        relative = content["inputs"].pop("relative", False)
        scaling = {name: tuple(value) for name, value in content["inputs"].items()}
        content["inputs"] = InputScaling(**scaling, relative=relative)
        content["targets"] = TargetScaling(**content["targets"])
        for name in ("energies", "labels"):
            content[name] = tuple(content[name])
        len(content["dataset"]["recipe"].get("setpoints", ()))
        if not 1 <= len(content["energies"]) <= MOST_ENERGIES:
            raise ValueError(f"{len(content['energies'])} energies")
        return cls(**content)
