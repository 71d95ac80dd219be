"""Specification + numerics -> maps, as xarray with units and provenance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import NumericsError
from gapscope.kernel.calls import Maps
from gapscope.physics.kinds import require_kind
from gapscope.physics.specification import Specification, require_specification
from gapscope.simulation.accuracy import warn_of_budget, warn_of_grid
from gapscope.simulation.atoms import layers_of
from gapscope.simulation.map_dataset import Convention, map_dataset, require_convention
from gapscope.simulation.map_request import MapRequest
from gapscope.simulation.numerics import Converged, Grid, Numerics, require_numerics
from gapscope.simulation.provenance import versions

__all__ = ["Convention", "Converged", "Grid", "Maps", "Numerics", "simulate", "simulate_batch"]


def simulate_batch(
    specifications: Sequence[Specification],
    numerics: Numerics,
    *,
    progress: bool = False,
    layers: NDArray[np.int64] | None = None,
) -> Maps:
    """Maps of many parameter sets in one call of the kernel.

    Parameters
    ----------
    progress : compute a few energies at a time; tell on stderr how long it will take, where that
        is more than a few seconds, and show a bar if it is a terminal.
    layers : for each row of the electrons' matrices, the number (from 0) of the map that it is
        counted in; without it all are in one.

    Raises
    ------
    SpecificationError : anything but specifications and numerics.
    NumericsError : an empty batch, materials with different numbers of orbitals, an impurity
        outside the window, or what does not fit into memory.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    require_kind(specifications, (list, tuple), "A batch", "[specification, ...]")
    for one in specifications:
        require_specification(one)
    require_numerics(numerics)
    orbitals = {spec.material.orbitals for spec in specifications}
    if len(orbitals) != 1:
        raise NumericsError(
            "A batch holds at least one specification, all with the same number of orbitals.",
            f"{len(specifications)} specifications with {sorted(orbitals)} orbitals",
            "Simulate them one by one.",
        )
    request = MapRequest(
        [spec.bdg() for spec in specifications],
        [spec.scatterers() for spec in specifications],
        numerics,
        layers,
    )
    for scatterers in request.impurities:
        _require_inside(scatterers.sites, numerics.window)
    request.require_memory()
    return request.compute(progress)


def _require_inside(sites: NDArray[np.int64], window: int) -> None:
    half = window // 2
    outside = [tuple(r) for r in sites.tolist() if not all(-half <= x < half for x in r)]
    if outside:
        raise NumericsError(
            f"Impurities stand on sites of the window, r1 and r2 from {-half} to {half - 1}.",
            outside,
            "Use a larger window, or sites nearer to r = 0.",
        )


def simulate(
    specification: Specification,
    numerics: Numerics,
    convention: Convention = "ldos",
    *,
    by_orbital: bool = False,
    progress: bool = False,
) -> xr.Dataset:
    """QPI maps of one superconductor with its impurities.

    drho(r; w) = -(1/pi) Im sum_ab Tr_e[G(r - R_a) T_ab G(R_b - r)] over the impurities' sites R,
    with T = V (1 - g V)^-1, g_ab = G(R_a - R_b) (paper, section II B, for one on r = 0), and its
    image rho(q; w) by one of two conventions: ``ldos``, the Fourier transform of drho (what an
    instrument's software computes), or ``paper``, eq. 12, where the imaginary part is taken after
    the Fourier sum; they differ where the state lacks in-plane inversion (A1u, A2u, Eu).

    Where the cell holds several atoms, ``ldos_change`` has an axis ``atom`` after the energy: each
    one's density stands at r + tau (x and y; tau1, tau2 and height say where in the cell), and
    rho(q) = sum_atoms sum_r exp(-i q.(r + tau - c)) drho_atom(r), which is not periodic in q. The
    attribute ``image_centre`` is c in reduced coordinates, the middle of the atoms that scatter.

    Parameters
    ----------
    by_orbital : add ``ldos_change_orbital`` (energy, orbital, r1, r2) and ``dos_orbital``, both
        spins of each orbital.
    progress : tell on stderr how long a long computation takes, and show a bar on a terminal.

    Returns
    -------
    xarray.Dataset with ``ldos_change`` (energy, r1, r2), ``qpi_re``, ``qpi_im`` (energy, q1, q2)
    and ``dos`` (energy), all in states per meV and site. Coordinates: energy in meV, integer sites
    r1, r2, reduced momenta q1, q2 in units of b1, b2; x, y in Angstrom, qx, qy in 1/Angstrom. The
    scalar variable ``specification`` holds all parameters as JSON.

    Raises
    ------
    SpecificationError : anything but a specification and numerics.
    NumericsError : an unknown convention, or what does not fit into memory.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    require_specification(specification)
    require_numerics(numerics)
    require_convention(convention)
    layers = layers_of(specification.material, by_orbital)
    maps = simulate_batch([specification], numerics, progress=progress, layers=layers)
    _warn(specification, numerics, maps)
    return map_dataset(specification, numerics, maps, convention, by_orbital, versions())


def _warn(specification: Specification, numerics: Numerics, maps: Maps) -> None:
    """Say so where a map is not as accurate as it should be."""
    method, convergence = numerics.method, maps.convergence
    if isinstance(method, Grid):
        warn_of_grid(specification, numerics.broadening, method, stacklevel=4)
    elif convergence is not None and not convergence.reached.all():
        warn_of_budget(method, float(convergence.larger.max()), stacklevel=4)
