"""What the page shows of a state: its maps, A(k) and density of states, kept for a while."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.explore.momentum import SpectralImage, spectral_image
from gapscope.explore.momentum import spectral_part as computed_part
from gapscope.explore.state import CONVERGED, Quality, State
from gapscope.plots.overview import overview_figure
from gapscope.plots.style import save_figure
from gapscope.simulation.maps import simulate
from gapscope.simulation.numerics import Converged, Grid
from gapscope.simulation.spectrum import density_of_states
from gapscope.support.netcdf import write_netcdf

KEPT = 8
"""Results of each kind that are kept: a download follows the view of the same state."""


@lru_cache(maxsize=KEPT)
def maps(state: State, quality: Quality) -> xr.Dataset:
    """rho(q) and drho(r) at the state's energy, as :func:`gapscope.simulate` gives them.

    Raises
    ------
    SpecificationError : no impurity.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    return simulate(state.specification(), state.numerics(quality))


def density(state: State, quality: Quality) -> xr.DataArray:
    """Density of states of the clean superconductor in 1/meV over ``state.dos_energies()``."""
    parts = [density_part(state, quality, part) for part in range(quality.parts)]
    return xr.concat(parts, "energy", combine_attrs="identical").sortby("energy")


def density_part(state: State, quality: Quality, part: int) -> xr.DataArray:
    """A part of it, so that the worker can turn to other things in between."""
    return _density_part(state.clean(), quality, part)


def spectral(state: State, quality: Quality) -> SpectralImage:
    """A(k) of the clean superconductor at the state's energy."""
    return _spectral(_at_energy(state), quality)


def spectral_part(state: State, quality: Quality, part: int) -> NDArray[np.float64]:
    """A part of it, as of the density."""
    return _spectral_part(_at_energy(state), quality, part)


def _at_energy(state: State) -> State:
    return replace(state.clean(), energy=state.energy)


@lru_cache(maxsize=KEPT)
def _spectral(clean: State, quality: Quality) -> SpectralImage:
    parts = [_spectral_part(clean, quality, part) for part in range(quality.parts)]
    return spectral_image(clean, quality, parts)


@lru_cache(maxsize=KEPT * CONVERGED.parts)
def _spectral_part(clean: State, quality: Quality, part: int) -> NDArray[np.float64]:
    return computed_part(clean, quality, part)


@lru_cache(maxsize=KEPT * CONVERGED.parts)
def _density_part(clean: State, quality: Quality, part: int) -> xr.DataArray:
    """Every so many-th energy of the density of states."""
    energies = clean.dos_energies()[part :: quality.parts]
    method = Grid(quality.kgrid) if quality.kgrid else Converged(quality.accuracy)
    # Nobody is told how far off the coarse one is: it is shown until the converged one comes.
    return density_of_states(
        clean.specification(), energies, clean.broadening, method=method, estimate=False
    )


def map_file(state: State) -> bytes:
    """The converged map as a netCDF file."""
    return netcdf_bytes(maps(state, CONVERGED), "map.nc")


def netcdf_bytes(content: xr.Dataset | xr.DataTree, name: str) -> bytes:
    """The content of a netCDF file of this name."""
    with tempfile.TemporaryDirectory() as folder:
        return write_netcdf(content, Path(folder) / name).read_bytes()


def figure_file(state: State) -> bytes:
    """The converged view as a PNG figure of ``gapscope.plots``."""
    image = spectral(state, CONVERGED)
    figure = overview_figure(
        maps(state, CONVERGED),
        image.values,
        image.reach,
        image.fermi_surface,
        density(state, CONVERGED),
    )
    with tempfile.TemporaryDirectory() as folder:
        return save_figure(figure, Path(folder) / "view.png").read_bytes()
