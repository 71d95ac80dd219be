"""What a map may have been through before it is shown: a turn, a reversed axis, a sign, ...

A changed map has at the sites r what the map has at M r + s, interpolated linearly or by cubics
between sites, and zeros where nothing is known. A map that is laid on its sites as well as can be
is off by up to SLIGHT degrees and SLIGHTER of its scale all the same.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gapscope.physics.lattice import Lattice, window_coordinates

KINDS = ("turned", "reversed", "negative", "stretched", "moved", "scaled")
EMPTY, AS_IT_IS = "empty", ""
"""EMPTY: a map in which no impurity stands, of other fields with as much power in each Fourier
component as a map has, or of noise; where amplitudes are known, they tell that."""
SLIGHT, SLIGHTER = 0.7, 0.005
LEAST_TURN = 4.0
"""Degrees from the nearest turn of the lattice."""
STRETCH = (0.035, 0.15)
"""Ends of |c - 1|, c being the distance of sites in lattice constants."""
REACH = 3.0
"""Lattice constants by which the impurity may lie off r = 0."""
MAGNITUDE = (0.1, 6.0)
"""Ends of |log10 f|, f being a factor on the amplitude."""
STEEPEST = 3.0
"""Largest power with which the power spectrum of noise falls."""
REVERSAL = np.diag([-1.0, 1.0])

Array = NDArray[np.float64]
Maps = NDArray[np.float32]


def changed(one: Maps, kind: str, lattice: Lattice, rng: np.random.Generator) -> Maps:
    """A map (energies, L, L) changed as one of KINDS says, EMPTY, or AS_IT_IS, by a random
    amount."""
    if kind == EMPTY:
        return _emptied(one, lattice, rng)
    exact = rng.random() < 0.5  # sites stay on sites where the kind allows it
    order: Literal[1, 3] = 1 if rng.random() < 0.5 else 3
    sign = 1 if rng.random() < 0.5 else -1
    matrix, site = np.eye(2), np.zeros(2)
    if not exact:
        scale = 1 + rng.uniform(-SLIGHTER, SLIGHTER)
        matrix = scale * turn(lattice.vectors, rng.uniform(-SLIGHT, SLIGHT))
    if kind == "turned":
        period = turn_period(lattice)
        matrix = turn(lattice.vectors, rng.uniform(LEAST_TURN, period - LEAST_TURN)) @ matrix
    elif kind == "reversed":
        matrix = REVERSAL @ matrix
    elif kind == "stretched":
        matrix = (1 + sign * rng.uniform(*STRETCH)) * matrix
    elif kind == "moved":
        site = _site(lattice, rng, exact)
    elif kind == "negative":
        one = -one
    elif kind == "scaled":
        one = one * np.float32(10 ** (sign * rng.uniform(*MAGNITUDE)))
    if (matrix == np.eye(2)).all() and not site.any():
        return one
    return _resampled(one, matrix, site, order)


def _emptied(one: Maps, lattice: Lattice, rng: np.random.Generator) -> Maps:
    """Fields with random phases on the sites where a map is not zero; all energies have the same
    phases, or each its own."""
    size, inside = one.shape[-1], (one != 0).any(axis=0)
    fields = rng.standard_normal(one.shape)
    if rng.random() < 0.5:
        fields[:] = fields[0]
    phases = np.exp(1j * np.angle(np.fft.fft2(fields)))
    if rng.random() < 0.5:
        power = np.abs(np.fft.fft2(one))
    else:
        q = np.fft.fftfreq(size)
        q = np.stack(np.meshgrid(q, q, indexing="ij"), axis=-1) @ lattice.reciprocal
        length = np.maximum(np.linalg.norm(q, axis=-1), np.linalg.norm(lattice.reciprocal) / size)
        contrast = one.std(axis=(1, 2), keepdims=True)
        power = contrast * length ** (-rng.uniform(0, STEEPEST) / 2)
    field = np.fft.ifft2(power * phases).real
    field -= field[:, inside].mean(axis=1)[:, None, None]
    return np.where(inside, field, 0).astype(np.float32)


def kinds_of(lattice: Lattice) -> tuple[str, ...]:
    """KINDS without what a lattice's symmetry makes no change."""
    return tuple(kind for kind in KINDS if kind != "reversed" or not is_reversible(lattice))


def turn(vectors: Array, degrees: float) -> Array:
    """The matrix on coordinates, n of n1 b1 + n2 b2 with the rows b1 and b2, that turns the
    plane."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    basis = vectors.T
    return np.asarray(np.linalg.solve(basis, np.array([[cos, -sin], [sin, cos]]) @ basis))


def turn_period(lattice: Lattice) -> float:
    """The smallest turn, in degrees, that maps a lattice onto itself."""
    for degrees in (60.0, 90.0):
        matrix = turn(lattice.vectors, degrees)
        if np.allclose(matrix, matrix.round(), atol=1e-6):
            return degrees
    return 180.0


def is_reversible(lattice: Lattice) -> bool:
    """Whether reversing an axis of the array is a mirror of the lattice."""
    basis = lattice.vectors.T
    mirror = basis @ REVERSAL @ np.linalg.inv(basis)
    return bool(np.allclose(mirror @ mirror.T, np.eye(2), atol=1e-6))


def _site(lattice: Lattice, rng: np.random.Generator, whole: bool) -> Array:
    """A site off (0, 0) by half a lattice constant to REACH; ``whole``: one of the lattice's."""
    basis = lattice.vectors.T / lattice.constant
    reach = np.ceil(REACH * np.linalg.norm(np.linalg.inv(basis), axis=1))
    while True:
        site = rng.uniform(-reach, reach)
        site = site.round() if whole else site
        if 0.5 <= np.linalg.norm(basis @ site) <= REACH:
            return np.asarray(site)


def _resampled(one: Maps, matrix: Array, site: Array, order: Literal[1, 3]) -> Maps:
    """The map with the values at M r + s on the sites r; ``order`` of the polynomials between."""
    size = one.shape[-1]
    r = window_coordinates(size)
    places = np.tensordot(matrix, np.stack(np.meshgrid(r, r, indexing="ij")), 1)
    places = (places + site[:, None, None] + size // 2).round(9)
    return np.stack([ndimage.map_coordinates(each, places, order=order) for each in one])
