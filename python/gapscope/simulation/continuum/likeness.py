"""Whether a function on a grid looks like the orbital that it is taken for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.orbitals import CHARACTERS, Orbital, harmonic
from gapscope.simulation.continuum.volume import Volume

Real = NDArray[np.float64]
OWN = 0.8
"""Least part of its weight in harmonics of the orbital's l that a function has in the orbital's."""
SOME = 0.02
"""The same of its weight in all harmonics up to l = 3."""


def unlike(volume: Volume, orbital: Orbital, place: Real, lattice: Real) -> str:
    """In which way a function is not that of an orbital; "" where nothing shows it.

    Its centre of weight is in another cell, or the function has, sphere by sphere around the
    place, less of the orbital's harmonic than of others of its l.

    Parameters
    ----------
    place : the orbital's (3,), in Angstrom.
    lattice : rows a1, a2 (2, 2).
    """
    away = _centre(volume) - place
    cell = lattice if volume.cell is None else volume.cell
    cells = np.rint(away[: len(cell)] @ np.linalg.inv(cell))
    if cells.any():
        x, y, z = (away + place).round(2).tolist()
        return f"its centre ({x:g}, {y:g}, {z:g}) Angstrom is not in the cell of the orbital"
    if orbital.angular_momentum == 0:
        return ""
    weights = _weights(volume, place, radius_of(lattice))
    own, whole = weights[orbital.character], sum(weights.values())
    alike = sum(w for name, w in weights.items() if CHARACTERS[name] == orbital.angular_momentum)
    if own >= OWN * alike and own >= SOME * whole:
        return ""
    others = [name for name in weights if name != orbital.character]
    others = sorted(others, key=lambda name: -weights[name])[:2]
    parts = ", ".join(f"{weights[name] / whole:.0%} {name}" for name in others)
    return f"around the orbital's place it is {own / whole:.0%} {orbital.character}, {parts}"


def radius_of(lattice: Real) -> float:
    """Half of the shortest lattice vector: what is nearer belongs to an orbital's place."""
    return float(np.linalg.norm(lattice, axis=1).min()) / 2


def _centre(volume: Volume) -> Real:
    """Centre of weight |W|^2."""
    weight = np.square(volume.values)
    index = [
        np.arange(n) @ weight.sum(axis=tuple({0, 1, 2} - {axis})) / weight.sum()
        for axis, n in enumerate(weight.shape)
    ]
    return np.asarray(volume.origin + np.array(index) @ volume.steps)


def projected(volume: Volume, orbital: Orbital, place: Real, radius: float) -> float:
    """The overlap with the function that Wannier90 projects on, Y_m exp(-r / 1 Angstrom).

    In parts of that of the amplitudes. Its sign is that of the function in the Hamiltonian, which
    comes from the projections, while a plot is made positive where it is largest.
    """
    values, unit, r = _around(volume, place, radius)
    start = harmonic(orbital.character, unit) * np.exp(-r)
    whole = float(np.abs(values * start).sum())
    return float((values * start).sum()) / whole if whole else 0.0


def _weights(volume: Volume, place: Real, radius: float) -> dict[str, float]:
    """int dr r^2 (int dOmega W Y_m)^2 around a place, of every real harmonic."""
    values, unit, r = _around(volume, place, radius)
    width = 1.5 * float(np.linalg.norm(volume.steps, axis=1).max())
    shell = (r / width).astype(np.intp)
    points = np.maximum(np.bincount(shell), 1)
    found = {}
    for name, ell in CHARACTERS.items():
        amplitude = np.bincount(shell, values * harmonic(name, unit)) / points
        found[name] = (2 * ell + 1) * float(np.sum(points * amplitude**2))
    return found


def _around(volume: Volume, place: Real, radius: float) -> tuple[Real, Real, Real]:
    """Values, directions (n, 3) and distances of the grid's points around a place."""
    back = np.linalg.inv(volume.steps)
    middle, half = (place - volume.origin) @ back, radius * np.linalg.norm(back, axis=0)
    box = [
        slice(max(0, int(np.floor(m - h))), max(0, int(np.ceil(m + h)) + 1))
        for m, h in zip(middle, half, strict=True)
    ]
    axes = [np.arange(n)[one] for n, one in zip(volume.values.shape, box, strict=True)]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    away = (index.reshape(-1, 3) @ volume.steps + volume.origin) - place
    r = np.linalg.norm(away, axis=1)
    inside = (r < radius) & (r > 0)
    values = volume.values[tuple(box)].reshape(-1)[inside]
    return values, away[inside] / r[inside, None], r[inside]
