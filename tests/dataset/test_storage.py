"""Files are whole or absent; one writer per folder."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gapscope.dataset.storage import make_folder, only_writer, remove_leftovers, write_whole
from gapscope.errors import DatasetError, StorageError


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses to write more, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_refused_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with files_of_at_most(1000), pytest.raises(StorageError) as caught:
        write_whole(path, bytes(2000))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
    assert "File too large" in caught.value.received
    assert "bytes are free" in caught.value.received
    assert "build again" in caught.value.remedy


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nowhere/file[\s\S]*No such file"):
        write_whole(tmp_path / "nowhere" / "file", b"content")


def test_a_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="Not a directory"):
        make_folder(tmp_path / "file" / "folder")
    with pytest.raises(StorageError, match="Not a directory"), only_writer(tmp_path / "file"):
        pass


def test_leftovers_of_a_crash_are_removed(tmp_path: Path) -> None:
    for name in ("shard-00000.h5", "shard-00001.h5.0123abcd.tmp"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["shard-00000.h5"]


def test_the_second_writer_of_a_folder_is_refused(tmp_path: Path) -> None:
    with (
        only_writer(tmp_path),
        pytest.raises(DatasetError, match="One build at a time"),
        only_writer(tmp_path),
    ):
        pass
    with only_writer(tmp_path):
        pass


def test_a_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal, pathlib; from gapscope.dataset.storage import only_writer\n"
        "with only_writer(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / "build.lock").exists()
    with only_writer(tmp_path):
        pass
