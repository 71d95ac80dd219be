"""Only files are opened, of bounded size, and nothing outside them; libraries are named."""

from __future__ import annotations

import os
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from gapscope import measured
from gapscope.measured.readers import hdf5 as hdf5_reader
from gapscope.measured.readers import limits
from measured_files import FORMATS, GIVEN, gwy, hdf5, ibw, matrix, sxm, upright
from refusals import refused


def test_only_files_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(tmp_path, "not a regular file")
    refused(tmp_path / "absent.sxm", "measured file exists")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "not a regular file")
    refused(Path("/dev/zero"), "not a regular file")
    secret = tmp_path / "secret.txt"
    secret.write_bytes(matrix())
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError("no")))
    refused(secret, "is readable", **GIVEN)


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.sxm"
    with path.open("wb") as file:
        file.write(sxm())
        file.truncate(limits.MAX_BYTES + 1)
    tracemalloc.start()
    refused(path, "has at most")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_variable_is_chosen_only_where_there_are_some(tmp_path: Path) -> None:
    for name, content in (("a.sxm", sxm()), ("a.h5", hdf5()), ("a.gwy", gwy())):
        (tmp_path / name).write_bytes(content)
    refused(tmp_path / "a.sxm", "variable is chosen from", variable="Z")
    refused(tmp_path / "a.h5", "One variable of the file", variable="absent")
    assert "--variable" in refused(tmp_path / "a.gwy", "one size", variable="absent").remedy


def test_hdf5_reads_no_other_file_and_no_bomb(tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(upright().tobytes())
    layout = h5py.VirtualLayout((4, 4), "f8")
    changes: dict[str, tuple[Callable[[h5py.File], object], str]] = {
        "external": (
            lambda f: f.create_dataset("it", (6, 8), "f8", external=[(str(other), 0, 384)]),
            "lie in the file",
        ),
        "virtual": (lambda f: f.create_virtual_dataset("it", layout), "lie in the file"),
        "linked": (lambda f: f.__setitem__("it", h5py.ExternalLink("o.h5", "/a")), "One variable"),
        "lzf": (
            lambda f: f.create_dataset("it", data=upright(), compression="lzf"),
            "lie in the file",
        ),
        "huge": (lambda f: f.create_dataset("it", (2**20, 2**20), "f8", chunks=(64, 64)), "pixels"),
        "bomb": (bomb, "unpack to what they declare"),
        "2 GB chunk": (wide_chunk, "chunks of moderate size"),
    }
    for change, rule in changes.values():
        path = tmp_path / "given.h5"
        path.write_bytes(hdf5(change))
        tracemalloc.start()
        refused(path, rule, variable="it", **GIVEN)
        assert tracemalloc.get_traced_memory()[1] < 2**24
        tracemalloc.stop()


def test_a_file_that_libhdf5_never_ends_with_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object of no size in the global heap makes libhdf5 walk over it for ever."""
    content = bytearray(hdf5())
    content[content.index(b"GCOL") + 72] = 0
    (tmp_path / "given.h5").write_bytes(content)
    monkeypatch.setattr(hdf5_reader, "SECONDS", 3)
    refused(tmp_path / "given.h5", "h5py can read the file")


ENDS: dict[str, tuple[str, str]] = {
    "loop": ("while True: pass", "no answer in 2 s"),
    "crash": ("import os; print({}, flush=True); os.abort()", "ended with -6"),
    "error": ("raise SystemError('lost')", "lost"),
}


@pytest.mark.parametrize("case", ENDS)
def test_the_end_of_the_process_that_reads_hdf5_is_told(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, told = ENDS[case]
    (tmp_path / "child.py").write_text(script)
    (tmp_path / "given.h5").write_bytes(hdf5())
    monkeypatch.setattr(hdf5_reader, "CHILD", tmp_path / "child.py")
    monkeypatch.setattr(hdf5_reader, "SECONDS", 2)
    error = refused(tmp_path / "given.h5", "h5py can read the file")
    assert told in str(error.received)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_the_process_that_reads_hdf5_has_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "given.h5").write_bytes(
        hdf5(lambda f: f.create_dataset("it", (8192, 8192), "f8", chunks=(64, 64)))
    )
    monkeypatch.setattr(hdf5_reader, "MEMORY", 2**29)
    error = refused(tmp_path / "given.h5", "h5py can read", variable="it", **GIVEN)
    assert "emory" in str(error.received)


def wide_chunk(file: h5py.File) -> None:
    """A variable of 8 x 8 in a chunk of 2 GB, which gzip makes 2 MB."""
    made = file.create_dataset(
        "it", (8, 8), "f8", chunks=(16384, 16383), maxshape=(None, None), compression="gzip"
    )
    made.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**20)))


def bomb(file: h5py.File) -> None:
    """A chunk of 32 kB that unpacks to 32 MB."""
    made = file.create_dataset("it", (8, 8), "f8", chunks=(8, 8), compression="gzip")
    made.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**25)))


IGOR_CASES: dict[str, tuple[bytes, str]] = {
    "cut": (ibw()[:-8], "lie in its file"),
    "short": (ibw()[:10], "version 5"),
    "version": (b"\2\0" + ibw()[2:], "version 5"),
    "gigabytes": (ibw()[:4] + b"\xff\xff\xff\x7f" + ibw()[8:], "lie in its file"),
    "negative": (ibw()[:8] + b"\xff\xff\xff\xff" + ibw()[12:], "lie in its file"),
    "one dimension": (ibw(upright()[0]), "real, over x, y"),
    "seconds": (ibw(units=("s", "m", "", "")), "are lengths"),
    "shape": (ibw()[:132] + b"\x09" + ibw()[133:], "48 of 54 points"),
    "precision": (ibw()[:80] + b"\2" + ibw()[81:], "igor2 can read"),
    "negative part": (ibw()[:21] + b"\xff" * 4 + ibw()[25:-1], "lie in its file"),
    "complex": (ibw()[:80] + b"\5" + ibw()[81:], "igor2 can read"),
}


@pytest.mark.parametrize("case", IGOR_CASES)
def test_an_igor_wave_that_is_no_image_is_refused(
    case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("igor2")
    content, rule = IGOR_CASES[case]
    (tmp_path / "wave.ibw").write_bytes(content)
    refused(tmp_path / "wave.ibw", rule)
    assert not caplog.records


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wave.ibw").write_bytes(ibw())
    monkeypatch.setitem(sys.modules, "igor2", None)
    error = refused(tmp_path / "wave.ibw", "read with igor2")
    assert error.remedy == "pip install igor2"


def test_the_content_tells_the_format_before_the_ending(tmp_path: Path) -> None:
    for name, (content, given) in FORMATS.items():
        if not name.endswith(".ibw"):
            path = tmp_path / f"{name}.dat"
            path.write_bytes(content())
            measured.open(path, **given)
