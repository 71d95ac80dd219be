"""Which k-grid resolves a broadening, and which broadening the rows of a surface resolve."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from gapscope.errors import NumericsError
from gapscope.physics.bonds import Bonds
from gapscope.simulation.numerics import Converged, Grid

MOST_SAMPLES = 2**17
"""Points of a row of a surface, at most (dense_rows.jl)."""
SAMPLES = 48
BULK_SAMPLES = 16


def resolving_kgrid(bonds: Bonds, broadening: float) -> int:
    """Points per side at which neighbours on the grid differ in energy by the broadening at most.

    N = max_k |dE/dm| / delta, m reduced momentum along b1 or b2: the trapezoid rule's error
    then falls below about exp(-2 pi); delta in meV. States of a half-infinite crystal, those of its
    surface too, are no steeper than the bulk's bands at all k3.
    """
    return math.ceil(steepest(bonds) / broadening)


def require_resolved_rows(bonds: Bonds, broadening: float, method: Grid | Converged) -> None:
    """Raise NumericsError where the method converged cannot resolve a half-infinite crystal.

    Its rows have branch cuts and are sampled; with so many points as :func:`resolving_kgrid` tells,
    aliases are about exp(-2 pi).
    """
    if isinstance(method, Grid) or not bonds.layered:
        return
    sizes = np.linalg.norm(bonds.matrices, axis=(1, 2))
    bound = 2 * np.pi * (np.abs(bonds.vectors[:, :2]).T @ sizes).max()
    if bound <= MOST_SAMPLES * broadening or resolving_kgrid(bonds, broadening) <= MOST_SAMPLES:
        return
    least = steepest(bonds) / MOST_SAMPLES
    digits = 1 - math.floor(math.log10(least))
    enough = math.ceil(least * 10**digits) / 10**digits
    raise NumericsError(
        "Rows of a surface are sampled by the method converged, with at most"
        f" {MOST_SAMPLES} points.",
        f"broadening = {broadening:g} meV, which takes {resolving_kgrid(bonds, broadening)}",
        f"Use a broadening of {enough:g} meV or more.",
    )


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
