"""A host that dies before the workers are there, too, is asked again a few times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from doubles import Formula, PlainMaps
from gapscope.dataset.deaths import RETRIES
from gapscope.dataset.merges import merge_candidates
from gapscope.dataset.recipe import load_recipe
from gapscope.errors import ClusterError, HostDiedError
from gapscope.physics import Specification
from gapscope.problem.problem import Problem
from gapscope.simulation.materials import material
from gapscope.simulation.numerics import Numerics
from gapscope.support.resources import find_recipe

RECIPE = load_recipe(find_recipe("bi2212"))


@dataclass(frozen=True)
class Dying(Formula):
    """The kernel's host dies under the first maps, so many times."""

    times: int = 0
    died: list[str] = field(default_factory=list)

    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> PlainMaps:
        if len(self.died) < self.times:
            self.died.append("killed by SIGKILL")
            raise HostDiedError("The kernel host must live.", self.died[-1])
        return super().maps(specifications, numerics)


def merged(simulator: Formula) -> Problem:
    bi2212 = material("bi2212")
    return merge_candidates(RECIPE.define(bi2212), RECIPE, bi2212, simulator)


def test_candidates_are_told_apart_although_the_host_dies() -> None:
    dying = Dying(times=RETRIES)
    assert merged(dying) == merged(Formula())
    assert len(dying.died) == RETRIES


def test_a_host_that_dies_again_and_again_is_given_up_before_the_build() -> None:
    dying = Dying(times=99)
    with pytest.raises(ClusterError, match=r"4 times: killed by SIGKILL[\s\S]*more memory"):
        merged(dying)
    assert len(dying.died) == RETRIES + 1
