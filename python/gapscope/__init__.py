"""Pairing symmetry of superconductors from quasiparticle-interference images.

>>> import gapscope as gs
>>> nbse2 = gs.material("nbse2")
>>> state = gs.Specification(nbse2, gs.Pairing("Eg", gap=1.0, theta=0.3), gs.Impurity.scalar(50.0))
>>> maps = gs.simulate(state, gs.Numerics([0.0], broadening=0.1, window=128, method=gs.Grid(2048)))
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gapscope.mapfile import read_map, write_netcdf
    from gapscope.materials import material
    from gapscope.numerics import Converged, Grid, Numerics
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
    from gapscope.simulate import simulate, simulate_batch
    from gapscope.spectrum import density_of_states, spectral_function

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
    "density_of_states",
    "material",
    "read_map",
    "simulate",
    "simulate_batch",
    "spectral_function",
    "write_netcdf",
]

# Where each name is defined. It is imported when first asked for: the kernel's host and the
# command line import this package without the libraries that simulations need.
_HOMES = {
    "mapfile": ("read_map", "write_netcdf"),
    "materials": ("material",),
    "numerics": ("Converged", "Grid", "Numerics"),
    "physics": (
        *("IRREPS", "LABELS", "Bonds", "Impurity"),
        *("Lattice", "Material", "Pairing", "Specification"),
    ),
    "simulate": ("simulate", "simulate_batch"),
    "spectrum": ("density_of_states", "spectral_function"),
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


class _Package(ModuleType):
    """Keeps ``gapscope.simulate`` the function when the module of that name is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in __all__ and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
