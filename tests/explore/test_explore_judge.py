"""What the networks of the page have ready before a visitor comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gapscope.explore.judge import Judge
from gapscope.learning.emulator.by_irrep import Emulators
from gapscope.support.resources import MEASURED_MODEL, SHIPPED_MODEL


@pytest.mark.parametrize(("model", "reads"), [(SHIPPED_MODEL, True), (MEASURED_MODEL, False)])
def test_surfaces_are_factorised_where_answers_are_read_off_them(model: str, reads: bool) -> None:
    judge = Judge(model)
    whole = judge._predictor.emulators
    assert whole is not None
    # A few maps are enough: to factorise all of them takes seconds each.
    few = Emulators(
        tuple(
            replace(one, points=one.points[:20], targets=one.targets[:20]) for _, one in whole.known
        )
    )
    judge._predictor = replace(judge._predictor, emulators=few)
    judge.warm()
    assert [("weights" in vars(one)) for _, one in few.known] == [reads] * 5
