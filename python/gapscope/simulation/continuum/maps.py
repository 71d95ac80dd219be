"""Maps on pixels, as a microscope takes them: the density of states at a tip's height."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import NumericsError, SpecificationError
from gapscope.physics.fourier import qpi_image
from gapscope.physics.impurity import Impurity
from gapscope.physics.kinds import require_kind
from gapscope.physics.lattice import Lattice, check_window
from gapscope.physics.scattering import reach_of
from gapscope.physics.specification import Scatterers, Specification
from gapscope.simulation.continuum.density import clean_trace, scattered_trace
from gapscope.simulation.continuum.tip import Seen, Tip, check_side, seen
from gapscope.simulation.continuum.wannier_functions import WannierFunctions
from gapscope.simulation.from_green import warn_of_green
from gapscope.simulation.green import green_function
from gapscope.simulation.greenfile import KnownGreen, require_green
from gapscope.simulation.map_dataset import numerics_attributes, parameters, told
from gapscope.simulation.numerics import Converged, Numerics, require_numerics
from gapscope.support.memory import require_memory

CONTINUUM_SCHEMA = 1
UNIT = "1/meV/Angstrom^3"
FORMULA = "rho(r; w) = -(1/pi) Im sum_s sum_RR'ij W_i(r - R) G_is,js(R, R'; w) W_j(r - R')"
ARRAYS = 8
"""Arrays of the result's size that lie in memory at most."""


