"""Files of arrays and a text about them, as .npz: numbers and JSON, no pickle."""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import GapscopeError, SchemaVersionError
from gapscope.support.reading import parse_json, read_bounded
from gapscope.support.storage import write_whole

Arrays = dict[str, NDArray[Any]]
UNREADABLE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OverflowError),
    MemoryError,
)
"""What reading a damaged file, or using what it held, may raise."""


MOST_BYTES = 2**28
"""Most bytes of a file and of all its arrays: what is compressed may claim any number."""
MOST_ARRAYS = 1000


def half_precision(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Values as float16 keeps them: what is computed from them is the same after a file."""
    return values.astype(np.float16).astype(np.float32)


def write_arrays(
    path: Path, schema: int, about: Mapping[str, Any], arrays: Mapping[str, Any]
) -> None:
    """Write the file, whole or not at all; raises StorageError."""
    text = np.array(json.dumps({"schema": schema, **about}))
    file = io.BytesIO()
    np.savez_compressed(file, **{"about": text, **arrays})
    write_whole(path, file.getvalue())


def read_arrays(
    path: Path, schema: int, damaged: Callable[[Path, Exception], GapscopeError]
) -> tuple[dict[str, Any], Arrays]:
    """What was written about the arrays, and the arrays.

    Raises
    ------
    ``damaged(path, error)`` : the file cannot be read.
    SchemaVersionError : it was written by a newer gapscope.
    """
    try:
        content = io.BytesIO(read_bounded(path, MOST_BYTES))
        _require_bounded(content)
        with np.load(content, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = parse_json(str(arrays.pop("about")))
        found = int(about.pop("schema"))
    except UNREADABLE as error:
        raise damaged(path, error) from error
    if found > schema:
        raise SchemaVersionError(
            f"This version of gapscope reads {path.name} of schema {schema} and older.",
            f"{path}: schema {found}",
            "Update gapscope.",
        )
    return about, arrays


def _require_bounded(content: io.BytesIO) -> None:
    """Raise ValueError where arrays are many or large, before any of them is unpacked."""
    total = 0
    with zipfile.ZipFile(content) as archive:
        members = archive.infolist()
        if len(members) > MOST_ARRAYS:
            raise ValueError(f"{len(members)} arrays, where {MOST_ARRAYS} are read at most")
        for member in members:
            with archive.open(member) as file:
                major, _ = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0
                shape, _, dtype = (read if major == 1 else np.lib.format.read_array_header_2_0)(
                    file
                )
            total += max(member.file_size, math.prod(shape) * dtype.itemsize)
    if total > MOST_BYTES:
        raise ValueError(f"arrays of {total} bytes, where {MOST_BYTES} are read at most")
    content.seek(0)
