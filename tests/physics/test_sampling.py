"""Random parameters depend on (seed, sample id) alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gapscope.dataset.sampling import Sampler
from gapscope.errors import SpecificationError
from gapscope.physics import LABELS

FIXED = (0.3668507246444811, 66.08568058792304, 2.0142857524507503)
"""Gap, eps0 and theta of sample 3 of seed 2026, for ever."""
RANGES = {"gap": (0.3, 1.5), "eps0": (-300.0, 100.0)}


def test_a_sample_depends_on_seed_and_id_only() -> None:
    forward = [Sampler(7, **RANGES).draw(i) for i in range(40)]
    sampler = Sampler(7, **RANGES)
    backward = [sampler.draw(i) for i in reversed(range(40))][::-1]
    assert forward == backward
    assert sampler.draw(12345) == Sampler(7, **RANGES).draw(12345)


def test_seeds_and_ids_are_independent() -> None:
    drawn = [Sampler(seed, **RANGES).draw(i).eps0 for seed in range(30) for i in range(30)]
    assert len(set(drawn)) == len(drawn)


def test_the_draw_is_fixed_for_ever() -> None:
    """A changed generator would silently change every dataset made from an old recipe."""
    sample = Sampler(2026, **RANGES).draw(3)
    assert (sample.label, sample.irrep) == ("Eg", "Eg")
    assert (sample.gap, sample.eps0, sample.theta) == pytest.approx(FIXED, rel=1e-15)


def test_classes_come_in_turn_and_a12u_alternates() -> None:
    samples = [Sampler(1, **RANGES).draw(i) for i in range(100)]
    assert Counter(s.label for s in samples) == dict.fromkeys(LABELS, 20)
    a12u = [s.irrep for s in samples if s.label == "A12u"]
    assert a12u == ["A1u", "A2u"] * 10


def test_parameters_fill_their_ranges_evenly() -> None:
    samples = [Sampler(1, **RANGES).draw(i) for i in range(2000)]
    for name, (low, high) in {"labelled_gap": (0.3, 1.5), "eps0": (-300.0, 100.0)}.items():
        values = np.array([getattr(s, name) for s in samples])
        assert ((values >= low) & (values < high)).all()
        quarters = np.histogram(values, 4, (low, high))[0] / len(values)
        assert quarters == pytest.approx([0.25] * 4, abs=0.05)
    theta = np.array([s.theta for s in samples if s.theta is not None])
    assert ((theta >= 0) & (theta < np.pi)).all()
    assert np.ptp(theta) > 3.1


def test_only_irreps_with_an_angle_get_one_and_a2u_is_labelled_like_a1u() -> None:
    for i in range(200):
        sample = Sampler(1, **RANGES).draw(i)
        assert (sample.theta is None) == (sample.label == "A12u")
        factor = np.sqrt(3) if sample.irrep == "A2u" else 1.0
        assert sample.gap == pytest.approx(factor * sample.labelled_gap, rel=1e-15)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"gap": (1.5, 0.3)}, "range of gap"),
        ({"gap": (0.0, 1.0)}, "positive"),
        ({"eps0": (0.0, float("inf"))}, "range of eps0"),
        ({"theta": (float("nan"), 1.0)}, "range of theta"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"seed": 1.5}, "seed"),
    ],
)
def test_impossible_ranges_and_seeds_are_refused(change: dict[str, object], rule: str) -> None:
    with pytest.raises(SpecificationError, match=rule):
        Sampler(**({"seed": 1, **RANGES} | change))  # type: ignore[arg-type]
