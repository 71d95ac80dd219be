"""The energy up to which a number of electrons fills the bands, and whether bands are near one."""

from __future__ import annotations

import warnings

import numpy as np

from gapscope.errors import MaterialFileError, MaterialWarning
from gapscope.physics.bonds import Bonds

SETTLED = 0.1
"""meV: two successive grids agree so well about the Fermi energy."""
KGRIDS = (48, 96, 192, 384)
BULK_KGRIDS = (16, 32, 64)
"""Points per side, and along k3."""
BESIDE = 100.0
"""meV, or a tenth of the width of all bands: a Fermi energy farther outside of them is told."""
WIDEST = 3e5
"""meV: wider bands are of a file that is not in eV."""


def fermi_level(bonds: Bonds, filling: float) -> tuple[float, float]:
    """Energy in meV below which bands (of 2n x 2n bonds) hold ``filling`` electrons per cell.

    The k-grid is doubled until the energy moves by less than SETTLED, or ends. Where
    bonds lead between layers, the bands are those of the bulk.

    Returns
    -------
    The energy, and by how much it moved at the last doubling: about its error.

    Raises
    ------
    MaterialFileError : a filling that is not between none and all states.
    """
    if not 0 < filling < bonds.dimension:
        raise MaterialFileError(
            f"The filling lies between 0 and {bonds.dimension} electrons per cell.",
            filling,
            "Count the electrons of the bands that the file holds.",
        )
    kgrids = BULK_KGRIDS if bonds.layered else KGRIDS
    levels = [_level(bonds, filling, kgrids[0])]
    for kgrid in kgrids[1:]:
        levels.append(_level(bonds, filling, kgrid))
        if abs(levels[-1] - levels[-2]) < SETTLED:
            break
    return levels[-1], abs(levels[-1] - levels[-2])


def check_bands(bonds: Bonds, fermi_energy: float | None, name: str) -> None:
    """Look whether a file's bands are in eV, and lie about the Fermi energy.

    Parameters
    ----------
    bonds : in meV, the zero of energy at ``fermi_energy`` (eV), or anywhere where that is None.

    Raises
    ------
    MaterialFileError : bands wider than WIDEST.

    Warns
    -----
    MaterialWarning : a Fermi energy outside of all bands.
    """
    axes = bonds.vectors.shape[1]
    momenta = np.random.default_rng(7).uniform(-0.5, 0.5, (64, axes))
    corners = np.stack(np.meshgrid(*[[0.0, 0.5]] * axes), axis=-1).reshape(-1, axes)
    bands = np.linalg.eigvalsh(bonds.at(np.concatenate([momenta, corners])))
    low, high = float(bands.min()), float(bands.max())
    if high - low > WIDEST:
        raise MaterialFileError(
            "A Wannier90 Hamiltonian is in eV.",
            f"{name}, whose bands would be {(high - low) / 1000:.4g} eV wide",
            "Divide the elements by 1000 in a copy of the file, if they are in meV.",
        )
    beside = max(BESIDE, 0.1 * (high - low))
    if fermi_energy is None or low - beside <= 0 <= high + beside:
        return
    first, last = (edge / 1000 + fermi_energy for edge in (low, high))
    warnings.warn(
        f"the Fermi energy of {fermi_energy:g} eV lies outside of all bands of {name}, from"
        f" {first:.4g} to {last:.4g} eV. Give it in eV as the DFT code printed it, or the filling,"
        " in electrons per cell.",
        MaterialWarning,
        stacklevel=4,
    )


def filled(bonds: Bonds, filling: float) -> tuple[Bonds, str]:
    """Bonds whose zero of energy is the Fermi level of a filling, and that level in words."""
    level, error = fermi_level(bonds, filling)
    zero = Bonds.from_dict({(0, 0): -level * np.eye(bonds.dimension)})
    return Bonds.sum([bonds, zero]), level_in_words(level, error)


def level_in_words(level: float, error: float) -> str:
    """The zero of energy in eV with its error in meV, and a word where it did not settle."""
    words = f"{level / 1000:.6g} eV +- {max(error, 0.001):.2g} meV"
    if error < SETTLED:
        return words
    return f"{words}, which has not settled: two k-grids differ by more than {SETTLED:g} meV"


def _level(bonds: Bonds, filling: float, kgrid: int) -> float:
    # Off the points of symmetry, by a shift that no lattice has.
    m = (np.arange(kgrid) + 0.382) / kgrid
    others = [m] * (bonds.vectors.shape[1] - 1)
    bands = [
        np.linalg.eigvalsh(bonds.at(np.stack(np.meshgrid(m1, *others), axis=-1))).ravel()
        for m1 in m
    ]
    energies = np.sort(np.concatenate(bands))
    cells = kgrid ** bonds.vectors.shape[1]
    return float(np.interp(filling * cells, np.arange(len(energies)) + 0.5, energies))
