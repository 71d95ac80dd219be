"""What the fuzzer runs on every input. Imports the readers late: they are instrumented before."""

from __future__ import annotations

import contextlib
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS, MEGABYTES = 2.0, 512


def one_input(reader: str) -> Callable[[bytes], None]:
    """The function under test: reads the input as ``open`` does and checks what it gives."""
    import numpy as np

    from gapscope import measured
    from gapscope.errors import MeasurementFileError
    from gapscope.measured.readers import hdf5, hdf5_child
    from gapscope.measured.readers.limits import ReadOptions
    from reader_contract import ATTEMPTS, READERS, check_contract

    def ask(content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        about, values = hdf5_child.answer(content, {**request, "max_values": 2**20})
        flat = [np.empty(0), *(one.reshape(-1) for one in values)]
        return json.loads(json.dumps(about)), np.concatenate(flat)

    def refuse(content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        return {"failed": "HDF5 is left to the fuzzer of its reader"}, np.empty(0)

    hdf5._ask = ask if reader == "hdf5" else refuse
    path = Path(tempfile.mkdtemp()) / "input" if reader == "open" else Path()
    attempts = ATTEMPTS.get(reader, ({},))

    def read(content: bytes, given: dict[str, Any]) -> Any:
        if reader == "open":
            path.write_bytes(content)
            return measured.open(path, **given)
        with np.errstate(all="ignore"):
            return READERS[reader].read(content, ReadOptions(**given))

    # The first file that is read imports what xarray imports late, which is not its fault.
    check_contract(READERS["text"].read(b"bias (mV)\tI (A)\n0\t1\n1\t2\n", ReadOptions()))

    def test(content: bytes) -> None:
        for given in attempts:
            start = time.process_time()
            found = None
            with contextlib.suppress(MeasurementFileError):
                found = read(content, given)
            taken = time.process_time() - start
            assert taken <= SECONDS, f"{taken:.1f} s"
            if found is not None:
                check_contract(found)
                return

    return test


def confirm(reader: str, path: Path) -> None:
    """Read one file again alone, HDF5 through ``open`` with its process: fails on a finding."""
    from gapscope import measured
    from gapscope.errors import MeasurementFileError
    from gapscope.measured.readers import hdf5
    from reader_contract import ATTEMPTS, check_contract

    if reader == "hdf5":
        hdf5.SECONDS = 5
        for given in ATTEMPTS.get(reader, ({},)):
            with contextlib.suppress(MeasurementFileError):
                check_contract(measured.open(path, **given))
    else:
        one_input(reader)(path.read_bytes())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MEGABYTES * 2**10
