"""Specification + numerics -> maps, as xarray with units and provenance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import NumericsError
from gapscope.kernel.calls import Maps
from gapscope.physics.fourier import paper_image, qpi_image
from gapscope.physics.lattice import Lattice, window_coordinates
from gapscope.physics.specification import Specification
from gapscope.simulation.accuracy import warn_of_budget, warn_of_grid
from gapscope.simulation.atoms import (
    atom_coordinates,
    image_centre,
    image_of_atoms,
    layers_of,
    orbital_variables,
    summed_by_atom,
)
from gapscope.simulation.map_request import MapRequest
from gapscope.simulation.mapfile import MAP_SCHEMA
from gapscope.simulation.numerics import Converged, Grid, Numerics
from gapscope.simulation.provenance import versions

__all__ = ["Convention", "Converged", "Grid", "Maps", "Numerics", "simulate", "simulate_batch"]

Convention = Literal["ldos", "paper"]


CONVENTIONS: dict[str, str] = {
    "ldos": "rho(q) = sum_r exp(-i q.r) drho(r), r in the symmetric window",
    "paper": "-(1/pi) Im sum_r exp(i q.r) A(r), r in the symmetric window (eq. 12)",
}


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
    NumericsError : an empty batch, materials with different numbers of orbitals, an impurity
        outside the window, or what does not fit into memory.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
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
    NumericsError : an unknown convention, or what does not fit into memory.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    if convention not in CONVENTIONS:
        raise NumericsError(
            f"A convention is one of {', '.join(CONVENTIONS)}.", convention, "Choose one of them."
        )
    material = specification.material
    lattice, atoms = material.lattice, material.atoms
    maps = simulate_batch(
        [specification], numerics, progress=progress, layers=layers_of(material, by_orbital)
    )
    _warn(specification, numerics, maps)
    trace = maps.trace[0]
    resolved = orbital_variables(material, maps) if by_orbital else {}
    counted_from = {}
    if len(atoms) > 1:
        trace = trace if not by_orbital else summed_by_atom(material, trace)
        centre = image_centre(specification)
        image = image_of_atoms(trace, material, convention, centre)
        counted_from = {"image_centre": list(centre)}
        sites: tuple[str, ...] = ("energy", "atom", "r1", "r2")
    else:
        trace = trace.sum(axis=1) if by_orbital else trace
        if convention == "paper":
            image = paper_image(trace, lattice).astype(np.complex128)
        else:
            image = qpi_image(-trace.imag / np.pi, lattice)
        sites = ("energy", "r1", "r2")
    ldos_change = np.asarray(-trace.imag / np.pi)
    momenta = ("energy", "q1", "q2")
    per_site = "1/meV"
    return xr.Dataset(
        {
            "ldos_change": (
                sites,
                ldos_change,
                _attrs("change of the local density of states", per_site),
            ),
            "qpi_re": (momenta, image.real, _attrs("real part of rho(q)", per_site)),
            "qpi_im": (momenta, image.imag, _attrs("imaginary part of rho(q)", per_site)),
            "dos": ("energy", maps.dos[0], _attrs("density of states of the host", per_site)),
            **resolved,
            **_convergence(maps),
            "specification": ((), json.dumps(specification.to_dict())),
        },
        coords=_coordinates(numerics, lattice) | atom_coordinates(material, numerics.window),
        attrs={
            "schema": MAP_SCHEMA,
            "title": f"QPI maps of {specification.material.name}",
            **_parameters(specification),
            **numerics_attributes(numerics),
            **counted_from,
            **({} if maps.convergence is None else {"relative_error": maps.convergence.larger[0]}),
            "convention": convention,
            "convention_formula": CONVENTIONS[convention],
            **versions(),
        },
    )


def _convergence(maps: Maps) -> dict[str, tuple[str, NDArray[np.generic], dict[str, str]]]:
    """What is known of a map's accuracy, by energy."""
    convergence = maps.convergence
    if convergence is None:
        return {}
    return {
        "relative_error": (
            "energy",
            convergence.error[0],
            _attrs("estimated relative error of ldos_change over the window", "1"),
        ),
        "relative_error_away": (
            "energy",
            convergence.error_away[0],
            _attrs("the same without the impurities' sites", "1"),
        ),
        "rows": ("energy", convergence.rows[0], _attrs("rows of k points evaluated", "1")),
    }


def _warn(specification: Specification, numerics: Numerics, maps: Maps) -> None:
    """Say so where a map is not as accurate as it should be."""
    method, convergence = numerics.method, maps.convergence
    if isinstance(method, Grid):
        warn_of_grid(specification, numerics.broadening, method, stacklevel=4)
    elif convergence is not None and not convergence.reached.all():
        warn_of_budget(method, float(convergence.larger.max()), stacklevel=4)


def numerics_attributes(numerics: Numerics) -> dict[str, str | int | float]:
    """Numerical settings as netCDF attributes."""
    return {
        "method": numerics.method.name,
        **asdict(numerics.method),
        "window": numerics.window,
        "broadening": float(numerics.broadening),
        "broadening_units": "meV",
    }


def _parameters(specification: Specification) -> dict[str, str | float]:
    material, pairing = specification.material, specification.pairing
    return {
        "material": material.name,
        "material_description": material.description,
        "material_citation": material.citation,
        **material.lattice.to_dict(),
        "lattice_constant_units": "Angstrom",
        "irrep": pairing.irrep,
        "gap": float(pairing.gap),
        **pairing.angles,
        **{f"gap_{name}": value for name, value in pairing.names.items()},
        "eps0": float(specification.eps0),
        "energy_units": "meV",
        "angle_units": "rad",
        "impurity": json.dumps(specification.impurity.to_dict()),
    }


def _attrs(long_name: str, units: str) -> dict[str, str]:
    return {"long_name": long_name, "units": units}


def _coordinates(numerics: Numerics, lattice: Lattice) -> dict[str, object]:
    sites = window_coordinates(numerics.window)
    reduced = sites / numerics.window
    position = lattice.constant * (_mesh(sites) @ lattice.vectors)
    momentum = lattice.momentum(_mesh(reduced)) / lattice.constant
    return {
        "energy": ("energy", np.asarray(numerics.energies), _attrs("energy", "meV")),
        "r1": ("r1", sites, _attrs("site along a1", "a1")),
        "r2": ("r2", sites, _attrs("site along a2", "a2")),
        "q1": ("q1", reduced, _attrs("momentum along b1", "b1")),
        "q2": ("q2", reduced, _attrs("momentum along b2", "b2")),
        "x": (("r1", "r2"), position[..., 0], _attrs("x", "Angstrom")),
        "y": (("r1", "r2"), position[..., 1], _attrs("y", "Angstrom")),
        "qx": (("q1", "q2"), momentum[..., 0], _attrs("qx", "1/Angstrom")),
        "qy": (("q1", "q2"), momentum[..., 1], _attrs("qy", "1/Angstrom")),
    }


def _mesh(values: NDArray[np.generic]) -> NDArray[np.float64]:
    first, second = np.meshgrid(values, values, indexing="ij")
    return np.stack([first, second], axis=-1).astype(np.float64)
