"""The operations of a lattice in the plane, as integer matrices on (r1, r2)."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

METRIC = 1e-4
"""Largest relative change of a lattice's metric under one of its operations."""


def reduced_basis(vectors: NDArray[np.float64]) -> NDArray[np.int64]:
    """Integer rows whose products with a1, a2 are the shortest vectors (Lagrange and Gauss)."""
    basis = np.eye(2, dtype=np.int64)
    while True:
        one, two = basis @ vectors
        if two @ two < (one @ one) * (1 - 1e-9):
            basis = basis[::-1]
            continue
        steps = int(np.rint(one @ two / (one @ one)))
        if steps == 0 or abs(one @ two) <= (0.5 + 1e-9) * (one @ one):
            return basis
        basis = np.stack([basis[0], basis[1] - steps * basis[0]])


def lattice_operations(vectors: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """All W with r -> W r that keep the metric; the identity first.

    Parameters
    ----------
    vectors : rows a1, a2.
    """
    basis = reduced_basis(vectors)
    short = basis @ vectors
    metric = short @ short.T
    back = np.rint(np.linalg.inv(basis)).astype(np.int64)
    found = []
    # Between vectors of a reduced basis an operation's entries are -1, 0 or 1.
    for entries in product((0, 1, -1), repeat=4):
        w = np.array(entries).reshape(2, 2)
        if abs(round(float(np.linalg.det(w)))) != 1:
            continue
        if np.abs(w.T @ metric @ w - metric).max() < METRIC * metric.max():
            found.append(basis.T @ w @ back.T)
    identity = np.eye(2, dtype=np.int64)
    return sorted(found, key=lambda w: (not np.array_equal(w, identity), w.tolist()))


def isometry(operation: NDArray[np.int64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 2) orthogonal matrix on (x, y) of an integer matrix on (r1, r2)."""
    plane = vectors.T @ operation @ np.linalg.inv(vectors.T)
    left, _, right = np.linalg.svd(plane)
    return np.asarray(left @ right)
