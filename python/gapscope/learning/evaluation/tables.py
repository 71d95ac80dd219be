"""Tables as text; that of an evaluation is laid out as the paper's Table I."""

from __future__ import annotations

from collections.abc import Sequence

from gapscope.learning.evaluation.metrics import LEVEL, Estimate, Row

PAPER: dict[str, tuple[str, str, str, str]] = {
    "A1g": ("86", "0.01", "0.30", "0.07"),
    "A12u": ("94", "0.01", "/", "0.01"),
    "A2g": ("98", "0.01", "0.06", "0.02"),
    "Eg": ("98", "0.01", "0.01", "0.01"),
    "Eu": ("96", "0.01", "0.05", "0.01"),
}
"""Table I as printed: hit %, errors of gap in meV, theta in rad, eps0 in eV."""

HEADS = ("irrep", "maps", "hit [%]", "gap [meV]", "theta [rad]", "eps0 [eV]")


def table_text(rows: Sequence[Row]) -> str:
    """Hit rates and mean absolute errors with intervals; the paper's numbers under each."""
    cells = [HEADS]
    for row in rows:
        cells.append(
            (
                row.label,
                str(row.samples),
                _cell(row.hit, 0),
                _cell(row.gap, 3),
                "/" if row.theta is None else _cell(row.theta, 3),
                _cell(row.eps0, 4),
            )
        )
        cells.append(("  paper", "", *PAPER[row.label]))
    note = f"Mean absolute errors; {LEVEL:.0%} bootstrap intervals in brackets."
    return "\n".join([*aligned(cells), note])


def aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in columns, with a rule under the first, which holds the heads."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _cell(estimate: Estimate, digits: int) -> str:
    value, low, high = (f"{x:.{digits}f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"
