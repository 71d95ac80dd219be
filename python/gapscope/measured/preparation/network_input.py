"""From a corrected map to what a network reads: drho on lattice sites and its image rho(q).

Conventions are those of docs/conventions.md: sites r = r1 a1 + r2 a2 around a centre, r = 0 at
index L/2, rho(q) of the sites in the symmetric window (triangular: the open hexagon), in the
convention ``ldos``. a1 is the found lattice's, turned by the lattice's smallest rotation (60, 90 or
180 degrees) as often as asked for: the peaks alone do not tell these apart.
Values keep the units of the map: what a change of the density of states by 1/meV is in nA, the map
does not say. Structure finer than the lattice, noise too, is folded into the first zone, as in
theory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from gapscope.errors import PreparationError
from gapscope.measured.preparation.found import ANGSTROM, FoundLattice
from gapscope.measured.preparation.grid import Real, grid_of, sample
from gapscope.measured.preparation.lockin import amplitude_at
from gapscope.measured.preparation.symmetrise import symmetrise_sites
from gapscope.physics.fourier import qpi_image
from gapscope.physics.lattice import Lattice, check_window, symmetric_window, window_coordinates


def nearest_site(
    image: xr.DataArray, lattice: FoundLattice, point: Sequence[float], *, bright: bool = True
) -> Real:
    """The lattice site (x, y) in nm next to a point: the maximum of the Bragg waves there.

    Parameters
    ----------
    bright : whether atoms are bright; otherwise the minimum.
    """
    vectors = lattice.kind.bragg @ lattice.reciprocal
    grid, at = grid_of(image), np.asarray(point, dtype=np.float64)
    inside = np.clip(at, [grid.x[0], grid.y[0]], [grid.x[-1], grid.y[-1]])
    length = 2 * float(np.linalg.norm(lattice.vectors, axis=1).mean())
    waves = np.array([amplitude_at(image, b, length, inside) for b in vectors])
    sign = 1.0 if bright else -1.0
    # Points of one cell around the point, then ever finer around the best.
    fractions = (np.arange(24) - 11.5) / 24
    step = np.stack(np.meshgrid(fractions, fractions), axis=-1).reshape(-1, 2) @ lattice.vectors
    best = at
    for zoom in (1.0, 0.1, 0.01, 0.001):
        points = best + zoom * step
        height = sign * np.real(np.exp(1j * points @ vectors.T) @ waves)
        best = points[height.argmax()]
    # The cell is a parallelogram: one of its neighbours may be nearer.
    shifts = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ lattice.vectors
    distance = np.linalg.norm(best + shifts - at, axis=1)
    return np.asarray((best + shifts)[distance.argmin()])


def largest_window(image: xr.DataArray, lattice: FoundLattice, centre: Sequence[float]) -> int:
    """The largest even L whose symmetric window around a centre lies within the map; 0 if none."""
    grid = grid_of(image)
    at = np.asarray(centre, dtype=np.float64)
    low, high = np.array([grid.x[0], grid.y[0]]), np.array([grid.x[-1], grid.y[-1]])
    # The outermost sites of a window of L are (L/2 - 1) times those of a window of 4.
    outermost = np.argwhere(symmetric_window(lattice.perfect, 4)) - 2
    corners = outermost @ lattice.vectors
    room = np.minimum(at - low, high - at) + 1e-9
    if (room < 0).any():
        return 0
    return 2 * (int((room / np.abs(corners).max(axis=0)).min()) + 1)


def network_input(
    image: xr.DataArray,
    lattice: FoundLattice,
    size: int,
    centre: Sequence[float] | None = None,
    *,
    turns: int = 0,
    symmetry: str | None = None,
) -> xr.Dataset:
    """drho and rho(q) on the network's grids, like those of ``simulate`` for one energy.

    Parameters
    ----------
    lattice : found in this very map, after its correction.
    size : L, even.
    centre : the impurity's site (x, y) in nm; the middle of the map where not given.
    turns : turns of a1 by the lattice's smallest rotation, counterclockwise.
    symmetry : a point group of the lattice to average over, such as "C4v"; no average where not
        given.

    Returns
    -------
    xarray.Dataset with ``ldos_change`` (r1, r2) less its mean over the symmetric window, NaN
    outside of the map; ``qpi_re``, ``qpi_im`` (q1, q2); coordinates r1, r2, q1, q2 in units of a
    and b.

    Raises
    ------
    PreparationError : a window that does not fit into the map, a symmetry that is unknown or not
        the lattice's.
    NumericsError : an odd size.
    """
    check_window(size)
    middle = grid_of(image).middle
    at = middle if centre is None else np.asarray(centre, dtype=np.float64)
    fits = largest_window(image, lattice, at.tolist())
    if size > fits:
        raise PreparationError(
            "The window of lattice sites lies within the map.",
            f"{size} sites across, where {fits} fit around the centre",
            "Use a smaller window, another centre, or a larger map.",
        )
    r = window_coordinates(size)
    sites = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1)
    perfect, of = lattice.perfect, lattice.kind
    turned = np.linalg.matrix_power(of.turn, turns % of.order).T @ lattice.vectors
    values = sample(image, sites @ turned + at)
    inside = symmetric_window(perfect, size)
    values = values - values[inside].mean()
    if symmetry is not None:
        values = symmetrise_sites(values, symmetry, perfect)
    rho = qpi_image(values, perfect)
    units = {"units": str(image.attrs.get("units", "1"))}
    return xr.Dataset(
        {
            "ldos_change": (("r1", "r2"), values, {"long_name": "map on sites", **units}),
            "qpi_re": (("q1", "q2"), rho.real, {"long_name": "real part of rho(q)", **units}),
            "qpi_im": (("q1", "q2"), rho.imag, {"long_name": "imaginary part of rho(q)", **units}),
        },
        {"r1": r, "r2": r, "q1": r / size, "q2": r / size},
        {
            **perfect.to_dict(),
            "lattice_constant": _length(turned, perfect),
            "convention": "ldos",
            "centre": at.tolist(),
            "symmetry": symmetry or "none",
        },
    )


def _length(vectors: Real, perfect: Lattice) -> float:
    """|a1| in Angstrom, averaged with |a2| where the perfect lattice has them alike."""
    lengths, ideal = np.linalg.norm(vectors, axis=1), np.linalg.norm(perfect.vectors, axis=1)
    return float(lengths[np.isclose(ideal, ideal[0], rtol=1e-4)].mean() / ANGSTROM)
