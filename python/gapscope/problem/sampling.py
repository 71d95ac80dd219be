"""Random parameters that depend on (seed, sample id) alone, never on order or chunking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gapscope.problem.problem import Problem


@dataclass(frozen=True)
class Drawn:
    """One drawn parameter set.

    Parameters
    ----------
    label, member : number of its class, and of the candidate in it.
    values : of the class's unknowns, the gap in the class's normalisation.
    own_gap : the candidate's own, in meV; NaN where the gap is not unknown.
    """

    sample: int
    label: int
    member: int
    values: Mapping[str, float]
    own_gap: float


def draw(problem: Problem, seed: int, sample: int) -> Drawn:
    """Parameters of one sample id: classes in turn, their members in turn, and every unknown from
    a Philox generator of the key (seed, id)."""
    count = len(problem.classes)
    label = sample % count
    one = problem.classes[label]
    member = sample // count % len(one.members)
    generator = np.random.Generator(np.random.Philox(key=[seed, sample]))
    drawn = {u.name: u.drawn(generator.random()) for u in problem.unknowns}
    values = {name: drawn[name] for name in one.unknowns}
    own_gap = values.get("gap", np.nan) * one.members[member].factor
    return Drawn(sample, label, member, values, own_gap)
