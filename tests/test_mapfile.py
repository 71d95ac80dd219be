"""Map files of strangers: what they hold is bounded, theirs, and harmless to print."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from gapscope.errors import GapscopeError, MapFileError
from gapscope.measured.preparation.report import read_prepared
from gapscope.simulation.mapfile import VARIABLES, read_map
from gapscope.support.netcdf import load_netcdf, write_netcdf

ESCAPE = "\x1b]0;owned\x07\x1b[31m"


def plain(path: Path) -> Path:
    """A file with the variables of a map."""
    values = np.arange(16.0).reshape(1, 4, 4)
    maps = dict.fromkeys(VARIABLES[:3], (("energy", "r1", "r2"), values))
    whole = xr.Dataset({**maps, "dos": ("energy", [1.0])}, attrs={"schema": 1, "note": "a\nb"})
    return write_netcdf(whole, path)


def chunk(file: h5py.File, side: int, packed: bytes) -> None:
    del file["qpi_im"]
    made = file.create_dataset(
        "qpi_im", (4, 4), "f8", chunks=(side, side), maxshape=(None, None), compression="gzip"
    )
    made.id.write_direct_chunk((0, 0), zlib.compress(packed))


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4, 4), "f8")
    layout[:] = h5py.VirtualSource("/dev/zero", "it", (4, 4))
    file.create_virtual_dataset("more", layout)


HOSTILE: dict[str, Callable[[h5py.File], object]] = {
    "2 GB chunk": lambda f: chunk(f, 16383, bytes(2**20)),
    "bomb": lambda f: chunk(f, 8, bytes(2**28)),
    "external link": lambda f: f.__setitem__("more", h5py.ExternalLink("other.h5", "/a")),
    "external link in a group": lambda f: f.create_group("g").__setitem__(
        "more", h5py.ExternalLink("/dev/zero", "/a")
    ),
    "soft link": lambda f: f.__setitem__("more", h5py.SoftLink("/more")),
    "external data": lambda f: f.create_dataset(
        "more", (64, 64), "f8", external=[("/dev/zero", 0, 2**15)]
    ),
    "virtual data": virtual,
    "terabytes": lambda f: f.create_dataset("more", (2**20, 2**20), "f8", chunks=(64, 64)),
    "long strings": lambda f: f.create_dataset("more", (2**20,), "S100000", chunks=(16,)),
    "many groups": lambda f: [f.create_group(f"g{i}") for i in range(10_001)],
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_map_file_is_refused_in_little_memory(case: str, tmp_path: Path) -> None:
    path = plain(tmp_path / "map.nc")
    with h5py.File(path, "a") as file:
        HOSTILE[case](file)
    for read in (read_map, read_prepared):
        with pytest.raises(MapFileError):
            read(path)
    script = (
        "import resource, sys; from gapscope.simulation.mapfile import load_netcdf\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: load_netcdf(sys.argv[1])\n"
        "except ValueError as error: print('refused:', error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    *words, grown = ended.stdout.splitlines()
    assert "refused" in words[0]
    assert int(grown) * (1 if sys.platform == "darwin" else 2**10) < 2**27


def test_a_map_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = plain(tmp_path / "map.nc")
    found = read_map(path)
    np.testing.assert_array_equal(found.qpi_re, np.arange(16.0).reshape(1, 4, 4))
    assert found.attrs["note"] == "a\nb"
    packed = {name: {"zlib": True, "shuffle": True} for name in VARIABLES}
    found.to_netcdf(tmp_path / "packed.nc", engine="h5netcdf", encoding=packed)
    assert read_map(tmp_path / "packed.nc").identical(found)


def test_an_attribute_without_values_is_no_fault(tmp_path: Path) -> None:
    path = plain(tmp_path / "map.nc")
    with h5py.File(path, "r+") as file:
        file.attrs["none"] = np.empty(0)
        file.attrs["null"] = h5py.Empty("f8")
    assert load_netcdf(path).attrs["none"].size == 0


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nc")
    for path in (tmp_path / "pipe.nc", Path("/dev/zero"), tmp_path):
        with pytest.raises(MapFileError, match=r"no regular file|directory"):
            read_map(path)


def test_the_kind_of_a_file_is_told_without_following_its_links(tmp_path: Path) -> None:
    """A link to a pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["ldos_change"] = h5py.ExternalLink(str(tmp_path / "pipe"), "/a")
    script = "import sys, pathlib; from gapscope.inference.kinds import kind_of\n"
    script += "print(kind_of(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", script, str(tmp_path / "linked.h5")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    assert ended.stdout == "map\n"
    with pytest.raises(MapFileError, match="ExternalLink"):
        read_map(tmp_path / "linked.h5")


def test_escapes_of_a_map_file_are_shown_as_text(tmp_path: Path) -> None:
    path = plain(tmp_path / "map.nc")
    with h5py.File(path, "a") as file:
        file.attrs["title"] = ESCAPE
        file["qpi_re"].attrs["units"] = ESCAPE
    found = load_netcdf(path)
    for text in (found.attrs["title"], found.qpi_re.attrs["units"]):
        assert text == "\\x1b]0;owned\\x07\\x1b[31m"


def test_no_error_writes_an_escape_to_the_terminal() -> None:
    for word in (ESCAPE, "\u202egnp.exe", "\x9b31m", "a\rb", "\u2028", "\ud800"):
        error = GapscopeError(f"rule {word}", f"got {word}", f"remedy {word}")
        for text in (str(error), error.rule, str(error.received), error.remedy):
            shown = text.replace("\n", "")
            assert shown.isprintable(), ascii(shown)
            assert word not in text
    assert "Å µ 波 \xa0\n\t" in str(GapscopeError("Å µ 波 \xa0\n\t"))
