"""Density of states and spectral function: what one looks at before any map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from gapscope.accuracy import warn_of_budget, warn_of_grid
from gapscope.errors import NumericsError
from gapscope.kernel import calls
from gapscope.numerics import (
    Converged,
    Grid,
    choose_method,
    require_broadening,
    require_energies,
)
from gapscope.physics.specification import Specification


def density_of_states(
    specification: Specification,
    energies: Sequence[float],
    broadening: float,
    kgrid: int | None = None,
    *,
    method: Grid | Converged | str | None = None,
    accuracy: float | None = None,
) -> xr.DataArray:
    """-(1/pi) Im Tr_e g0(w) of the clean superconductor, (energy), in states per meV and site.

    Integrates over all energies to 2 per orbital (both spins).

    Parameters
    ----------
    energies, broadening : w and delta in meV.
    kgrid : points per side of a uniform grid, for the method grid.
    method : ``"converged"``, ``"grid"``, or either's settings (:class:`gapscope.Converged`,
        :class:`gapscope.Grid`); without it, grid where a kgrid is given, otherwise converged.
    accuracy : largest relative error at each energy, for the method converged.

    Returns
    -------
    DataArray with the coordinate ``energy`` and, by the method converged, ``relative_error``, the
    estimate at each energy, and ``rows``, the number of rows of k points that it took.

    Raises
    ------
    NumericsError : energies, broadening, accuracy or kgrid outside their rules, or that do not go
        together.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.

    Warns
    -----
    ConvergenceWarning : the grid does not resolve the broadening, or the accuracy was not reached.
    """
    values = np.asarray(require_energies(energies))
    require_broadening(broadening)
    method = choose_method(method, accuracy=accuracy, kgrid=kgrid)
    bonds = specification.bdg()
    coords = {"energy": ("energy", values, {"long_name": "energy", "units": "meV"})}
    if isinstance(method, Grid):
        warn_of_grid(specification, broadening, method)
        dos = calls.grid_states(bonds, energies=values, broadening=broadening, kgrid=method.kgrid)
    else:
        states = calls.converged_states(
            bonds, energies=values, broadening=broadening, **asdict(method)
        )
        if not states.reached.all():
            warn_of_budget(method, float(states.relative_error.max()))
        dos = states.dos
        coords |= {
            "relative_error": (
                "energy",
                states.relative_error,
                {"long_name": "estimated relative error of the density of states", "units": "1"},
            ),
            "rows": (
                "energy",
                states.rows,
                {"long_name": "rows of k points evaluated", "units": "1"},
            ),
        }
    return xr.DataArray(
        dos,
        dims="energy",
        coords=coords,
        name="dos",
        attrs={
            "long_name": "density of states",
            "units": "1/meV",
            "method": method.name,
            **asdict(method),
            "broadening": float(broadening),
            "broadening_units": "meV",
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
