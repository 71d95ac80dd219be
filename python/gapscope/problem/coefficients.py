"""Coefficients of a state over basis functions, and the angles that name them.

One function has the coefficients (1,), or (cos theta, exp(i phi) sin theta) over two partners. Two
functions have the first's times cos(mix) and the second's times exp(i phase) sin(mix), with angles
theta_1, phi_1 and theta_2, phi_2 of their partners. An overall phase changes no map.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Coefficients = NDArray[np.complex128]
ZERO = 1e-9


def angle_names(functions: int, partners: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Angles that a state needs, and those that are zero where nothing is said."""
    if functions == 1:
        return (("theta",), ("phi",)) if partners == 2 else ((), ())
    own = range(1, functions + 1) if partners == 2 else ()
    return ("mix", *(f"theta_{n}" for n in own)), ("phase", *(f"phi_{n}" for n in own))


def coefficients(angles: Mapping[str, float], functions: int, partners: int) -> Coefficients:
    """(functions, partners), of length 1."""
    weights = np.ones(1) if functions == 1 else _pair(angles["mix"], angles.get("phase", 0.0))
    rows = []
    for number in range(1, functions + 1):
        tail = "" if functions == 1 else f"_{number}"
        rows.append(
            np.ones(1)
            if partners == 1
            else _pair(angles[f"theta{tail}"], angles.get(f"phi{tail}", 0.0))
        )
    return np.asarray(weights[:, None] * np.stack(rows), dtype=np.complex128)


def angles_of(state: Coefficients) -> dict[str, float]:
    """Inverse of :func:`coefficients`: theta and mix in [0, pi), phases in (-pi/2, pi/2]."""
    functions, partners = state.shape
    if partners == 1:
        if functions == 1:
            return {}
        mix, phase, _ = _angles(state[:, 0])
        return {"mix": mix, "phase": phase}
    found: dict[str, float] = {}
    weights = []
    for number, row in enumerate(state, start=1):
        tail = "" if functions == 1 else f"_{number}"
        found[f"theta{tail}"], found[f"phi{tail}"], common = _angles(row)
        weights.append(common)
    if functions > 1:
        found["mix"], found["phase"], _ = _angles(np.array(weights))
    return found


def _pair(angle: float, phase: float) -> NDArray[np.complex128]:
    turned = complex(np.cos(phase), np.sin(phase)) if phase else 1.0
    return np.array([np.cos(angle), turned * np.sin(angle)], dtype=np.complex128)


def _angles(pair: Coefficients) -> tuple[float, float, complex]:
    """Angle, phase, and the number that the pair is (cos, exp(i phase) sin) times."""
    size = float(np.linalg.norm(pair))
    first, second = pair
    if abs(first) < ZERO * size:
        return float(np.pi / 2), 0.0, complex(second)
    relative = second / first
    phase = float(np.angle(relative)) if abs(relative) > ZERO else 0.0
    sign = 1.0
    if phase > np.pi / 2 + ZERO or phase <= -np.pi / 2 + ZERO:
        phase, sign = phase - np.pi * np.sign(phase), -1.0
    if abs(phase) < ZERO:
        phase = 0.0
    angle = float(np.arctan(sign * abs(relative)) % np.pi)
    return angle, phase, complex(first / np.cos(angle))
