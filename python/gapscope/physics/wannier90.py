"""Tight-binding Hamiltonians from Wannier90: ``seed_hr.dat`` and ``seed_wsvec.dat``.

H_ij(k) = sum_R exp(i k.R) / ndegen(R) H_ij(R); with ``use_ws_distance`` every element is spread
over equivalent vectors R + T of the Born-von Karman supercell (Wannier90 user guide, file formats).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MaterialFileError
from gapscope.physics.bonds import Bonds
from gapscope.physics.layers import SURFACES
from gapscope.physics.spin import SX, SY, SZ
from gapscope.physics.wannier_kind import (
    require_plane,
    require_triangular,
    stated_cell_angle,
)
from gapscope.physics.wannier_text import read_hamiltonian_text
from gapscope.physics.wannier_win import beside

MEV_PER_EV = 1000.0
FLAT = 1e-5
"""eV: hopping out of the plane that is summed up, as the rounding of a monolayer's file."""
TO_60 = {60: np.eye(2, dtype=np.int64), 120: np.array([[1, -1], [0, 1]])}
"""(r1, r2) of a basis in that with 60 degrees: a2(120) = a2(60) - a1(60)."""


PLANES = {"gamma": 0.0, "z": 0.5}
"""Named cuts of a bulk crystal's zone, k3 in units of b3."""


def read_wannier90(
    path: str | Path, *, fermi_energy: float, cell_angle: int | None = None
) -> Bonds:
    """Orbital bonds (n, orbitals, orbitals) in meV of a triangular spinless Hamiltonian.

    Parameters
    ----------
    path, fermi_energy : see :func:`read_orbitals`.
    cell_angle : 60 or 120 degrees between the file's a1 and a2; without it, that of
        ``unit_cell_cart`` in ``seed.win`` beside it, or else the angle for which the file's
        vectors form the rounder cell.

    Raises
    ------
    MaterialFileError : as :func:`read_orbitals` does, or a lattice that is not triangular as far as
        the ``.win`` or the bands tell.
    """
    path = Path(path)
    given = read_orbitals(path, fermi_energy=fermi_energy)
    stated = stated_cell_angle(path) if cell_angle is None else cell_angle
    angle = triangular_angle(given, stated, path.name)
    return Bonds.sum([Bonds(given.vectors @ TO_60[angle].T, given.matrices)])


