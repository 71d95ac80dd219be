"""What the networks of the page have ready before a visitor comes."""

from __future__ import annotations

import pytest

from gapscope.explore.judge import Judge
from gapscope.support.resources import MEASURED_MODEL, SHIPPED_MODEL


@pytest.mark.parametrize(("model", "reads"), [(SHIPPED_MODEL, True), (MEASURED_MODEL, False)])
def test_surfaces_are_factorised_where_answers_are_read_off_them(model: str, reads: bool) -> None:
    judge = Judge(model)
    judge.warm()
    emulators = judge._predictor.emulators
    assert emulators is not None
    assert [("weights" in vars(one)) for _, one in emulators.known] == [reads] * 5
