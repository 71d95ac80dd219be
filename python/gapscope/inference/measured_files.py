"""A measured file, prepared as options of a command or of :func:`gapscope.predict` say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope import measured
from gapscope.errors import PreparationError
from gapscope.measured.channels import image_channels, image_of, said
from gapscope.measured.default import USUAL, prepare_for_network
from gapscope.measured.preparation import Prepared, Steps, prepare
from gapscope.measured.preparation.sought import Sought, sought
from gapscope.measured.readers.recording import GRID
from gapscope.physics.cell import standard_cell
from gapscope.physics.lattice import Lattice, cell_vectors
from gapscope.simulation.materials import lattice_of_material, material
from gapscope.support.resources import DEFAULT_MATERIAL


@dataclass(frozen=True)
class Scan:
    """What to look at in a measured file.

    Parameters
    ----------
    channel, topograph : channels of the map, and of one that shows the atoms where it does not.
    bias : mV; of a grid of spectra the map nearest to it, of an image what it was taken at.
    interpolate : of a grid, the map at the bias itself, between the two measured around it.
    material, lattice_constant, cell : whose lattice it has, see :meth:`wanted`.
    width, height : nm, of a file without a scale of its own.
    variable : which variable of a file with several sizes.
    axes : what the dimensions of an array of a MATLAB file are.
    finished : keep only the finished lines of a scan that was stopped.
    """

    channel: str | None = None
    topograph: str | None = None
    bias: float | None = None
    interpolate: bool | None = None
    material: str | None = None
    lattice_constant: float | None = None
    cell: tuple[float, float, float] | None = None
    width: float | None = None
    height: float | None = None
    variable: str | None = None
    axes: str | None = None
    finished: bool | None = None

    def wanted(
        self, default: str = DEFAULT_MATERIAL, source: str = "the default of --material"
    ) -> Sought:
        """The lattice to look for: a cell's, or a material's, its constant perhaps another one.

        Parameters
        ----------
        default, source : material where nothing is given, and who says so.

        Raises
        ------
        PreparationError : a cell beside a material or a constant.
        MaterialFileError, SpecificationError : an unknown material, or a cell or a constant
            without meaning.
        """
        constant = self.lattice_constant
        if self.cell is not None:
            if self.material is not None or constant is not None:
                raise PreparationError(
                    "A lattice is given by its cell, or by a material and its lattice constant.",
                    "--cell beside --material or --lattice-constant",
                    "Leave one of them out.",
                )
            standard = standard_cell(cell_vectors(*self.cell), keep=True)
            return Sought(Lattice.standard(standard), "that of --cell")
        if constant is not None:
            lattice = sought(constant).lattice
            if self.material is not None:
                lattice, _ = lattice_of_material(self.material, constant)
            return Sought(lattice, "the constant of --lattice-constant")
        if self.material is not None:
            lattice, name = lattice_of_material(self.material)
            return Sought(lattice, f"that of the material {name}")
        found = sought(material(default))
        return replace(found, source=f"{found.source}, {source}")


def opened_file(file: Path, scan: Scan) -> xr.Dataset:
    """The channels of a measured file; raises as :func:`gapscope.measured.open` does."""
    return measured.open(
        file,
        width=scan.width,
        height=scan.height,
        variable=scan.variable,
        axes=scan.axes,
        finished=bool(scan.finished),
    )


def prepared_file(
    file: Path,
    scan: Scan,
    wanted: Sought,
    steps: Steps = USUAL,
    *,
    fixed: bool = False,
    usual: float = 0.0,
    tell: Callable[[str], None],
) -> Prepared:
    """The map of a measured file, prepared.

    Parameters
    ----------
    wanted : the lattice to look for.
    usual : mV, of a grid of spectra where the scan names no bias: a network's energy.
    fixed : take the steps as they are; else slow distortions are corrected, too, where that can be
        done.
    tell : called with lines of text: what was read, and what was not done.

    Raises
    ------
    MeasurementFileError : see :func:`gapscope.measured.open` and
        :func:`gapscope.measured.channels.image_of`.
    LatticeNotFoundError, PreparationError : see :func:`gapscope.measured.preparation.prepare`.
    """
    opened = opened_file(file, scan)

    def map_of(channel: str | None) -> xr.DataArray:
        interpolate = bool(scan.interpolate)
        return image_of(opened, channel, scan.bias, usual=usual, interpolate=interpolate)

    image = map_of(scan.channel)
    say_what_was_read(opened, image, chosen=scan.channel is not None, tell=tell)
    if opened[image.name].dims == GRID:
        biases, wanted_bias = opened["bias"].values, usual if scan.bias is None else scan.bias
        tell(f"{of_spectra(biases)}: {which_map(biases, image, wanted_bias)}")
    reference = None if scan.topograph is None else map_of(scan.topograph)
    if fixed:
        return prepare(image, wanted, steps, topograph=reference)
    prepared, reason = prepare_for_network(image, wanted, steps, topograph=reference)
    if reason:
        tell(f"slow distortions are not corrected: {reason}")
    return prepared


def of_spectra(biases: NDArray[np.float64]) -> str:
    """The biases of a grid of spectra."""
    steps = np.diff(biases)
    apart = f", {np.median(steps):.3g} mV apart" if len(steps) else ""
    return f"of spectra at {len(biases)} from {biases[0]:g} to {biases[-1]:g} mV{apart}"


def which_map(biases: NDArray[np.float64], image: xr.DataArray, wanted: float) -> str:
    """Which of a grid's biases a map was taken at, and how far from the one that was wanted."""
    taken = float(image["bias"])
    if not np.isclose(taken, wanted):
        return f"the map nearest to {wanted:g} mV, {taken - wanted:+.3g} mV off"
    if not np.isclose(biases, taken).any():
        above = int(np.searchsorted(biases, taken))
        low, high = biases[above - 1], biases[above]
        return f"interpolated between {low:g} and {high:g} mV"
    return f"the map at {taken:g} mV"


def say_what_was_read(
    opened: xr.Dataset, image: xr.DataArray, *, chosen: bool, tell: Callable[[str], None]
) -> None:
    """Tell the channel that was read, whether it was chosen or is the usual one, and its bias."""
    others = [name for name in image_channels(opened) if name != image.name]
    usual = ""
    if others and not chosen:
        usual = f" ({said(opened, str(image.name))}; --channel names another: {', '.join(others)})"
    known = "bias" in image.coords and image["bias"].ndim == 0
    at = f" at {float(image['bias']):g} mV" if known else ""
    told = f"{opened.attrs['source_format']}, channel {image.name}{at}{usual}"
    tell(f"{opened.attrs['file']}: {told}")
    if "left_out" in opened.attrs:
        tell(f"left out, see --variable: {opened.attrs['left_out']}")
    if "unfinished_lines" in opened.attrs:
        kept, y = opened.sizes["y"], opened["y"].values
        total = kept + opened.attrs["unfinished_lines"]
        tell(f"{kept} of {total} lines were finished, y = {y[0]:.4g} to {y[-1]:.4g} nm")
