"""The table of a material file, whose keys are checked as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gapscope.errors import MaterialFileError


class MaterialTable:
    """A parsed material file; every complaint is a MaterialFileError that names the file."""

    def __init__(self, path: Path, table: dict[str, Any]) -> None:
        self.path = path
        self.table = table

    def fail(self, rule: str, received: object, remedy: str) -> MaterialFileError:
        """The complaint, to be raised."""
        return MaterialFileError(f"{self.path.name}: {rule}", received, remedy)

    def require(self, table: dict[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
        """The value of a key that has to be there, of one of these types."""
        value = table.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            raise self.fail(
                f"{key} must be given as {' or '.join(k.__name__ for k in kinds)}.",
                value,
                f"Add or mend {key}.",
            )
        return value

    def entries(self, key: str, allowed: set[str]) -> Iterator[dict[str, Any]]:
        """The tables of a list, none of which has other keys."""
        for entry in self.require(self.table, key, list):
            if not isinstance(entry, dict) or set(entry) - allowed:
                raise self.fail(
                    f"each of [[{key}]] has the keys {', '.join(sorted(allowed))}.",
                    entry,
                    "Remove or rename the others.",
                )
            yield entry

    def vector(self, entry: dict[str, Any], key: str) -> tuple[int, int]:
        """Two whole numbers."""
        value = self.require(entry, key, list)
        if len(value) != 2 or not all(type(n) is int for n in value):
            raise self.fail(f"{key} is two whole numbers R1, R2.", value, "Fix the file.")
        return value[0], value[1]

    def layered_vector(self, entry: dict[str, Any], key: str) -> tuple[int, int, int]:
        """Three whole numbers, the last of layers."""
        value = self.require(entry, key, list)
        if len(value) != 3 or not all(type(n) is int for n in value):
            raise self.fail(
                f"{key} of a half-infinite crystal is three whole numbers R1, R2, R3.",
                value,
                "Fix the file; [0, 0, 1] leads to the cell above.",
            )
        return value[0], value[1], value[2]

    def number(self, entry: dict[str, Any], key: str) -> float:
        """A number; zero where there is none."""
        return float(self.require(entry, key, (int, float))) if key in entry else 0.0
