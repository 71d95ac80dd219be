"""What the sliders say: one superconductor with its impurity, an energy and a broadening."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from gapscope.errors import SpecificationError
from gapscope.explore.gap_choices import GapChoice, crystal_of, gap_choices, usual_gap
from gapscope.physics import Impurity, Material, Specification
from gapscope.simulation.numerics import Converged, Numerics
from gapscope.support.resources import DEFAULT_MATERIAL

WINDOWS = (64, 128)
"""Sites per side that the page offers."""


@dataclass(frozen=True)
class Range:
    """Ends and step of a slider, its symbol and its unit."""

    low: float
    high: float
    step: float
    symbol: str
    unit: str


def ranges(scale: float = 1.0) -> Mapping[str, Range]:
    """Sliders of a state whose gap is of the order of ``scale`` in meV."""
    return MappingProxyType(
        {
            "gap": Range(0.1 * scale, 3.0 * scale, 0.05 * scale, "gap Δ", "meV"),
            "theta": Range(0.0, 3.14, 0.02, "theta θ", "rad"),
            "phi": Range(0.0, 6.28, 0.02, "phi φ", "rad"),
            "eps0": Range(-300.0, 100.0, 5.0, "onsite energy ε₀", "meV"),
            "impurity": Range(-200.0, 200.0, 5.0, "impurity v", "meV"),
            "moment": Range(-100.0, 100.0, 5.0, "moment J along z", "meV"),
            "energy": Range(-3.0 * scale, 3.0 * scale, 0.05 * scale, "energy ω", "meV"),
            "broadening": Range(0.05 * scale, 1.0 * scale, 0.05 * scale, "broadening δ", "meV"),
        }
    )


@dataclass(frozen=True)
class Quality:
    """How well a state is computed: on the way of a slider, and where it rests.

    Attributes
    ----------
    word : for it, on the page.
    accuracy : largest relative error of maps and, without a ``kgrid``, densities of states.
    kgrid : k points per side of the density of states.
    pixels, samples : per side of A(k), and per side of a pixel near the Fermi surface.
    parts : steps in which both are computed, so that a slider waits for one of them at most.
    """

    word: str
    accuracy: float
    pixels: int
    samples: int
    kgrid: int | None = None
    parts: int = 1


COARSE = Quality("coarse", accuracy=0.1, pixels=96, samples=2, kgrid=256)
CONVERGED = Quality("converged", accuracy=Converged.accuracy, pixels=220, samples=4, parts=32)


@dataclass(frozen=True)
class State:
    """A state of a crystal: energies in meV, angles in rad.

    Attributes
    ----------
    irrep : label of one of the crystal's gaps, see :mod:`gapscope.explore.gap_choices`; where not
        given, the usual one.
    theta, phi : kept, but without effect, for irreps that do not have them.
    impurity, moment : scalar strength v and magnetic moment along z of the impurity on r = 0.
    energy, broadening : w and delta of z = w + i delta.
    window : sites per side.
    crystal : name or file of the material.
    scale : meV, in which gap, energy and broadening have their sliders.
    """

    irrep: str = ""
    gap: float = 1.0
    theta: float = 0.3
    phi: float = 0.0
    eps0: float = 20.0
    impurity: float = 50.0
    moment: float = 0.0
    energy: float = 0.0
    broadening: float = 0.1
    window: int = 128
    crystal: str = DEFAULT_MATERIAL
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.irrep:
            object.__setattr__(self, "irrep", usual_gap(self.crystal))

    @classmethod
    def first(cls, crystal: str = DEFAULT_MATERIAL, scale: float = 1.0) -> State:
        """Where the sliders of a crystal stand first.

        Raises
        ------
        MaterialFileError, SpecificationError : see
            :func:`gapscope.explore.gap_choices.gap_choices`.
        """
        usual = cls(gap=scale, broadening=0.1 * scale, crystal=crystal, scale=scale)
        return usual if usual.choice.name is None else replace(usual, eps0=0.0)

    @property
    def choice(self) -> GapChoice:
        """The gap that is chosen."""
        return gap_choices(self.crystal)[self.irrep]

    @property
    def has(self) -> tuple[str, ...]:
        """The angles that the irrep has, of theta and phi."""
        return self.choice.angles

    @property
    def angles(self) -> dict[str, float]:
        """The angles that enter the gap; phi = 0 is left out."""
        values = {name: getattr(self, name) for name in self.has}
        return {name: value for name, value in values.items() if name == "theta" or value}

    @property
    def material(self) -> Material:
        """The normal state, without eps0."""
        return crystal_of(self.crystal)

    @property
    def scatters(self) -> bool:
        """Whether the impurity has a strength at all."""
        return bool(self.impurity or self.moment)

    def scatterer(self) -> Impurity:
        """The impurity on r = 0.

        Raises
        ------
        SpecificationError : neither a scalar strength nor a moment.
        """
        parts = [Impurity.scalar(self.impurity)] if self.impurity else []
        if self.moment:
            parts.append(Impurity.magnetic((0.0, 0.0, self.moment)))
        if not parts:
            raise SpecificationError(
                "A map shows what an impurity changes: it needs a strength.",
                "impurity = 0 meV, moment = 0 meV",
                "Move one of the two sliders.",
            )
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]

    def specification(self) -> Specification:
        """The superconductor with its impurity; raises SpecificationError."""
        pairing = self.choice.pairing(self.material, self.gap, self.angles)
        return Specification(self.material, pairing, self.scatterer(), self.eps0)

    def numerics(self, quality: Quality) -> Numerics:
        """How its map is computed."""
        accuracy = Converged(quality.accuracy)
        return Numerics([self.energy], self.broadening, self.window, accuracy)

    def clean(self) -> State:
        """The same superconductor with all that its density of states does not depend on unset."""
        phi = self.phi if "phi" in self.has else 0.0
        theta = self.theta if "theta" in self.has else 0.0
        return replace(
            self, impurity=1.0, moment=0.0, energy=0.0, window=WINDOWS[0], phi=phi, theta=theta
        )

    def dos_energies(self) -> tuple[float, ...]:
        """Energies of the density of states in meV: three gaps at least, and the slider's range."""
        reach = max(math.ceil(3 * self.gap), ranges(self.scale)["energy"].high)
        count = 40
        return tuple(reach * i / count for i in range(-count, count + 1))
