"""Material files: TOML with ``[[shells]]``, ``[[bonds]]`` or ``[wannier90]``, read into bonds."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MaterialFileError
from gapscope.physics.bonds import Bonds
from gapscope.physics.filling import check_bands, filled
from gapscope.physics.lattice import Lattice, cell_vectors
from gapscope.physics.material_shells import shell_bonds
from gapscope.physics.material_table import MaterialTable
from gapscope.physics.orbitals import Orbital
from gapscope.physics.setting import Basis, Setting
from gapscope.physics.spin import S0
from gapscope.physics.wannier90 import atomic_soc
from gapscope.physics.wannier_crystal import read_wannier_crystal
from gapscope.physics.wannier_kind import holds_coupling

MATERIAL_SCHEMA = 1

MaterialContent = tuple[str, Lattice, Bonds, str, str, Basis | None, str | None]
"""Name, lattice, He_R in meV, citation, description, orbitals, open surface."""
CELLS = ({"name", "constant"}, {"vectors"}, {"a", "b", "angle"})
"""Keys that [lattice] may have."""


def read_material_file(path: Path) -> MaterialContent:
    """Content of a material file; the layout is described at ``Material.from_toml``.

    Raises
    ------
    MaterialFileError : unreadable file, unknown or missing keys, a newer schema.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MaterialFileError(
            "A material file is readable TOML.", f"{path}: {error}", "Mend the file."
        ) from error
    return _Reader(path, table).content()


