"""The paper's Table I, which stands under the numbers for the paper's own problem."""

from __future__ import annotations

from gapscope.problem.problem import Problem

HITS_AND_ERRORS: dict[str, tuple[str, str, str, str]] = {
    "A1g": ("86", "0.01", "0.30", "0.07"),
    "A12u": ("94", "0.01", "/", "0.01"),
    "A2g": ("98", "0.01", "0.06", "0.02"),
    "Eg": ("98", "0.01", "0.01", "0.01"),
    "Eu": ("96", "0.01", "0.05", "0.01"),
}
"""As printed: hit %, errors of the unknowns in the order of tables and in PAPER_UNITS."""

MEV_PER_EV = 1000.0
PAPER_UNITS: dict[str, tuple[str, float, int]] = {
    "gap": ("meV", 1.0, 3),
    "theta": ("rad", 1.0, 3),
    "eps0": ("eV", MEV_PER_EV, 4),
}
"""Its unknowns: unit, that unit in gapscope's, digits that are printed here."""


def is_of_paper(problem: Problem) -> bool:
    """Whether a problem is the one that the table is about."""
    unknowns = tuple(one.name for one in problem.shown)
    return problem.labels == tuple(HITS_AND_ERRORS) and unknowns == tuple(PAPER_UNITS)
