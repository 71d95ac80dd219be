"""All settings of a simulated measurement, with the defaults of a usual low-temperature STM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gapscope.errors import SettingError
from gapscope.instrument.distortion import Distortion
from gapscope.instrument.image import Field
from gapscope.instrument.scan_noise import ScanNoise


@dataclass(frozen=True)
class Setpoint:
    """Constant current between the points where the feedback is off.

    Attributes
    ----------
    bias : eV0 in meV, well above the gap.
    barrier : apparent height in eV, which scales the topograph.
    nodes : quadrature nodes of the integral up to the bias.
    """

    bias: float = 10.0
    barrier: float = 4.0
    nodes: int = 8


_FIELD, _SETPOINT, _NOISE = Field(), Setpoint(), ScanNoise()
_DISTORTION = Distortion(scale=(1.01, 0.99), shear=0.01, drift=(0.2, -0.3), creep=(0.1, 0.1))


@dataclass(frozen=True)
class Measurement:
    """How a sample is measured.

    Attributes
    ----------
    field : field of view and its pixels.
    bias : eV at which the conductance is mapped, in meV.
    broadening : delta of the states themselves (lifetime), in meV.
    temperature : temperature in K.
    modulation : rms value of the lock-in's modulation, in meV.
    nodes : energies of the average over both.
    density : impurities per site besides the one in the origin, like it in all.
    least_distance : between impurities, in lattice constants.
    margin : strip around the field, in nm, in which impurities stand too.
    exact : scattering from impurity to impurity; otherwise their maps are added up.
    orbital : width sigma of a site's Gaussian, in lattice constants.
    setpoint : the feedback's set point; None: the tip stays at one height.
    reference : bias in meV, well above the gap, whose clean conductance is the unit.
    distortion : distortion of the scan.
    noise : noise of tip and amplifier.
    accuracy : largest relative error of the simulated maps.

    Raises
    ------
    SettingError : values out of range.
    """

    field: Field = _FIELD
    bias: float = 0.0
    broadening: float = 0.1
    temperature: float = 0.35
    modulation: float = 0.05
    nodes: int = 7
    density: float = 0.001
    least_distance: float = 3.0
    margin: float = 1.0
    exact: bool = True
    orbital: float = 0.3
    setpoint: Setpoint | None = _SETPOINT
    reference: float = 10.0
    distortion: Distortion = _DISTORTION
    noise: ScanNoise = _NOISE
    accuracy: float = 0.005

    def __post_init__(self) -> None:
        numbers = {
            "temperature": self.temperature,
            "modulation": self.modulation,
            "density": self.density,
            "least_distance": self.least_distance,
            "margin": self.margin,
        }
        wrong = {k: v for k, v in numbers.items() if not (np.isfinite(v) and v >= 0)}
        if wrong or not np.isfinite([self.bias, self.reference]).all() or self.nodes < 1:
            raise SettingError(
                "Settings of a measurement are finite, and those without a sign are >= 0.",
                wrong or f"bias {self.bias}, reference {self.reference}, {self.nodes} nodes",
                "Change them.",
            )


IDEAL = Measurement(
    temperature=0.0,
    modulation=0.0,
    density=0.0,
    setpoint=None,
    distortion=Distortion(),
    noise=ScanNoise(0.0, 0.0, 0.0),
)
"""One impurity at T = 0, without noise, distortion or feedback; field and orbital stay."""
