"""Training options as TOML: a table ``[training]`` of a recipe, or of a file of its own.

    [training]
    epochs = 20

    [training.network]
    backbone = "vgg16-half"

    [training.measurement]     # learn from maps as a measurement leaves them
    white = 0.2

Keys are the names of :class:`gapscope.learning.network.config.TrainingConfig`, of its
``NetworkConfig``, and of
:class:`gapscope.learning.data.measured_augmentation.MeasurementAugmentation`, whose size is that of
the network's input. What may be left out of an option altogether is written ``"none"``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from gapscope.errors import TrainingError
from gapscope.learning.data.measured_augmentation import MeasurementAugmentation
from gapscope.learning.network.config import NetworkConfig, TrainingConfig
from gapscope.support.reading import read_toml

OPTIONS_BYTES = 1_000_000
TABLE = "training"
NONE = "none"
PARTS: dict[str, type] = {"network": NetworkConfig, "measurement": MeasurementAugmentation}
WORDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}

Table = Mapping[str, Any]


def training_config(source: str | Path | Table, changes: Table | None = None) -> TrainingConfig:
    """The options of a file or of a table; what neither names has its default.

    Parameters
    ----------
    source : a TOML file with a table ``[training]``, such as a recipe, or that table itself.
    changes : a table of the same kind, whose entries count where both have one.

    Raises
    ------
    TrainingError : no such file or table, an unknown name, or a value of another type or outside
        its range.
    """
    where = TABLE
    if isinstance(source, (str, Path)):
        where, source = f"{Path(source).name}: {TABLE}", _read(Path(source))
    table = _merged(_tables(source, where), _tables(changes or {}, where))
    network: NetworkConfig = _made(NetworkConfig, table.pop("network", {}), f"{where}.network")
    measurement = table.pop("measurement", None)
    if measurement is not None:
        measured = {"size": network.input_size, **measurement}
        measurement = _made(MeasurementAugmentation, measured, f"{where}.measurement")
    own = _values(TrainingConfig, table, where)
    return TrainingConfig(**{**own, "network": network, "measurement": measurement})


def _read(path: Path) -> Table:
    try:
        content = read_toml(path, OPTIONS_BYTES)
    except (OSError, ValueError) as error:
        raise TrainingError(
            "Training options are readable TOML.", f"{path}: {error}", "Fix the file."
        ) from error
    if not isinstance(content.get(TABLE), Mapping):
        raise TrainingError(
            f"A file of training options has a table [{TABLE}].",
            f"{path} with {', '.join(content) or 'nothing'}",
            f"Write [{TABLE}] above the options.",
        )
    table: Table = content[TABLE]
    return table


def _tables(table: Table, where: str) -> dict[str, Any]:
    """A copy whose parts are tables; raises TrainingError where one is not."""
    if not isinstance(table, Mapping):
        raise TrainingError(f"{where} is a table.", table, f"Write [{where}] above its options.")
    copy = dict(table)
    for part in PARTS:
        if copy.get(part, NONE) == NONE:
            copy.pop(part, None)
        elif not isinstance(copy[part], Mapping):
            raise TrainingError(
                f"{where}.{part} is a table.", copy[part], f"Write [{TABLE}.{part}] above its rows."
            )
    return copy


def _merged(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    parts = {
        part: {**table.get(part, {}), **changes.get(part, {})}
        for part in PARTS
        if part in table or part in changes
    }
    return {**table, **changes, **parts}


def _made(kind: type, table: Table, where: str) -> Any:
    return kind(**_values(kind, table, where))


def _values(kind: type, table: Table, where: str) -> dict[str, Any]:
    hints = get_type_hints(kind)
    names = [one.name for one in fields(kind)]
    found = {}
    for name, value in table.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise TrainingError(
                f"{where} has the options {', '.join(names)}.",
                name,
                f"Did you mean {near[0]}?" if near else "Leave it out.",
            )
        found[name] = _value(hints[name], value, f"{where}.{name}")
    return found


def _value(hint: Any, value: object, name: str) -> Any:
    """A value as a type hint wants it; whole numbers are numbers."""
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    optional = NoneType in kinds
    if optional and value in (None, NONE):
        return None
    (kind,) = (one for one in kinds if one is not NoneType)
    if get_origin(kind) is tuple:
        if isinstance(value, (list, tuple)) and all(type(x) in (int, float) for x in value):
            return tuple(map(float, value))
        raise TrainingError(f"{name} is a list of numbers.", value, "Mend this entry.")
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        also = f', or "{NONE}"' if optional else ""
        raise TrainingError(f"{name} is {WORDS[kind]}{also}.", value, "Mend this entry.")
    return value