def read_orbitals(
    path: Path,
    *,
    fermi_energy: float,
    kz: str | float | None = None,
    surface: str | None = None,
) -> Bonds:
    """Orbital bonds (n, orbitals, orbitals) in meV, counted in the file's own cell.

    Parameters
    ----------
    path : ``seed_hr.dat`` or ``seed_tb.dat``; ``seed_wsvec.dat`` beside it is used when
        it is there (leaving it out shifts bands by up to meV, more than a gap).
    fermi_energy : eV, subtracted from every orbital.
    kz : the plane "Gamma" (0) or "Z" (1/2, in units of b3) of a bulk crystal: H(R1, R2) is then
        sum_R3 H(R) exp(2 pi i kz R3).
    surface : "top" or "bottom" of a bulk crystal that is open there: all H(R1, R2, R3).

    Raises
    ------
    MaterialFileError : not such a file, a three-dimensional crystal with neither kz nor surface, or
        with both, a surface of one in the plane, or not Hermitian.
    """
    if not np.isfinite(fermi_energy):
        raise MaterialFileError(
            "The Fermi energy is a finite number in eV.", fermi_energy, "Give it in eV."
        )
    if surface is not None:
        _require_surface(surface, kz)
    plane = None if kz is None else _plane(kz)
    try:
        vectors, degeneracy, elements = read_hamiltonian_text(
            path.read_text(encoding="ascii", errors="replace")
        )
        companion = beside(path, "_wsvec.dat")
        shifts = _read_wsvec(companion.read_text(encoding="ascii")) if companion.exists() else None
        total = _spread(vectors, elements / degeneracy[:, None, None], shifts)
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise MaterialFileError(
            "A Wannier90 _hr.dat or _tb.dat, and its _wsvec.dat, has the layout of the user guide.",
            f"{path}: {error}",
            "Check that the file is a whole _hr.dat or _tb.dat.",
        ) from error
    _require_partners(total, path.name)
    require_plane([_hops(total, axis) for axis in range(3)], path.name)
    if surface is not None:
        kept = _stacked(total, path.name)
    else:
        kept = _flattened(total, path.name) if plane is None else _cut(total, plane)
    bonds = Bonds.from_dict({r: MEV_PER_EV * h for r, h in kept.items()})
    zero = Bonds.from_dict({(0, 0): -MEV_PER_EV * fermi_energy * np.eye(bonds.dimension)})
    # The file rounds to 1e-6 eV; the Hermitian part differs by no more than that.
    adjoint = bonds.adjoint()
    asymmetry = bonds.distance(adjoint)
    if asymmetry > 1e-4:
        raise MaterialFileError(
            "A Hamiltonian is Hermitian: H(-R) = H(R)^dagger.",
            f"{path.name} breaks it by {asymmetry:.2g} of the largest element",
            "Check that the file is complete.",
        )
    # Vectors whose matrices vanish stay: the cell's angle is told from all of them.
    whole = Bonds.sum([bonds.scaled(0.5), adjoint.scaled(0.5), zero])
    nothing = np.zeros((bonds.dimension, bonds.dimension), dtype=np.complex128)
    found = dict(zip(map(tuple, whole.vectors.tolist()), whole.matrices, strict=True))
    return Bonds.from_dict(dict.fromkeys(kept, nothing) | found)


def triangular_angle(
    given: Bonds, cell_angle: int | None, name: str, *, stated: bool = False
) -> int:
    """60 or 120 degrees between a1 and a2 of a file that is triangular, checked on the bands.

    Parameters
    ----------
    stated : whether the lattice is said to be triangular, as it is where there is an angle.

    Raises
    ------
    MaterialFileError : an angle that is not 60 or 120 degrees or cannot be told, or bands of
        another lattice.
    """
    angle = _cell_angle(given.vectors, cell_angle)
    bonds = Bonds(given.vectors @ TO_60[angle].T, given.matrices)
    other = Bonds(given.vectors @ TO_60[180 - angle].T, given.matrices)
    require_triangular(bonds, other, given, angle, name, stated=stated or cell_angle is not None)
    return angle


def _plane(kz: str | float) -> float:
    named = PLANES.get(str(kz).strip().lower())
    if named is not None:
        return named
    if not isinstance(kz, (int, float)) or isinstance(kz, bool) or (2 * kz) % 1:
        raise MaterialFileError(
            "A bulk crystal is cut where k3 and -k3 are one plane, as pairs of k and -k need it:"
            ' kz is "Gamma" (0) or "Z" (0.5).',
            kz,
            'Give kz = "Gamma" or kz = "Z".',
        )
    return float(kz) % 1


def _require_surface(surface: str, kz: str | float | None) -> None:
    if surface not in SURFACES or kz is not None:
        raise MaterialFileError(
            "A bulk crystal is cut at a plane of kz, or half of it is there, open at its top or its"
            " bottom.",
            f"surface = {surface!r}, kz = {kz!r}",
            'Give kz = "Gamma" or "Z", or surface = "top" or "bottom".',
        )


def _stacked(
    total: dict[tuple[int, int, int], NDArray[np.complex128]], name: str
) -> dict[tuple[int, ...], NDArray[np.complex128]]:
    """H(R) of a crystal whose layers are coupled."""
    leaving = _leaving(total)
    if leaving <= FLAT:
        raise MaterialFileError(
            "A half-infinite crystal has hopping out of the plane: |H(R)| is above"
            f" {FLAT:g} eV somewhere where R3 is not 0.",
            f"{name} with |H(R3 != 0)| up to {leaving:.2g} eV",
            "Leave surface out: a monolayer is its own surface.",
        )
    return dict(total.items())


