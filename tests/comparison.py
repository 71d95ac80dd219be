"""States, impurities and a distance that several tests share; nothing here uses gapscope."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

TAU3 = np.diag([1, 1, -1, -1])
PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
STATES: list[tuple[str, dict[str, float]]] = [
    ("A1g", {"theta": 0.4}),
    ("A2g", {"theta": 0.4}),
    ("A1u", {}),
    ("A2u", {}),
    ("Eg", {"theta": 0.4, "phi": 0.3}),
    ("Eg", {"theta": 0.4, "theta_s": 0.2, "phi_s": 0.5, "theta_t": 0.7, "phi_t": 0.9}),
    ("Eu", {"theta": 0.4, "phi": 0.3}),
]


def magnetic(*moment: float) -> NDArray[np.complex128]:
    """V = diag(J.sigma, -(J.sigma)^T)."""
    m = np.tensordot(moment, PAULI, axes=1)
    return np.kron(np.diag([1, 0]), m) - np.kron(np.diag([0, 1]), m.T)


def difference(one: ArrayLike, two: ArrayLike) -> float:
    """Largest deviation relative to the largest value of the second."""
    return float(np.abs(np.asarray(one) - two).max() / np.abs(two).max())
