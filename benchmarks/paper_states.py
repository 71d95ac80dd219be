"""States of the paper's problem by their own names, for benchmarks that are about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gapscope.dataset.recipe import Recipe
from gapscope.problem.paper import PAPER_RANGES, paper_problem
from gapscope.problem.sampling import draw


@dataclass(frozen=True)
class PaperState:
    """A drawn state: ``gap`` as it enters eqs 6-11 and ``labelled_gap`` that of its class, in meV;
    theta in rad, None where the irrep has none; eps0 in meV."""

    label: str
    irrep: str
    gap: float
    labelled_gap: float
    theta: float | None
    eps0: float


def paper_state(
    seed: int, sample: int, ranges: Mapping[str, Sequence[float]] = PAPER_RANGES
) -> PaperState:
    """The state of a seed and a sample id in some ranges."""
    problem = paper_problem(ranges)
    drawn = draw(problem, seed, sample)
    one = problem.classes[drawn.label]
    values = drawn.values
    return PaperState(
        one.label,
        one.members[drawn.member].candidate,
        drawn.own_gap,
        values["gap"],
        values.get("theta"),
        values["eps0"],
    )


def ranges_of(recipe: Recipe) -> Mapping[str, Sequence[float]]:
    """Those of a recipe's unknowns."""
    return {one.name: (one.low, one.high) for one in recipe.unknowns}
