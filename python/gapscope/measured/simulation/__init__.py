"""Simulated measurements: what an STM would record of a superconductor that is known.

``simulate_measurement`` does all of it; its parts are functions of their own: impurities on random
sites (``random_sites``, ``superpose``), the image of values on lattice sites (``Field``,
``render``), energy resolution (``energy_rule``), noise (``ScanNoise``), drift and creep
(``Distortion``), the setpoint's effect (``constant_current``, ``topograph``).
"""

from gapscope.measured.simulation.distortion import Distortion
from gapscope.measured.simulation.image import Field, orbital_sum, render
from gapscope.measured.simulation.measurement import IDEAL, Measurement, Setpoint
from gapscope.measured.simulation.noise import (
    ScanNoise,
    flicker_noise,
    line_offsets,
    white_noise,
)
from gapscope.measured.simulation.scan import simulate_measurement
from gapscope.measured.simulation.setpoint import constant_current, topograph
from gapscope.measured.simulation.sites import random_sites, superpose
from gapscope.resolution import energy_rule, energy_width, lockin_rule, thermal_rule

__all__ = [
    "IDEAL",
    "Distortion",
    "Field",
    "Measurement",
    "ScanNoise",
    "Setpoint",
    "constant_current",
    "energy_rule",
    "energy_width",
    "flicker_noise",
    "line_offsets",
    "lockin_rule",
    "orbital_sum",
    "random_sites",
    "render",
    "simulate_measurement",
    "superpose",
    "thermal_rule",
    "topograph",
    "white_noise",
]
