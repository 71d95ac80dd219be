"""Files that are whole or absent, outputs that are checked before they are computed, locks.

What lies at an output's path and is no regular file is written to (a device, a pipe) or refused; it
is never replaced. A link stays a link: its target is written.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gapscope.errors import GapscopeError, SettingError, StorageError

NETCDF = (".nc", ".nc4", ".h5", ".hdf5")
"""Endings of results as netCDF-4 on HDF5."""
FIGURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".eps")
"""Endings of figures, which name their formats."""
REPORTS = (".pdf",)
"""Endings of reports."""

_NAME = 50  # characters of a file's name that its temporary file's name repeats


def write_whole(path: str | Path, content: bytes | memoryview) -> Path:
    """Write a file so that after a crash or on a full disk it is the old one or the new one.

    The bytes go to ``NAME.<random>.tmp`` beside it, are synced to the disk and renamed; an older
    file's permissions are kept.

    Raises
    ------
    StorageError : the system refused to write; no part of the file is left behind.
    """
    path = Path(path)
    try:
        if _is_stream(path):
            _write_stream(path, content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise storage_error(path, error, len(content)) from error
    return path


def require_output(
    path: str | Path, endings: Sequence[str] = (), inputs: Sequence[str | Path] = ()
) -> None:
    """Raise unless a file can be written there, before what it is going to hold is computed.

    Parameters
    ----------
    path : the output's path.
    endings : that its name may have; none: any. A device's or a pipe's name is free.
    inputs : files that are read and must not be written over.

    Raises
    ------
    StorageError : no such folder, one that cannot be written or is full, a path that is no file's,
        a file that is protected, or another ending.
    SettingError : the output is one of the inputs.
    """
    path = Path(path)
    for read in inputs:
        if _same(path, Path(read)):
            raise SettingError(
                "A file that is read is not written over.",
                f"{path}, to be read and written",
                "Choose another name for the output.",
            )
    try:
        if _is_stream(path):
            _try_device(path)
            return
        if endings and path.suffix.lower() not in endings:
            listed = " or ".join(filter(None, (", ".join(endings[:-1]), endings[-1])))
            raise StorageError(
                f"The name of this output ends in {listed}.",
                str(path),
                f"Write for example {path.with_suffix(endings[0]).name or 'map' + endings[0]}.",
            )
        target = Path(os.path.realpath(path))
        _require_writable(target)
        _try_folder(target.parent)
    except OSError as error:
        raise storage_error(path, error) from error


def require_folder(path: str | Path) -> None:
    """Raise StorageError unless a folder can be made there, or written where it is one."""
    path = Path(path)
    try:
        existing = next(p for p in (path, *path.absolute().parents) if os.path.lexists(p))
        _try_folder(existing)
    except OSError as error:
        raise storage_error(path, error) from error


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
def only_writer(folder: Path, lock: str, refusal: GapscopeError) -> Iterator[None]:
    """Hold the lock file of a folder; the system drops it when the process ends, however it ends.

    Raises
    ------
    ``refusal`` : another process holds it.
    StorageError : the lock file cannot be made.
    """
    path = folder / lock
    try:
        # No link is followed and no pipe waited for: the file is the lock's own.
        descriptor = os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666
        )
    except OSError as error:
        raise storage_error(path, error) from error
    with open(descriptor, "rb+"):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise refusal from error
        yield


def storage_error(path: Path, error: OSError, size: int | None = None) -> StorageError:
    """Say what could not be written and why; of a write that failed, how much room there is."""
    reason = error.strerror or str(error)
    wanted = "" if size is None else f" ({size} bytes)"
    existing = next((p for p in (path, *path.parents) if os.path.exists(p)), None)
    free = ""
    if existing is not None and (size is not None or error.errno in (errno.ENOSPC, errno.EDQUOT)):
        free = f"; {shutil.disk_usage(existing).free} bytes are free there"
    return StorageError(
        "An output goes to a folder that exists, can be written and has room.",
        f"{path}{wanted}: {reason}{free}",
        "Choose another folder, make room or allow writing, then give the command again: what is"
        " finished is kept.",
    )


def _is_stream(path: Path) -> bool:
    """Whether a device or a pipe lies there, which is written to as it is.

    Raises
    ------
    OSError : what lies there is neither that nor a regular file.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(0, "it is a folder")
    null = stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev
    if not null and _is_standard(found):
        raise OSError("it is the standard output, which is for words")
    if stat.S_ISREG(found.st_mode):
        return False
    if not (stat.S_ISCHR(found.st_mode) or stat.S_ISFIFO(found.st_mode)):
        raise OSError("it is neither a file nor a device or pipe to write to")
    if not os.access(path, os.W_OK):
        raise PermissionError(0, "writing is not allowed")
    return True


def _try_device(path: Path) -> None:
    """Raise OSError for a device that cannot be opened, such as the terminal where there is none;
    a pipe is left alone: its reader takes the closing for the end."""
    if stat.S_ISCHR(os.stat(path).st_mode):
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY))


def _is_standard(found: os.stat_result) -> bool:
    """Whether it is what the standard output or error of this process goes to."""
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            if os.path.samestat(found, os.fstat(descriptor)):
                return True
    return False


def _write_stream(path: Path, content: bytes | memoryview) -> None:
    # A pipe that nobody reads would be waited for.
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    with open(descriptor, "wb") as file:
        file.write(content)


def _replace(target: Path, content: bytes | memoryview) -> None:
    _require_writable(target)
    temporary = target.with_name(f"{target.name[:_NAME]}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            with contextlib.suppress(FileNotFoundError):
                _like(file.fileno(), target.stat())
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _like(descriptor: int, old: os.stat_result) -> None:
    """Give a new file the permissions of the one that it replaces, and its owner if allowed."""
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _require_writable(target: Path) -> None:
    """Raise OSError for a file that is protected, which renaming would not heed."""
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(0, "the file is protected from writing")


def _try_folder(folder: Path) -> None:
    """Raise OSError unless a file can be made there; permissions say little to a root user."""
    if not folder.exists():
        raise FileNotFoundError(0, f"there is no folder {folder}")
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".gapscope-", suffix=".tmp") as file:
        file.write(bytes(1))  # a full disk makes files, but does not fill them
        file.flush()
        os.fsync(file.fileno())


def _same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
