"""Values of maps at the pixels of a picture: the nearest site, atom or momentum of each."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.physics.fourier import atom_images
from gapscope.physics.group.lattice_operations import reduced_basis
from gapscope.physics.lattice import Lattice

SITES_SHOWN = 25
"""Half width, in lattice constants, of a picture of sites."""
CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
Real = NDArray[np.float64]


def plane(x: Real) -> Real:
    """Points (n, n, 2) of a square whose two coordinates have the same values."""
    return np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1)


def nearest(points: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.int64]:
    """Integer coordinates (..., 2) of the lattice point next to each Cartesian point (..., 2)."""
    # Among the four corners of a reduced cell is the nearest point of the lattice.
    short = reduced_basis(basis)
    cell = short @ basis
    parts = points @ np.linalg.inv(cell)
    corner = np.floor(parts)
    inside = (parts - corner) @ cell
    squares = [np.square(inside - one @ cell).sum(axis=-1) for one in CORNERS]
    corner += CORNERS[np.argmin(squares, axis=0)]
    return np.asarray(corner @ short).astype(np.int64)


def sites_reach(size: int, lattice: Lattice) -> float:
    """Half width in Angstrom of a picture of L x L sites."""
    return float(min(SITES_SHOWN, size // 4) * lattice.constant)


def momenta_at(lattice: Lattice, size: int, q: Real) -> NDArray[np.int64]:
    """The nearest momentum of an L x L image to each pixel, qx first, in 1/Angstrom.

    Whole numbers j, q = (j1 b1 + j2 b2) / L, not wrapped into the image.
    """
    return nearest(lattice.constant * plane(q), lattice.reciprocal / size)


def by_nearest_atom(maps: Real, places: Real, lattice: Lattice, x: Real) -> Real:
    """The density of the atom next to each pixel, x first, in Angstrom; NaN off the window.

    Parameters
    ----------
    maps : (atoms, L, L) of the atoms at reduced places (atoms, 2).
    """
    half = maps.shape[-1] // 2
    points = plane(x) / lattice.constant
    shown, least = np.full(points.shape[:2], np.nan), np.full(points.shape[:2], np.inf)
    for own, place in zip(maps, places, strict=True):
        away = points - place @ lattice.vectors
        sites = nearest(away, lattice.vectors)
        distance = np.linalg.norm(sites @ lattice.vectors - away, axis=-1)
        nearer = distance < least
        least[nearer] = distance[nearer]
        inside = ((sites >= -half) & (sites < half)).all(axis=-1)
        index = np.where(inside[..., None], sites + half, 0)
        values = np.where(inside, own[index[..., 0], index[..., 1]], np.nan)
        shown[nearer] = values[nearer]
    return shown


def sites_of_atoms(one: xr.Dataset, lattice: Lattice, x: Real) -> Real:
    """drho of several atoms at one energy around r = 0; see :func:`by_nearest_atom`."""
    return by_nearest_atom(one["ldos_change"].values, _places(one), lattice, x)


def image_of_atoms(one: xr.Dataset, lattice: Lattice, q: Real) -> Real:
    """Re rho(q) of several atoms at one energy, which is not periodic, at the pixels.

    It counts from the map's ``image_centre``, r = 0 in files that do not say it.
    """
    places = _places(one) - np.asarray(one.attrs.get("image_centre", (0.0, 0.0)))
    images = atom_images(one["ldos_change"].values, lattice, [(t1, t2) for t1, t2 in places])
    size = images.shape[-1]
    nodes = momenta_at(lattice, size, q)
    index = (nodes + size // 2) % size
    phases = np.exp(-2j * np.pi * np.moveaxis(nodes @ places.T, -1, 0) / size)
    shown = images[:, index[..., 0], index[..., 1]] * phases
    return np.asarray(shown.sum(axis=0).real)


def _places(one: xr.Dataset) -> Real:
    """Reduced places (atoms, 2) of the atoms of a map."""
    return np.stack([one["tau1"].values, one["tau2"].values], axis=-1)
