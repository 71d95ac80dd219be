"""Pairing symmetry of superconductors from quasiparticle-interference images.

>>> import gapscope as gs
>>> nbse2 = gs.material("nbse2")
>>> state = gs.Specification(nbse2, gs.Pairing("Eg", gap=1.0, theta=0.3), gs.Impurity.scalar(50.0))
>>> maps = gs.simulate(state, gs.Numerics([0.0], broadening=0.1, window=128, method=gs.Grid(2048)))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gapscope.inference.design.ask import design
    from gapscope.inference.posterior.ask import posterior, read_posterior
    from gapscope.inference.predict import predict
    from gapscope.physics import (
        IRREPS,
        LABELS,
        Bonds,
        Impurity,
        Lattice,
        Material,
        Pairing,
        Specification,
    )
    from gapscope.simulation.continuum.maps import continuum
    from gapscope.simulation.continuum.tip import Tip
    from gapscope.simulation.continuum.wannier_functions import WannierFunctions
    from gapscope.simulation.from_green import simulate_from_green, states_from_green
    from gapscope.simulation.green import green_function
    from gapscope.simulation.greenfile import read_green
    from gapscope.simulation.mapfile import read_map
    from gapscope.simulation.maps import simulate, simulate_batch
    from gapscope.simulation.materials import material
    from gapscope.simulation.numerics import Converged, Grid, Numerics
    from gapscope.simulation.spectrum import density_of_states, spectral_function
    from gapscope.support.netcdf import write_netcdf

__all__ = [
    "IRREPS",
    "LABELS",
    "Bonds",
    "Converged",
    "Grid",
    "Impurity",
    "Lattice",
    "Material",
    "Numerics",
    "Pairing",
    "Specification",
    "Tip",
    "WannierFunctions",
    "continuum",
    "density_of_states",
    "design",
    "green_function",
    "material",
    "posterior",
    "predict",
    "read_green",
    "read_map",
    "read_posterior",
    "simulate",
    "simulate_batch",
    "simulate_from_green",
    "spectral_function",
    "states_from_green",
    "write_netcdf",
]

# Where each name is defined. It is imported when first asked for: the kernel's host and the
# command line import this package without the libraries that simulations need.
_HOMES = {
    "inference.design.ask": ("design",),
    "inference.posterior.ask": ("posterior", "read_posterior"),
    "inference.predict": ("predict",),
    "physics": (
        *("IRREPS", "LABELS", "Bonds", "Impurity"),
        *("Lattice", "Material", "Pairing", "Specification"),
    ),
    "simulation.continuum.maps": ("continuum",),
    "simulation.continuum.tip": ("Tip",),
    "simulation.continuum.wannier_functions": ("WannierFunctions",),
    "simulation.from_green": ("simulate_from_green", "states_from_green"),
    "simulation.green": ("green_function",),
    "simulation.greenfile": ("read_green",),
    "simulation.mapfile": ("read_map",),
    "simulation.maps": ("simulate", "simulate_batch"),
    "simulation.materials": ("material",),
    "simulation.numerics": ("Converged", "Grid", "Numerics"),
    "simulation.spectrum": ("density_of_states", "spectral_function"),
    "support.netcdf": ("write_netcdf",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
