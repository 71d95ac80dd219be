"""The steps of preparation in their order, each of which can be left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.measured.preparation.bragg import find_lattice
from gapscope.measured.preparation.bragg_vectors import bragg_vectors
from gapscope.measured.preparation.drift import correct_drift
from gapscope.measured.preparation.found import FoundLattice
from gapscope.measured.preparation.grid import grid_of
from gapscope.measured.preparation.levelling import level_lines, level_plane
from gapscope.measured.preparation.line_noise import remove_line_noise
from gapscope.measured.preparation.lockin import mask_peaks
from gapscope.measured.preparation.other_hand import told_of_hand
from gapscope.measured.preparation.otherscale import told_of_scale
from gapscope.measured.preparation.phase import Shift, displacement
from gapscope.measured.preparation.prepared import Prepared, Steps
from gapscope.measured.preparation.sought import Crystal, Sought, sought
from gapscope.measured.preparation.symmetrise import operations
from gapscope.measured.preparation.waves import find_density_wave

CORRECTED = (0.95, 1.05)
"""Bounds of measured over true lengths in a corrected map."""


def prepare(
    image: xr.DataArray,
    lattice_constant: Crystal,
    steps: Steps | None = None,
    *,
    topograph: xr.DataArray | None = None,
) -> Prepared:
    """A measured map, ready to be compared with theory.

    Parameters
    ----------
    image : dims ("y", "x"), coordinates in nm, y upwards.
    lattice_constant : the constant of a triangular lattice in Angstrom; or any lattice, or the
        material that has it, which errors then name.
    steps : what to do; level a plane, remove line noise and correct the drift where not given.
    topograph : a map of the same scan, on the same pixels, in which lattice and wave are looked for
        instead; a conductance map often does not show the atoms. It is levelled alike.

    Raises
    ------
    SpecificationError : a constant that is not a positive number.
    LatticeNotFoundError : no significant Bragg peaks within the bounds.
    PreparationError : not a map, a setting or symmetry that is not allowed, or a topograph on other
        pixels; ``phase`` with a topograph.
    """
    steps = Steps() if steps is None else steps
    wanted = sought(lattice_constant)
    if steps.symmetry is not None:
        operations(steps.symmetry, wanted.lattice)  # refused before anything is done
    grid_of(image)
    if topograph is not None:
        _require_same_scan(image, topograph, steps)
    images = {"raw": image, **_levelled(image, steps)}
    last = images[list(images)[-1]]
    shown = last  # where lattice and wave are found
    if topograph is not None:
        shown = [topograph, *_levelled(topograph, steps).values()][-1]
    try:
        lattice = _lattice(shown, wanted, steps)
    except LatticeNotFoundError as error:
        bounds = {"anisotropy": steps.anisotropy, "false_alarm": steps.false_alarm}
        told = told_of_hand(error, shown, wanted, scale=steps.scale, **bounds)
        told = told or told_of_scale(error, shown, wanted, **bounds)
        if told is None:
            raise
        raise told from error
    after = replace(steps, scale=CORRECTED) if steps.drift else steps
    wave = None
    if steps.wavevector is not None:
        wave = find_density_wave(shown, lattice, steps.wavevector)
    final_lattice = lattice
    levelled = (last,) if topograph is None else (last, shown)
    if steps.drift:
        last = images["drift"] = correct_drift(last, lattice)
        shown = last if topograph is None else correct_drift(shown, lattice)
        final_lattice = _lattice_again(shown, wanted, after)
    shift = None
    if steps.phase is not None:
        length = steps.phase * float(np.linalg.norm(final_lattice.vectors, axis=1).mean())
        shift = Shift(grid_of(last), displacement(last, final_lattice, length))
        last = images["phase"] = shift.map(last)
        final_lattice = _lattice_again(last, wanted, after)
    # Where peaks are taken out, see _to_mask.
    bragg = (
        bragg_vectors(lattice, *levelled) if shift is None else bragg_vectors(final_lattice, last)
    )
    other = None if topograph is None else shown
    done = Prepared(images, lattice, final_lattice, bragg, wave, steps, other, shift)
    return replace(done, images=_masked(images, done))


def prepare_alike(prepared: Prepared, image: xr.DataArray) -> Prepared:
    """Another map of the same scan, levelled by itself and corrected as a prepared one was.

    Lattice, wave and distortion are those of the prepared map, and so are the notches, whether its
    peaks stand out in this one or not; those that stand out in this one alone are taken out, too.
    Its atoms are where the prepared one has them.

    Raises
    ------
    PreparationError : a map on other pixels.
    """
    one, other = grid_of(image), grid_of(prepared.images["raw"])
    if not (np.array_equal(one.x, other.x) and np.array_equal(one.y, other.y)):
        raise PreparationError(
            "Maps of one scan are on the same pixels.",
            f"{image.sizes} and {prepared.images['raw'].sizes}",
            "Use channels or biases of the same file.",
        )
    steps = prepared.steps
    images = {"raw": image, **_levelled(image, steps)}
    if steps.drift:
        images["drift"] = correct_drift(images[list(images)[-1]], prepared.lattice)
    if prepared.shift is not None:
        images["phase"] = prepared.shift.map(images[list(images)[-1]])
    shown, lattice = _to_mask(images, prepared)
    own = bragg_vectors(lattice, shown).tolist()
    bragg = prepared.bragg.tolist()
    bragg += [one for one in own if one not in bragg]
    images = _masked(images, replace(prepared, bragg=np.array(bragg)))
    atoms = prepared.topograph
    if atoms is None:
        atoms = [one for name, one in prepared.images.items() if name != "masked"][-1]
    return replace(prepared, images=images, topograph=atoms)


def _levelled(image: xr.DataArray, steps: Steps) -> dict[str, xr.DataArray]:
    """The map after the steps that need no lattice."""
    done: dict[str, xr.DataArray] = {}
    if steps.plane:
        image = done["plane"] = level_plane(image)
    if steps.lines is not None:
        degree = None if steps.lines == "median" else steps.lines
        image = done["lines"] = level_lines(image, degree)
    if steps.line_noise:
        done["line_noise"] = remove_line_noise(image)
    return done


def _require_same_scan(image: xr.DataArray, topograph: xr.DataArray, steps: Steps) -> None:
    one, other = grid_of(image), grid_of(topograph)
    if not (np.array_equal(one.x, other.x) and np.array_equal(one.y, other.y)):
        raise PreparationError(
            "A topograph was recorded with the map, on the same pixels.",
            f"{topograph.sizes} and {image.sizes}",
            "Use a channel of the same file.",
        )
    if steps.phase is not None:
        raise PreparationError(
            "Slow distortions are corrected by the atoms of the map itself.",
            f"phase = {steps.phase} with a topograph",
            "Leave one of them out.",
        )


def _lattice(image: xr.DataArray, wanted: Sought, steps: Steps) -> FoundLattice:
    return find_lattice(
        image,
        wanted,
        scale=steps.scale,
        anisotropy=steps.anisotropy,
        false_alarm=steps.false_alarm,
    )


def _lattice_again(image: xr.DataArray, wanted: Sought, steps: Steps) -> FoundLattice:
    """The lattice of a corrected map."""
    try:
        return _lattice(image, wanted, steps)
    except LatticeNotFoundError as error:
        raise LatticeNotFoundError(
            "A corrected map shows the lattice that it was corrected by.",
            f"{image.sizes['x']} x {image.sizes['y']} pixels are left, in which it is not found",
            "Use a larger map, or leave the correction out (--no-drift).",
        ) from error


def _to_mask(
    images: dict[str, xr.DataArray], prepared: Prepared
) -> tuple[xr.DataArray, FoundLattice]:
    """The map that peaks are taken out of, and the lattice in it.

    A phase correction sharpens the peaks; without one they are out before the map is resampled.
    """
    if prepared.shift is not None:
        return images["phase"], prepared.final_lattice
    return next(images[name] for name in reversed(images) if name != "drift"), prepared.lattice


def _masked(images: dict[str, xr.DataArray], prepared: Prepared) -> dict[str, xr.DataArray]:
    """The maps with one more, in which the peaks that are not wanted are missing."""
    steps, wave = prepared.steps, prepared.wave
    image, lattice = _to_mask(images, prepared)
    momenta = np.empty((0, 2))
    if steps.mask_bragg:
        innermost = [peak.momentum for peak in lattice.peaks]
        others = lattice.momentum(prepared.bragg[len(innermost) :])
        momenta = np.concatenate([innermost, others])
    if steps.mask_wave and wave is not None:
        # Reduced coordinates do not change under the correction.
        reduced = prepared.lattice.reduced(wave.momenta)
        momenta = np.concatenate([momenta, lattice.momentum(reduced)])
    if not len(momenta):
        return images
    width = steps.notch * float(np.linalg.norm(lattice.reciprocal, axis=1).mean())
    masked = mask_peaks(image, momenta, width)
    if prepared.shift is None and steps.drift:
        masked = correct_drift(masked, prepared.lattice)
    return {**images, "masked": masked}
