"""How a refused file is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from gapscope import measured
from gapscope.errors import MeasurementFileError
from runaway import bounded


def refused(path: Path, rule: str, **given: object) -> MeasurementFileError:
    with bounded(), pytest.raises(MeasurementFileError, match=rule) as caught:
        measured.open(path, **given)  # type: ignore[arg-type]
    assert caught.value.received is not None
    assert caught.value.remedy
    return caught.value
