"""What a Wannier90 Hamiltonian is of: with spin or without, and on which lattice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MaterialFileError
from gapscope.physics.bonds import Bonds
from gapscope.physics.spin import SY
from gapscope.physics.symmetry import C3, act_on_bonds
from gapscope.physics.wannier_win import read_win

SPINS = ("none", "blocks", "interleaved")
KRAMERS = 5.0
"""meV: bands that lie closer than this at all four momenta k = -k are Kramers pairs; of narrow
bands, NARROW of their width."""
REVERSAL = 0.01
"""Largest part of H by which an ordering of the spins may break time reversal."""
COUPLED = 1e-3
"""Part of H that depends on the spin, above which it does."""
SYMMETRY = 20.0
"""meV: bands that agree better than this after an operation have its symmetry; of narrow bands,
NARROW of their width."""
NARROW = 0.05
INVARIANT = np.array([[0, 0], [0.5, 0], [0, 0.5], [0.5, 0.5]])
SAMPLES = np.random.default_rng(7).uniform(-0.5, 0.5, (24, 2))
# (r1, r2) after a quarter turn of a square lattice and a mirror of a rectangular one.
OTHERS = {"square": np.array([[0, -1], [1, 0]]), "rectangular": np.diag([1, -1])}


def with_spin(bonds: Bonds, path: Path, spin: str | None) -> tuple[Bonds, str]:
    """2n x 2n bonds, spin major, and what the file was taken for, one of SPINS.

    Without ``spin``, a file holds both spins where its ``.win`` says so, where its bands are pairs
    of Kramers wherever k = -k, or where they differ at k and -k, as those of magnets alone do.
    Their order is the one for which time reversal, i s_y K, leaves H alone: s_y H(R)* s_y = H(R).

    Raises
    ------
    MaterialFileError : an unknown ``spin``, one that the ``.win`` or time reversal contradicts, or
        a file that seems to hold both spins, in no order that time reversal tells.
    """
    if spin not in (None, *SPINS):
        raise MaterialFileError(f"spin is one of {', '.join(SPINS)}.", spin, "Choose one.")
    if spin in ("blocks", "interleaved") and bonds.dimension % 2:
        raise MaterialFileError(
            "With spin there is an even number of Wannier functions.",
            f"{bonds.dimension} in {path.name}",
            'Give spin = "none".',
        )
    spinors = read_win(path).spinors
    if spin is not None:
        _require_spin(bonds, path, spin, spinors)
    sign = "" if spin else _sign(bonds.in_plane(), spinors)
    if sign:
        fitting = [one for one in SPINS[1:] if _time_reversed(_spin_major(bonds, one))]
        if not fitting or (len(fitting) > 1 and bonds.dimension > 2):
            raise MaterialFileError(
                "A Hamiltonian without spin is doubled; this one seems to hold both spins already.",
                f"{path.name} with {bonds.dimension} Wannier functions: {sign}",
                'Say spin = "interleaved" (up, down, up, down, ...), "blocks" (all up, then all'
                ' down), or "none" if it is without spin all the same.',
            )
        spin = fitting[0]
    if spin in (None, "none"):
        return bonds.kron(left=np.eye(2)), "none"
    return _spin_major(bonds, str(spin)), str(spin)


def _spin_major(bonds: Bonds, spin: str) -> Bonds:
    """All up, then all down; an odd number of functions is left as it is."""
    if spin == "blocks" or bonds.dimension % 2:
        return bonds
    order = [*range(0, bonds.dimension, 2), *range(1, bonds.dimension, 2)]
    return Bonds(bonds.vectors, bonds.matrices[:, order][:, :, order])


def _time_reversed(bonds: Bonds) -> bool:
    """Whether s_y H(R)* s_y = H(R) for bonds in spin-major order."""
    if bonds.dimension % 2:
        return False
    flip = np.kron(SY, np.eye(bonds.dimension // 2))
    return bonds.distance(Bonds(bonds.vectors, flip @ bonds.matrices.conj() @ flip)) < REVERSAL


def _require_spin(bonds: Bonds, path: Path, spin: str, spinors: bool | None) -> None:
    """Raise where something else is known than what is said."""
    if spin == "none":
        if spinors:
            raise MaterialFileError(
                "A Hamiltonian whose .win says spinors = .true. holds both spins.",
                f'spin = "none" of {path.name}',
                "Leave spin out, or correct the .win.",
            )
        return
    other = SPINS[3 - SPINS.index(spin)]
    if not _time_reversed(_spin_major(bonds, spin)) and _time_reversed(_spin_major(bonds, other)):
        raise MaterialFileError(
            "Spins stand in the order for which time reversal, i s_y K, leaves H alone.",
            f'spin = "{spin}" of {path.name}, where "{other}" is that order',
            f'Give spin = "{other}", or leave spin out.',
        )


def _sign(bonds: Bonds, spinors: bool | None) -> str:
    """What shows that a file holds both spins; "" where nothing does."""
    if spinors:
        return "spinors = .true. in its .win"
    if bonds.dimension % 2:
        return ""
    bands = np.linalg.eigvalsh(bonds.at(INVARIANT))
    apart = float((bands[:, 1::2] - bands[:, ::2]).max())
    if apart <= min(KRAMERS, NARROW * _width(bonds)):
        return f"bands are pairs within {apart:.2g} meV wherever k = -k (Kramers)"
    reversed_ = Bonds(-bonds.vectors, bonds.matrices)
    if spinors is None and not _alike(reversed_, bonds):
        return f"bands differ by {_apart(reversed_, bonds):.2g} meV at k and -k, as a magnet's do"
    return ""


def stated_cell_angle(path: Path) -> int | None:
    """60 or 120 from ``unit_cell_cart`` of the ``.win`` beside the file; None where it is silent.

    Raises
    ------
    MaterialFileError : the cell stated there is not triangular.
    """
    cell = read_win(path).cell
    return None if cell is None else angle_of(cell, path.name)


def angle_of(cell: NDArray[np.float64], name: str) -> int:
    """60 or 120 degrees between a1 and a2 of a cell that stands beside a file.

    Raises
    ------
    MaterialFileError : the cell is not triangular.
    """
    first, second = np.linalg.norm(cell[:2], axis=1)
    angle = float(np.degrees(np.arccos(cell[0] @ cell[1] / (first * second))))
    for right in (60, 120):
        if abs(angle - right) < 1 and abs(first / second - 1) < 0.01:
            return right
    raise MaterialFileError(
        "A triangular lattice has a1 and a2 of one length, at 60 or 120 degrees.",
        f"a1 : a2 = {first / second:.3f} at {angle:.1f} degrees in the cell beside {name}",
        "Leave the lattice to that: no [lattice] in a material's TOML, and no cell_angle.",
    )


def holds_coupling(bonds: Bonds) -> bool:
    """Whether spin-major bonds have spin-orbit coupling.

    Time reversal leaves them alone, and turns of all spins do not.
    """
    n = bonds.dimension // 2
    parts = bonds.matrices.reshape(-1, 2, n, 2, n)
    alone = Bonds(bonds.vectors, (parts[:, 0, :, 0] + parts[:, 1, :, 1]) / 2)
    without = alone.kron(left=np.eye(2))
    return _time_reversed(bonds) and bonds.distance(without) > COUPLED


def require_plane(hopping: Sequence[bool], name: str) -> None:
    """Raise where a3 lies in the plane, as in a slab whose vacuum is along another axis.

    Parameters
    ----------
    hopping : whether there is any along a1, a2 and a3.

    Raises
    ------
    MaterialFileError : hopping along a3 and one of the others alone.
    """
    if not hopping[2] or hopping[0] == hopping[1]:
        return
    still, moving = (2, 1) if hopping[0] else (1, 2)
    raise MaterialFileError(
        "The crystal's plane is that of a1 and a2, along both of which there is hopping.",
        f"{name} with hopping along a{moving} and a3, and none along a{still}, as of a slab whose"
        f" vacuum is along a{still}",
        "Compute it with the vacuum along a3. Or, of a crystal without spin-orbit coupling,"
        f" exchange columns R{still} and R3 in a copy of the file, and give a1 and a2 of the new"
        " order as vectors in the [lattice] of a material's TOML.",
    )


def require_triangular(
    bonds: Bonds, other: Bonds, given: Bonds, angle: int, name: str, *, stated: bool
) -> None:
    """Raise where the bands are those of another lattice.

    Parameters
    ----------
    bonds, other : in the basis with 60 degrees between a1 and a2, if these are at ``angle`` in the
        file, or at the other angle of 60 and 120.
    given : as the file has them.
    stated : whether the lattice is said to be triangular, and not only taken for it.

    Raises
    ------
    MaterialFileError : the bands lack the threefold symmetry; they have it with the other angle, or
        have a square's or a rectangle's, or nobody has said that the lattice is triangular.
    """
    plane = np.linalg.matrix_rank(given.vectors) == 2
    if not plane or is_threefold(bonds):
        return
    if is_threefold(other):
        raise MaterialFileError(
            f"Bands of a triangular lattice have its threefold symmetry; with {angle} degrees"
            " between a1 and a2 these have it not.",
            f"{name}, whose bands have it with {180 - angle} degrees",
            f"Give cell_angle = {180 - angle}.",
        )
    for lattice, operation in OTHERS.items():
        if _alike(Bonds(given.vectors @ operation.T, given.matrices), given):
            raise _other_lattice(
                f"{name}, whose bands have the symmetry of a {lattice} lattice and not that of a"
                " triangular one",
                "; no cell_angle makes it triangular",
            )
    if not stated:
        raise _other_lattice(
            f"{name}, whose bands have no threefold symmetry",
            ", or give cell_angle if it is triangular all the same",
        )


def _other_lattice(received: str, more: str) -> MaterialFileError:
    return MaterialFileError(
        "Without its .win a Wannier90 file is taken for a triangular lattice.",
        received,
        "Put the .win beside the file, or write a material's TOML with vectors, in Angstrom, in its"
        f" [lattice]{more}.",
    )


def require_same_angle(bonds: Bonds, other: Bonds, name: str) -> None:
    """Raise where the bands have the threefold symmetry of a triangular cell only if its a2 has the
    other sign than stated.

    Parameters
    ----------
    bonds, other : in the triangular cell as it is stated, and with a2 reversed.
    """
    if not is_threefold(bonds) and is_threefold(other):
        raise MaterialFileError(
            "Bands of a triangular lattice have its threefold symmetry.",
            f"{name}, whose bands have it only if a2 has the other sign than in the cell beside it",
            "Put the .win that belongs to the Hamiltonian beside it, or correct vectors in the"
            " [lattice] of the material's TOML.",
        )


def is_threefold(bonds: Bonds) -> bool:
    """Whether bands in the triangular cell agree to SYMMETRY after a turn by 120 degrees."""
    return _alike(act_on_bonds(C3, bonds), bonds)


def _alike(one: Bonds, two: Bonds) -> bool:
    """Whether bands agree within what files of a symmetric crystal miss its symmetry by."""
    return _apart(one, two) <= min(SYMMETRY, NARROW * _width(two))


def _width(bonds: Bonds) -> float:
    """From the lowest to the highest energy in meV, over momenta that lie nowhere special."""
    return float(np.ptp(np.linalg.eigvalsh(bonds.at(SAMPLES))))


def _apart(one: Bonds, two: Bonds) -> float:
    """Largest difference of the bands in meV at momenta that lie nowhere special."""
    difference = np.linalg.eigvalsh(one.at(SAMPLES)) - np.linalg.eigvalsh(two.at(SAMPLES))
    return float(np.abs(difference).max())
