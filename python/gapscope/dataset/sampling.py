"""Random parameters that depend on (seed, sample id) alone, never on order or chunking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gapscope.errors import SpecificationError
from gapscope.physics.irreps import LABELS, printed_gap
from gapscope.physics.pairing import REQUIRED

Range = tuple[float, float]


@dataclass(frozen=True)
class SampleParameters:
    """One drawn parameter set.

    ``gap`` is the printed gap of eqs 6-11 in meV, ``labelled_gap`` the one in the normalisation of
    the class; theta in radians is None where the irrep has no angle; eps0 in meV.
    """

    sample: int
    label: str
    irrep: str
    gap: float
    labelled_gap: float
    theta: float | None
    eps0: float


@dataclass(frozen=True)
class Sampler:
    """Uniform draws, classes in turn: sample id modulo 5 gives the class, A12u alternates A1u, A2u.

    Parameters
    ----------
    seed : whole number; a different seed gives independent samples for the same ids.
    gap : range of the labelled gap in meV.
    eps0 : range in meV.
    theta : range in radians.

    Raises
    ------
    SpecificationError : an empty or infinite range, a gap that is not positive, a negative seed.
    """

    seed: int
    gap: Range
    eps0: Range
    theta: Range = (0.0, float(np.pi))

    def __post_init__(self) -> None:
        for name in ("gap", "eps0", "theta"):
            low, high = getattr(self, name)
            if not (np.isfinite(low) and np.isfinite(high) and low <= high):
                raise SpecificationError(
                    f"The range of {name} has two finite ends in rising order.",
                    (low, high),
                    f"Give {name} = [low, high].",
                )
        if self.gap[0] <= 0:
            raise SpecificationError("Gaps are positive.", self.gap, "Raise the lower end.")
        if not (isinstance(self.seed, int) and 0 <= self.seed < 2**64):
            raise SpecificationError(
                "A seed is a whole number from 0 to 2^64 - 1.", self.seed, "Change it."
            )

    def draw(self, sample: int) -> SampleParameters:
        """Parameters of one sample id."""
        label = LABELS[sample % len(LABELS)]
        irrep = label
        if label == "A12u":
            irrep = ("A1u", "A2u")[sample // len(LABELS) % 2]
        generator = np.random.Generator(np.random.Philox(key=[self.seed, sample]))
        gap, eps0, theta = (
            low + (high - low) * generator.random()
            for low, high in (self.gap, self.eps0, self.theta)
        )
        return SampleParameters(
            sample=sample,
            label=label,
            irrep=irrep,
            gap=printed_gap(irrep, gap),
            labelled_gap=gap,
            theta=theta if "theta" in REQUIRED[irrep] else None,
            eps0=eps0,
        )
