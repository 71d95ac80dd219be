"""The tip of the microscope, and the Wannier functions as it sees them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MaterialWarning, SettingError
from gapscope.physics.kinds import is_number
from gapscope.physics.lattice import Lattice
from gapscope.physics.material import DEFAULT_BASIS, Material
from gapscope.simulation.continuum.wannier_functions import DECAY, WannierFunctions

Real = NDArray[np.float64]
COMPONENTS = ("s", "px", "py", "pz")
STEP = 0.02
"""Angstrom between the points of a derivative; its error is about STEP^4 / 30 of the function."""
FARTHEST = 40
"""Cells to which Wannier functions are followed."""


@dataclass(frozen=True)
class Tip:
    """Where the tip is and which orbital it ends with.

    The current of an s wave goes with \\|psi\\|^2 at its centre, that of a p wave with the square
    of psi's derivative (C. J. Chen, Phys. Rev. B 42, 8841 (1990)); derivatives are taken in units
    of the vacuum's decay, so that p_z sees exp(-decay z) as s does.

    Parameters
    ----------
    height : z in Angstrom, counted as the heights of the material's orbitals are; those of a
        material that says nothing lie at z = 0.
    orbital : s, px, py or pz, or shares of the current by name, such as {"s": 0.5, "pz": 0.5}.
    vacuum : z from which on there is vacuum: Wannier functions are taken on this plane, and
        continued to the tip as exp(-sqrt(decay^2 + q^2) z) for each q in the plane. Without it they
        are taken at the tip.
    decay : kappa = sqrt(2 m phi) / hbar of the vacuum in 1/Angstrom, phi the work function.
    cut : part of its largest value below which a Wannier function is left out.

    Raises
    ------
    SettingError : a value outside its rule.
    """

    height: float
    orbital: str | Mapping[str, float] = "s"
    vacuum: float | None = None
    decay: float = DECAY
    cut: float = 1e-5
    shares: tuple[tuple[str, float], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        numbers = (self.height, self.decay, self.cut, 0.0 if self.vacuum is None else self.vacuum)
        if not all(map(is_number, numbers)) or self.decay <= 0 or not 0 < self.cut <= 0.01:
            raise SettingError(
                "A tip has a finite height, a positive decay, and a cut between 0 and 0.01.",
                f"height = {self.height}, decay = {self.decay}, cut = {self.cut},"
                f" vacuum = {self.vacuum}",
                "Give lengths in Angstrom, for example Tip(height=4.0).",
            )
        if self.vacuum is not None and self.vacuum > self.height:
            raise SettingError(
                "The tip is in the vacuum, above the plane from which that begins.",
                f"height = {self.height}, vacuum = {self.vacuum}",
                "Raise the tip, or lower the plane.",
            )
        named = {self.orbital: 1.0} if isinstance(self.orbital, str) else {}
        given = self.orbital if isinstance(self.orbital, Mapping) else named
        good = all(is_number(x) and x >= 0 for x in given.values())
        if not given or not set(given) <= set(COMPONENTS) or not good or not any(given.values()):
            raise SettingError(
                f"A tip's orbital is one of {', '.join(COMPONENTS)}, or shares of these.",
                self.orbital,
                'Write for example "s", or {"s": 0.6, "px": 0.2, "py": 0.2}.',
            )
        kept = tuple((name, float(share)) for name, share in given.items() if share)
        object.__setattr__(self, "shares", kept)

    def to_dict(self) -> dict[str, object]:
        """All settings for JSON."""
        settings = {"height": self.height, "vacuum": self.vacuum, "decay": self.decay}
        return {**settings, "cut": self.cut, "orbital": dict(self.shares)}


def check_side(tip: Tip, material: Material) -> None:
    """Look whether a tip is in the vacuum.

    Raises
    ------
    SettingError : a tip below the highest orbital of a crystal that is open at its top, above the
        lowest of one open at its bottom, or there with a plane of vacuum, which lies below the tip.

    Warns
    -----
    MaterialWarning : a tip below the highest orbital of a layer.
    """
    if material.basis is None or material.basis == DEFAULT_BASIS:
        return
    heights = [one.height for one in material.basis]
    low, high, below = min(heights), max(heights), material.surface == "bottom"
    if tip.height <= low and tip.vacuum is None if below else tip.height >= high:
        return
    if material.surface is None:
        warnings.warn(
            f"the tip, at {tip.height:g} Angstrom, is below an orbital of {material.name}, at"
            f" {high:g}: a height counts as theirs do. Give for example Tip(height={high + 4:g}).",
            MaterialWarning,
            stacklevel=4,
        )
        return
    side, example = f"above {high:g}", f"Tip(height={high + 4:g})"
    if below:
        side, example = f"below {low:g}", f"Tip(height={low - 4:g}), without vacuum"
    raise SettingError(
        f"The tip is where a half-infinite crystal is open: {material.name} at its"
        f" {material.surface}, {side} Angstrom.",
        f"height = {tip.height:g}, vacuum = {tip.vacuum}",
        f"Give for example {example}.",
    )


@dataclass(frozen=True, eq=False)
class Seen:
    """Wannier functions at the tip on the pixels of the cells around their own.

    Parameters
    ----------
    cells : (m, 2), the cells that they reach.
    values : (shares, pixels, pixels, m, orbitals): W_i, or its derivative, times the root of the
        share, at (u1 a1 + u2 a2) / pixels in each of the cells; in 1/Angstrom^(3/2).
    """

    cells: NDArray[np.int64]
    values: Real

    @property
    def reach(self) -> int:
        """Largest number of cells along a1 or a2."""
        return int(np.abs(self.cells).max())


def seen(functions: WannierFunctions, tip: Tip, lattice: Lattice, pixels: int) -> Seen:
    """The functions at the tip.

    Raises
    ------
    SettingError : functions that reach too far, or are zero at the tip.
    """
    parts = []
    for name, share in tip.shares:
        parts.append(math.sqrt(share) * _component(functions, tip, lattice, pixels, name))
    reach = max(part.shape[1] // (2 * pixels) for part in parts)
    # (shares, orbitals, cells1, pixels, cells2, pixels)
    side = 2 * reach + 1
    whole = np.stack([_widened(part, reach, pixels) for part in parts])
    whole = whole.reshape(len(parts), -1, side, pixels, side, pixels)
    largest = np.abs(whole).max()
    if not largest > 0:
        raise SettingError(
            "A tip is where Wannier functions are not zero.",
            f"height = {tip.height} Angstrom",
            "Lower the tip; heights count as those of the orbitals, and grids end somewhere:"
            " Tip(vacuum=z) continues them from the plane z.",
        )
    near = np.abs(whole).max(axis=(0, 1, 3, 5)) > tip.cut * largest
    r = np.arange(-reach, reach + 1)
    cells = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1)[near]
    values = whole.transpose(0, 3, 5, 2, 4, 1)[:, :, :, near]
    return Seen(cells, np.ascontiguousarray(values))


def _component(
    functions: WannierFunctions, tip: Tip, lattice: Lattice, pixels: int, name: str
) -> Real:
    """One component of all functions on the pixels of the cells -K .. K, (orbitals, n, n)."""
    plane = tip.height if tip.vacuum is None else tip.vacuum
    lateral = {"px": 0, "py": 1, "pz": 2}
    axis = lateral.get(name)
    in_vacuum = tip.vacuum is not None

    def values(points: Real) -> Real:
        if axis is None or (in_vacuum and axis == 2):
            return functions.at(points)
        return _derivative(functions.at, points, axis) / tip.decay

    wave, reach = _followed(values, lattice, pixels, plane, tip.cut)
    if not in_vacuum:
        return wave
    height = tip.height - plane
    shortest = lattice.constant * float(np.linalg.norm(lattice.vectors, axis=1).min())
    further = reach + math.ceil((height + 12 / tip.decay) / shortest)
    wave = _widened(wave, further, pixels)
    f = np.fft.fftfreq(wave.shape[-1], 1 / pixels)
    q = np.stack(np.meshgrid(f, f, indexing="ij"), axis=-1) @ lattice.reciprocal / lattice.constant
    decay = np.sqrt(tip.decay**2 + np.square(q).sum(axis=-1))
    factor = np.exp(-decay * height)
    if axis == 2:
        factor = -decay / tip.decay * factor
    return np.asarray(np.fft.ifft2(np.fft.fft2(wave) * factor).real)


def _followed(
    values: Callable[[Real], Real], lattice: Lattice, pixels: int, z: float, cut: float
) -> tuple[Real, int]:
    """Values on the cells -K .. K, (orbitals, n, n), K such that they are small beyond, and K."""
    reach = 2
    while True:
        n = np.arange(-reach * pixels, (reach + 1) * pixels) / pixels
        plane = np.stack(np.meshgrid(n, n, indexing="ij"), axis=-1) @ lattice.vectors
        points = np.empty((*plane.shape[:2], 3))
        points[..., :2], points[..., 2] = lattice.constant * plane, z
        found = values(points)
        inner = np.abs(found[:, pixels:-pixels, pixels:-pixels]).max()
        rim = found.copy()
        rim[:, pixels:-pixels, pixels:-pixels] = 0
        if inner > 0 and np.abs(rim).max() <= cut * inner:
            return found, reach
        if reach >= FARTHEST and not np.abs(found).max() > 0:
            return found, reach
        if reach >= FARTHEST:
            raise SettingError(
                f"Wannier functions at the tip end within {FARTHEST} cells.",
                f"z = {z} Angstrom, cut = {cut}",
                "Lower the tip, or raise its cut.",
            )
        reach = min(FARTHEST, reach + 2)


def _widened(wave: Real, reach: int, pixels: int) -> Real:
    """The same with zeros around, on the cells -reach .. reach."""
    more = (2 * reach + 1) * pixels - wave.shape[-1]
    return np.pad(wave, ((0, 0), (more // 2, more // 2), (more // 2, more // 2)))


def _derivative(function: Callable[[Real], Real], points: Real, axis: int) -> Real:
    """Central differences of fourth order."""
    step = np.zeros(3)
    step[axis] = STEP
    near = function(points + step) - function(points - step)
    far = function(points + 2 * step) - function(points - 2 * step)
    return np.asarray((8 * near - far) / (12 * STEP))
