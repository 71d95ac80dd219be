"""The inputs that the fuzzer kept go through ``open`` as any file does, and to their reader."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from gapscope.errors import MeasurementFileError
from gapscope.measured.readers import hdf5
from gapscope.measured.readers.limits import ReadOptions
from reader_contract import ATTEMPTS, READERS, check_contract
from runaway import bounded

CORPUS = Path(__file__).resolve().parents[1] / "fuzz" / "corpus"
BYTES, BYTES_TOGETHER = 300_000, 1_500_000
"""Sizes of the corpora."""


def replay(read: Callable[..., xr.Dataset], reader: str) -> bool:
    """Whether a file is read; anything but reading it by the contract or the one error fails."""
    for given in ATTEMPTS.get(reader, ({},)):
        try:
            with bounded():
                found = read(**given)
        except MeasurementFileError:
            found = None
        if found is not None:
            check_contract(found)
            return True
    return False


def by_its_reader(content: bytes, reader: str, **given: object) -> xr.Dataset:
    """As the fuzzer does: whatever the bytes begin with."""
    with np.errstate(all="ignore"):
        return READERS[reader].read(content, ReadOptions(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize("reader", [*READERS, "open"])
def test_what_the_fuzzer_kept_is_read_or_refused(
    reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reader in ("igor", "open"):
        pytest.importorskip("igor2")
    monkeypatch.setattr(hdf5, "SECONDS", 5)
    paths = sorted((CORPUS / reader).iterdir())
    read = [replay(partial(measured.open, path), reader) for path in paths]
    if reader not in ("hdf5", "open"):
        contents = [path.read_bytes() for path in paths]
        read += [replay(partial(by_its_reader, content, reader), reader) for content in contents]
    assert 0 < sum(read) < len(read)


def test_the_corpus_is_small() -> None:
    sizes = {
        folder.name: sum(path.stat().st_size for path in folder.iterdir())
        for folder in CORPUS.iterdir()
    }
    assert set(sizes) == {*READERS, "open"}
    assert max(sizes.values()) <= BYTES
    assert sum(sizes.values()) <= BYTES_TOGETHER
