"""What the page shows of a state: its maps, A(k) and density of states, kept for a while."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import xarray as xr

from gapscope.explore.momentum import SpectralImage, spectral_image
from gapscope.explore.state import CONVERGED, Quality, State
from gapscope.mapfile import write_netcdf
from gapscope.plots.overview import overview_figure
from gapscope.plots.style import save_figure
from gapscope.simulate import simulate
from gapscope.spectrum import density_of_states

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
    return _spectral(replace(state.clean(), energy=state.energy), quality)


@lru_cache(maxsize=KEPT)
def _spectral(clean: State, quality: Quality) -> SpectralImage:
    return spectral_image(clean, quality)


@lru_cache(maxsize=KEPT * CONVERGED.parts)
def _density_part(clean: State, quality: Quality, part: int) -> xr.DataArray:
    """Every so many-th energy of the density of states."""
    energies = clean.dos_energies()[part :: quality.parts]
    return density_of_states(clean.specification(), energies, clean.broadening, quality.kgrid)


def map_file(state: State) -> bytes:
    """The converged map as a netCDF file."""
    with tempfile.TemporaryDirectory() as folder:
        return write_netcdf(maps(state, CONVERGED), Path(folder) / "map.nc").read_bytes()


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