class _Reader(MaterialTable):
    """Turns one parsed material table into bonds."""

    KEYS = frozenset(
        {"schema", "name", "citation", "description", "lattice", "spin", "surface", "atoms"}
    )
    MODELS = ("shells", "bonds", "wannier90")

    def __init__(self, path: Path, table: dict[str, Any]) -> None:
        super().__init__(path, table)
        self.notes: list[str] = []

    def content(self) -> MaterialContent:
        schema = self.require(self.table, "schema", int)
        if schema > MATERIAL_SCHEMA:
            raise self.fail(
                f"this version reads material schema {MATERIAL_SCHEMA}.", schema, "Update gapscope."
            )
        models = [key for key in self.MODELS if key in self.table]
        unknown = set(self.table) - self.KEYS - set(self.MODELS)
        if len(models) != 1 or unknown:
            raise self.fail(
                f"keys are {', '.join(sorted(self.KEYS))}, and one of {', '.join(self.MODELS)}.",
                ", ".join(sorted(self.table)),
                "Remove unknown keys; give exactly one model.",
            )
        if self.table.get("spin", "doubled") != "doubled" or (
            "spin" in self.table and models != ["bonds"]
        ):
            raise self.fail(
                'spin = "doubled" says that [[bonds]] are spinless.',
                f"spin = {self.table['spin']!r} with {models[0]}",
                "Leave spin out.",
            )
        if "surface" in self.table and models != ["bonds"]:
            raise self.fail(
                "surface at the top says that [[bonds]] are those of a half-infinite crystal.",
                f"surface = {self.table['surface']!r} with {models[0]}",
                "Leave it out; of a Wannier90 file it belongs into [wannier90].",
            )
        texts = dict.fromkeys(("citation", "description"), "") | self.table
        name, citation, description = (
            self.require(texts, key, str) for key in ("name", "citation", "description")
        )
        basis = self.atoms()
        if models == ["wannier90"]:
            lattice, bonds, basis = self.wannier90(basis)
        else:
            setting = self.setting()
            given = shell_bonds(self, setting, basis) if models == ["shells"] else self.bonds()
            bonds, there = setting.electrons(given, basis)
            if basis is not None and there is None:
                self.notes.append("orbitals unknown: the turn leads out of their set")
            lattice, basis = setting.lattice, there
            self.notes = [*setting.notes, *self.notes]
        said = [description] if description else []
        surface = self.table.get("surface", self.table.get("wannier90", {}).get("surface"))
        return name, lattice, bonds, citation, "; ".join(said + self.notes), basis, surface

    def setting(self) -> Setting:
        """The lattice, and how the file's sites are counted in its standard setting."""
        cell = self.require(self.table, "lattice", dict)
        if set(cell) == CELLS[0]:
            name, constant = self.require(cell, "name", str), self.number(cell, "constant")
            return Setting.own(Lattice(name, constant))
        if set(cell) == CELLS[1]:
            return Setting.of(self.require(cell, "vectors", list))
        if set(cell) == CELLS[2]:
            a, b, angle = (self.number(cell, key) for key in ("a", "b", "angle"))
            return Setting.of(cell_vectors(a, b, angle))
        raise self.fail(
            "[lattice] has name and constant, or vectors, or a, b and angle.",
            ", ".join(sorted(cell)),
            "Give one of these sets of keys.",
        )

    def atoms(self) -> Basis | None:
        """The orbitals of ``[[atoms]]`` in order, in the file's cell."""
        if "atoms" not in self.table:
            return None
        basis: list[Orbital] = []
        for entry in self.entries("atoms", {"name", "position", "height", "orbitals"}):
            position = self.require(entry, "position", list)
            if len(position) != 2 or not all(type(r) in (int, float) for r in position):
                raise self.fail(
                    "an atom's position is two reduced coordinates.",
                    position,
                    "Give two numbers; how high it lies goes beside them, as height in Angstrom.",
                )
            atom = self.require(entry, "name", str) if "name" in entry else ""
            for character in self.require(entry, "orbitals", list):
                place = (float(position[0]), float(position[1]))
                label = f"{atom} {character}".strip()
                basis.append(Orbital(character, place, self.number(entry, "height"), label))
        return tuple(basis)

    def bonds(self) -> Bonds:
        given: dict[tuple[int, ...], NDArray[np.complex128]] = {}
        vector: Callable[[dict[str, Any], str], tuple[int, ...]] = self.vector
        if "surface" in self.table:
            vector = self.layered_vector
        for entry in self.entries("bonds", {"vector", "real", "imag"}):
            site = vector(entry, "vector")
            if site in given:
                raise self.fail("each bond vector stands once.", list(site), "Add the matrices.")
            given[site] = self.matrix(entry)
        for site, matrix in list(given.items()):
            given.setdefault(tuple(-r for r in site), matrix.conj().T)
        bonds = Bonds.from_dict(given)
        spinless = bonds.dimension % 2 or "spin" in self.table
        return bonds.kron(left=S0) if spinless else bonds

    def matrix(self, entry: dict[str, Any]) -> NDArray[np.complex128]:
        parts = []
        for key in ("real", "imag"):
            try:
                parts.append(np.asarray(entry.get(key, 0.0), dtype=np.float64))
            except (TypeError, ValueError) as error:
                raise self.fail(
                    f"{key} is a matrix of numbers.", entry[key], "Fix the file."
                ) from error
        matrix = np.atleast_2d(parts[0] + 1j * parts[1])
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise self.fail("bond matrices are square.", matrix.shape, "Mend real and imag.")
        return matrix

    WANNIER = frozenset(
        {
            "hr",
            "fermi_energy",
            "filling",
            "cell_angle",
            "spin",
            "kz",
            "surface",
            "soc_strength",
            "soc_orbitals",
        }
    )

    def wannier90(self, basis: Basis | None) -> tuple[Lattice, Bonds, Basis | None]:
        table = self.require(self.table, "wannier90", dict)
        if set(table) - self.WANNIER:
            raise self.fail(
                "[wannier90] has hr, fermi_energy or filling, cell_angle, spin, kz, surface,"
                " soc_strength, soc_orbitals.",
                ", ".join(sorted(table)),
                "Remove the others.",
            )
        if ("fermi_energy" in table) == ("filling" in table):
            raise self.fail(
                "the zero of energy is given once: fermi_energy in eV, or filling.",
                ", ".join(sorted(table)),
                "Give one of them.",
            )
        path = self.path.parent / self.require(table, "hr", str)
        found = read_wannier_crystal(
            path,
            fermi_energy=self.number(table, "fermi_energy"),
            cell_angle=table.get("cell_angle"),
            spin=table.get("spin"),
            kz=table.get("kz"),
            surface=table.get("surface"),
            basis=basis,
            **self.told_lattice(),
        )
        if "surface" in table:
            self.notes.append(f"half-infinite, open at its {table['surface']}")
        self.notes += found.notes
        electrons = found.bonds
        if "soc_strength" in table:
            if found.spin != "none" and holds_coupling(electrons):
                raise self.fail(
                    "soc_strength adds spin-orbit coupling to a Hamiltonian without it.",
                    f"{path.name}, which depends on the spin, as coupled ones do",
                    "Leave soc_strength and soc_orbitals out.",
                )
            electrons = Bonds.sum([electrons, self.atomic(table, electrons, found.basis)])
        told = None if "filling" in table else self.number(table, "fermi_energy")
        check_bands(electrons, told, path.name)
        if told is not None:
            return found.lattice, electrons, found.basis
        # After the spin-orbit coupling, which moves the level.
        bonds, zero = filled(electrons, self.number(table, "filling"))
        self.notes.append(f"zero of energy at {zero}")
        if "kz" in table:
            self.notes.append("the filling is that of this plane, not of the bulk")
        return found.lattice, bonds, found.basis

    def told_lattice(self) -> dict[str, Any]:
        """What [lattice] says of a Wannier90 file's cell, where it is there."""
        if "lattice" not in self.table:
            return {}
        setting = self.setting()
        if self.table["lattice"].get("name") == "triangular":
            return {"lattice_constant": setting.lattice.constant, "triangular": True}
        if "cell_angle" in self.table["wannier90"]:
            raise self.fail(
                "cell_angle is that of a triangular cell.",
                f"a {setting.lattice.name} [lattice]",
                'Leave cell_angle out, or give name = "triangular" and the constant.',
            )
        return {"vectors": setting.cell.given}

    def atomic(self, table: dict[str, Any], electrons: Bonds, basis: Basis | None) -> Bonds:
        names = self.require(table, "soc_orbitals", list)
        if basis is not None and names != [one.character for one in basis]:
            raise self.fail(
                "soc_orbitals names the orbitals as the .win or [[atoms]] do.",
                f"{names}, where they are {[one.character for one in basis]}",
                "Give these, in this order; or correct what stands beside the file.",
            )
        strength = float(self.require(table, "soc_strength", (int, float)))
        soc = atomic_soc(strength, names)
        if len(soc) != electrons.dimension:
            raise self.fail(
                "soc_orbitals names every orbital of the file.", names, "Give them in file order."
            )
        return Bonds.from_dict({(0, 0): soc})
