"""Random parameters depend on (seed, sample id) alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gapscope.errors import RecipeError
from gapscope.physics import LABELS
from gapscope.problem.paper import PAPER_RANGES, paper_problem
from gapscope.problem.sampling import draw

FIXED = (0.3668507246444811, 66.08568058792304, 2.0142857524507503)
"""Gap, eps0 and theta of sample 3 of seed 2026, for ever."""
PAPER = paper_problem(PAPER_RANGES)


def test_a_sample_depends_on_seed_and_id_only() -> None:
    forward = [draw(PAPER, 7, i) for i in range(40)]
    backward = [draw(PAPER, 7, i) for i in reversed(range(40))][::-1]
    assert forward == backward
    assert draw(PAPER, 7, 12345) == draw(PAPER, 7, 12345)


def test_seeds_and_ids_are_independent() -> None:
    drawn = [draw(PAPER, seed, i).values["eps0"] for seed in range(30) for i in range(30)]
    assert len(set(drawn)) == len(drawn)


def test_the_draw_is_fixed_for_ever() -> None:
    """A changed generator would silently change every dataset made from an old recipe."""
    sample = draw(PAPER, 2026, 3)
    assert PAPER.labels[sample.label] == "Eg"
    values = [sample.values[name] for name in ("gap", "eps0", "theta")]
    assert (*values,) == pytest.approx(FIXED, rel=1e-15)


def test_classes_come_in_turn_and_a12u_alternates() -> None:
    samples = [draw(PAPER, 1, i) for i in range(100)]
    assert Counter(PAPER.labels[s.label] for s in samples) == dict.fromkeys(LABELS, 20)
    a12u = [s.member for s in samples if PAPER.labels[s.label] == "A12u"]
    assert a12u == [0, 1] * 10


def test_parameters_fill_their_ranges_evenly() -> None:
    samples = [draw(PAPER, 1, i) for i in range(2000)]
    for name, (low, high) in {"gap": (0.3, 1.5), "eps0": (-300.0, 100.0)}.items():
        values = np.array([s.values[name] for s in samples])
        assert ((values >= low) & (values < high)).all()
        quarters = np.histogram(values, 4, (low, high))[0] / len(values)
        assert quarters == pytest.approx([0.25] * 4, abs=0.05)
    theta = np.array([s.values["theta"] for s in samples if "theta" in s.values])
    assert ((theta >= 0) & (theta < np.pi)).all()
    assert np.ptp(theta) > 3.1


def test_only_irreps_with_an_angle_get_one_and_a2u_is_labelled_like_a1u() -> None:
    for i in range(200):
        sample = draw(PAPER, 1, i)
        assert ("theta" in sample.values) == (PAPER.labels[sample.label] != "A12u")
        factor = np.sqrt(3) if sample.member else 1.0
        assert sample.own_gap == pytest.approx(factor * sample.values["gap"], rel=1e-15)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"gap": (1.5, 0.3)}, "range of gap"),
        ({"gap": (0.0, 1.0)}, "positive"),
        ({"eps0": (0.0, float("inf"))}, "range of eps0"),
        ({"theta": (float("nan"), 1.0)}, "range of theta"),
        ({"theta": (0.0, 3.2)}, "theta repeats"),
    ],
)
def test_impossible_ranges_are_refused(change: dict[str, tuple[float, float]], rule: str) -> None:
    with pytest.raises(RecipeError, match=rule):
        paper_problem(dict(PAPER_RANGES) | change)