def continuum(
    source: Specification | xr.Dataset,
    numerics: Numerics | None = None,
    *,
    tip: Tip,
    functions: WannierFunctions | None = None,
    impurity: Impurity | None = None,
    window: int | None = None,
    pixels: int = 8,
    progress: bool = False,
) -> xr.Dataset:
    """The density of states that a tip above the crystal sees, and what impurities change of it.

    rho(r; w) = -(1/pi) Im sum_s sum_RR'ij W_i(r - R) G_is,js(R, R'; w) W_j(r - R'), G with the
    impurities' T-matrix (A. Kreisel et al., Phys. Rev. Lett. 114, 217002 (2015)), W real and the
    same for both spins. Of a tip that ends with a p orbital, W is replaced by its derivative.

    Parameters
    ----------
    source : a specification with ``numerics``, or what :func:`gapscope.green_function` returned,
        with an ``impurity``.
    numerics : as of :func:`gapscope.simulate`; its window is that of the map.
    tip : height and orbital.
    functions : the Wannier functions; Slater orbitals by the material's characters, with the
        decay of the tip's vacuum, where nothing is given.
    impurity : any impurities, in place of the specification's.
    window : L, sites per side; without it the one of the numerics.
    pixels : per lattice vector.

    Returns
    -------
    xarray.Dataset with ``ldos_change`` and ``ldos_clean`` (energy, p1, p2), ``qpi_re`` and
    ``qpi_im`` (energy, q1, q2), sums over the pixels of the symmetric window divided by the pixels
    per cell, all in states per meV and Angstrom^3. p1 and p2 count lattice vectors, L pixels of
    them; x, y in Angstrom; q1, q2 in b1, b2 up to half the number of pixels; qx, qy in 1/Angstrom.
    By the method converged ``relative_error`` (energy), that of ldos_change.

    Raises
    ------
    SpecificationError : a tip, functions or an impurity of another type, orbitals of unknown
        character without functions, or a source without what belongs to it.
    SettingError : functions that are zero at the tip, or that reach too far, or a tip on the closed
        side of a half-infinite crystal.
    NumericsError : pixels that are no whole number, a window that G does not cover, or what
        does not fit into memory.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.

    Warns
    -----
    ConvergenceWarning : the grid does not resolve the broadening, or the map is less accurate than
        was asked for.
    MaterialWarning : the tip is below an orbital of a layer.
    """
    _require_pixels(pixels)
    require_kind(tip, Tip, "A tip", "gs.Tip(height=5.0)")
    if functions is not None:
        example = "gs.WannierFunctions.slater(material)"
        require_kind(functions, WannierFunctions, "A set of Wannier functions", example)
    if isinstance(source, Specification):
        specification, known = source, None
        if numerics is None:
            raise SpecificationError(
                "A specification is computed with numerics.",
                "no numerics",
                "Give for example gs.Numerics([0.0], broadening=0.1, window=64).",
            )
        require_numerics(numerics)
    else:
        known = require_green(source)
        specification = known.specification
        if numerics is not None or impurity is None:
            raise SpecificationError(
                "A Green's function has its numerics, and no impurity of its own.",
                "numerics" if numerics is not None else "no impurity",
                "Give impurity=gs.Impurity.scalar(50.0), say, and leave numerics out.",
            )
    if impurity is not None:
        specification = replace(specification, impurity=impurity)
    check_side(tip, specification.material)
    if functions is None:
        functions = WannierFunctions.slater(specification.material, tip.decay)
    _require_as_many(functions, specification)
    settings = numerics if known is None else known.numerics
    assert settings is not None
    size = settings.window if window is None else window
    check_window(size)
    lattice = specification.material.lattice
    view = seen(functions, tip, lattice, pixels)
    scatterers = specification.scatterers()
    needed = max(size // 2 + reach_of(scatterers) + view.reach, 2 * view.reach)
    _require_memory(len(settings.energies), size, pixels)
    if known is None:
        wide, reach = replace(settings, window=size), needed - size // 2
        green = green_function(specification, wide, reach=reach, progress=progress)
        known = require_green(green)
    _require_covered(known, needed, size, scatterers, view)
    return _dataset(specification, known, size, scatterers, view, tip, functions)


def continuum_traces(
    values: NDArray[np.complex128], scatterers: Scatterers, view: Seen, window: int
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Tr G(r, r) of the clean crystal on a cell's pixels, and what impurities add, by energy."""
    clean = [clean_trace(green, view) for green in values]
    change = [scattered_trace(green, scatterers, view, window) for green in values]
    return np.stack(clean), np.stack(change)


def _dataset(
    specification: Specification,
    known: KnownGreen,
    window: int,
    scatterers: Scatterers,
    view: Seen,
    tip: Tip,
    functions: WannierFunctions,
) -> xr.Dataset:
    pixels = view.values.shape[1]
    clean, change = continuum_traces(known.values, scatterers, view, window)
    density = np.asarray(-change.imag / np.pi)
    lattice = specification.material.lattice
    image = qpi_image(density, lattice) / pixels**2
    host = np.tile(-clean.imag / np.pi, (1, window, window))
    variables: dict[str, Any] = {
        "ldos_change": _map(density, "change of the local density of states at the tip"),
        "ldos_clean": _map(host, "local density of states of the host at the tip"),
    }
    for name, part, words in (("qpi_re", image.real, "real"), ("qpi_im", image.imag, "imaginary")):
        variables[name] = (("energy", "q1", "q2"), part, told(f"{words} part of rho(q)", UNIT))
    error = _errors(known, density, scatterers, view, window)
    if error is not None:
        method = known.numerics.method
        if isinstance(method, Converged) and error.max() > method.accuracy:
            warn_of_green(method, float(error.max()))
        about = told("estimated relative error of ldos_change", "1")
        variables["relative_error"] = ("energy", error, about)
    numerics = replace(known.numerics, window=window)
    return xr.Dataset(
        {**variables, "specification": ((), json.dumps(specification.to_dict()))},
        coords={
            "energy": ("energy", np.asarray(numerics.energies), told("energy", "meV")),
            **_coordinates(window, pixels, lattice),
        },
        attrs={
            "schema": CONTINUUM_SCHEMA,
            "title": f"Continuum maps of {specification.material.name}",
            **parameters(specification),
            **numerics_attributes(numerics),
            "pixels": pixels,
            "tip": json.dumps(tip.to_dict()),
            "wannier_functions": functions.description,
            "formula": FORMULA,
            **known.computed_by,
        },
    )


def _map(values: NDArray[np.float64], name: str) -> tuple[Any, ...]:
    return ("energy", "p1", "p2"), values, told(name, UNIT)


def _errors(
    known: KnownGreen,
    density: NDArray[np.float64],
    scatterers: Scatterers,
    view: Seen,
    window: int,
) -> NDArray[np.float64] | None:
    """||error of ldos_change|| / ||ldos_change|| at each energy, by the error that G has."""
    if known.error is None:
        return None
    found = []
    for green, error, own in zip(known.values, known.error, density, strict=True):
        moved = -scattered_trace(green + error, scatterers, view, window).imag / np.pi
        norm = float(np.linalg.norm(own))
        found.append(float(np.linalg.norm(moved - own)) / norm if norm else 0.0)
    return np.array(found)


def _coordinates(window: int, pixels: int, lattice: Lattice) -> dict[str, Any]:
    count = window * pixels
    steps = np.arange(-(count // 2), count // 2)
    place, momentum = steps / pixels, steps / window
    position = lattice.constant * (_mesh(place) @ lattice.vectors)
    wave = lattice.momentum(_mesh(momentum)) / lattice.constant
    return {
        "p1": ("p1", place, told("place along a1", "a1")),
        "p2": ("p2", place, told("place along a2", "a2")),
        "q1": ("q1", momentum, told("momentum along b1", "b1")),
        "q2": ("q2", momentum, told("momentum along b2", "b2")),
        "x": (("p1", "p2"), position[..., 0], told("x", "Angstrom")),
        "y": (("p1", "p2"), position[..., 1], told("y", "Angstrom")),
        "qx": (("q1", "q2"), wave[..., 0], told("qx", "1/Angstrom")),
        "qy": (("q1", "q2"), wave[..., 1], told("qy", "1/Angstrom")),
    }


def _mesh(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack(np.meshgrid(values, values, indexing="ij"), axis=-1)


def _require_pixels(pixels: int) -> None:
    whole = isinstance(pixels, (int, np.integer)) and not isinstance(pixels, bool)
    if not whole or not 1 <= pixels <= 64:
        raise NumericsError(
            "A lattice vector has 1 to 64 pixels, a whole number.", pixels, "Use for example 8."
        )


def _require_memory(energies: int, window: int, pixels: int) -> None:
    def memory(window: int, pixels: int) -> float:
        return 8.0 * ARRAYS * energies * (window * pixels) ** 2

    fewer = [n for n in (pixels // 2, pixels // 4) if n]
    require_memory(
        f"{energies} map{'s' if energies > 1 else ''} of {window * pixels} x {window * pixels}"
        " pixels",
        memory(window, pixels),
        [
            *((f"pixels = {n}", partial(memory, window, n)) for n in fewer),
            *((f"window = {n}", partial(memory, n, pixels)) for n in (window // 4 * 2,) if n),
        ],
    )


def _require_as_many(functions: WannierFunctions, specification: Specification) -> None:
    orbitals = specification.material.orbitals
    if len(functions.functions) != orbitals:
        raise SpecificationError(
            "Each orbital of the material has its Wannier function.",
            f"{len(functions.functions)} functions for {orbitals} orbitals",
            "Make the functions for this material.",
        )


def _require_covered(
    known: KnownGreen, needed: int, window: int, scatterers: Scatterers, view: Seen
) -> None:
    """Raise NumericsError where G ends before the map does."""
    if needed <= known.sites:
        return
    beyond = reach_of(scatterers) + view.reach
    fits = 2 * (known.sites - beyond)
    smaller = f"window = {fits} fits; or c" if fits >= 2 and 2 * view.reach <= known.sites else "C"
    raise NumericsError(
        "A map of L x L cells with impurities up to R from r = 0 and Wannier functions over K cells"
        " needs G up to L/2 + R + K, and up to 2 K.",
        f"window = {window}, R = {reach_of(scatterers)}, K = {view.reach}, with G up to"
        f" {known.sites}",
        f"{smaller}ompute the Green's function with reach = {needed - known.numerics.window // 2}.",
    )
