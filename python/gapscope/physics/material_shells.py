"""The ``[[shells]]`` of a material file: hopping, Rashba and Ising coupling to equal neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.bonds import Bonds
from gapscope.physics.material_table import MaterialTable
from gapscope.physics.orbitals import rotation
from gapscope.physics.setting import Basis, Setting
from gapscope.physics.spin import S0, SX, SY, SZ
from gapscope.physics.symmetry import D6, D6_ISING, act_on_site


def shell_bonds(file: MaterialTable, setting: Setting, basis: Basis | None) -> Bonds:
    """Bonds in the file's cell, each shell made by the lattice's point group.

    Raises
    ------
    MaterialFileError : keys that are wrong, orbitals that shells do not describe, or terms that
        the symmetry of the lattice forbids.
    """
    _require_single(file, setting, basis)
    there, back = setting.sites(np.eye(2)).T, setting.cell.basis.T
    own = [np.rint(back @ w @ there).astype(np.int64) for w in setting.lattice.operations]
    vectors = setting.cell.given
    terms: list[Bonds] = []
    for entry in file.entries("shells", {"bond", "hopping", "ising_soc", "rashba"}):
        site = file.vector(entry, "bond")
        terms.append(Bonds.from_dict({(0, 0): 0 * S0}))
        hopping = file.number(entry, "hopping")
        sites = {act_on_site(operation, site) for operation in own}
        terms.append(Bonds.from_dict(dict.fromkeys(sites, hopping * S0)))
        rashba, soc = file.number(entry, "rashba"), file.number(entry, "ising_soc")
        if rashba:
            terms.append(_rashba(file, sites, rashba, vectors))
        if soc:
            terms.append(_ising(file, site, soc, setting))
    return Bonds.sum(terms)


def _require_single(file: MaterialTable, setting: Setting, basis: Basis | None) -> None:
    """Shells are of one orbital that the lattice's operations leave alone but for its sign."""
    if basis is None:
        return
    vectors = setting.lattice.vectors.T
    for w in setting.lattice.operations:
        operation = np.eye(3)
        operation[:2, :2] = vectors @ w @ np.linalg.inv(vectors)
        if len(basis) != 1 or abs(abs(rotation([basis[0].character], operation)[0, 0]) - 1) > 1e-3:
            raise file.fail(
                "[[shells]] are of one orbital that every operation of the lattice takes to"
                " itself or its negative.",
                ", ".join(orbital.character for orbital in basis),
                "Give [[bonds]].",
            )


def _rashba(
    file: MaterialTable, sites: set[tuple[int, int]], strength: float, vectors: NDArray[np.float64]
) -> Bonds:
    """-i l (s x R).z / |R| on every site R."""
    terms = {}
    for site in sites:
        x, y = np.asarray(site) @ vectors
        length = np.hypot(x, y)
        if not length:
            raise file.fail(
                "Rashba coupling leads to another site.", list(site), "Leave rashba out there."
            )
        terms[site] = -1j * strength * (SX * y - SY * x) / length
    return Bonds.from_dict(terms)


def _ising(file: MaterialTable, site: tuple[int, int], soc: float, setting: Setting) -> Bonds:
    if setting.lattice.name != "triangular":
        raise file.fail(
            "ising_soc has the sign of D3h, on the triangular lattice alone.",
            f"ising_soc = {soc} on a {setting.lattice.name} lattice",
            "Give the term as [[bonds]].",
        )
    signs: dict[tuple[int, int], int] = {}
    back = setting.cell.basis.T
    there = np.rint(setting.sites(site)).astype(np.int64)
    for operation, sign in zip(D6, D6_ISING, strict=True):
        image = act_on_site(back @ operation, (int(there[0]), int(there[1])))
        if signs.setdefault(image, sign) != sign:
            raise file.fail(
                "a vertical mirror plane forbids Ising SOC on this shell (D3h).",
                f"ising_soc = {soc} on bond {list(site)}",
                "Leave ising_soc out there.",
            )
    return Bonds.from_dict({s: -1j * sign * soc * SZ for s, sign in signs.items()})
