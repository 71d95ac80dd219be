"""Damage by the hundred: a file is read as the contract says or refused, with little work.

Run as a script with a number of seconds, it goes on for that long with new seeds.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gapscope import measured
from gapscope.errors import MeasurementFileError
from gapscope.measured.readers import hdf5
from measured_files import FORMATS
from reader_contract import check_contract
from runaway import bounded

MUTATIONS = 150
SLOW = dict.fromkeys(("plain.h5", "packed.nc", "several.nc"), 10) | dict.fromkeys(
    ("a--1_1.Z_mtrx", "createc.dat", "point.VERT", "scan.nid", "scan.par", "scan.spm", "stack.gsi"),
    60,
)
"""Fewer for formats that are read in a process of their own or block by block, or that are long."""
BYTES = 2**26
NUMBERS = (b"0", b"-1", b"99999999", b"1e308", b"nan", b"inf", b"4294967296", b"2147483647", b"")
WORDS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x7f\xff\xff\xff", b"\0\0\0\x80")


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The content with one to four kinds of damage, most of it in the first half kilobyte."""
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        if not damaged:
            break
        reach = len(damaged) if rng.random() < 0.3 else min(len(damaged), 512)
        at, kind = int(rng.integers(reach)), int(rng.integers(8))
        length = int(rng.integers(1, 64))
        if kind == 0:
            damaged[at] = int(rng.integers(256))
        elif kind == 1:
            damaged[at] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            del damaged[int(rng.integers(len(damaged))) :]
        elif kind == 3:
            del damaged[at : at + length]
        elif kind == 4:
            damaged[at:at] = damaged[at : at + length]
        elif kind == 5:
            damaged[at:at] = rng.bytes(length)
        elif kind == 6:
            damaged[at : at + 4] = WORDS[rng.integers(len(WORDS))]
        else:
            digits = [i for i, byte in enumerate(damaged[:4096]) if 48 <= byte <= 57]
            if digits:
                i = digits[rng.integers(len(digits))]
                damaged[i : i + 1] = NUMBERS[rng.integers(len(NUMBERS))]
    return bytes(damaged)


def attempt(path: Path, content: bytes, given: dict[str, float]) -> bool:
    """Whether the content is read; anything but reading it or the one error fails, and so
    does much memory."""
    path.write_bytes(content)
    tracemalloc.start()  # for the reader alone: it doubles the time of what runs
    try:
        with bounded():
            found = measured.open(path, **given)
    except MeasurementFileError:
        found = None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < BYTES
    if found is not None:
        check_contract(found)
    return found is not None


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_read_or_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name.endswith(".ibw"):
        pytest.importorskip("igor2")
    monkeypatch.setattr(hdf5, "SECONDS", 5)
    make, given = FORMATS[name]
    content, rng = make(), np.random.default_rng([*name.encode()])
    mutations = SLOW.get(name, MUTATIONS)
    assert attempt(tmp_path / name, content, given)
    read = sum(attempt(tmp_path / name, mutated(content, rng), given) for _ in range(mutations))
    assert read < mutations


def run(seconds: float, seed: int) -> None:
    """Go on for some time; the seed of a failure is printed before it is raised."""
    hdf5.SECONDS = 5
    until, counts = time.monotonic() + seconds, dict.fromkeys(FORMATS, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < until:
            for name, (make, given) in FORMATS.items():
                if name in SLOW and seed % 40:
                    continue
                content = mutated(make(), np.random.default_rng([seed, *name.encode()]))
                Path(folder, "last").write_bytes(content)
                try:
                    read = attempt(Path(folder, name), content, given)
                except BaseException:
                    print(f"{name}, seed {seed}: {content!r}", flush=True)
                    raise
                tried, whole = counts[name]
                counts[name] = (tried + 1, whole + read)
            seed += 1
    for name, (tried, whole) in counts.items():
        print(f"{name}: {tried} files, {whole} read")


if __name__ == "__main__":
    run(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
