"""A grid of spectra as maps at several energies, prepared alike: channels of one network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.inference.measured_files import (
    Scan,
    of_spectra,
    opened_file,
    say_what_was_read,
    which_map,
)
from gapscope.inference.measured_maps import sites_of
from gapscope.measured.channels import image_channels, image_of
from gapscope.measured.default import prepare_for_network
from gapscope.measured.preparation import Prepared
from gapscope.measured.preparation.pipeline import prepare_alike
from gapscope.measured.preparation.report import prepared_dataset
from gapscope.measured.preparation.sought import Sought
from gapscope.measured.readers.recording import GRID


def energy_sites(
    file: Path,
    scan: Scan,
    wanted: Sought,
    energies: Sequence[float],
    size: int,
    centre: Sequence[float] | None,
    *,
    tell: Callable[[str], None],
) -> xr.Dataset:
    """drho on lattice sites at several energies, of a file with a grid of spectra.

    The lattice is found in the topograph that ``scan`` names, else in the first map that shows it;
    all maps are corrected by that one and cut around the same site, and each is levelled by itself.

    Parameters
    ----------
    energies : meV; of each the map nearest to it is taken, or the one between two.
    size, centre : see :func:`gapscope.inference.measured_maps.sites_of`.
    tell : called with lines of text: what was read, and what was not done.

    Returns
    -------
    xarray.Dataset with ldos_change (energy, r1, r2), the coordinate energy (meV) and bias (energy),
    what was taken for each, in mV; raw and prepared of the first energy, and the lattice found.

    Raises
    ------
    PreparationError : no grid of spectra, a bias that is named, or one map for two energies.
    MeasurementFileError, LatticeNotFoundError : as for one energy.
    """
    opened = opened_file(file, scan)
    images = _images(opened, scan, energies, tell)
    atoms = None if scan.topograph is None else image_of(opened, scan.topograph, energies[0])
    first, reason = _first_prepared(images, wanted, atoms)
    if reason:
        tell(f"slow distortions are not corrected: {reason}")
    prepared = [
        first if image is first.images["raw"] else prepare_alike(first, image) for image in images
    ]
    sites = [sites_of(one, size, centre) for one in prepared]
    made = together(sites, prepared, energies)
    shown = prepared_dataset(prepared[0], sites[0])
    found = {name: value for name, value in shown.attrs.items() if name != "bias"}
    return made.assign(raw=shown["raw"], prepared=shown["prepared"]).assign_attrs(found)


def _first_prepared(
    images: Sequence[xr.DataArray], wanted: Sought, atoms: xr.DataArray | None
) -> tuple[Prepared, str]:
    """The first map that shows the lattice, prepared; or the first, by the atoms of another."""
    for image in images[:-1] if atoms is None else ():
        with contextlib.suppress(LatticeNotFoundError):
            return prepare_for_network(image, wanted)
    image = images[-1] if atoms is None else images[0]
    return prepare_for_network(image, wanted, topograph=atoms)


def _images(
    opened: xr.Dataset, scan: Scan, energies: Sequence[float], tell: Callable[[str], None]
) -> list[xr.DataArray]:
    """The maps of a grid of spectra at some energies."""
    grids = [name for name in image_channels(opened) if opened[name].dims == GRID]
    channel = scan.channel or next(iter(grids), None)
    if scan.bias is not None or not grids or (scan.channel is not None and channel not in grids):
        received = f"{scan.channel or 'channels'} of {', '.join(image_channels(opened))[:200]}"
        remedy = "Name a channel with spectra, or use a network for one energy (--model)."
        if scan.bias is not None:
            received, remedy = f"bias = {scan.bias:g} mV", "Leave --bias out."
        raise PreparationError(
            "A network for several energies reads a grid of spectra at these, here"
            f" {', '.join(f'{w:g}' for w in energies)} meV.",
            received,
            remedy,
        )
    interpolate = bool(scan.interpolate)
    _require_reached(opened, energies)
    images = [image_of(opened, channel, w, interpolate=interpolate) for w in energies]
    say_what_was_read(opened, opened[channel], chosen=scan.channel is not None, tell=tell)
    biases = opened["bias"].values
    tell(of_spectra(biases))
    for image, energy in zip(images, energies, strict=True):
        tell(f"{energy:g} meV: {which_map(biases, image, energy)}")
    require_distinct(images, energies)
    return images


def _require_reached(opened: xr.Dataset, energies: Sequence[float]) -> None:
    """Raise PreparationError where the spectra end before an energy."""
    low, high = float(opened["bias"].min()), float(opened["bias"].max())
    beyond = [energy for energy in energies if not low <= energy <= high]
    if beyond:
        raise PreparationError(
            "The spectra reach all energies of the network, here"
            f" {', '.join(f'{w:g}' for w in energies)} meV.",
            f"{opened.attrs['file']} from {low:g} to {high:g} mV, without"
            f" {', '.join(f'{w:g}' for w in beyond)}",
            "Use spectra that do, or leave --model out: of these, a network for one energy reads a"
            " map at --bias.",
        )


def require_distinct(images: Sequence[xr.DataArray], energies: Sequence[float]) -> None:
    """Raise PreparationError where two energies would be read off one map."""
    taken = [float(image["bias"]) for image in images]
    if len(set(taken)) < len(taken):
        raise PreparationError(
            "Each energy of a network has a map of its own.",
            f"maps at {', '.join(f'{bias:g}' for bias in taken)} mV for"
            f" {', '.join(f'{w:g}' for w in energies)} meV",
            "Use spectra with smaller steps, or a network for one energy (--model).",
        )


def together(
    sites: Sequence[xr.Dataset], prepared: Sequence[Prepared], energies: Sequence[float]
) -> xr.Dataset:
    """Maps on the same lattice sites, one for each energy (meV), as :func:`energy_sites` has them.

    Parameters
    ----------
    sites, prepared : of each energy, its sites and the preparation that they are of.
    """
    values = np.stack([one["ldos_change"].values for one in sites])
    about = sites[0]["ldos_change"].attrs
    taken = [float(one.images["raw"]["bias"]) for one in prepared]
    attributes = {key: value for key, value in sites[0].attrs.items() if key != "bias"}
    return xr.Dataset(
        {"ldos_change": (("energy", "r1", "r2"), values, about)},
        {
            "energy": ("energy", list(energies), {"units": "meV"}),
            "bias": ("energy", taken, {"units": "mV"}),
            **{axis: sites[0][axis] for axis in ("r1", "r2")},
        },
        attributes,
    )
