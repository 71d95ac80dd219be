"""The Green's function of the clean superconductor on a window, as a result of its own.

From it follow maps of any impurities (:mod:`gapscope.simulation.from_green`) without the kernel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import NumericsError
from gapscope.kernel.calls import Convergence
from gapscope.kernel.green import Green, converged_green, grid_green
from gapscope.physics.bonds import Bonds
from gapscope.physics.material import Material
from gapscope.physics.scattering import reach_of
from gapscope.physics.specification import Specification, require_specification
from gapscope.simulation.accuracy import warn_of_budget, warn_of_grid
from gapscope.simulation.atoms import orbital_names
from gapscope.simulation.effort import COMPLEX, Effort, energy_groups, map_effort
from gapscope.simulation.greenfile import GREEN_DIMS, GREEN_SCHEMA
from gapscope.simulation.kgrid import require_resolved_rows
from gapscope.simulation.map_dataset import numerics_attributes, parameters, site_coordinates, told
from gapscope.simulation.numerics import Grid, Numerics, require_numerics
from gapscope.simulation.provenance import versions
from gapscope.simulation.rows_in_memory import require_rows, within_memory
from gapscope.simulation.trial import map_seconds, other_method
from gapscope.support.memory import Choice, require_memory
from gapscope.support.progress import in_chunks

FORMULA = "G_ij(r; w) = (1/N^2) sum_k exp(i k.r) [(w + i delta - H(k))^-1]_ij"


def green_function(
    specification: Specification,
    numerics: Numerics,
    *,
    reach: int | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """G_ij(r; w) = (1/N^2) sum_k exp(i k.r) [(w + i delta - H(k))^-1]_ij of the clean state.

    Row i stands at r, column j at r = 0; both count Nambu components, electrons before holes, each
    spin major. :func:`gapscope.simulate_from_green` makes maps of any impurities of it, and
    :func:`gapscope.states_from_green` the density of states.

    By the method converged, k points are added until the map of the specification's own impurity
    has the accuracy, as in :func:`gapscope.simulate`, whose map then follows to rounding; where
    that impurity does not scatter, until ||error of G|| / ||G|| has it, with and without r = 0.
    Maps of other impurities say by ``green_error`` how accurate they are.

    Parameters
    ----------
    numerics : its window is that of the maps to come.
    reach : how far beyond the window G is kept, which maps of impurities up to that far from r = 0
        need; without it as far as the specification's own impurity needs.
    progress : tell on stderr how long a long computation takes, and show a bar on a terminal.

    Returns
    -------
    xarray.Dataset with ``green`` (energy, r1, r2, row, column), complex, per meV, r1 and r2 from
    -(L/2 + reach) to L/2 + reach; by the method converged ``green_error``, the estimate of its
    error, alike, with ``relative_error``, ``relative_error_away`` and ``rows`` (energy).
    Coordinates: energy in meV, x, y in Angstrom, and of every row and column ``nambu``, ``spin``
    and ``orbital``. The scalar variable ``specification`` holds all parameters as JSON.

    Raises
    ------
    SpecificationError : anything but a specification and numerics.
    NumericsError : a reach that is no whole number, or less than the impurity needs, or what does
        not fit into memory.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.

    Warns
    -----
    ConvergenceWarning : the grid does not resolve the broadening, or the accuracy was not reached.
    """
    require_specification(specification)
    require_numerics(numerics)
    kept = numerics.window // 2 + _reach(reach, reach_of(specification.scatterers()))
    require_resolved_rows(specification.bdg(), numerics.broadening, numerics.method)
    _require_memory(specification.bdg(), numerics, kept)
    method = numerics.method

    def compute(energies: Sequence[float]) -> Green:
        return kernel_green(specification, replace(numerics, energies=energies), kept)

    found = _in_turn(specification, numerics, compute) if progress else compute(numerics.energies)
    if isinstance(method, Grid):
        warn_of_grid(specification, numerics.broadening, method)
    elif found.convergence is not None and not found.convergence.reached.all():
        warn_of_budget(method, float(found.convergence.larger.max()))
    return green_dataset(specification, numerics, found, versions())


def kernel_green(specification: Specification, numerics: Numerics, kept: int) -> Green:
    """G for \\|r1\\|, \\|r2\\| <= kept, of arguments that are not checked.

    Raises
    ------
    NumericsError : memory does not hold the rows that the accuracy takes.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    bonds, method = specification.bdg(), numerics.method
    energies, broadening = numerics.energies, numerics.broadening
    if isinstance(method, Grid):
        return grid_green(
            bonds, sites=kept, energies=energies, broadening=broadening, kgrid=method.kgrid
        )
    effort = _effort(bonds, numerics, kept)
    allowed = within_memory(method, effort)
    found = converged_green(
        bonds,
        specification.scatterers(),
        scatters=specification.impurity.scatters,
        sites=kept,
        window=numerics.window,
        energies=energies,
        broadening=broadening,
        **asdict(allowed),
    )
    require_rows(method, allowed, effort, found.convergence)
    return found


def _reach(given: int | None, needed: int) -> int:
    if given is None:
        return needed
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < needed:
        raise NumericsError(
            "The reach is a whole number of lattice vectors, and not less than the impurity's.",
            f"reach = {given!r}, where the specification's own impurity needs {needed}",
            f"Give at least {needed}, or leave it out.",
        )
    return int(given)


