"""Which steps are done, and what has come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import xarray as xr

from gapscope.errors import PreparationError
from gapscope.measured.preparation.bragg import FALSE_ALARM
from gapscope.measured.preparation.bravais import Whole
from gapscope.measured.preparation.found import FoundLattice
from gapscope.measured.preparation.grid import Real, grid_of
from gapscope.measured.preparation.network_input import largest_window, nearest_site, network_input
from gapscope.measured.preparation.phase import Shift
from gapscope.measured.preparation.transform import fourier_transform
from gapscope.measured.preparation.waves import DensityWave


@dataclass(frozen=True)
class Steps:
    """What to do, in this order; None or False leaves a step out.

    Attributes
    ----------
    plane : subtract the plane of least squares.
    lines : level every scan line by its "median", or by a polynomial of this degree.
    line_noise : take the offsets of scan lines out, sparing Bragg peaks.
    drift : correct the affine distortion, so that the lattice is the material's.
    phase : correct slow distortions with this smoothing length, in lattice constants.
    mask_bragg, mask_wave : take the peaks of the lattice, all that stand out of the noise, and of
        the wave out of the map, which is then corrected without them: interpolating atoms leaves
        more of them than interference is strong.
    notch : width of these notches, in units of |b1|.
    symmetry : point group of the lattice to average the network's input over, such as "C3v".
    scale, anisotropy, false_alarm : bounds of the search for the lattice, see
        :func:`gapscope.measured.preparation.find_lattice`.
    wavevector : that of the density wave that is looked for, in units of b1, b2; None for none.
    """

    plane: bool = True
    lines: Literal["median"] | int | None = None
    line_noise: bool = True
    drift: bool = True
    phase: float | None = None
    mask_bragg: bool = False
    mask_wave: bool = False
    notch: float = 0.04
    symmetry: str | None = None
    scale: tuple[float, float] = (0.87, 1.15)
    anisotropy: float = 1.25
    false_alarm: float = FALSE_ALARM
    wavevector: tuple[float, float] | None = (1 / 3, 0.0)


@dataclass(frozen=True)
class Prepared:
    """A prepared map with all that was on the way.

    Attributes
    ----------
    images : maps by the names of the steps done, in their order: "raw", "plane", "lines",
        "line_noise", "drift", "phase", "masked".
    lattice : found in the map before "drift"; its distortion is what "drift" corrects.
    final_lattice : found in the last map with its peaks still in it.
    bragg : (n, 2), m1, m2 of the vectors m1 b1 + m2 b2 that have a Bragg peak in the map or its
        topograph, of each and its opposite one; those that the lattice was found by come first.
    wave : the density wave before "drift", None where none was looked for.
    steps : what was asked for.
    topograph : the corrected map that ``final_lattice`` was found in, where that is another one.
    shift : the step "phase", None where it was not done.
    """

    images: dict[str, xr.DataArray]
    lattice: FoundLattice
    final_lattice: FoundLattice
    bragg: Whole
    wave: DensityWave | None
    steps: Steps = field(default_factory=Steps)
    topograph: xr.DataArray | None = None
    shift: Shift | None = None

    @property
    def final(self) -> xr.DataArray:
        """The map after the last step."""
        return list(self.images.values())[-1]

    @property
    def levelled(self) -> xr.DataArray:
        """The map in which lattice and wave were found."""
        names = [name for name in self.images if name not in ("drift", "phase", "masked")]
        return self.images[names[-1]]

    def transform(self, step: str | None = None) -> xr.DataArray:
        """Complex rho(q) of the map after a step, of the last one where none is named.

        Raises
        ------
        PreparationError : a step that was not done.
        """
        if step is None:
            return fourier_transform(self.final, lattice=self.final_lattice)
        if step not in self.images:
            raise PreparationError(
                f"The steps done are {', '.join(self.images)}.", step, "Name one of them."
            )
        corrected = step in ("drift", "phase", "masked")
        lattice = self.final_lattice if corrected else self.lattice
        return fourier_transform(self.images[step], lattice=lattice)

    def corrected(self, point: Sequence[float]) -> tuple[float, float]:
        """Where a point (x, y) of the scan, in nm, lies in the final map."""
        matrix, before, after = self._affine
        place = after + matrix @ (np.asarray(point, dtype=np.float64) - before)
        x, y = place if self.shift is None else self.shift.target(place)
        return float(x), float(y)

    def recorded(self, point: Sequence[float]) -> tuple[float, float]:
        """Where a point (x, y) of the final map, in nm, was in the scan."""
        matrix, before, after = self._affine
        place = np.asarray(point, dtype=np.float64)
        place = place if self.shift is None else self.shift.source(place)
        x, y = before + np.linalg.solve(matrix, place - after)
        return float(x), float(y)

    @property
    def _affine(self) -> tuple[Real, Real, Real]:
        """From the scan around its middle to the map before "phase" around its own."""
        final = grid_of(self.final) if self.shift is None else self.shift.grid
        before = grid_of(self.images["raw"]).middle
        matrix = self.lattice.correction.value if self.steps.drift else np.eye(2)
        return matrix, before, final.middle

    def site(self, point: Sequence[float] | None = None) -> tuple[float, float]:
        """The atom (x, y) in nm next to a point of the final map, next to its middle if none.

        Atoms are where the Bragg waves of the map, or of its topograph, add up.

        Raises
        ------
        PreparationError : a point outside of the final map.
        """
        grid = grid_of(self.final)
        at = grid.middle.tolist() if point is None else list(point)
        inside = [axis[0] <= p <= axis[-1] for axis, p in zip((grid.x, grid.y), at, strict=True)]
        if not all(inside):
            raise PreparationError(
                "A centre lies within the map.",
                f"({at[0]:.4g}, {at[1]:.4g}) nm, where x runs from {grid.x[0]:.4g} to"
                f" {grid.x[-1]:.4g} and y from {grid.y[0]:.4g} to {grid.y[-1]:.4g}",
                "Give x and y in nm.",
            )
        atoms = self.topograph
        if atoms is None:
            atoms = [image for name, image in self.images.items() if name != "masked"][-1]
        x, y = nearest_site(atoms, self.final_lattice, at)
        return float(x), float(y)

    def network_input(
        self, size: int | None = None, centre: tuple[float, float] | None = None, turns: int = 0
    ) -> xr.Dataset:
        """drho and rho(q) on a network's grids, see ``network_input`` of this package.

        The attribute bias (mV) says what the map was taken at, where that is known.

        Parameters
        ----------
        size : L; the largest that fits where not given.
        centre : that of the image, in nm of the final map; the atom next to its middle where not
            given.
        """
        middle = self.site() if centre is None else centre
        if size is None:
            size = max(2, largest_window(self.final, self.final_lattice, middle))
        taken = self.images["raw"].coords
        known = {"bias": float(taken["bias"])} if "bias" in taken else {}
        sites = network_input(
            self.final,
            self.final_lattice,
            size,
            middle,
            turns=turns,
            symmetry=self.steps.symmetry,
        )
        return sites.assign_attrs(known)
