"""Files that are whole or absent, whatever happens; and one writer per folder."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gapscope.errors import DatasetError, StorageError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that after a crash or a full disk it is the old one or the new one.

    The bytes go to ``NAME.<random>.tmp``, are synced to the disk and renamed.

    Raises
    ------
    StorageError : the system refused to write; no part of the file is left behind.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(path, error, len(content)) from error


def make_folder(path: Path) -> None:
    """Create a folder and its parents.

    Raises
    ------
    StorageError : the system refused.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error


def remove_leftovers(folder: Path) -> None:
    """Remove what an interrupted :func:`write_whole` left behind."""
    for leftover in folder.glob("*.tmp"):
        leftover.unlink(missing_ok=True)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system drops it when the process ends, however it ends.

    Raises
    ------
    DatasetError : another process builds in this folder.
    StorageError : the lock file cannot be made.
    """
    path = folder / "build.lock"
    try:
        file = path.open("a")
    except OSError as error:
        raise storage_error(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DatasetError(
                "One build at a time works in a dataset folder.",
                str(folder),
                "Wait for the other build, or end it.",
            ) from error
        yield


def storage_error(path: Path, error: OSError, size: int | None = None) -> StorageError:
    """Say what could not be written, why, and how much room there is."""
    reason = error.strerror or str(error)
    wanted = "" if size is None else f" ({size} bytes)"
    existing = next((p for p in (path, *path.parents) if p.exists()), None)
    free = "" if existing is None else f"; {shutil.disk_usage(existing).free} bytes are free there"
    return StorageError(
        "A dataset's files can be written.",
        f"{path}{wanted}: {reason}{free}",
        "Make room or allow writing, then build again: finished shards are kept.",
    )


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
