"""A whole measurement of a superconductor: a map, or a spectrum on every pixel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import SettingError
from gapscope.instrument.image import REACH
from gapscope.instrument.setpoint import constant_current, topograph
from gapscope.instrument.settings import Measurement
from gapscope.instrument.site_states import SiteStates
from gapscope.instrument.sites import Sites, random_sites
from gapscope.instrument.tip_states import UNIT, TipStates
from gapscope.physics import Specification
from gapscope.physics.impurity import ORIGIN
from gapscope.physics.lattice import window_coordinates
from gapscope.simulation.continuum.tip import Tip
from gapscope.simulation.continuum.wannier_functions import WannierFunctions
from gapscope.simulation.provenance import versions

Real = NDArray[np.float64]


def simulate_measurement(
    specification: Specification,
    measurement: Measurement,
    seed: int = 0,
    *,
    tip: Tip | None = None,
    functions: WannierFunctions | None = None,
    pixels: int = 8,
) -> xr.Dataset:
    """What an STM would record of a superconductor whose impurities are like the given one.

    In turn: impurities on random sites, one of them on r = 0; their local density of states at the
    energies of :func:`energy_rule`, averaged; the setpoint's effect; the image on the distorted
    scan; noise. Strengths of noise are in units of the contrast, the standard deviation of the
    conductance over the sites of the field that carry no impurity.

    Every site has a Gaussian of the measurement's ``orbital``; with a ``tip`` it is the density of
    states at the tip instead, as :func:`gapscope.continuum` has it, and the feedback follows that
    of the atoms, too. Averages over a cell stand then where one number of the clean sample is
    meant, and noise is in units of what pixels differ by from those of other cells.

    Parameters
    ----------
    tip, functions, pixels : as for :func:`gapscope.continuum`.

    Returns
    -------
    Dataset like one of :func:`gapscope.measured.open`: ``conductance`` (y, x) in units of the clean
    sample's conductance at the bias ``reference``, and with a setpoint ``topograph`` (y, x) in nm.
    Conductance times the attribute ``conductance_unit`` is a density of states in 1/meV and site,
    with a tip in 1/meV and Angstrom^3 (``conductance_unit_units``).
    ``impurity_r1``, ``impurity_r2``, and ``impurity_x``, ``impurity_y`` in nm as recorded, over
    ``impurity``, r = 0 first. Attributes: the truth (irrep, gap in meV, angles in rad, eps0 in
    meV), lattice, lattice_constant (Angstrom), contrast (units of the conductance), seed, and
    measurement and specification as JSON.

    Raises
    ------
    SettingError : a crystal with several atoms per cell without a tip, an impurity that has terms
        on other sites than r = 0, or settings that do not fit each other.
    NumericsError, KernelError, JuliaNotFoundError : see :func:`gapscope.simulation.maps.simulate`.
    """
    sees = None if tip is None else (tip, functions, pixels)
    scan = _recorded(specification, measurement, [measurement.bias], seed, sees)
    image = scan["conductance"].isel(bias=0, drop=True)
    contrast = float(scan["contrast"][0])
    made = scan.drop_vars(["contrast", "bias"]).assign(conductance=image)
    return made.assign_attrs(bias=measurement.bias, contrast=contrast)


def simulate_spectra(
    specification: Specification,
    measurement: Measurement,
    biases: Sequence[float],
    seed: int = 0,
    *,
    tip: Tip | None = None,
    functions: WannierFunctions | None = None,
    pixels: int = 8,
) -> xr.Dataset:
    """The same with a spectrum on every pixel: one sample, one scan, other noise at each bias.

    The feedback holds the current before each spectrum, so that its setpoint divides all biases by
    one number at every pixel. The measurement's own bias is left aside.

    Parameters
    ----------
    biases : mV, in rising order.

    Returns
    -------
    As :func:`simulate_measurement`, with ``conductance`` (y, x, bias) and ``contrast`` (bias). Its
    netCDF file is one that :func:`gapscope.predict` reads as a grid of spectra.

    Raises
    ------
    SettingError : no biases, or not in rising order; else as :func:`simulate_measurement`.
    NumericsError, KernelError, JuliaNotFoundError : see :func:`gapscope.simulation.maps.simulate`.
    """
    given = [float(bias) for bias in biases]
    if not given or not np.isfinite(given).all() or (np.diff(given) <= 0).any():
        raise SettingError(
            "The biases of spectra are one or more numbers in rising order.",
            given,
            "Sort them, and give each once.",
        )
    sees = None if tip is None else (tip, functions, pixels)
    return _recorded(specification, measurement, given, seed, sees)


def _recorded(
    specification: Specification,
    measurement: Measurement,
    biases: Sequence[float],
    seed: int,
    sees: tuple[Tip, WannierFunctions | None, int] | None,
) -> xr.Dataset:
    """What :func:`simulate_spectra` returns."""
    if specification.impurity.sites != (ORIGIN,):
        raise SettingError(
            "The impurity that is put on random sites stands on r = 0.",
            specification.impurity.sites,
            "Give one impurity; their number follows from the measurement's density.",
        )
    if sees is None and len(specification.material.atoms) > 1:
        raise SettingError(
            "Without a tip a scan is of crystals with one atom per cell, which it sees.",
            ", ".join(atom.name for atom in specification.material.atoms),
            "Give for example tip=gs.Tip(height=4.0), which sees all atoms, or simulate the map"
            " itself with gapscope.simulate.",
        )
    lattice, field = specification.material.lattice, measurement.field
    site_rng, noise_rng = np.random.default_rng(seed).spawn(2)
    vectors = field.vectors(lattice.constant, lattice)
    points = measurement.distortion.on_sample(field.points, field) - field.centre
    sites = random_sites(
        _region(points, vectors, measurement.margin),
        site_rng,
        density=measurement.density,
        least_distance=measurement.least_distance,
        lattice=lattice,
    )
    window = _window(points, vectors, measurement, sites)
    on_sites = SiteStates(specification, measurement, sites, window)
    states: SiteStates | TipStates = on_sites
    if sees is not None:
        together, wider = on_sites.specification, on_sites.reach
        states = TipStates(together, measurement, sites, window, wider, *sees)
    each = [np.asarray(sum(states.conductance(bias))) for bias in biases]
    unit = states.clean_density(measurement.reference)
    images = {}
    if measurement.setpoint is not None:
        clean_integral, integral = states.integral()
        each = [constant_current(values, integral, clean_integral) for values in each]
        heights = topograph(
            states.render(integral, points, vectors),
            clean_integral,
            measurement.setpoint.barrier,
        )
        images["topograph"] = field.image(heights, "topograph", "nm", "height of the feedback")
    inside, shape = _inside(window, points, vectors, sites), (field.rows, field.columns)
    name, maps, contrasts = "conductance over the clean one at the reference bias", [], []
    for values in each:
        contrast = states.contrast(values, inside)
        image = states.render(values, points, vectors)
        image = image + contrast * measurement.noise.field(shape, noise_rng)
        maps.append(field.image(image / unit, "conductance", "1", name))
        contrasts.append(contrast / unit)
    over = xr.Variable("bias", list(biases), {"units": "mV"})
    images["conductance"] = xr.concat(maps, over).transpose("y", "x", "bias")
    recorded = measurement.distortion.recorded(field.centre + sites @ vectors, field)
    return xr.Dataset(
        {
            **images,
            "contrast": ("bias", contrasts, {"units": "1"}),
            "impurity_r1": ("impurity", sites[:, 0]),
            "impurity_r2": ("impurity", sites[:, 1]),
            "impurity_x": ("impurity", recorded[:, 0], {"units": "nm"}),
            "impurity_y": ("impurity", recorded[:, 1], {"units": "nm"}),
        },
        attrs={
            "source_format": "simulated",
            "temperature": measurement.temperature,
            "scan_angle": -field.angle,
            "conductance_unit": unit,
            "conductance_unit_units": "1/meV" if sees is None else UNIT,
            **({} if sees is None else {"tip": json.dumps(sees[0].to_dict())}),
            "irrep": specification.pairing.irrep,
            "gap": float(specification.pairing.gap),
            **specification.pairing.angles,
            "eps0": float(specification.eps0),
            **lattice.to_dict(),
            "window": window,
            "relative_error": states.relative_error,
            "seed": seed,
            "measurement": json.dumps(asdict(measurement)),
            "specification": json.dumps(specification.to_dict()),
            **versions(),
        },
    )


def _region(points: Real, vectors: Real, margin: float) -> Sites:
    """Sites within the rectangle around all points and a margin."""
    low, high = points.min(axis=(0, 1)) - margin, points.max(axis=(0, 1)) + margin
    corners = np.array([[x, y] for x in (low[0], high[0]) for y in (low[1], high[1])])
    reach = 2 * (int(np.abs(corners @ np.linalg.inv(vectors)).max()) + 1)
    sites, positions = _all_sites(reach, vectors)
    inside = ((positions >= low) & (positions <= high)).all(axis=-1)
    return np.asarray(sites[inside])


def _window(points: Real, vectors: Real, measurement: Measurement, sites: Sites) -> int:
    """The smallest even window that holds the orbitals of all points and all impurities."""
    reduced = int(np.abs(points @ np.linalg.inv(vectors)).max())
    # No site further off than this in either coordinate lies within an orbital's reach of a point.
    orbitals = int(np.ceil((REACH * measurement.orbital + 1) * 2 / np.sqrt(3)))
    half = max(reduced + orbitals + 2, int(np.abs(sites).max()) + 1)
    return 2 * half


def _inside(window: int, points: Real, vectors: Real, sites: Sites) -> NDArray[np.bool_]:
    """The sites within the scan that carry no impurity, (L, L)."""
    _, positions = _all_sites(window, vectors)
    low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
    inside = ((positions >= low) & (positions <= high)).all(axis=-1)
    index = sites + window // 2
    inside[index[:, 0], index[:, 1]] = False
    return np.asarray(inside)


def _all_sites(size: int, vectors: Real) -> tuple[Sites, Real]:
    r = window_coordinates(size)
    sites = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1)
    return sites, np.asarray(sites @ vectors)
