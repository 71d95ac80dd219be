"""Material files: TOML with ``[[shells]]``, ``[[bonds]]`` or ``[wannier90]``, read into bonds."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MaterialFileError
from gapscope.physics.bonds import Bonds
from gapscope.physics.filling import filled
from gapscope.physics.lattice import Lattice
from gapscope.physics.spin import S0, SZ
from gapscope.physics.symmetry import D6, D6_ISING, act_on_site
from gapscope.physics.wannier90 import atomic_soc, read_wannier90
from gapscope.physics.wannier_kind import with_spin

MATERIAL_SCHEMA = 1

MaterialContent = tuple[str, Lattice, Bonds, str, str]
"""Name, lattice, He_R in meV, citation, description."""


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


class _Reader:
    """Turns one parsed material table into bonds; every complaint names the file."""

    KEYS = frozenset({"schema", "name", "citation", "description", "lattice", "spin"})
    MODELS = ("shells", "bonds", "wannier90")

    def __init__(self, path: Path, table: dict[str, Any]) -> None:
        self.path = path
        self.table = table
        self.notes: list[str] = []

    def fail(self, rule: str, received: object, remedy: str) -> MaterialFileError:
        return MaterialFileError(f"{self.path.name}: {rule}", received, remedy)

    def require(self, table: dict[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
        value = table.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            raise self.fail(
                f"{key} must be given as {' or '.join(k.__name__ for k in kinds)}.",
                value,
                f"Add or mend {key}.",
            )
        return value

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
        cell = self.require(self.table, "lattice", dict)
        if set(cell) != {"name", "constant"}:
            raise self.fail(
                "[lattice] has name and constant.", ", ".join(sorted(cell)), "Mend [lattice]."
            )
        lattice = Lattice(
            self.require(cell, "name", str), float(self.require(cell, "constant", (int, float)))
        )
        build = {"shells": self.shells, "bonds": self.bonds, "wannier90": self.wannier90}
        texts = dict.fromkeys(("citation", "description"), "") | self.table
        name, citation, description = (
            self.require(texts, key, str) for key in ("name", "citation", "description")
        )
        bonds = build[models[0]](lattice)
        said = [description] if description else []
        return name, lattice, bonds, citation, "; ".join(said + self.notes)

    def entries(self, key: str, allowed: set[str]) -> Iterator[dict[str, Any]]:
        for entry in self.require(self.table, key, list):
            if not isinstance(entry, dict) or set(entry) - allowed:
                raise self.fail(
                    f"each of [[{key}]] has the keys {', '.join(sorted(allowed))}.",
                    entry,
                    "Remove or rename the others.",
                )
            yield entry

    def vector(self, entry: dict[str, Any], key: str) -> tuple[int, int]:
        value = self.require(entry, key, list)
        if len(value) != 2 or not all(type(n) is int for n in value):
            raise self.fail(f"{key} is two whole numbers R1, R2.", value, "Mend it.")
        return value[0], value[1]

    def number(self, entry: dict[str, Any], key: str) -> float:
        return float(self.require(entry, key, (int, float))) if key in entry else 0.0

    def shells(self, lattice: Lattice) -> Bonds:
        if lattice.name != "triangular":
            raise self.fail("shells need the triangular lattice.", lattice.name, "Give [[bonds]].")
        terms: list[Bonds] = []
        for entry in self.entries("shells", {"bond", "hopping", "ising_soc"}):
            site = self.vector(entry, "bond")
            terms.append(Bonds.from_dict({(0, 0): 0 * S0}))
            hopping = self.number(entry, "hopping")
            sites = {act_on_site(operation, site) for operation in D6}
            terms.append(Bonds.from_dict(dict.fromkeys(sites, hopping * S0)))
            soc = self.number(entry, "ising_soc")
            if soc:
                terms.append(self.ising(site, soc))
        return Bonds.sum(terms)

    def ising(self, site: tuple[int, int], soc: float) -> Bonds:
        signs: dict[tuple[int, int], int] = {}
        for operation, sign in zip(D6, D6_ISING, strict=True):
            if signs.setdefault(act_on_site(operation, site), sign) != sign:
                raise self.fail(
                    "a vertical mirror plane forbids Ising SOC on this shell (D3h).",
                    f"ising_soc = {soc} on bond {list(site)}",
                    "Leave ising_soc out there.",
                )
        return Bonds.from_dict({s: -1j * sign * soc * SZ for s, sign in signs.items()})

    def bonds(self, lattice: Lattice) -> Bonds:
        del lattice
        given: dict[tuple[int, int], NDArray[np.complex128]] = {}
        for entry in self.entries("bonds", {"vector", "real", "imag"}):
            site = self.vector(entry, "vector")
            if site in given:
                raise self.fail("each bond vector stands once.", list(site), "Add the matrices.")
            given[site] = self.matrix(entry)
        for site, matrix in list(given.items()):
            given.setdefault((-site[0], -site[1]), matrix.conj().T)
        bonds = Bonds.from_dict(given)
        spinless = bonds.dimension % 2 or "spin" in self.table
        return bonds.kron(left=S0) if spinless else bonds

    def matrix(self, entry: dict[str, Any]) -> NDArray[np.complex128]:
        parts = []
        for key in ("real", "imag"):
            try:
                parts.append(np.asarray(entry.get(key, 0.0), dtype=np.float64))
            except (TypeError, ValueError) as error:
                raise self.fail(f"{key} is a matrix of numbers.", entry[key], "Mend it.") from error
        matrix = np.atleast_2d(parts[0] + 1j * parts[1])
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise self.fail("bond matrices are square.", matrix.shape, "Mend real and imag.")
        return matrix

    def wannier90(self, lattice: Lattice) -> Bonds:
        table = self.require(self.table, "wannier90", dict)
        unknown = set(table) - {
            "hr",
            "fermi_energy",
            "filling",
            "cell_angle",
            "spin",
            "soc_strength",
            "soc_orbitals",
        }
        if unknown or lattice.name != "triangular":
            raise self.fail(
                "[wannier90] has hr, fermi_energy or filling, cell_angle, spin, soc_strength,"
                " soc_orbitals, on the triangular lattice.",
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
        orbital = read_wannier90(
            path,
            fermi_energy=self.number(table, "fermi_energy"),
            cell_angle=table.get("cell_angle"),
        )
        electrons, _ = with_spin(orbital, path, table.get("spin"))
        if "soc_strength" in table:
            electrons = Bonds.sum([electrons, self.atomic(table, electrons)])
        if "filling" not in table:
            return electrons
        # After the spin-orbit coupling, which moves the level.
        bonds, zero = filled(electrons, self.number(table, "filling"))
        self.notes.append(f"zero of energy at {zero}")
        return bonds

    def atomic(self, table: dict[str, Any], electrons: Bonds) -> Bonds:
        names = self.require(table, "soc_orbitals", list)
        strength = float(self.require(table, "soc_strength", (int, float)))
        soc = atomic_soc(strength, names)
        if len(soc) != electrons.dimension:
            raise self.fail(
                "soc_orbitals names every orbital of the file.", names, "Give them in file order."
            )
        return Bonds.from_dict({(0, 0): soc})
