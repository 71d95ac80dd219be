"""Impurity files: TOML with a list ``[[terms]]``, read into arguments of ``Impurity``'s makers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gapscope.errors import SpecificationError

SCHEMA = 1
NEEDED: dict[str, tuple[str, ...]] = {
    "scalar": ("strength",),
    "magnetic": ("moment",),
    "onsite": ("real",),
    "hopping": ("real", "to"),
    "gap": ("real",),
}
"""Kinds of terms with the keys that each needs."""
ALLOWED: dict[str, tuple[str, ...]] = {
    "scalar": ("orbitals", "site"),
    "magnetic": ("orbitals", "site"),
    "onsite": ("imag", "site"),
    "hopping": ("imag", "site"),
    "gap": ("imag", "site", "to"),
}
EXAMPLE = '{kind = "hopping", real = [[20.0]], site = [0, 0], to = [1, 0]}'


def read_terms(path: Path) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """Name of the maker, its first argument, and the others, of every term in a file.

    Raises
    ------
    SpecificationError : unreadable TOML, another schema, a term of no kind, or a key that is
        missing, unknown or of the wrong type; told with the file and the number of the term.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecificationError(
            "An impurity file is readable TOML.", f"{path}: {error}", "Fix the file or its path."
        ) from error
    terms = table.get("terms")
    if table.get("schema") != SCHEMA or not isinstance(terms, list) or not terms:
        raise SpecificationError(
            f"{path.name}: an impurity file has schema = {SCHEMA} and a list [[terms]].",
            ", ".join(f"{key} = {value!r}"[:40] for key, value in table.items()) or "nothing",
            f"Write schema = {SCHEMA}, and each term below [[terms]], such as {EXAMPLE}.",
        )
    unknown = set(table) - {"schema", "terms"}
    if unknown:
        raise _fail(path.name, "keys are schema and terms.", sorted(unknown), "Remove the others.")
    for number, term in enumerate(terms, start=1):
        yield _term(f"{path.name}, term {number}", term)


def _term(where: str, term: Any) -> tuple[str, list[Any], dict[str, Any]]:
    kind = term.get("kind") if isinstance(term, dict) else None
    if kind not in NEEDED:
        raise _fail(where, f"kind is one of {', '.join(NEEDED)}.", kind, f"Write as in {EXAMPLE}.")
    needed, allowed = NEEDED[kind], ALLOWED[kind]
    given = set(term) - {"kind"}
    if not set(needed) <= given <= {*needed, *allowed}:
        raise _fail(
            where,
            f"a term of kind {kind} has {', '.join(needed)}, and may have {', '.join(allowed)}.",
            ", ".join(sorted(given)) or "no key",
            "Add what is missing, and remove or rename the others.",
        )
    others: dict[str, Any] = {
        key: _numbers(where, term, key, whole=True, count=2)
        for key in ("site", "to")
        if key in term
    }
    if "orbitals" in term:
        others["orbitals"] = _numbers(where, term, "orbitals")
    if kind == "scalar":
        return kind, [_numbers(where, {"strength": [term["strength"]]}, "strength")[0]], others
    if kind == "magnetic":
        return kind, [_numbers(where, term, "moment", count=3)], others
    parts = [_matrix(where, term, key) for key in ("real", "imag") if key in term]
    if len({part.shape for part in parts}) != 1:
        raise _fail(
            where,
            "real and imag have one shape.",
            " and ".join(str(part.shape) for part in parts),
            "Give both as n x n, or both as 2n x 2n matrices.",
        )
    return kind, [parts[0] + 1j * (parts[1] if len(parts) > 1 else 0)], others


def _numbers(
    where: str, term: Mapping[str, Any], key: str, *, whole: bool = False, count: int | None = None
) -> list[Any]:
    value = term[key]
    kinds = (int,) if whole else (int, float)
    if (
        not isinstance(value, list)
        or (count is not None and len(value) != count)
        or not all(type(one) in kinds for one in value)
    ):
        what = f"{count or ''} {'whole numbers' if whole else 'numbers'}".strip()
        raise _fail(where, f"{key} is given as {what}.", value, f"Fix {key}.")
    return value


def _matrix(where: str, term: Mapping[str, Any], key: str) -> Any:
    try:
        return np.atleast_2d(np.asarray(term[key], dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise _fail(where, f"{key} is a matrix of numbers.", term[key], f"Fix {key}.") from error


def _fail(where: str, rule: str, received: object, remedy: str) -> SpecificationError:
    return SpecificationError(f"{where}: {rule}", str(received), remedy)
