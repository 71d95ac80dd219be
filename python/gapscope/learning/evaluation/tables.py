"""Tables as text; that of an evaluation is laid out as the paper's Table I."""

from __future__ import annotations

from collections.abc import Sequence

from gapscope.learning.evaluation.metrics import LEVEL, Estimate, Row
from gapscope.learning.evaluation.paper_table import HITS_AND_ERRORS, PAPER_UNITS, is_of_paper
from gapscope.problem.problem import Problem
from gapscope.problem.unknown import Unknown


def table_text(rows: Sequence[Row], problem: Problem) -> str:
    """Hit rates and mean absolute errors with intervals, in each unknown's unit.

    For the paper's problem in the units of its Table I, whose numbers stand under each row.
    """
    own = {one.name: (one.unit, 1.0, one.digits) for one in problem.shown}
    columns = PAPER_UNITS if is_of_paper(problem) else own
    heads = [f"{name} [{unit}]" if unit != "1" else name for name, (unit, *_) in columns.items()]
    cells = [("irrep", "maps", "hit [%]", *heads)]
    for row in rows:
        errors = [
            _cell(row.errors[name], digits, unit) if name in row.errors else "/"
            for name, (_, unit, digits) in columns.items()
        ]
        cells.append((row.label, str(row.samples), _cell(row.hit, 0), *errors))
        if is_of_paper(problem):
            cells.append(("  paper", "", *HITS_AND_ERRORS[row.label]))
    note = f"Mean absolute errors; {LEVEL:.0%} bootstrap intervals in brackets."
    return "\n".join([*aligned(cells), note])


def head(unknown: Unknown) -> str:
    """Name and unit of a column, in the style of this table."""
    return unknown.name if unknown.unit == "1" else f"{unknown.name} [{unknown.unit}]"


def aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in columns, with a rule under the first, which holds the heads."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _cell(estimate: Estimate, digits: int, unit: float = 1.0) -> str:
    numbers = (estimate.value, estimate.low, estimate.high)
    value, low, high = (f"{x / unit:.{digits}f}" for x in numbers)
    return f"{value} [{low}, {high}]"
