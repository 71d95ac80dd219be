"""How maps are prepared for a network where nobody says otherwise."""

from __future__ import annotations

from dataclasses import replace

import xarray as xr

from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.measured.preparation import Prepared, Steps, prepare
from gapscope.measured.preparation.sought import Crystal

PHASE = 6.0
"""Smoothing length of the Lawler-Fujita correction in lattice constants."""
USUAL = Steps(mask_bragg=True)


def prepare_for_network(
    image: xr.DataArray,
    lattice_constant: Crystal,
    steps: Steps = USUAL,
    *,
    topograph: xr.DataArray | None = None,
) -> tuple[Prepared, str]:
    """A measured map with slow distortions corrected, too, where its own atoms show them.

    Creep is seen in the phases of the Bragg peaks. Where these wind around defects, where the atoms
    are those of a topograph, or where ``steps`` leave the drift alone, the other steps stand alone;
    the second value says why, and is empty otherwise.

    Parameters
    ----------
    steps : without ``phase``; levelled, corrected and without its atoms where not given.
    image, lattice_constant, topograph : see :func:`gapscope.measured.preparation.prepare`.

    Raises
    ------
    SpecificationError, LatticeNotFoundError, PreparationError : see
        :func:`gapscope.measured.preparation.prepare`.
    """
    if topograph is not None:
        done = prepare(image, lattice_constant, steps, topograph=topograph)
        return done, "the atoms are those of a topograph"
    if not steps.drift:
        return prepare(image, lattice_constant, steps), "the affine distortion is left"
    try:
        return prepare(image, lattice_constant, replace(steps, phase=PHASE)), ""
    except LatticeNotFoundError:
        raise
    except PreparationError as error:
        # What is wrong with more than the phases is raised again here.
        return prepare(image, lattice_constant, steps), f"{error.rule} Received: {error.received}"
