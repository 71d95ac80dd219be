"""Pairing symmetry of superconductors from quasiparticle-interference images.

>>> import gapscope as gs
>>> nbse2 = gs.material("nbse2")
>>> state = gs.Specification(nbse2, gs.Pairing("Eg", gap=1.0, theta=0.3), gs.Impurity.scalar(50.0))
>>> maps = gs.simulate(state, gs.Numerics([0.0], broadening=0.1, window=128, method=gs.Grid(2048)))
"""

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
