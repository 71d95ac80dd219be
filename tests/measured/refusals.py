"""How a refused file is checked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gapscope import measured
from gapscope.errors import MeasurementFileError

SECONDS = 10.0


def refused(path: Path, rule: str, **given: object) -> MeasurementFileError:
    start = time.perf_counter()
    with pytest.raises(MeasurementFileError, match=rule) as caught:
        measured.open(path, **given)  # type: ignore[arg-type]
    assert time.perf_counter() - start < SECONDS
    assert caught.value.received is not None
    assert caught.value.remedy
    return caught.value
