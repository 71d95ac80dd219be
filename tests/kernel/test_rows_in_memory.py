"""Rows that are kept while maps converge stay within the memory that there is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import gapscope as gs
from gapscope.errors import NumericsError
from gapscope.simulation import rows_in_memory
from gapscope.simulation.effort import Effort
from gapscope.simulation.green import _effort
from gapscope.simulation.map_request import MapRequest

STATE = gs.Specification(
    gs.material("nbse2"), gs.Pairing("A1u", 1.0), gs.Impurity.scalar(50.0), eps0=20.0
)
NUMERICS = gs.Numerics([0.3], 0.1, 16, method=gs.Converged(1e-5))
ROWS = 1500


def only(rows: int, effort: Effort, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory for so many rows, beside what else a request takes."""
    left = effort.memory - effort.kept + (rows + 0.5) * effort.row
    monkeypatch.setattr(rows_in_memory, "available_memory", lambda: left)


@pytest.mark.parametrize("result", ["map", "green"])
def test_rows_beyond_memory_end_with_numbers_and_a_remedy_that_works(
    result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if result == "map":
        compute = gs.simulate
        effort = MapRequest([STATE.bdg()], [STATE.scatterers()], NUMERICS).effort()
    else:
        compute = gs.green_function
        effort = _effort(STATE.bdg(), NUMERICS, NUMERICS.window // 2)
    only(ROWS, effort, monkeypatch)
    with pytest.raises(NumericsError, match=r"fits into the memory.*, or it ends") as caught:
        compute(STATE, NUMERICS)
    size = re.search(
        rf"1e-05; {ROWS} rows of k points take ([\d.]+) GB", str(caught.value.received)
    )
    assert size is not None
    assert float(size[1]) == pytest.approx(ROWS * effort.row / 1e9, rel=0.01)
    remedy = re.search(r"accuracy = ([\d.e-]+), or free memory", caught.value.remedy)
    assert remedy is not None
    compute(STATE, replace(NUMERICS, method=gs.Converged(float(remedy[1]))))


def test_a_budget_that_ends_before_memory_does_is_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = replace(NUMERICS, method=gs.Converged(1e-5, budget=ROWS))
    effort = MapRequest([STATE.bdg()], [STATE.scatterers()], few).effort()
    only(ROWS, effort, monkeypatch)
    with pytest.warns(gs.errors.ConvergenceWarning, match=f"not reached with {ROWS} rows"):
        gs.simulate(STATE, few)