def _hops(total: dict[tuple[int, int, int], NDArray[np.complex128]], axis: int) -> bool:
    """Whether there is hopping along one of a1, a2, a3."""
    return any(r[axis] and np.abs(h).max() > FLAT for r, h in total.items())


def _leaving(total: dict[tuple[int, int, int], NDArray[np.complex128]]) -> float:
    """The largest element of H(R) out of the plane."""
    return max((float(np.abs(h).max()) for r, h in total.items() if r[2]), default=0.0)


def _cut(
    total: dict[tuple[int, int, int], NDArray[np.complex128]], k3: float
) -> dict[tuple[int, ...], NDArray[np.complex128]]:
    """H(R1, R2) = sum_R3 H(R) exp(2 pi i k3 R3), where the exponentials are 1 or -1."""
    plane: dict[tuple[int, ...], NDArray[np.complex128]] = {}
    for (r1, r2, r3), matrix in total.items():
        sign = -1 if k3 and r3 % 2 else 1
        plane[r1, r2] = plane.get((r1, r2), 0) + sign * matrix
    return plane


def _flattened(
    total: dict[tuple[int, int, int], NDArray[np.complex128]], name: str
) -> dict[tuple[int, ...], NDArray[np.complex128]]:
    """H(R1, R2) at k3 = 0, the sum over R3, where what leaves the plane is below FLAT."""
    leaving = _leaving(total)
    if leaving > FLAT:
        raise MaterialFileError(
            f"The crystal is two-dimensional: |H(R)| is below {FLAT:g} eV where R3 is not 0.",
            f"{name} with |H(R3 != 0)| up to {leaving:.2g} eV",
            "Use a monolayer's Hamiltonian, with one k-point along the third axis; or cut a bulk"
            " one at a plane, --kz Gamma or --kz Z, or take half of it, --surface top or"
            " --surface bottom (kz or surface in [wannier90] of a material's TOML).",
        )
    return _cut(total, 0.0)


def _require_partners(total: dict[tuple[int, int, int], NDArray[np.complex128]], name: str) -> None:
    """Raise where a bond R of weight has no partner -R in the file."""
    alone = [
        (a, b, c)
        for (a, b, c), h in total.items()
        if (-a, -b, -c) not in total and np.abs(h).max() > FLAT
    ]
    if alone:
        some = ", ".join(map(str, sorted(alone)[:3])) + (", ..." if len(alone) > 3 else "")
        raise MaterialFileError(
            "A Wannier90 file holds H(-R) beside every H(R), with H(-R) = H(R)^dagger.",
            f"{name}: {len(alone)} of {len(total)} vectors without their opposite: {some}",
            "Write the file anew, with all vectors; or write the bonds into a material's TOML as"
            " [[bonds]], where the opposite is added.",
        )


def atomic_soc(strength: float, orbitals: Sequence[str]) -> NDArray[np.complex128]:
    """Onsite spin-orbit coupling strength * L.S among d orbitals, (2n, 2n) in meV, spin major.

    Parameters
    ----------
    strength : coefficient of L.S in meV.
    orbitals : real d orbitals in order, out of dz2, dxz, dyz, dx2-y2, dxy.

    Raises
    ------
    MaterialFileError : an unknown orbital name.
    """
    unknown = [name for name in orbitals if name not in REAL_D]
    if unknown:
        raise MaterialFileError(
            f"Atomic SOC knows the orbitals {', '.join(REAL_D)}.", unknown, "Rename them."
        )
    basis = np.array([REAL_D[name] for name in orbitals])
    total = np.zeros((2 * len(orbitals), 2 * len(orbitals)), dtype=np.complex128)
    for component, sigma in zip(_angular_momentum(), (SX, SY, SZ), strict=True):
        total += strength / 2 * np.kron(sigma, basis.conj() @ component @ basis.T)
    return total


