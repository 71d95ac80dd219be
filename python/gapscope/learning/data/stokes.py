"""A state of two components as a network learns it: a point on the Poincare sphere.

The state (cos a, exp(i p) sin a), with the angle a = theta or mix and the phase p = phi or phase,
has the Stokes parameters (Born and Wolf, Principles of Optics, section 1.4)

    s1 = cos 2a,    s2 = sin 2a cos p,    s3 = sin 2a sin p,

the same for (pi - a, p + pi), which is the same state, and no seam anywhere. Where c^* around -J
gives the map of c around J (:mod:`gapscope.problem.representative`), s3 and the moment are taken
with the signs that make s3 positive: these have a seam at s3 = 0 alone, where a map does not know
the sign of J.

Angles that stand for such a pair are learned in three columns, s2 and s1 in place of the sine and
the cosine of a, and s3; a class whose state is real has s2 = sin 2a and no s3.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import TrainingError
from gapscope.problem.moves import ALONG_Z
from gapscope.problem.problem import Problem
from gapscope.problem.unknown import Unknown

Array = NDArray[np.float64]
Values = Mapping[str, Array]
PAIRS = {"phi": "theta", "phase": "mix"}
"""Phases, with their angles."""
ROUNDING = 9
"""Digits of radians within which two names lie equally far out of their ranges."""


def sphere_of(problem: Problem) -> tuple[str, str] | None:
    """Names of angle and phase that are learned together; None where a problem has no such pair.

    Raises
    ------
    TrainingError : a class whose phase is unknown while its angle is not, or which has more than
        two components.
    """
    names = {one.name for one in problem.unknowns}
    for phase, angle in PAIRS.items():
        if phase not in names:
            continue
        other = PAIRS.keys() - {phase}
        for index, one in enumerate(problem.classes):
            if phase not in one.unknowns:
                continue
            pair = angle in one.unknowns and problem.components(index) == 2
            if not pair or other & {*one.unknowns}:
                raise TrainingError(
                    "Stokes parameters are those of a state of two components whose angle and"
                    " phase are unknown.",
                    f"{one.label} with {', '.join(one.unknowns)}",
                    'Say targets = "angles".',
                )
        return angle, phase
    return None


def to_sphere(angle: Array, phase: Array) -> tuple[Array, Array, Array]:
    """s2, s1, s3 of angles in rad; phases that are NaN are of real states, whose s3 is NaN."""
    real = np.isnan(phase)
    return (
        np.sin(2 * angle) * np.where(real, 1.0, np.cos(phase)),
        np.cos(2 * angle),
        np.sin(2 * angle) * np.sin(phase),
    )


def from_sphere(s2: Array, s1: Array, s3: Array) -> tuple[Array, Array]:
    """Angle in [0, pi) and phase in [-pi/2, pi/2] of vectors of any length but zero."""
    sign = np.where(s2 < 0, -1.0, 1.0)
    angle = np.arctan2(sign * np.hypot(s2, s3), s1) / 2
    return angle % np.pi, np.arctan2(sign * s3, np.abs(s2))


def turned_moment(values: Values, rows: NDArray[np.bool_]) -> dict[str, Array]:
    """Those of the unknowns that belong to the moment, with -J for J in some rows."""
    turned = {}
    for name, value in values.items():
        if name == ALONG_Z:
            turned[name] = np.where(rows, -value, value)
        elif name == "moment_polar":
            turned[name] = np.where(rows, np.pi - value, value)
        elif name == "moment_azimuth":
            turned[name] = np.where(rows, value + np.pi, value)
    return turned


def in_range(
    values: Values, angle: Unknown, phase: Unknown, reversible: bool, rows: NDArray[np.bool_]
) -> dict[str, Array]:
    """Unknowns of states, of each the first name that lies in the ranges, else the nearest to them,
    in some rows."""
    a, p, nothing = values[angle.name], values[phase.name], np.zeros(len(rows), dtype=bool)
    options = [(a, p, nothing), (np.pi - a, p + np.pi, nothing)]
    if reversible:
        # The name whose phase is not negative comes first.
        negative = p < 0
        options = [
            (first, np.where(negative, -second, second), negative) for first, second, _ in options
        ]
        options += [(first, -second, ~reverse) for first, second, reverse in options]
    outside = [_outside(angle, one) + _outside(phase, two) for one, two, _ in options]
    chosen = np.round(outside, ROUNDING).argmin(axis=0)
    first, second, reverse = (np.stack(part) for part in zip(*options, strict=True))
    every = np.arange(len(rows))
    new = {angle.name: first[chosen, every], phase.name: second[chosen, every]}
    new |= turned_moment(values, reverse[chosen, every])
    return {name: np.where(rows, value, values[name]) for name, value in new.items()}


def _outside(unknown: Unknown, values: Array) -> Array:
    """How far values lie out of a circle's range, in rad."""
    past, width = (values - unknown.low) % unknown.period, unknown.high - unknown.low
    return np.where(past <= width, 0.0, np.minimum(past - width, unknown.period - past))
