"""Reading files that somebody else may have made: regular ones, of bounded size, JSON, TOML."""

from __future__ import annotations

import json
import math
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

JSON_BYTES = 8_000_000
JSON_DEPTH = 50

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')
_OPENING = {"[": 1, "{": 1, "]": -1, "}": -1}


def read_bounded(path: Path, most: int) -> bytes:
    """The content of a regular file of at most so many bytes.

    Raises
    ------
    OSError : it cannot be read.
    ValueError : a device, a pipe or a folder, or a file that is larger.
    """
    # A pipe that nobody writes to would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        require_regular(path, most, os.fstat(descriptor))
        return file.read(most)


def require_regular(path: Path, most: int, found: os.stat_result | None = None) -> None:
    """Raise ValueError unless it is a regular file of at most so many bytes; OSError if absent."""
    found = found or os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path.name} is no regular file")
    if found.st_size > most:
        raise ValueError(f"{path.name} has {found.st_size} bytes, more than {most}")


def read_json(path: Path, most: int = JSON_BYTES) -> Any:
    """What a JSON file says; raises OSError or ValueError as read_bounded and parse_json do."""
    return parse_json(read_bounded(path, most).decode("utf-8"))


def read_toml(path: Path, most: int) -> dict[str, Any]:
    """What a TOML file says; raises OSError, or ValueError where it is none, too large or deep."""
    try:
        return tomllib.loads(read_bounded(path, most).decode("utf-8"))
    except RecursionError as error:
        raise ValueError("tables of too many levels") from error


def parse_json(text: str) -> Any:
    """JSON of at most JSON_DEPTH levels, whose keys are unique and whose numbers are finite.

    Raises
    ------
    ValueError : other JSON, or none.
    """
    depth = 0
    for mark in re.findall(r"[\[\]{}]", _STRING.sub("", text)):
        depth += _OPENING[mark]
        if depth > JSON_DEPTH:
            raise ValueError(f"JSON of more than {JSON_DEPTH} levels")
    return json.loads(
        text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key of an object stands there twice")
    return made


def _constant(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(f"{word} is too large")
    return value