def green_bytes(bonds: Bonds, numerics: Numerics, kept: int) -> float:
    """Bytes of the result, r1 and r2 from -kept to kept: G and, by converged, its error."""
    arrays = 1 if isinstance(numerics.method, Grid) else 2
    sites = (2 * kept + 1) ** 2
    return float(COMPLEX * arrays * len(numerics.energies) * sites * bonds.dimension**2)


def _effort(bonds: Bonds, numerics: Numerics, kept: int) -> Effort:
    effort = map_effort(
        bonds,
        numerics.energies,
        numerics.broadening,
        numerics.window,
        numerics.method,
        reach=kept - numerics.window // 2,
        sites=2,  # the whole of G
        resident=True,
    )
    # Where the host hands them over, the last piece of an array lies in memory twice.
    result = 1.1 * green_bytes(bonds, numerics, kept)
    return replace(effort, memory=effort.memory + result)


def _require_memory(bonds: Bonds, numerics: Numerics, kept: int) -> None:
    beyond = kept - numerics.window // 2
    choices: list[Choice] = []

    def add(words: str, **changes: Any) -> None:
        smaller = replace(numerics, **changes)
        choices.append(
            (words, lambda: _effort(bonds, smaller, smaller.window // 2 + beyond).memory)
        )

    if len(numerics.energies) > 1:
        add("one energy at a time", energies=numerics.energies[:1])
    window = numerics.window
    while (window := window // 4 * 2) >= 16:
        add(f"window = {window}", window=window)
    count = len(numerics.energies)
    require_memory(
        f"G of {bonds.dimension} x {bonds.dimension} components on {2 * kept + 1} x {2 * kept + 1}"
        f" sites at {count} energ{'y' if count == 1 else 'ies'}",
        _effort(bonds, numerics, kept).memory,
        choices,
    )


def _in_turn(
    specification: Specification, numerics: Numerics, compute: Callable[[Sequence[float]], Green]
) -> Green:
    """G at all energies, a few at a time, with a word about the time and a bar."""
    bonds, scatterers = specification.bdg(), specification.scatterers()
    energies = numerics.energies
    chunks = in_chunks(
        energy_groups(bonds, energies),
        "energy/energies",
        lambda: map_seconds(bonds, scatterers, numerics),
        other_method(numerics.method),
    )
    parts = [(chunk, compute([energies[n] for n in chunk])) for chunk in chunks]
    if len(parts) == 1:
        return parts[0][1]
    order = np.argsort(np.concatenate([chunk for chunk, _ in parts]))

    def joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(arrays)[order]

    greens = [green for _, green in parts]
    values = joined([green.values for green in greens])
    errors = [green.error for green in greens if green.error is not None]
    known = [green.convergence for green in greens if green.convergence is not None]
    if not errors:
        return Green(values)
    of_accuracy = {
        name: joined([getattr(one, name) for one in known])
        for name in ("error", "error_away", "rows", "reached")
    }
    return Green(values, joined(errors), Convergence(**of_accuracy))


def green_dataset(
    specification: Specification, numerics: Numerics, found: Green, computed_by: Mapping[str, str]
) -> xr.Dataset:
    """The dataset of :func:`green_function`.

    Parameters
    ----------
    computed_by : versions, see :func:`gapscope.simulation.provenance.versions`.
    """
    material = specification.material
    kept = found.values.shape[1] // 2
    name = "Green's function of the clean superconductor, row at r, column at r = 0"
    variables: dict[str, Any] = {"green": (GREEN_DIMS, found.values, told(name, "1/meV"))}
    if found.error is not None and found.convergence is not None:
        about = told("estimated error of green", "1/meV")
        variables["green_error"] = (GREEN_DIMS, found.error, about)
        for key, values, words in (
            ("relative_error", found.convergence.error, "estimated relative error of green"),
            ("relative_error_away", found.convergence.error_away, "the same without r = 0"),
            ("rows", found.convergence.rows, "rows of k points evaluated"),
        ):
            variables[key] = ("energy", values, told(words, "1"))
    return xr.Dataset(
        {**variables, "specification": ((), json.dumps(specification.to_dict()))},
        coords={
            "energy": ("energy", np.asarray(numerics.energies), told("energy", "meV")),
            **site_coordinates(np.arange(-kept, kept + 1), material.lattice),
            **component_coordinates(material),
        },
        attrs={
            "schema": GREEN_SCHEMA,
            "title": f"Green's function of {material.name}",
            **parameters(specification),
            **numerics_attributes(numerics),
            "reach": kept - numerics.window // 2,
            "formula": FORMULA,
            **computed_by,
        },
    )


def component_coordinates(material: Material) -> dict[str, Any]:
    """What every row and column of G stands for: electron or hole, spin, orbital."""
    n, names = material.orbitals, orbital_names(material)
    labels = {
        "nambu": np.repeat(["electron", "hole"], 2 * n),
        "spin": np.tile(np.repeat(["up", "down"], n), 2),
        "orbital": np.tile(names, 4),
    }
    return {
        **{name: ("row", values) for name, values in labels.items()},
        **{f"{name}_column": ("column", values) for name, values in labels.items()},
    }
