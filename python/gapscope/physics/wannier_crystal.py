"""A crystal from Wannier90: the Hamiltonian with its cell, its orbitals' places and characters."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import MaterialFileError, MaterialWarning
from gapscope.physics.bonds import Bonds
from gapscope.physics.cell import standard_cell
from gapscope.physics.lattice import Lattice
from gapscope.physics.layers import turned_over
from gapscope.physics.orbitals import Orbital
from gapscope.physics.setting import Basis, Setting
from gapscope.physics.wannier90 import read_orbitals, triangular_angle
from gapscope.physics.wannier_kind import (
    angle_of,
    is_threefold,
    require_same_angle,
    with_spin,
)
from gapscope.physics.wannier_text import lattice_of_tb
from gapscope.physics.wannier_win import FAR, Win, beside, read_centres, read_win

ALIKE = 0.02
"""Difference of two cells' metrics, over their trace, up to which they are of one shape."""
ROUNDED = 1e-3
"""Part of the longest vector by which one cell may differ in two files."""
UPRIGHT = 1e-3
"""Part of a length by which vectors may leave the plane, or the third one its normal."""


@dataclass(frozen=True, eq=False)
class WannierCrystal:
    """Electron bonds in meV, spin major, in the standard setting, and what is known of them.

    Parameters
    ----------
    lattice, bonds : the crystal.
    basis : its orbitals, or None.
    spin : how the file holds spin.
    notes : what became of the cell and what was not found, in words.
    """

    lattice: Lattice
    bonds: Bonds
    basis: Basis | None
    spin: str
    notes: tuple[str, ...] = ()


