"""Files are whole or absent, outputs are checked first, one writer per folder."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import xarray as xr
from matplotlib.figure import Figure

from disks import files_of_at_most
from gapscope.errors import DatasetError, SettingError, StorageError
from gapscope.plots.style import save_figure
from gapscope.support.netcdf import write_netcdf
from gapscope.support.storage import (
    NETCDF,
    make_folder,
    only_writer,
    remove_leftovers,
    require_folder,
    require_output,
    write_whole,
)

MAPS = xr.Dataset({"a": ("x", list(range(1000)))})


def write_any_netcdf(path: Path) -> Path:
    return write_netcdf(MAPS, path)


def write_any_figure(path: Path) -> Path:
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    return save_figure(figure, path)


WRITERS = {"map.nc": write_any_netcdf, "map.png": write_any_figure}


@contextmanager
def full_disk(folder: Path) -> Iterator[Path]:
    """A file system of 64 kB; needs a root user."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def in_use() -> DatasetError:
    return DatasetError("One build at a time works here.")


def test_a_refused_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with files_of_at_most(1000), pytest.raises(StorageError) as caught:
        write_whole(path, bytes(2000))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
    assert "File too large" in caught.value.received
    assert "bytes are free" in caught.value.received
    assert "what is finished is kept" in caught.value.remedy


@pytest.mark.parametrize("name", WRITERS)
def test_no_result_is_half_written(name: str, tmp_path: Path) -> None:
    with files_of_at_most(2000), pytest.raises(StorageError, match="File too large"):
        WRITERS[name](tmp_path / name)
    assert not os.listdir(tmp_path)
    assert WRITERS[name](tmp_path / name).stat().st_size > 2000


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_told_and_nothing_stays(name: str, tmp_path: Path) -> None:
    with full_disk(tmp_path / "disk") as disk:
        (disk / "other").write_bytes(bytes(54_000))
        with pytest.raises(StorageError, match="No space left on device"):
            WRITERS[name](disk / name)
        (disk / "more").write_bytes(bytes(8192))
        with pytest.raises(StorageError, match="No space left on device"):
            require_output(disk / name)
        assert sorted(os.listdir(disk)) == ["more", "other"]


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "file", b"new")
    assert not os.listdir(tmp_path)


def test_permissions_of_an_older_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o640)
    write_whole(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_bytes() == b"new"


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    for target in (tmp_path / "far" / "old.nc", tmp_path / "far" / "absent.nc"):
        link = tmp_path / target.name
        link.symlink_to(target)
        write_any_netcdf(link)
        assert link.is_symlink()
        assert xr.load_dataset(target, engine="h5netcdf").identical(MAPS)
    assert len(os.listdir(tmp_path / "far")) == 2


@pytest.mark.parametrize("name", WRITERS)
def test_a_device_is_written_to_and_stays_one(name: str, tmp_path: Path) -> None:
    null = tmp_path / "null"
    null.symlink_to("/dev/null")
    for path in (Path("/dev/null"), null):
        require_output(path, NETCDF)
        WRITERS[name](path)
        assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert null.is_symlink()


def test_a_device_that_cannot_be_opened_is_refused_before_the_computation() -> None:
    """A process without a terminal has no /dev/tty."""
    code = "from gapscope.support.storage import require_output; require_output('/dev/tty')"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert "StorageError" in ended.stderr
    assert "/dev/tty: No such device" in ended.stderr
    assert "bytes are free" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_device_that_refuses_is_told() -> None:
    with pytest.raises(StorageError, match="No space left"):
        write_whole("/dev/full", b"content")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_made_by_root_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    device = tmp_path / "null.nc"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        device.open("wb").close()
    except PermissionError:
        pytest.skip("no devices can be made here")
    write_any_netcdf(device)
    assert stat.S_ISCHR(device.stat().st_mode)
    assert os.listdir(tmp_path) == ["null.nc"]


def test_a_pipe_is_written_to_where_somebody_reads(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StorageError):
        write_whole(pipe, b"content")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # so that writing never comes too soon
    reader.start()
    write_whole(pipe, bytes(300_000))
    os.close(descriptor)
    reader.join(30)
    assert read == [bytes(300_000)]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_sockets_folders_and_standard_output_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.nc").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.nc"))
        for name in ("folder.nc", "socket.nc"):
            with pytest.raises(StorageError):
                require_output(tmp_path / name, NETCDF)
            with pytest.raises(StorageError):
                write_whole(tmp_path / name, b"content")
    code = "from gapscope.support.storage import require_output; require_output('/dev/stdout')"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "standard output" in ended.stderr
    assert ended.stdout == ""


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    for check in (require_output, lambda path: write_whole(path, b"content")):
        with pytest.raises(StorageError, match=r"nowhere/file[\s\S]*[Nn]o (such file|folder)"):
            check(tmp_path / "nowhere" / "file")


