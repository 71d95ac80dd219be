"""Which k-grid resolves a broadening."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from gapscope.physics.bonds import Bonds

SAMPLES = 48
BULK_SAMPLES = 16


def resolving_kgrid(bonds: Bonds, broadening: float) -> int:
    """Points per side at which neighbours on the grid differ in energy by the broadening at most.

    N = max_k |dE/dm| / delta, m reduced momentum along b1 or b2: the trapezoid rule's error
    then falls below about exp(-2 pi); delta in meV. States of a half-infinite crystal, those of its
    surface too, are no steeper than the bulk's bands at all k3.
    """
    return math.ceil(steepest(bonds) / broadening)


@lru_cache(maxsize=8)
def steepest(bonds: Bonds) -> float:
    """max_k |dE/dm| in meV: the largest eigenvalue of dH/dm on a coarse grid."""
    count, axes = BULK_SAMPLES if bonds.layered else SAMPLES, bonds.vectors.shape[1]
    m = np.arange(count) / count
    k = np.stack(np.meshgrid(*[m] * axes, indexing="ij"), axis=-1).reshape(-1, axes)
    phases = np.exp(2j * np.pi * (k @ bonds.vectors.T))
    fastest = 0.0
    for axis in (0, 1):
        slopes = 2j * np.pi * bonds.vectors[:, axis, None, None] * bonds.matrices
        velocity = np.linalg.eigvalsh(np.tensordot(phases, slopes, axes=1))
        fastest = max(fastest, float(np.abs(velocity).max()))
    return fastest
