"""Density of states and spectral function: what one looks at before any map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import NumericsError
from gapscope.kernel import calls
from gapscope.physics.bonds import Bonds
from gapscope.physics.specification import Specification, require_specification
from gapscope.simulation.accuracy import grid_states_error, warn_of_budget, warn_of_grid_states
from gapscope.simulation.atoms import orbital_names
from gapscope.simulation.effort import spectral_effort, states_effort
from gapscope.simulation.kgrid import require_resolved_rows
from gapscope.simulation.numerics import (
    Converged,
    Grid,
    choose_method,
    require_broadening,
    require_energies,
)
from gapscope.simulation.trial import other_method, states_seconds
from gapscope.support.memory import require_memory
from gapscope.support.progress import in_chunks

Part = TypeVar("Part")
LONG_NAME = "density of states"
TOGETHER = 64
"""Momenta that are computed together at least, where progress is shown."""


def density_of_states(
    specification: Specification,
    energies: Sequence[float],
    broadening: float,
    kgrid: int | None = None,
    *,
    method: Grid | Converged | str | None = None,
    accuracy: float | None = None,
    by_orbital: bool = False,
    estimate: bool = True,
    progress: bool = False,
) -> xr.DataArray:
    """-(1/pi) Im Tr_e g0(w) of the clean superconductor, (energy), in states per meV and site.

    Integrates over all energies to 2 per orbital (both spins). With ``by_orbital`` it is
    (energy, orbital), whose sum over the orbitals it is without.

    Parameters
    ----------
    energies, broadening : w and delta in meV.
    kgrid : points per side of a uniform grid, for the method grid.
    method : ``"converged"``, ``"grid"``, or either's settings (:class:`gapscope.Converged`,
        :class:`gapscope.Grid`); without it, grid where a kgrid is given, otherwise converged.
    accuracy : largest relative error at each energy, for the method converged.
    by_orbital : each orbital's own; the estimate of the error stays that of their sum.
    estimate : estimate a grid's error, which takes longer than a coarse grid itself; without it,
        ``relative_error`` is NaN and nothing is warned of. The converged method estimates anyway.
    progress : tell on stderr how long a long computation will take, and show a bar on a terminal.

    Returns
    -------
    DataArray with the coordinates ``energy`` and ``relative_error``, the estimate at each energy,
    and, by the method converged, ``rows``, the number of rows of k points that it took.

    Raises
    ------
    SpecificationError : anything but a specification.
    NumericsError : energies, broadening, accuracy or kgrid outside their rules, or that do not go
        together, or what does not fit into memory.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.

    Warns
    -----
    ConvergenceWarning : the grid is off by more than 0.005, or the accuracy was not reached.
    """
    require_specification(specification)
    values = np.asarray(require_energies(energies))
    require_broadening(broadening)
    method = choose_method(method, accuracy=accuracy, kgrid=kgrid)
    bonds = specification.bdg()
    require_resolved_rows(bonds, broadening, method)
    _require_states_memory(bonds, tuple(values.tolist()), broadening, method)

    def in_turn(compute: Callable[[NDArray[np.float64]], Part]) -> list[tuple[list[int], Part]]:
        """Results of some energies each, all at once where nobody wants to see how it goes on."""
        if not progress:
            return [(list(range(len(values))), compute(values))]
        everything = tuple(values.tolist())
        chunks = in_chunks(
            [[n] for n in range(len(values))],
            "energy/energies",
            lambda: states_seconds(bonds, everything, broadening, method),
            other_method(method),
        )
        return [(chunk, compute(values[chunk])) for chunk in chunks]

    coords: dict[str, Any] = {"energy": ("energy", values, {"long_name": "energy", "units": "meV"})}
    dos, error = np.empty(len(values)), np.empty(len(values))
    components = np.empty((len(values), bonds.dimension // 2))
    if isinstance(method, Grid):
        grid = method

        def on_grid(w: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
            one = {"energies": w, "broadening": broadening, "kgrid": grid.kgrid}
            found, parts = calls.grid_states(bonds, **one)  # type: ignore[arg-type]
            if not estimate:
                return found, parts, np.full(len(w), np.nan)
            its_error = grid_states_error(bonds, found, **one)  # type: ignore[arg-type]
            return found, parts, its_error

        for chunk, (some, parts, its_error) in in_turn(on_grid):
            dos[chunk], components[chunk], error[chunk] = some, parts, its_error
        if estimate:
            warn_of_grid_states(bonds, broadening, method, values, error)
    else:
        settings = asdict(method)
        rows, reached = np.empty(len(values), np.int64), True
        for chunk, states in in_turn(
            lambda w: calls.converged_states(bonds, energies=w, broadening=broadening, **settings)
        ):
            dos[chunk], error[chunk] = states.dos, states.relative_error
            components[chunk], rows[chunk] = states.components, states.rows
            reached &= bool(states.reached.all())
        if not reached:
            warn_of_budget(method, float(error.max()))
        named = {"long_name": "rows of k points evaluated", "units": "1"}
        coords["rows"] = ("energy", rows, named)
    told = {"long_name": "estimated relative error of the density of states", "units": "1"}
    coords["relative_error"] = ("energy", error, told)
    dims, name, total = ["energy"], "dos", dos
    if by_orbital:
        dims, name = ["energy", "orbital"], "dos_orbital"
        total = components.reshape(len(values), 2, -1).sum(axis=1)
        coords["orbital"] = ("orbital", orbital_names(specification.material), {})
    return xr.DataArray(
        total,
        dims=dims,
        coords=coords,
        name=name,
        attrs={
            "long_name": LONG_NAME + (" by orbital" if by_orbital else ""),
            "units": "1/meV",
            "method": method.name,
            **asdict(method),
            "broadening": float(broadening),
            "broadening_units": "meV",
        },
    )


def _momenta(given: ArrayLike) -> NDArray[np.float64]:
    try:
        points = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim not in (2, 3) or points.shape[-1] != 2 or not np.isfinite(points).all():
        raise NumericsError(
            "Momenta are finite reduced coordinates (m1, m2): an array (n, 2) or (n, m, 2).",
            f"{given!r:.200}",
            "Build them with gapscope.physics.path or a mesh of m1, m2.",
        )
    return points


def spectral_function(
    specification: Specification,
    momenta: ArrayLike,
    energies: Sequence[float],
    broadening: float,
    *,
    progress: bool = False,
) -> xr.DataArray:
    """A(k, w) = -(1/pi) Im Tr_e G(k, w), states per meV, at reduced momenta.

    Parameters
    ----------
    momenta : (..., 2) in units of b1, b2: a path (n, 2) or a grid (n, m, 2).
    progress : as for :func:`density_of_states`.

    Returns
    -------
    DataArray (k, energy) for a path, (k1, k2, energy) for a grid, with coordinates kx, ky in
    1/Angstrom.

    Raises
    ------
    SpecificationError : anything but a specification.
    NumericsError : momenta without a last axis of two finite numbers, bad energies, or
        what does not fit into memory.
    """
    require_specification(specification)
    points = _momenta(momenta)
    values = np.asarray(require_energies(energies))
    require_broadening(broadening)
    bonds, flat = specification.bdg(), points.reshape(-1, 2)
    _require_spectral_memory(bonds, len(flat), len(values))

    def compute(some: NDArray[np.float64]) -> NDArray[np.float64]:
        return calls.spectral_function(bonds, some, energies=values, broadening=broadening)

    if progress:
        groups = [
            list(range(len(flat))[at : at + TOGETHER]) for at in range(0, len(flat), TOGETHER)
        ]
        spectral = np.empty((len(flat), len(values)))
        for chunk in in_chunks(groups, "momentum/momenta", lambda: 0.0):
            spectral[chunk] = compute(flat[chunk])
    else:
        spectral = compute(flat)
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


def _require_states_memory(
    bonds: Bonds, energies: tuple[float, ...], broadening: float, method: Grid | Converged
) -> None:
    if not isinstance(method, Grid):
        return  # rows of at most 2^17 samples

    def memory(kgrid: int) -> float:
        return states_effort(bonds, energies, broadening, Grid(kgrid)).memory

    smaller = [method.kgrid // 2**n for n in range(1, 20) if method.kgrid // 2**n >= 256]
    require_memory(
        f"kgrid = {method.kgrid}",
        memory(method.kgrid),
        [(f"kgrid = {kgrid}", partial(memory, kgrid)) for kgrid in smaller],
    )


def _require_spectral_memory(bonds: Bonds, momenta: int, energies: int) -> None:
    def memory(momenta: int, energies: int) -> float:
        return spectral_effort(bonds, momenta, energies).memory

    parts = [2**n for n in range(1, 20)]
    require_memory(
        f"{momenta} momenta, {energies} energies",
        memory(momenta, energies),
        [
            (
                f"{momenta // n} momenta and {energies} energies",
                partial(memory, momenta // n, energies),
            )
            for n in parts
        ],
    )