def test_a_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for refused in (make_folder, require_folder):
        with pytest.raises(StorageError, match="Not a directory"):
            refused(tmp_path / "file" / "folder")
    with (
        pytest.raises(StorageError, match="Not a directory"),
        only_writer(tmp_path / "file", "lock", in_use()),
    ):
        pass


def test_what_cannot_be_written_is_told_before_it_is_computed() -> None:
    code = (
        "import os, sys\n"
        "from gapscope.errors import StorageError\n"
        "from gapscope.support.storage import require_folder, require_output\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for check in (require_output, require_folder):\n"
        "    try: check(sys.argv[1])\n"
        "    except StorageError as error: print(error.received)\n"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        protected, closed = folder / "protected.nc", folder / "closed"
        protected.touch(0o444)
        closed.mkdir(0o555)
        for path, words in ((protected, "protected"), (closed / "map.nc", "Permission denied")):
            ended = subprocess.run(
                [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
            )
            assert words in ended.stdout
        assert sorted(os.listdir(folder)) == ["closed", "protected.nc"]


def test_another_ending_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    for write, name, ending in (
        (write_any_netcdf, "map.txt", ".nc"),
        (write_any_netcdf, "map", ".nc"),
        (write_any_figure, "map.nc", ".png"),
    ):
        with pytest.raises(StorageError, match=rf"{ending}[\s\S]*Write for example map\{ending}"):
            write(tmp_path / name)
    assert not os.listdir(tmp_path)


def test_an_input_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "read.nc").touch()
    (tmp_path / "link.nc").symlink_to("read.nc")
    os.link(tmp_path / "read.nc", tmp_path / "twin.nc")
    for name in ("read.nc", "link.nc", "twin.nc", "../" + tmp_path.name + "/read.nc"):
        with pytest.raises(SettingError, match="not written over"):
            require_output(tmp_path / name, inputs=[tmp_path / "read.nc"])
    require_output(tmp_path / "other.nc", inputs=[tmp_path / "read.nc"])


def test_long_names_and_folders_that_are_to_be_made_are_fine(tmp_path: Path) -> None:
    name = "x" * 252 + ".nc"
    require_output(tmp_path / name, NETCDF)
    write_any_netcdf(tmp_path / name)
    require_folder(tmp_path / "a" / "b" / "c")
    assert os.listdir(tmp_path) == [name]


def test_leftovers_of_a_crash_are_removed(tmp_path: Path) -> None:
    for name in ("shard-00000.h5", "shard-00001.h5.0123abcd.tmp"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["shard-00000.h5"]


def test_the_second_writer_of_a_folder_is_refused(tmp_path: Path) -> None:
    with (
        only_writer(tmp_path, "lock", in_use()),
        pytest.raises(DatasetError, match="One build at a time"),
        only_writer(tmp_path, "lock", in_use()),
    ):
        pass
    with only_writer(tmp_path, "lock", in_use()):
        pass


def test_a_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal, pathlib; from gapscope.support.storage import only_writer\n"
        "with only_writer(pathlib.Path(sys.argv[1]), 'lock', ValueError()):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / "lock").exists()
    with only_writer(tmp_path, "lock", in_use()):
        pass
