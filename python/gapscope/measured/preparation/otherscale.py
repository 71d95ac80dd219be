"""Where a lattice is not found at the scale of a file: whether it is there at another one."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.measured.preparation.bragg import find_lattice
from gapscope.measured.preparation.found import FoundLattice
from gapscope.measured.preparation.sought import Crystal

REACH = (0.4, 2.5)
"""Measured over true lengths that are looked at."""
WINDOWS = 7
"""Searches that REACH is cut into: within one a lattice is not mistaken for its multiples."""


def told_of_scale(
    error: LatticeNotFoundError,
    image: xr.DataArray,
    lattice_constant: Crystal,
    *,
    anisotropy: float,
    false_alarm: float,
) -> LatticeNotFoundError | None:
    """The error with the other scale in its remedy; None where the lattice is at no other.

    Parameters
    ----------
    error : the error that the search in ``image`` ended with.
    lattice_constant, anisotropy, false_alarm : as for :func:`at_other_scale`.
    """
    other = at_other_scale(image, lattice_constant, anisotropy=anisotropy, false_alarm=false_alarm)
    if other is None:
        return None
    ratio = float(other.constant.value) / other.material_constant
    return LatticeNotFoundError(
        error.rule,
        f"none there, but those of a lattice of {other.constant:.3f} Angstrom, {ratio:.2f}"
        " times that",
        "If that is the material's lattice and the file's lengths are wrong, prepare it with"
        f" --scale {0.9 * ratio:.2f} {1.1 * ratio:.2f}; if it is another material's, give its"
        " --lattice-constant or --cell; else look in the topograph of the same"
        " scan.",
    )


def at_other_scale(
    image: xr.DataArray, lattice_constant: Crystal, *, anisotropy: float, false_alarm: float
) -> FoundLattice | None:
    """The clearest lattice of the sought kind, REACH[0] to REACH[1] times as large.

    It may be a superlattice, another material's, or the material's in a file with a wrong scale:
    not for a program to decide.

    Parameters
    ----------
    lattice_constant, anisotropy, false_alarm : as for :func:`find_lattice`; the probability holds
        for all searches together.
    """
    edges = np.geomspace(*REACH, WINDOWS + 1)
    found = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        try:
            lattice = find_lattice(
                image,
                lattice_constant,
                scale=(low, high),
                anisotropy=anisotropy,
                false_alarm=false_alarm / WINDOWS,
            )
        except (LatticeNotFoundError, PreparationError):
            continue  # not there, or finer than the pixels
        found.append(lattice)
    return max(found, key=_clarity, default=None)


def _clarity(lattice: FoundLattice) -> float:
    """Logarithm of the three peaks' powers over noise, together."""
    return float(np.log([peak.significance for peak in lattice.peaks]).sum())
