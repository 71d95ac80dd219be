"""From values on lattice sites to an STM image on pixels.

Every site carries a Gaussian orbital of width sigma (standard deviation):

    I(x) = sum_r f_r phi(x - R_r) / Z,  phi(x) = exp(-|x|^2 / 2 sigma^2),  Z = sum_R phi(R),

R_r = r1 a1 + r2 a2 + origin. Equal values f are recovered on the sites, I(R_r) = f; others up to
their neighbours' share, 6 exp(-a^2 / 2 sigma^2), which is 0.2 % at sigma = 0.25 a, 2.3 % at 0.3 a.
Between the sites the image is lower: the lattice's corrugation, with Bragg peaks at b relative to
q = 0 by exp(-b^2 sigma^2 / 2) (Poisson's sum). The image is a function of x, evaluated where it is
wanted: distorted scans need no interpolation of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import SettingError
from gapscope.physics.lattice import Lattice, check_window, named

Real = NDArray[np.float64]
ANGSTROM = 0.1
"""One Angstrom in nm."""
REACH = 6.0
"""Standard deviations of an orbital beyond which it is zero: 1.5e-8 of its height."""
NEAR = 1.7
"""Lattice constants to which atoms around a site are counted: sqrt3 away, where a triangular
lattice has its second neighbours, they weigh 6e-4 at a width of 0.45."""


@dataclass(frozen=True)
class Field:
    """What a scan covers, in nm, with pixels at x = 0, step, ...; the fast axis is x.

    Attributes
    ----------
    width, height : sides in nm.
    columns, rows : pixels along x and y.
    angle : angle of a1 against x, in degrees, counterclockwise: minus the angle of the scan frame.
    origin : where the site r = 0 lies, (x, y) in nm; the middle where not given.

    Raises
    ------
    SettingError : no area, fewer than two pixels, or numbers that are not finite.
    """

    width: float = 20.0
    height: float = 20.0
    columns: int = 256
    rows: int = 256
    angle: float = 0.0
    origin: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        numbers = (self.width, self.height, self.angle, *(self.origin or ()))
        if not (np.isfinite(numbers).all() and min(self.width, self.height) > 0):
            raise SettingError("A field of view has finite sides.", self, "Give them in nm.")
        if min(self.columns, self.rows) < 2:
            raise SettingError(
                "An image has at least two pixels per side.",
                f"{self.columns} x {self.rows}",
                "Use for example 256.",
            )

    @property
    def centre(self) -> Real:
        """(x, y) of the site r = 0 in nm."""
        return np.array(self.origin or self.middle.tolist(), dtype=np.float64)

    @property
    def middle(self) -> Real:
        """(x, y) between the first and the last pixel, in nm."""
        last = np.array([self.columns, self.rows]) - 1
        return np.asarray(last * self.step / 2)

    @property
    def step(self) -> Real:
        """Width and height of a pixel in nm."""
        return np.array([self.width / self.columns, self.height / self.rows])

    @property
    def points(self) -> Real:
        """(x, y) of all pixels in nm, (rows, columns, 2)."""
        width, height = self.step
        return np.stack(
            np.meshgrid(width * np.arange(self.columns), height * np.arange(self.rows)), axis=-1
        )

    def vectors(self, constant: float, lattice: Lattice | str = "triangular") -> Real:
        """Rows a1, a2 in nm of a lattice with a constant in Angstrom."""
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        turn = np.array([[c, s], [-s, c]])
        return np.asarray(ANGSTROM * constant * named(lattice).vectors @ turn)

    def image(self, values: Real, name: str, units: str, long_name: str) -> xr.DataArray:
        """Values (rows, columns) as ``gapscope.measured.open`` would give them."""
        coords = {}
        for axis, count, step in zip("yx", values.shape, self.step[::-1], strict=True):
            coords[axis] = (axis, float(step) * np.arange(count, dtype=np.float64), {"units": "nm"})
        return xr.DataArray(
            values, coords, ("y", "x"), name, {"units": units, "long_name": long_name}
        )


def orbital(squared: Real, width: float) -> Real:
    """phi = exp(-|x|^2 / 2 width^2) of squared distances |x|^2."""
    return np.asarray(np.exp(-squared / (2 * width**2)))


def orbital_sum(width: float, lattice: Lattice | str = "triangular") -> float:
    """Z = sum_R phi(R), width in lattice constants."""
    _, distance = _sites(width, lattice)
    return float(orbital(distance**2, width).sum())


def render(
    values: NDArray[np.floating],
    points: Real,
    vectors: Real,
    width: float,
    lattice: Lattice | str = "triangular",
) -> Real:
    """I(x) at points (..., 2) in nm from the site r = 0.

    Parameters
    ----------
    values : f_r over a window (L, L), r = 0 at index L/2.
    vectors : rows a1, a2 in nm.
    width : sigma in lattice constants, from 0.05 to 1.

    Raises
    ------
    SettingError : a width out of range, or points whose orbitals lie outside of the window.
    """
    size = values.shape[-1]
    check_window(size)
    if not 0.05 <= width <= 1:
        raise SettingError(
            "The width of an orbital lies between 0.05 and 1 lattice constants.",
            width,
            "Use for example 0.3.",
        )
    constant = float(np.linalg.norm(vectors[0]))
    reduced = points @ np.linalg.inv(vectors)
    nearest = np.rint(reduced).astype(np.int64)
    rest = (reduced - nearest) @ vectors / constant
    offsets = _stencil(width, lattice)
    index = nearest + size // 2
    reach = np.abs(offsets).max()
    if index.min() < reach or index.max() >= size - reach:
        needed = 2 * (int(np.abs(nearest).max()) + int(reach) + 1)
        raise SettingError(
            "The map over the sites covers the field of view.",
            f"{size} sites per side, where {needed} are needed",
            "Simulate a larger window, or use a smaller field.",
        )
    image = np.zeros(points.shape[:-1])
    for offset in offsets:
        distance = rest - offset @ vectors / constant
        weight = orbital(np.square(distance).sum(axis=-1), width)
        image += weight * values[index[..., 0] + offset[0], index[..., 1] + offset[1]]
    return image / orbital_sum(width, lattice)


def misplaced(values: Real, error: Real, width: float, lattice: Lattice | str) -> Real:
    """I(R_r + e(r)) over all sites r of a window, from each one's atom and its neighbours.

    For small errors e; :func:`render` takes any points.

    Parameters
    ----------
    values : f_r, (..., L, L). Beyond the rim the sites of the other side stand in, at a small
        weight.
    error : e(r) in lattice constants, (L, L, 2).
    width : sigma in lattice constants, up to 0.45.
    """
    mixed, norm = np.zeros_like(values), 0.0
    vectors = named(lattice).vectors
    for d1, d2 in _neighbours(lattice):
        away = np.array([d1, d2]) @ vectors
        weight = orbital(np.square(error - away).sum(axis=-1), width)
        norm += float(orbital(np.square(away).sum(), width))
        mixed += weight * np.roll(values, (-d1, -d2), axis=(-2, -1))
    return mixed / norm


@cache
def _neighbours(lattice: Lattice | str) -> tuple[tuple[int, int], ...]:
    """Sites nearer than NEAR to r = 0, from the nearest on, counterclockwise from x."""
    sites, distance = _sites(NEAR / REACH, lattice)
    near = distance < NEAR
    x, y = (sites[near] @ named(lattice).vectors).T
    angle = np.round(np.arctan2(y, x) % (2 * np.pi), 6) % round(2 * np.pi, 6)
    order = np.lexsort((angle, np.round(distance[near], 6)))
    return tuple((int(a), int(b)) for a, b in sites[near][order])


def _stencil(width: float, lattice: Lattice | str) -> NDArray[np.int64]:
    """Sites (n, 2) that a point whose nearest integer coordinates are (0, 0) may see."""
    # Rounded coordinates leave a point within half the longer diagonal of the cell.
    longest = float(np.linalg.norm(named(lattice).vectors.sum(axis=0))) / 2
    sites, distance = _sites(width, lattice)
    return sites[distance <= REACH * width + longest]


def _sites(width: float, lattice: Lattice | str) -> tuple[NDArray[np.int64], Real]:
    reach = int(np.ceil((REACH * width + 1) * 2 / np.sqrt(3)))
    r = np.arange(-reach, reach + 1)
    sites = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1).reshape(-1, 2)
    return sites, np.linalg.norm(sites @ named(lattice).vectors, axis=1)