# Real d orbitals as combinations of |l = 2, m = -2 .. 2> (Condon-Shortley phases).
_S = 1 / np.sqrt(2)
REAL_D: dict[str, NDArray[np.complex128]] = {
    "dz2": np.array([0, 0, 1, 0, 0], dtype=np.complex128),
    "dxz": np.array([0, _S, 0, -_S, 0], dtype=np.complex128),
    "dyz": np.array([0, 1j * _S, 0, 1j * _S, 0], dtype=np.complex128),
    "dx2-y2": np.array([_S, 0, 0, 0, _S], dtype=np.complex128),
    "dxy": np.array([1j * _S, 0, 0, 0, -1j * _S], dtype=np.complex128),
}


def _angular_momentum() -> tuple[NDArray[np.complex128], ...]:
    """Lx, Ly, Lz for l = 2 in the basis m = -2 .. 2."""
    m = np.arange(-2, 2)
    raising = np.diag(np.sqrt(6.0 - m * (m + 1)), -1).astype(np.complex128)
    lowering = raising.T
    return (
        (raising + lowering) / 2,
        (raising - lowering) / 2j,
        np.diag(np.arange(-2.0, 3.0)).astype(np.complex128),
    )


def _read_wsvec(text: str) -> dict[tuple[int, ...], NDArray[np.int64]]:
    """{(R1, R2, R3, i, j): shifts T of shape (n, 3)}."""
    numbers = iter(line.split() for line in text.splitlines()[1:] if line.strip())
    shifts: dict[tuple[int, ...], NDArray[np.int64]] = {}
    for key in numbers:
        count = int(next(numbers, ["0"])[0])
        targets = np.array(list(islice(numbers, count)), dtype=np.int64)
        if count < 1 or targets.shape != (count, 3):
            raise ValueError(f"_wsvec.dat has no whole list of vectors for {' '.join(key)}")
        shifts[tuple(int(n) for n in key)] = targets
    return shifts


def _spread(
    vectors: NDArray[np.int64],
    elements: NDArray[np.complex128],
    shifts: dict[tuple[int, ...], NDArray[np.int64]] | None,
) -> dict[tuple[int, int, int], NDArray[np.complex128]]:
    """H_ij(R) shared equally among the vectors R + T of ``_wsvec.dat``."""
    orbitals = elements.shape[1]
    total: dict[tuple[int, int, int], NDArray[np.complex128]] = {}
    unshifted = np.zeros((1, 3), dtype=np.int64)
    for vector, element in zip(vectors, elements, strict=True):
        for i, j in np.ndindex(orbitals, orbitals):
            key = (*vector.tolist(), i + 1, j + 1)
            if shifts is not None and key not in shifts and not element[i, j]:
                continue
            targets = unshifted if shifts is None else shifts[key]
            for r1, r2, r3 in (vector + targets).tolist():
                matrix = total.setdefault((r1, r2, r3), np.zeros_like(element))
                matrix[i, j] += element[i, j] / len(targets)
    return total


def _cell_angle(sites: NDArray[np.int64], cell_angle: int | None) -> int:
    """The angle between a1 and a2 of the file, 60 or 120 degrees."""
    if cell_angle is None:
        r1, r2 = sites.T
        squares = {60: r1**2 + r2**2 + r1 * r2, 120: r1**2 + r2**2 - r1 * r2}
        longest = {angle: int(square.max()) for angle, square in squares.items()}
        if longest[60] == longest[120]:
            raise MaterialFileError(
                "The angle between a1 and a2 cannot be told from the file's lattice vectors.",
                f"both angles give cells of equal radius {longest[60]} a^2",
                "Give cell_angle = 60 or 120 if it is triangular; put the .win beside the file, or"
                " write a material's TOML with vectors in [lattice], if it is another lattice.",
            )
        cell_angle = min(longest, key=lambda angle: longest[angle])
    if cell_angle not in (60, 120):
        raise MaterialFileError(
            "The triangular cell is given with 60 or 120 degrees between a1 and a2.",
            cell_angle,
            "Give cell_angle = 60 or 120.",
        )
    return cell_angle
