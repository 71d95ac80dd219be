"""Impurities at random sites, and the sum of their maps where each scatters alone.

Sites are integer coordinates (r1, r2) of docs/conventions.md. Exact maps of several impurities,
with scattering from site to site, are those of ``gapscope.simulate`` with ``Impurity`` terms on
sites.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import NumericsError, SettingError
from gapscope.physics.lattice import Lattice, check_window, named, window_coordinates

Sites = NDArray[np.int64]


def window_positions(size: int, lattice: Lattice | str = "triangular") -> NDArray[np.float64]:
    """Cartesian positions of a window's sites in lattice constants, (size, size, 2)."""
    r = window_coordinates(size)
    return np.asarray(np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1) @ named(lattice).vectors)


def scaled_positions(size: int, lattice: Lattice | str) -> NDArray[np.float64]:
    """Positions of a window's sites over the longer one of a1 and a2, (size, size, 2)."""
    longest = round(float(np.linalg.norm(named(lattice).vectors, axis=1).max()), 12)
    return window_positions(size, lattice) / longest


def random_sites(
    region: ArrayLike,
    rng: np.random.Generator,
    *,
    density: float | None = None,
    number: int | None = None,
    least_distance: float = 0.0,
    lattice: Lattice | str = "triangular",
) -> Sites:
    """Sites of impurities, (n, 2), the first one (0, 0): random sequential addition.

    Sites of the region are tried in a random order, each taken where no impurity is nearer than the
    least distance (J. Feder, J. Theor. Biol. 87, 237 (1980)).

    Parameters
    ----------
    region : sites (m, 2) on which impurities may stand; (0, 0) is one whether it lies there or not.
    density : impurities per site besides the one on (0, 0); their number is Poisson distributed.
    number : number of all impurities, in place of a density.
    least_distance : smallest distance of two, in lattice constants.

    Raises
    ------
    SettingError : neither or both of density and number, values out of range, or more impurities
        than the least distance leaves room for.
    """
    sites = np.asarray(region, dtype=np.int64).reshape(-1, 2)
    if (density is None) == (number is None):
        raise SettingError(
            "Either a density or a number of impurities is given.",
            f"density {density}, number {number}",
            "Give one of them.",
        )
    wanted = number
    if density is not None:
        if not 0 <= density < 1:
            raise SettingError(
                "A density of impurities is a share of the sites, 0 <= density < 1.",
                density,
                "Give for example 0.002.",
            )
        wanted = 1 + int(rng.poisson(density * len(sites)))
    if wanted is None or wanted < 1 or not least_distance >= 0:
        raise SettingError(
            "There is at least one impurity, and the least distance is not negative.",
            f"number {number}, least distance {least_distance}",
            "Change them.",
        )
    taken = np.zeros((1, 2), dtype=np.int64)
    vectors = named(lattice).vectors
    for site in sites[rng.permutation(len(sites))]:
        if len(taken) >= wanted:
            break
        distance = np.linalg.norm((taken - site) @ vectors, axis=1).min()
        # One site has room for one impurity, whatever the least distance.
        if distance >= max(least_distance - 1e-9, 0.5):
            taken = np.concatenate([taken, site[None]])
    if len(taken) < wanted:
        raise SettingError(
            f"{len(sites)} sites have room for impurities {least_distance:g} lattice constants"
            " apart.",
            f"{wanted} impurities, of which {len(taken)} found a place",
            "Lower the density or the least distance.",
        )
    return taken


def superpose(single: NDArray[np.floating], sites: ArrayLike, size: int) -> NDArray[np.float64]:
    """drho(r) = sum_j drho_1(r - R_j), (..., size, size), of one impurity's map (..., W, W).

    What scatters from impurity to impurity is left out: exact for distant or weak impurities.
    Nothing wraps around.

    Parameters
    ----------
    single : drho_1 of an impurity on r = 0, which lies at index W/2.
    sites : R_j, (n, 2).
    size : sites per side of the result; W is at least size + 2 max |R_j|.

    Raises
    ------
    NumericsError : an odd size, or a map of one impurity that does not reach as far as needed.
    """
    check_window(size)
    full = single.shape[-1]
    check_window(full)
    shifts = np.asarray(sites, dtype=np.int64).reshape(-1, 2)
    room = (full - size) // 2
    needed = int(np.abs(shifts).max(initial=0))
    if single.shape[-2] != full or needed > room:
        raise NumericsError(
            "The map of one impurity reaches from every site of the window to every impurity.",
            f"{single.shape[-2]} x {full} sites, where {size + 2 * needed} are needed",
            "Simulate it on a larger window, or put the impurities nearer to r = 0.",
        )
    total = np.zeros((*single.shape[:-2], size, size))
    for r1, r2 in shifts.tolist():
        rows, columns = (slice(room - r, room - r + size) for r in (r1, r2))
        total += single[..., rows, columns]
    return total