def read_wannier_crystal(
    path: Path,
    *,
    fermi_energy: float = 0.0,
    lattice_constant: float | None = None,
    vectors: ArrayLike | None = None,
    cell_angle: int | None = None,
    spin: str | None = None,
    kz: str | float | None = None,
    surface: str | None = None,
    basis: Basis | None = None,
    triangular: bool = False,
) -> WannierCrystal:
    """The crystal of a ``_hr.dat`` or ``_tb.dat`` and of what stands beside it.

    The cell is, in this order: ``vectors``; the triangular one where ``cell_angle`` is given; that
    of the ``.win``, or of the ``_tb.dat`` itself; the triangular one, at the angle for which the
    file's vectors form the rounder cell. Orbitals are those of the ``.win``'s projections, moved to
    the cells of the ``_centres.xyz``, unless ``translate_home_cell`` moved these alone.

    Parameters
    ----------
    fermi_energy, kz, surface : see :func:`gapscope.physics.wannier90.read_orbitals`.
    lattice_constant : |a1| of the standard cell in Angstrom, in place of the file's length.
    vectors : rows a1, a2 of the file's cell in Angstrom.
    cell_angle : 60 or 120.
    spin : see :func:`gapscope.physics.wannier_kind.with_spin`.
    basis : orbitals in the file's cell, in place of the projections.
    triangular : the lattice is said to be triangular; another cell in the ``.win`` is refused.

    Raises
    ------
    MaterialFileError : a file that cannot be read so, no length, or a ``.win`` of another cell than
        the ``_tb.dat``.

    Warns
    -----
    MaterialWarning : a ``_wsvec.dat`` that is not where the ``.win`` says it was made.
    """
    orbital = read_orbitals(path, fermi_energy=fermi_energy, kz=kz, surface=surface)
    flat = orbital.in_plane()  # whose bands tell the lattice
    win = read_win(path)
    space = _cell_beside(path, win)
    if win.spread and not beside(path, "_wsvec.dat").exists():
        warnings.warn(
            f"{beside(path, '.win').name} says use_ws_distance, and no"
            f" {beside(path, '_wsvec.dat').name} stands beside {path.name}: without it bands are"
            " off by some meV between the k points of the calculation. Copy it there.",
            MaterialWarning,
            stacklevel=4,
        )
    plane = None if space is None else _plane(space, path.name)
    if orbital.layered and space is not None and space[2, 2] < 0:  # a3 points down in the file
        orbital = turned_over(orbital)
    setting, notes = None, list[str]()
    if vectors is not None:
        setting = Setting.of(vectors)
        if plane is not None:
            _require_alike(setting.cell.given, plane, path.name)
    elif cell_angle is None and plane is not None and not triangular:
        setting = _rounded(flat, plane) or Setting.of(plane)
        if setting.lattice.name == "triangular" != standard_cell(plane).name:
            notes.append("the cell's rounded numbers taken for triangular, as the bands are")
    if setting is None:
        if lattice_constant is None and plane is not None:
            lattice_constant = float(np.linalg.norm(plane[0]))
        angle = cell_angle if plane is None else _required_angle(plane, cell_angle, path.name)
        setting = _triangular(path, flat, angle, lattice_constant, stated=triangular)
    elif setting.lattice.name == "triangular":
        turned = Bonds(flat.vectors * np.array([1, -1]), flat.matrices)
        require_same_angle(setting.bonds(flat), setting.bonds(turned), path.name)
    if lattice_constant is not None:
        setting = replace(setting, lattice=replace(setting.lattice, constant=lattice_constant))
    bonds, found = with_spin(orbital, path, spin)
    if basis is None and space is not None:
        functions = orbital.dimension
        layers = orbital.layered
        basis, unclear = _basis(path, win, space, functions, bonds.dimension // 2, found, layers)
        if unclear and bonds.dimension > 2:
            notes.append(f"orbitals unknown: {unclear}")
        if basis is not None and win.projections.turned:
            turn = np.kron(np.eye(2), win.projections.turn)
            bonds = Bonds(bonds.vectors, turn @ bonds.matrices @ turn.T)
            notes.append("orbitals with axes of their own turned into those of the crystal")
    moved, there = setting.electrons(Bonds.sum([bonds]), basis)
    if basis is not None and there is None:
        notes.append("orbitals unknown: the turn leads out of their set")
    return WannierCrystal(setting.lattice, moved, there, found, (*setting.notes, *notes))


def _require_alike(told: NDArray[np.float64], plane: NDArray[np.float64], name: str) -> None:
    """Raise where a cell that is told has another shape than the one beside the file."""
    one, two = (a @ a.T / np.trace(a @ a.T) for a in (told, plane))
    if np.abs(one - two).max() > ALIKE:
        raise MaterialFileError(
            "The cell that is given has the shape of the one in the file's .win or _tb.dat.",
            f"{told.round(4).tolist()}, and {plane.round(4).tolist()} beside {name}",
            "Leave the lattice to the file: no [lattice] in the TOML, or no vectors.",
        )


def _rounded(orbital: Bonds, plane: NDArray[np.float64]) -> Setting | None:
    """The triangular setting of a cell that is so but for rounding, if the bands agree."""
    if standard_cell(plane).near != "triangular":
        return None
    (x, y), length = plane[0], float(np.linalg.norm(plane[0]))
    along = np.copysign(0.5, plane[0] @ plane[1])
    across = np.copysign(np.sqrt(3) / 2, np.linalg.det(plane))
    cell = np.array([[1.0, 0.0], [along, across]]) @ np.array([[x, y], [-y, x]])
    setting = replace(Setting.of(cell), lattice=Lattice("triangular", length))
    return setting if is_threefold(setting.bonds(orbital)) else None


def _required_angle(plane: NDArray[np.float64], given: int | None, name: str) -> int:
    """The angle of the cell beside a file that is said to be triangular, and none other."""
    stated = angle_of(plane, name)
    if given not in (None, stated):
        raise MaterialFileError(
            "The angle that is given is the one of the cell beside the file.",
            f"cell_angle = {given}, and {stated} degrees beside {name}",
            "Leave cell_angle out, or correct the .win.",
        )
    return stated


def _triangular(
    path: Path, orbital: Bonds, angle: int | None, constant: float | None, *, stated: bool
) -> Setting:
    """The setting of a triangular cell at 60 or 120 degrees, checked on the bands."""
    if constant is None:
        raise MaterialFileError(
            "A Wannier90 Hamiltonian without its .win has no length of its own.",
            path.name,
            "Give the lattice constant in Angstrom, or put the .win beside the file.",
        )
    lattice = Lattice("triangular", constant)
    if triangular_angle(orbital, angle, path.name, stated=stated) == 60:
        return Setting.own(lattice)
    cell = constant * np.array([[1.0, 0.0], [-0.5, np.sqrt(3) / 2]])
    return replace(Setting.of(cell), lattice=lattice)


def _cell_beside(path: Path, win: Win) -> NDArray[np.float64] | None:
    """The cell of the ``.win``, or of the ``_tb.dat`` itself; raises where these are two."""
    if not path.name.endswith("_tb.dat"):
        return win.cell
    own = lattice_of_tb(path.read_text(encoding="ascii", errors="replace"))
    if own is None or win.cell is None:
        return win.cell if own is None else own
    if np.abs(own - win.cell).max() > ROUNDED * np.abs(own).max():
        raise MaterialFileError(
            "A _tb.dat and the .win beside it have one cell.",
            f"{own.round(4).tolist()} Angstrom in {path.name}, {win.cell.round(4).tolist()} in the"
            " .win",
            "Put the .win of the same calculation beside it, or move the .win away.",
        )
    return win.cell


def _plane(space: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """a1 and a2 as vectors of the xy plane; a3 must stand upright on it."""
    length = np.linalg.norm(space, axis=1)
    if np.abs(space[:2, 2]).max() > UPRIGHT * length[:2].min() or (
        np.abs(space[2, :2]).max() > UPRIGHT * length[2]
    ):
        raise MaterialFileError(
            "The crystal's plane is that of a1 and a2, x and y; a3 lies along z.",
            f"{name} with vectors {space.round(4).tolist()} Angstrom",
            "Use a Hamiltonian in such a cell (the conventional one of a body-centred crystal).",
        )
    return np.asarray(space[:2, :2])


def _basis(
    path: Path,
    win: Win,
    space: NDArray[np.float64],
    functions: int,
    orbitals: int,
    spin: str,
    layers: bool,
) -> tuple[Basis | None, str]:
    """Orbitals in the file's cell; None and the reason where they are not known."""
    projections = win.projections.harmonics
    if projections is None:
        return None, win.projections.unclear
    if len(projections) != orbitals:
        return None, f"{len(projections)} projections in the .win for {orbitals} orbitals"
    places = np.array([place for _, place, _ in projections]) @ space
    centres = read_centres(path, functions)
    if centres is not None:
        if functions == 2 * orbitals:
            centres = centres[::2] if spin == "interleaved" else centres[:orbitals]
        shift = np.rint((centres - places) @ np.linalg.inv(space)) @ space
        away = np.linalg.norm(centres - places - shift, axis=1)
        if not win.at_home:  # where the Hamiltonian has them
            places = places + shift
        if away.max() > FAR:
            worst = int(away.argmax())
            return None, (
                f"the centre of function {worst + 1} lies {away[worst]:.2g} Angstrom from the site"
                " of its projection"
            )
    heights = places[:, 2]
    if (centres is None or win.at_home) and not layers:  # whose numbers say which cell each is in
        heights = _together(heights, float(space[2, 2]))
    reduced = places[:, :2] @ np.linalg.inv(space[:2, :2])
    return tuple(
        Orbital(name, (round(r1, 9), round(r2, 9)), round(float(z), 9), f"{label} {name}".strip())
        for (label, _, name), (r1, r2), z in zip(
            projections, reduced.tolist(), heights, strict=True
        )
    ), ""


def _together(heights: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """Heights of one layer, none split from the others by the cell's border."""
    phases = np.exp(2j * np.pi * heights / period)
    middle = float(np.angle(phases.sum()) / (2 * np.pi) * period)
    return np.asarray(heights - period * np.rint((heights - middle) / period))
