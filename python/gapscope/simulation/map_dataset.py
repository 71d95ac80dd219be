"""Maps as xarray, with units and provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from gapscope.simulation.atoms import (
    atom_coordinates,
    image_centre,
    image_of_atoms,
    orbital_variables,
    summed_by_atom,
)
from gapscope.simulation.mapfile import MAP_SCHEMA
from gapscope.simulation.numerics import Numerics

Convention = Literal["ldos", "paper"]

CONVENTIONS: dict[str, str] = {
    "ldos": "rho(q) = sum_r exp(-i q.r) drho(r), r in the symmetric window",
    "paper": "-(1/pi) Im sum_r exp(i q.r) A(r), r in the symmetric window (eq. 12)",
}


def require_convention(convention: str) -> None:
    """Raise NumericsError unless a convention has this name."""
    if not isinstance(convention, str) or convention not in CONVENTIONS:
        raise NumericsError(
            f"A convention is one of {', '.join(CONVENTIONS)}.", convention, "Choose one of them."
        )


def map_dataset(
    specification: Specification,
    numerics: Numerics,
    maps: Maps,
    convention: Convention,
    by_orbital: bool,
    computed_by: Mapping[str, str],
) -> xr.Dataset:
    """The dataset of :func:`gapscope.simulate`, of the first of several maps.

    Parameters
    ----------
    maps : with the layers of :func:`gapscope.simulation.atoms.layers_of`.
    computed_by : versions, see :func:`gapscope.simulation.provenance.versions`.
    """
    material = specification.material
    lattice, atoms = material.lattice, material.atoms
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
                told("change of the local density of states", per_site),
            ),
            "qpi_re": (momenta, image.real, told("real part of rho(q)", per_site)),
            "qpi_im": (momenta, image.imag, told("imaginary part of rho(q)", per_site)),
            "dos": ("energy", maps.dos[0], told("density of states of the host", per_site)),
            **resolved,
            **_convergence(maps),
            "specification": ((), json.dumps(specification.to_dict())),
        },
        coords=_coordinates(numerics, lattice) | atom_coordinates(material, numerics.window),
        attrs={
            "schema": MAP_SCHEMA,
            "title": f"QPI maps of {specification.material.name}",
            **parameters(specification),
            **numerics_attributes(numerics),
            **counted_from,
            **({} if maps.convergence is None else {"relative_error": maps.convergence.larger[0]}),
            "convention": convention,
            "convention_formula": CONVENTIONS[convention],
            **computed_by,
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
            told("estimated relative error of ldos_change over the window", "1"),
        ),
        "relative_error_away": (
            "energy",
            convergence.error_away[0],
            told("the same without the impurities' sites", "1"),
        ),
        "rows": ("energy", convergence.rows[0], told("rows of k points evaluated", "1")),
    }


def numerics_attributes(numerics: Numerics) -> dict[str, str | int | float]:
    """Numerical settings as netCDF attributes."""
    return {
        "method": numerics.method.name,
        **asdict(numerics.method),
        "window": numerics.window,
        "broadening": float(numerics.broadening),
        "broadening_units": "meV",
    }


def parameters(specification: Specification) -> dict[str, str | float]:
    """Material, gap and impurity as netCDF attributes."""
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


def told(long_name: str, units: str) -> dict[str, str]:
    """Attributes of a variable."""
    return {"long_name": long_name, "units": units}


def _coordinates(numerics: Numerics, lattice: Lattice) -> dict[str, object]:
    reduced = window_coordinates(numerics.window) / numerics.window
    momentum = lattice.momentum(_mesh(reduced)) / lattice.constant
    return {
        "energy": ("energy", np.asarray(numerics.energies), told("energy", "meV")),
        **site_coordinates(window_coordinates(numerics.window), lattice),
        "q1": ("q1", reduced, told("momentum along b1", "b1")),
        "q2": ("q2", reduced, told("momentum along b2", "b2")),
        "qx": (("q1", "q2"), momentum[..., 0], told("qx", "1/Angstrom")),
        "qy": (("q1", "q2"), momentum[..., 1], told("qy", "1/Angstrom")),
    }


def site_coordinates(sites: NDArray[np.int64], lattice: Lattice) -> dict[str, object]:
    """Sites r1 and r2, and where they lie."""
    position = lattice.constant * (_mesh(sites) @ lattice.vectors)
    return {
        "r1": ("r1", sites, told("site along a1", "a1")),
        "r2": ("r2", sites, told("site along a2", "a2")),
        "x": (("r1", "r2"), position[..., 0], told("x", "Angstrom")),
        "y": (("r1", "r2"), position[..., 1], told("y", "Angstrom")),
    }


def _mesh(values: NDArray[np.generic]) -> NDArray[np.float64]:
    first, second = np.meshgrid(values, values, indexing="ij")
    return np.stack([first, second], axis=-1).astype(np.float64)
