"""Density of states and spectral function: what one looks at before any map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from gapscope.errors import NumericsError
from gapscope.kernel import calls
from gapscope.numerics import require_broadening, require_energies, require_kgrid
from gapscope.physics.specification import Specification


def density_of_states(
    specification: Specification, energies: Sequence[float], broadening: float, kgrid: int
) -> xr.DataArray:
    """-(1/pi) Im Tr_e g0(w) of the clean superconductor, (energy), in states per meV and site.

    Integrates over all energies to 2 per orbital (both spins).

    Raises
    ------
    NumericsError : energies, broadening or kgrid outside their rules.
    """
    values = np.asarray(require_energies(energies))
    require_broadening(broadening)
    require_kgrid(kgrid)
    dos = calls.density_of_states(
        specification.bdg(), energies=values, broadening=broadening, kgrid=kgrid
    )
    return xr.DataArray(
        dos,
        dims="energy",
        coords={"energy": ("energy", values, {"long_name": "energy", "units": "meV"})},
        name="dos",
        attrs={
            "long_name": "density of states",
            "units": "1/meV",
            "broadening": float(broadening),
            "kgrid": int(kgrid),
        },
    )


def spectral_function(
    specification: Specification,
    momenta: ArrayLike,
    energies: Sequence[float],
    broadening: float,
) -> xr.DataArray:
    """A(k, w) = -(1/pi) Im Tr_e G(k, w), states per meV, at reduced momenta.

    Parameters
    ----------
    momenta : (..., 2) in units of b1, b2: a path (n, 2) or a grid (n, m, 2).

    Returns
    -------
    DataArray (k, energy) for a path, (k1, k2, energy) for a grid, with coordinates kx, ky in
    1/Angstrom.

    Raises
    ------
    NumericsError : momenta without a last axis of two finite numbers, or bad energies.
    """
    points = np.asarray(momenta, dtype=np.float64)
    if points.ndim not in (2, 3) or points.shape[-1] != 2 or not np.isfinite(points).all():
        raise NumericsError(
            "Momenta are finite reduced coordinates (m1, m2): an array (n, 2) or (n, m, 2).",
            points.shape,
            "Build them with gapscope.physics.path or a mesh of m1, m2.",
        )
    values = np.asarray(require_energies(energies))
    require_broadening(broadening)
    spectral = calls.spectral_function(
        specification.bdg(), points.reshape(-1, 2), energies=values, broadening=broadening
    )
    dims = ("k",) if points.ndim == 2 else ("k1", "k2")
    lattice = specification.material.lattice
    cartesian = lattice.momentum(points) / lattice.constant
    return xr.DataArray(
        spectral.reshape(*points.shape[:-1], len(values)),
        dims=(*dims, "energy"),
        coords={
            "energy": ("energy", values, {"long_name": "energy", "units": "meV"}),
            "kx": (dims, cartesian[..., 0], {"long_name": "kx", "units": "1/Angstrom"}),
            "ky": (dims, cartesian[..., 1], {"long_name": "ky", "units": "1/Angstrom"}),
        },
        name="spectral_function",
        attrs={
            "long_name": "spectral function",
            "units": "1/meV",
            "broadening": float(broadening),
        },
    )
