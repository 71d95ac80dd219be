"""Maps of crystals with several atoms or orbitals per cell: layers, places, images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.kernel.calls import Maps
from gapscope.physics.fourier import joined_image
from gapscope.physics.lattice import window_coordinates
from gapscope.physics.material import Material
from gapscope.physics.specification import Specification

PER_SITE = "1/meV"
Place = tuple[float, float]


def layers_of(material: Material, by_orbital: bool) -> NDArray[np.int64] | None:
    """The map that each row of the electrons' matrices is counted in; None for one map of all."""
    if by_orbital:
        return np.tile(np.arange(material.orbitals), 2)
    atoms = material.atoms
    if len(atoms) == 1:
        return None
    numbers = np.empty(material.orbitals, dtype=np.int64)
    for number, atom in enumerate(atoms):
        numbers[list(atom.orbitals)] = number
    return np.tile(numbers, 2)


def summed_by_atom(material: Material, trace: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Maps of orbitals (energies, orbitals, L, L) added up to those of atoms."""
    parts = [trace[:, list(atom.orbitals)].sum(axis=1) for atom in material.atoms]
    return np.stack(parts, axis=1)


def image_centre(specification: Specification) -> Place:
    """Where the image of several atoms counts r from: the middle of the atoms that scatter.

    Operations that keep the impurity keep this place, and so the image has their symmetry, whatever
    the cell's origin. Reduced coordinates; r = 0 where it lies more than a cell away from there.
    """
    atoms, n = specification.material.atoms, specification.material.orbitals
    places = []
    found = specification.impurity.blocks(n)
    for site in specification.impurity.sites:
        blocks = [block for pair, block in found.items() if site == pair[0]]
        acting = np.abs(blocks).max(axis=(0, 2)).reshape(-1, n).max(axis=0) > 0
        places += [
            (site[0] + atom.position[0], site[1] + atom.position[1])
            for atom in atoms
            if acting[list(atom.orbitals)].any()
        ]
    middle = np.mean(places, axis=0) if places else np.zeros(2)
    return (0.0, 0.0) if np.abs(middle).max() > 1 else (float(middle[0]), float(middle[1]))


def image_of_atoms(
    trace: NDArray[np.complex128], material: Material, convention: str, centre: Place
) -> NDArray[np.complex128]:
    """rho(q), (energies, L, L), of A(r) by atom, (energies, atoms, L, L), in a convention."""
    places = [(one.position[0] - centre[0], one.position[1] - centre[1]) for one in material.atoms]
    if convention == "paper":
        spectrum = joined_image(trace.conj(), material.lattice, places).conj()
        return (-spectrum.imag / np.pi).astype(np.complex128)
    return joined_image(-trace.imag / np.pi, material.lattice, places)


def atom_coordinates(material: Material, window: int) -> dict[str, Any]:
    """Names and places of several atoms, and where their densities stand; nothing of one."""
    atoms, lattice = material.atoms, material.lattice
    if len(atoms) == 1:
        return {}
    r = window_coordinates(window)
    sites = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1)
    places = np.array([atom.position for atom in atoms])
    points = lattice.constant * ((sites + places[:, None, None]) @ lattice.vectors)

    def told(values: NDArray[np.float64], name: str, units: str) -> tuple[Any, ...]:
        dims = ("atom", "r1", "r2") if values.ndim == 3 else ("atom",)
        return dims, values, {"long_name": name, "units": units}

    return {
        "atom": ("atom", [atom.name for atom in atoms]),
        "tau1": told(places[:, 0], "place in the cell along a1", "a1"),
        "tau2": told(places[:, 1], "place in the cell along a2", "a2"),
        "height": told(np.array([atom.height for atom in atoms]), "height", "Angstrom"),
        "x": told(points[..., 0], "x", "Angstrom"),
        "y": told(points[..., 1], "y", "Angstrom"),
    }


def orbital_names(material: Material) -> list[str]:
    """A name for each orbital, none twice; numbers from 1 where they are unknown."""
    n = material.orbitals
    basis = material.basis or ()
    names = [one.name or one.character for one in basis] or [str(i + 1) for i in range(n)]
    if len(set(names)) < n:
        names = [f"{i + 1} {name}" for i, name in enumerate(names)]
    return names


def orbital_variables(material: Material, maps: Maps) -> dict[str, Any]:
    """Densities by orbital, both spins of each: of the map and of the clean crystal."""
    n = material.orbitals
    local = np.diagonal(maps.local_green[0], axis1=1, axis2=2)[:, : 2 * n]
    clean = -(local[:, :n] + local[:, n:]).imag / np.pi

    def about(name: str) -> dict[str, str]:
        return {"long_name": name, "units": PER_SITE}

    return {
        "ldos_change_orbital": (
            ("energy", "orbital", "r1", "r2"),
            maps.ldos_change[0],
            about("change of the local density of states by orbital"),
        ),
        "dos_orbital": (
            ("energy", "orbital"),
            clean,
            about("density of states of the host by orbital"),
        ),
        "orbital": ("orbital", orbital_names(material)),
    }
