"""Maps and densities of states that follow from a Green's function, without the kernel."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import ConvergenceWarning, NumericsError
from gapscope.kernel.calls import Convergence, Maps
from gapscope.physics.impurity import Impurity
from gapscope.physics.lattice import check_window
from gapscope.physics.scattering import reach_of, scattered_trace
from gapscope.physics.specification import Scatterers
from gapscope.simulation.accuracy import warn_of_grid
from gapscope.simulation.atoms import layers_of, orbital_names
from gapscope.simulation.greenfile import KnownGreen, require_green
from gapscope.simulation.map_dataset import (
    Convention,
    map_dataset,
    numerics_attributes,
    require_convention,
    told,
)
from gapscope.simulation.numerics import Converged, Grid

Complex = NDArray[np.complex128]


def simulate_from_green(
    green: xr.Dataset,
    impurity: Impurity,
    window: int | None = None,
    convention: Convention = "ldos",
    *,
    by_orbital: bool = False,
) -> xr.Dataset:
    """QPI maps of any impurities in the superconductor of a Green's function, by its T-matrix.

    What :func:`gapscope.simulate` returns, at the energies of the Green's function; G is needed
    \\|r1\\|, \\|r2\\| <= L/2 + the largest \\|R1\\|, \\|R2\\| of the impurities' sites.

    Parameters
    ----------
    green : result of :func:`gapscope.green_function` or :func:`gapscope.read_green`.
    impurity : one or several, of any kind.
    window : L, sites per side; without it the one that G was computed for.
    convention, by_orbital : as for :func:`gapscope.simulate`.

    Raises
    ------
    MapFileError : no Green's function.
    NumericsError : a window that G does not cover, an impurity outside the window, or an unknown
        convention.
    SpecificationError : an impurity that does not fit the number of orbitals.

    Warns
    -----
    ConvergenceWarning : the map is less accurate than was asked for when G was computed.
    """
    require_convention(convention)
    known = require_green(green)
    specification = replace(known.specification, impurity=impurity)
    scatterers = specification.scatterers()
    numerics = replace(known.numerics, window=_window(known, scatterers, window))
    layers = layers_of(specification.material, by_orbital)
    maps = green_maps(known, scatterers, numerics.window, layers)
    if isinstance(numerics.method, Grid):
        warn_of_grid(specification, numerics.broadening, numerics.method)
    elif maps.convergence is not None and not maps.convergence.reached.all():
        warn_of_green(numerics.method, float(maps.convergence.larger.max()))
    return map_dataset(specification, numerics, maps, convention, by_orbital, known.computed_by)


def states_from_green(green: xr.Dataset, *, by_orbital: bool = False) -> xr.DataArray:
    """-(1/pi) Im Tr_e G(r = 0; w) of the clean superconductor, in states per meV and site.

    As :func:`gapscope.density_of_states`, (energy), or (energy, orbital) ``by_orbital``, whose sum
    over the orbitals it is without.

    Raises
    ------
    MapFileError : no Green's function.
    """
    known = require_green(green)
    material, s = known.specification.material, known.sites
    n = material.orbitals
    own = _densities(known.values[:, s, s])
    values = own.reshape(len(own), 2, n).sum(axis=1)
    coords: dict[str, object] = {
        "energy": ("energy", np.asarray(known.numerics.energies), told("energy", "meV"))
    }
    if known.error is not None:
        moved = _densities(known.values[:, s, s] + known.error[:, s, s]).sum(axis=1)
        whole = own.sum(axis=1)
        about = told("estimated relative error of the density of states", "1")
        coords["relative_error"] = ("energy", np.abs(moved - whole) / np.abs(whole), about)
    if by_orbital:
        coords["orbital"] = ("orbital", orbital_names(material))
    name = "density of states" + (" by orbital" if by_orbital else "")
    numerics = {k: v for k, v in numerics_attributes(known.numerics).items() if k != "window"}
    return xr.DataArray(
        values if by_orbital else values.sum(axis=1),
        dims=["energy", "orbital"] if by_orbital else ["energy"],
        coords=coords,
        name="dos_orbital" if by_orbital else "dos",
        attrs={**told(name, "1/meV"), **numerics},
    )


def green_maps(
    known: KnownGreen,
    scatterers: Scatterers,
    window: int,
    layers: NDArray[np.int64] | None = None,
) -> Maps:
    """Maps of one set of impurities, as of :func:`gapscope.simulation.maps.simulate_batch`."""
    s = known.sites
    traces, errors = [], []
    for n, green in enumerate(known.values):
        trace = _layered(scattered_trace(green, scatterers, window), layers)
        traces.append(trace)
        if known.error is not None:
            shifted = scattered_trace(green + known.error[n], scatterers, window)
            errors.append(_relative_change(trace, _layered(shifted, layers), scatterers.sites))
    whole = np.stack(traces)[None]
    local = known.values[:, s, s]
    convergence = None
    if errors:
        error, away = np.array(errors).T[:, None]
        method = known.numerics.method
        asked = method.accuracy if isinstance(method, Converged) else np.inf
        rows = np.zeros(len(errors), np.int64) if known.rows is None else known.rows
        reached = np.maximum(error, away) <= asked
        convergence = Convergence(error, away, rows[None].astype(np.int64), reached)
    return Maps(
        whole[:, :, 0] if layers is None else whole,
        _densities(local).sum(axis=1)[None],
        local[None],
        convergence,
    )


def _densities(local: Complex) -> NDArray[np.float64]:
    """Density of states of each electron component, (energies, electrons)."""
    diagonal = np.diagonal(local, axis1=1, axis2=2)
    return np.asarray(-diagonal[:, : diagonal.shape[1] // 2].imag / np.pi)


def _layered(trace: Complex, layers: NDArray[np.int64] | None) -> Complex:
    """Traces of the electron components added up by layer, (layers, L, L); one without layers."""
    numbers = np.zeros(len(trace), np.int64) if layers is None else layers
    out = np.zeros((int(numbers.max()) + 1, *trace.shape[1:]), np.complex128)
    np.add.at(out, numbers, trace)
    return out


def _relative_change(one: Complex, other: Complex, sites: NDArray[np.int64]) -> tuple[float, float]:
    """||Im (other - one)|| / ||Im one|| over all sites, and over those without an impurity."""
    change, whole = (other - one).imag, one.imag
    away = np.ones(one.shape[1:], dtype=bool)
    index = np.unique(sites, axis=0) + one.shape[1] // 2
    away[index[:, 0], index[:, 1]] = False
    return _ratio(change, whole), _ratio(change[:, away], whole[:, away])


def _ratio(change: NDArray[np.float64], whole: NDArray[np.float64]) -> float:
    norm = float(np.linalg.norm(whole))
    return float(np.linalg.norm(change)) / norm if norm else 0.0


def _window(known: KnownGreen, scatterers: Scatterers, window: int | None) -> int:
    """The window of the maps, which G covers around every impurity."""
    size = known.numerics.window if window is None else window
    check_window(size)
    reach, stored = reach_of(scatterers), known.sites
    if size // 2 + reach > stored:
        fits = 2 * (stored - reach)
        smaller = f"window = {fits} fits; or c" if fits > 2 * reach else "C"
        raise NumericsError(
            "A map of L x L sites with impurities up to R from r = 0 needs G up to L/2 + R.",
            f"window = {size} and R = {reach}, with G up to {stored}",
            f"{smaller}ompute the Green's function with"
            f" reach = {size // 2 + reach - known.numerics.window // 2}.",
        )
    if reach > size // 2 or (scatterers.sites >= size // 2).any():
        raise NumericsError(
            f"Impurities stand on sites of the window, r1 and r2 from {-(size // 2)} to"
            f" {size // 2 - 1}.",
            scatterers.sites.tolist(),
            "Use a larger window, or sites nearer to r = 0.",
        )
    return int(size)


def warn_of_green(method: Converged, estimate: float) -> None:
    """ConvergenceWarning that what follows from a Green's function is less accurate than asked."""
    warnings.warn(
        f"the map of this impurity has an estimated relative error of {estimate:.2g}, more than the"
        f" accuracy {method.accuracy:g} that the Green's function was computed for. Compute it for"
        " a specification with this impurity, or to a smaller accuracy.",
        ConvergenceWarning,
        stacklevel=3,
    )
