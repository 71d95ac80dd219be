"""Files of arrays and a text about them, as .npz: numbers and JSON, no pickle."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import GapscopeError, SchemaVersionError
from gapscope.storage import write_whole

Arrays = dict[str, NDArray[Any]]
UNREADABLE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
)
"""What reading a damaged file, or using what it held, may raise."""


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
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")))
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
