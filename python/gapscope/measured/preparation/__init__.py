"""Preparation of measured maps: from a scan to the image that a network reads.

All functions take a map, an xarray.DataArray with dims ("y", "x") and coordinates in nm, y upwards,
and give a new one or a small result; nothing is changed in place. Momenta are in 1/nm with the
factor 2 pi, or in units of the Bragg vectors b1, b2 of docs/conventions.md; lattice constants, as
everywhere in gapscope, in Angstrom.
"""

from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.measured.preparation.bragg import find_lattice
from gapscope.measured.preparation.drift import apply_affine, correct_drift
from gapscope.measured.preparation.found import FoundLattice, Measured
from gapscope.measured.preparation.levelling import level_lines, level_plane
from gapscope.measured.preparation.line_noise import remove_line_noise
from gapscope.measured.preparation.lockin import local_amplitude, mask_peaks
from gapscope.measured.preparation.network_input import largest_window, nearest_site, network_input
from gapscope.measured.preparation.peaks import Peak
from gapscope.measured.preparation.phase import correct_phase, displacement
from gapscope.measured.preparation.pipeline import prepare
from gapscope.measured.preparation.prepared import Prepared, Steps
from gapscope.measured.preparation.symmetrise import symmetrise_image, symmetrise_sites
from gapscope.measured.preparation.transform import fourier_transform
from gapscope.measured.preparation.waves import DensityWave, WavePeak, find_density_wave

__all__ = [
    "DensityWave",
    "FoundLattice",
    "LatticeNotFoundError",
    "Measured",
    "Peak",
    "PreparationError",
    "Prepared",
    "Steps",
    "WavePeak",
    "apply_affine",
    "correct_drift",
    "correct_phase",
    "displacement",
    "find_density_wave",
    "find_lattice",
    "fourier_transform",
    "largest_window",
    "level_lines",
    "level_plane",
    "local_amplitude",
    "mask_peaks",
    "nearest_site",
    "network_input",
    "prepare",
    "remove_line_noise",
    "symmetrise_image",
    "symmetrise_sites",
]
