"""Wannier functions W_i(r) of a material's orbitals, as a tip above the crystal sees them.

They are analytic, by the character of each orbital, or values on a grid, from Wannier90's plots.
W is real, the same for both spins, and normalised: int |W|^2 d^3r = 1. Lengths in Angstrom.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter

from gapscope.errors import MaterialWarning, SpecificationError
from gapscope.physics.kinds import is_number, require_kind
from gapscope.physics.material import DEFAULT_BASIS, Material
from gapscope.physics.orbitals import CHARACTERS, harmonic
from gapscope.simulation.continuum.likeness import projected, radius_of, unlike
from gapscope.simulation.continuum.volume import Volume, read_volume

Real = NDArray[np.float64]
Function = Callable[[Real], Real]
DECAY = 1.09
"""kappa in 1/Angstrom of states at the Fermi level in vacuum, at a work function of 4.5 eV."""
ALIKE = 1e-3
"""Part of a lattice vector by which a file's cell may miss the material's."""
SURE = 0.1
"""Overlap, in parts of that of the amplitudes, whose sign is believed."""


@dataclass(frozen=True, eq=False)
class WannierFunctions:
    """One function per orbital, in the order of the rows of a spin block.

    Parameters
    ----------
    functions : W_i at points (..., 3) in Angstrom, in the axes of the material's lattice, for the
        orbital of the cell R = 0; in 1/Angstrom^(3/2).
    description : what they are, for results.
    """

    functions: tuple[Function, ...]
    description: str

    @classmethod
    def slater(cls, material: Material, decay: float = DECAY) -> WannierFunctions:
        """W = N Y_lm(r/\\|r\\|) exp(-decay \\|r\\|) on each orbital's place, Y by its character.

        Parameters
        ----------
        decay : in 1/Angstrom; that of vacuum sqrt(2 m phi) / hbar where nothing else is known.

        Raises
        ------
        SpecificationError : orbitals of unknown character, or a decay that is not positive.
        """
        require_kind(material, Material, "A material", 'gs.material("nbse2")')
        _require_length(decay, "decay", "1/Angstrom", DECAY)

        def radial(ell: int, r: Real) -> Real:
            norm = math.sqrt((2 * ell + 1) / (4 * math.pi) * 4 * decay**3)
            return np.asarray(norm * np.exp(-decay * r) / np.maximum(r, 1e-9) ** ell)

        return _by_character(material, radial, f"Slater orbitals, decay {decay:g} 1/Angstrom")

    @classmethod
    def gaussian(cls, material: Material, width: float) -> WannierFunctions:
        """W = N r^l Y_lm(r/\\|r\\|) exp(-r^2 / 2 width^2) on each orbital's place.

        A Gaussian ends far more steeply than a state in vacuum does: let ``Tip.vacuum`` continue it
        from a plane near the atoms.

        Raises
        ------
        SpecificationError : orbitals of unknown character, or a width that is not positive.
        """
        require_kind(material, Material, "A material", 'gs.material("nbse2")')
        _require_length(width, "width", "Angstrom", 1.0)

        def radial(ell: int, r: Real) -> Real:
            norm = (2 * ell + 1) / (4 * math.pi) * 2 / (width ** (2 * ell + 3))
            norm = math.sqrt(norm / math.gamma(ell + 1.5))
            return np.asarray(norm * np.exp(-(r**2) / (2 * width**2)))

        return _by_character(material, radial, f"Gaussian orbitals, width {width:g} Angstrom")

    @classmethod
    def from_files(
        cls, material: Material, paths: str | Path | Sequence[str | Path]
    ) -> WannierFunctions:
        """Functions on grids: Wannier90's plots (``.xsf``, ``.cube``), one file per orbital.

        They are interpolated by cubic splines, and zero outside their grids. Each is normalised
        over its grid, since programs differ in the unit of what they write, and has the sign that
        the Hamiltonian's has by the projections: Wannier90 makes a plot positive where it is
        largest. They are those of the Hamiltonian as its file has it: where projections with axes
        of their own were turned into those of the crystal, they no longer belong together.

        Raises
        ------
        SpecificationError : another number of files than of orbitals, or a cell whose lattice
            vectors are not the material's.
        MaterialFileError : a file that cannot be read as a function on a grid.

        Warns
        -----
        MaterialWarning : a function that does not look like its orbital, where that is known, or
            several whose signs are not known.
        """
        require_kind(material, Material, "A material", 'gs.material("nbse2")')
        paths = [paths] if isinstance(paths, (str, Path)) else paths
        if len(paths) != material.orbitals:
            raise SpecificationError(
                "Each orbital has its Wannier function, in the order of the Hamiltonian.",
                f"{len(paths)} files for {material.orbitals} orbitals of {material.name}",
                "Give one .xsf or .cube file per orbital.",
            )
        volumes = [read_volume(Path(path)) for path in paths]
        for path, volume in zip(paths, volumes, strict=True):
            _require_same_cell(volume, material, Path(path).name)
        names = ", ".join(Path(path).name for path in paths)
        signs = _signs(volumes, material)
        functions = tuple(map(_interpolated, volumes, signs))
        return cls(functions, f"grids of {names}")

    def at(self, points: Real) -> Real:
        """W_i at points (..., 3): (orbitals, ...)."""
        return np.stack([function(points) for function in self.functions])


def _by_character(
    material: Material, radial: Callable[[int, Real], Real], description: str
) -> WannierFunctions:
    """N f_lm(r) radial(l, |r|), f_lm a homogeneous polynomial of degree l."""
    if material.basis is None:
        raise SpecificationError(
            "Analytic Wannier functions follow from the orbitals' characters and places.",
            f"{material.name}: {material.orbitals} orbitals of unknown character",
            "Give [[atoms]] in the material's TOML file, or the functions' .xsf or .cube files.",
        )
    lattice = material.lattice

    def made(character: str, place: Real) -> Function:
        ell = CHARACTERS[character]

        def function(points: Real) -> Real:
            away = points - place
            r = np.linalg.norm(away, axis=-1)
            return np.asarray(harmonic(character, away) * radial(ell, r))

        return function

    functions = []
    for one in material.basis:
        x, y = lattice.constant * (np.array(one.position) @ lattice.vectors)
        functions.append(made(one.character, np.array([x, y, one.height])))
    return WannierFunctions(tuple(functions), description)


def _interpolated(volume: Volume, sign: float) -> Function:
    norm = math.sqrt(float(np.square(volume.values).sum()) * volume.voxel)
    if not norm > 0:
        raise SpecificationError(
            "A Wannier function is somewhere different from zero.",
            volume.name,
            "Check what was plotted.",
        )
    values = spline_filter(volume.values * (sign / norm), order=3)
    back = np.linalg.inv(volume.steps)

    def function(points: Real) -> Real:
        index = (points - volume.origin) @ back
        flat = np.moveaxis(index, -1, 0).reshape(3, -1)
        found = map_coordinates(values, flat, order=3, mode="constant", prefilter=False)
        return np.asarray(found.reshape(points.shape[:-1]))

    return function


def _require_same_cell(volume: Volume, material: Material, name: str) -> None:
    """Raise where the material's lattice vectors are no sums of the file's, in the same axes."""
    if volume.cell is None:
        return
    own = material.lattice.constant * material.lattice.vectors
    plane = volume.cell[:2, :2]
    sums = own @ np.linalg.inv(plane) if abs(np.linalg.det(plane)) > 1e-6 else np.full((2, 2), 0.5)
    apart = np.abs((sums - np.rint(sums)) @ plane).max() / material.lattice.constant
    if apart > ALIKE or abs(round(float(np.linalg.det(sums)))) != 1:
        rows = "; ".join(f"{x:.4f}, {y:.4f}" for x, y in own)
        raise SpecificationError(
            "The lattice of a Wannier function's file is the material's, in the same axes.",
            f"{name} with a1, a2 = {plane.round(4).tolist()} Angstrom, where the material has"
            f" ({rows})",
            "Plot the functions in the axes of the standard cell, or correct the lattice constant.",
        )


def _signs(volumes: Sequence[Volume], material: Material) -> list[float]:
    """The sign of each function in the Hamiltonian over that in its file, as far as is known.

    Warns of what does not look like its orbital, and of signs that cannot be told.
    """
    signs = [1.0] * len(volumes)
    basis = None if material.basis == DEFAULT_BASIS else material.basis
    if len(volumes) > 1 and basis is None:
        _warn(
            f"{material.name} has orbitals of unknown character: functions have the signs of their"
            " files, and Wannier90 makes each positive where it is largest, whatever it is in the"
            " Hamiltonian. Interference between orbitals may have the wrong sign. Put the .win with"
            " its projections beside the Hamiltonian, or give [[atoms]] in a material's TOML."
        )
    lattice = material.lattice.constant * material.lattice.vectors
    for number, (volume, one) in enumerate(zip(volumes, basis or (), strict=False)):
        place = np.array([*(one.position @ lattice), one.height])
        why = unlike(volume, one, place, lattice)
        overlap = projected(volume, one, place, radius_of(lattice))
        if why:
            _warn(
                f"{volume.name} does not look like {one.name or one.character} of {material.name}:"
                f" {why}. Give the files in the order of the Hamiltonian's orbitals; where the .win"
                " has projections with axes of their own (x= or z=), take the projections out of a"
                " copy of it, so that the Hamiltonian's functions stay those of the files."
            )
        elif len(volumes) > 1 and abs(overlap) < SURE:
            _warn(
                f"{volume.name} has no overlap with {one.name or one.character}, by which its sign"
                " would be told. Interference between orbitals may have the wrong sign."
            )
        elif overlap < 0:
            signs[number] = -1.0
    return signs


def _warn(words: str) -> None:
    warnings.warn(words, MaterialWarning, stacklevel=4)


def _require_length(value: float, what: str, unit: str, example: float) -> None:
    if not (is_number(value) and value > 0):
        raise SpecificationError(
            f"The {what} of an orbital is a positive number in {unit}.",
            value,
            f"Give for example {example:g}.",
        )
