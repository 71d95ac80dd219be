"""Normal states: a Hamiltonian by its bonds, from a material file or from Wannier90."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gapscope.errors import MaterialFileError, SpecificationError
from gapscope.physics.bonds import Bonds, require_hermitian
from gapscope.physics.filling import check_bands, filled
from gapscope.physics.kinds import is_number, require_kind
from gapscope.physics.lattice import Lattice
from gapscope.physics.layers import require_surface
from gapscope.physics.material_file import read_material_file
from gapscope.physics.orbitals import Atom, Orbital, atoms_of
from gapscope.physics.wannier_crystal import read_wannier_crystal

DEFAULT_BASIS = (Orbital("s"),)
"""Basis of one orbital of which nothing is said."""


@dataclass(frozen=True, eq=False, repr=False)
class Material:
    """A normal-state Hamiltonian He(k) by its bonds.

    Parameters
    ----------
    name : shown in results.
    lattice : Bravais lattice and its constant.
    bonds : He_R in meV, (n, 2 orbitals, 2 orbitals), spin major (up orbitals, then down); of a
        half-infinite crystal R has a third number, of layers along a3.
    citation : where the numbers come from.
    description : what distinguishes this parameter set.
    basis : the orbitals in the order of the rows of a spin block; a single orbital is an s orbital
        at the origin where nothing is said, several are unknown (None).
    surface : where a half-infinite crystal is open, "top" (vacuum along a3) or "bottom"; None of a
        crystal in the plane.

    Raises
    ------
    SpecificationError : an odd matrix size, bonds that are not Hermitian, another number of
        orbitals in the basis, or a surface without bonds between layers or the other way round.
    """

    name: str
    lattice: Lattice
    bonds: Bonds
    citation: str = ""
    description: str = ""
    basis: tuple[Orbital, ...] | None = None
    surface: str | None = None

    def __post_init__(self) -> None:
        require_kind(self.bonds, Bonds, "A Hamiltonian", "gs.Bonds.from_dict({(0, 0): ...})")
        require_kind(self.lattice, Lattice, "A lattice", 'gs.Lattice("square", 3.8)')
        if self.bonds.dimension % 2:
            raise SpecificationError(
                "Electron matrices are 2n x 2n: n orbitals, two spins.",
                f"{self.bonds.dimension} x {self.bonds.dimension}",
                "Double a spinless Hamiltonian with Bonds.kron(left=np.eye(2)).",
            )
        require_hermitian(self.bonds, self.name)
        require_surface(self.bonds, self.surface, self.name)
        if self.basis is None:
            object.__setattr__(self, "basis", DEFAULT_BASIS if self.orbitals == 1 else None)
            return
        require_kind(self.basis, (tuple, list), "A basis", 'a list of Orbital("dz2"), say')
        for one in self.basis:
            require_kind(one, Orbital, "An entry of a basis", 'Orbital("dz2"), say')
        if len(self.basis) != self.orbitals:
            raise SpecificationError(
                "The basis names every orbital of the material once.",
                f"{len(self.basis)} orbitals in the basis of {self.orbitals} orbitals",
                "Give one Orbital per row of a spin block.",
            )

    def __repr__(self) -> str:
        return (
            f"Material({self.name!r}, {self.lattice!r}, bonds={self.bonds!r},"
            f" orbitals={self.orbitals})"
        )

    @property
    def orbitals(self) -> int:
        """Number n of orbitals per site."""
        return self.bonds.dimension // 2

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """The places of the cell that orbitals sit on; one at the origin where they are unknown."""
        if self.basis is None:
            return (Atom("", (0.0, 0.0), 0.0, tuple(range(self.orbitals))),)
        return atoms_of(self.basis)

    def electrons(self, eps0: float = 0.0) -> Bonds:
        """He_R in meV with the onsite energy eps0 added to every orbital and spin."""
        onsite = Bonds.from_dict({(0, 0): eps0 * np.eye(2 * self.orbitals)})
        return Bonds.sum([onsite, self.bonds])

    def to_dict(self) -> dict[str, object]:
        """All content for JSON; the basis where it says more than the number of orbitals."""
        content: dict[str, object] = {
            "name": self.name,
            **self.lattice.to_dict(),
            "citation": self.citation,
            "description": self.description,
            "bonds": self.bonds.to_dict(),
        }
        if self.basis is not None and self.basis != DEFAULT_BASIS:
            content["basis"] = [orbital.to_dict() for orbital in self.basis]
        if self.surface is not None:
            content["surface"] = self.surface
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Material:
        """The material that :meth:`to_dict` wrote, by this version or an earlier one.

        Raises
        ------
        SpecificationError : content that is no material.
        """
        vectors, real, imag = (content["bonds"][key] for key in ("vectors", "real", "imag"))
        basis = content.get("basis")
        return cls(
            str(content["name"]),
            Lattice.from_dict(content),
            Bonds(np.array(vectors), np.array(real) + 1j * np.array(imag)),
            str(content["citation"]),
            str(content["description"]),
            None if basis is None else tuple(Orbital.from_dict(one) for one in basis),
            content.get("surface"),
        )

    @classmethod
    def from_toml(cls, path: str | Path) -> Material:
        """Read a material file: ``[[shells]]``, ``[[bonds]]`` or ``[wannier90]``.

        Lattice: ``[lattice]`` with ``name`` and ``constant`` (triangular, square), with ``vectors``
        (two rows in Angstrom), or with ``a``, ``b`` and ``angle``; of any cell, its sites are
        counted anew in the standard setting (:mod:`gapscope.physics.cell`) where it is another one.
        Orbitals: ``[[atoms]]`` with ``name``, ``position`` (reduced), ``height`` (Angstrom) and
        ``orbitals`` (harmonics), in the order of the rows of the matrices.

        Shells: one orbital that every operation of the lattice takes to itself or its negative;
        ``hopping`` t in meV on all sites that the lattice's point group makes of ``bond``;
        ``rashba`` l in meV, -i l (s x R).z / abs(R) on them, which on the nearest neighbours of a
        square is 2 l (s_x sin k_y - s_y sin k_x); ``ising_soc`` l in meV, triangular lattice only,
        the term -i l sigma_z with the sign of D3h, so that one nearest-neighbour shell gives
        2 l (sin k.a1 - sin k.a2 - sin k.(a1 - a2)) sigma_z (paper, eqs 4 and 5). Bonds: matrices
        ``real`` and ``imag`` in meV, 2n x 2n spin major, or n x n with ``spin = "doubled"`` at the
        top (understood where n is odd); the partner on -R is added where it is not given. With
        ``surface = "top"`` or ``"bottom"`` at the top, their vectors are three numbers: the crystal
        is half-infinite and open there.
        Wannier90: see :meth:`from_wannier90`; ``[lattice]`` may be left out where a ``.win`` stands
        beside the file.

        Raises
        ------
        MaterialFileError : unreadable file, unknown or missing keys, a newer schema.
        """
        try:
            return cls(*read_material_file(Path(path)))
        except MaterialFileError:
            raise
        except SpecificationError as error:
            rule = f"{Path(path).name}: {error.rule}"
            raise MaterialFileError(rule, error.received, error.remedy) from error

    @classmethod
    def from_wannier90(
        cls,
        path: str | Path,
        *,
        fermi_energy: float | None = None,
        filling: float | None = None,
        lattice_constant: float | None = None,
        name: str | None = None,
        cell_angle: int | None = None,
        spin: str | None = None,
        vectors: ArrayLike | None = None,
        kz: str | float | None = None,
        surface: str | None = None,
        citation: str = "",
    ) -> Material:
        """Wannier90 ``_hr.dat`` or ``_tb.dat`` with what stands beside it.

        ``_wsvec.dat`` is used where it is there; the ``.win`` gives cell and orbitals, and
        ``_centres.xyz`` the cells that these sit in. Without a ``.win`` the lattice is triangular
        (its bands are checked), or that of ``vectors``.

        Parameters
        ----------
        fermi_energy : in eV on the file's absolute scale; becomes the zero of energy.
        filling : electrons per cell, both spins, instead of it.
        lattice_constant : in Angstrom; needed where no file holds a length.
        cell_angle : 60 or 120, angle between a1 and a2 in a triangular file; found from the file's
            lattice vectors (they fill a Wigner-Seitz cell) where it is not given.
        spin : "none" (the Hamiltonian is doubled), "interleaved" (up, down, up, down, ...) or
            "blocks" (all up, then all down); without it, a file that seems to hold both spins is
            read in the order that time reversal tells, or refused (:func:`with_spin`).
        vectors : rows a1, a2 of the file's cell in Angstrom, in place of the ``.win``'s.
        kz : the plane "Gamma" or "Z" of a bulk crystal.
        surface : the side, "top" or "bottom", at which a bulk crystal is open instead: half of it
            is there, and ends with a whole cell, as the file counts cells along a3.

        Raises
        ------
        MaterialFileError : a file that cannot be read so, or not one of fermi_energy and filling.

        Warns
        -----
        MaterialWarning : a Fermi energy outside of all bands.
        """
        path = Path(path)
        for what, number in (("Fermi energy", fermi_energy), ("filling", filling)):
            if number is not None and not is_number(number):
                raise MaterialFileError(
                    f"The {what} is a finite number.",
                    f"{number!r} ({type(number).__name__})",
                    "Give the Fermi energy in eV, or the filling in electrons per cell.",
                )
        if (fermi_energy is None) == (filling is None):
            raise MaterialFileError(
                "The zero of energy is given once: as a Fermi energy in eV or as a filling.",
                f"fermi_energy = {fermi_energy}, filling = {filling}",
                "Give one of them.",
            )
        found = read_wannier_crystal(
            path,
            fermi_energy=fermi_energy or 0.0,
            lattice_constant=lattice_constant,
            cell_angle=cell_angle,
            spin=spin,
            vectors=vectors,
            kz=kz,
            surface=surface,
        )
        bonds = found.bonds
        check_bands(bonds, fermi_energy, path.name)
        if filling is not None:
            bonds, zero = filled(bonds, filling)
        else:
            zero = f"{fermi_energy:.6g} eV"
        said = f"Wannier90 {path.name}, spin {found.spin}, zero of energy at {zero}"
        plane = [] if kz is None else [f"cut at kz = {kz}"]
        if surface is not None:
            plane.append(f"half-infinite, open at its {surface}")
        if kz is not None and filling is not None:
            plane.append("the filling is that of this plane, not of the bulk")
        return cls(
            name or path.name.removesuffix("_hr.dat"),
            found.lattice,
            bonds,
            citation,
            "; ".join([said, *plane, *found.notes]),
            found.basis,
            surface,
        )
