"""What the best simulated map leaves of a map, and whether that looks like noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from gapscope.inference.posterior.forward import Forward
from gapscope.inference.posterior.modes import Mode

Array = NDArray[np.float64]
LAGS = tuple((i, j) for i in range(3) for j in range(-2, 3) if (i, j) > (0, 0))
"""Steps between sites whose correlation is looked at; of r and -r one."""
SURE = 1e-6
"""Probability of what white noise leaves, below which a residual is not that."""


@dataclass(frozen=True, eq=False)
class Residual:
    """A map less a class's best simulated one.

    Attributes
    ----------
    deviation : (energies,), root mean square in 1/meV.
    share : (energies,), the same over the map's.
    correlation : (energies,), the strongest one between sites up to two steps apart.
    whiteness : (energies,), the probability that white noise has correlations as strong: their
        squares times the numbers of pairs add up to a chi-squared number with as many degrees of
        freedom as steps (G. Ljung, G. Box, Biometrika 65, 297 (1978), in two dimensions).
    times : (energies,), the residual over the noise that is stated; None where none is.
    plenty : (energies,), the probability that this noise leaves as much.
    exact : (energies,), whether no more is left than simulated maps' own accuracy.
    """

    deviation: Array
    share: Array
    correlation: Array
    whiteness: Array
    times: Array | None
    plenty: Array | None
    exact: NDArray[np.bool_]

    @classmethod
    def of(cls, forward: Forward, mode: Mode) -> Residual:
        """The residual of a class's best map."""
        simulated = forward.values([(mode.cube.index, mode.point)])[0]
        left = (forward.observed - simulated).reshape(len(forward.scale), -1)
        left = left * forward.scale[:, None]
        deviation = np.sqrt((left**2).mean(axis=1))
        maps = np.zeros((len(left), *forward.sites.shape))
        maps[:, forward.sites] = left
        found, numbers = [], []
        for step in LAGS:
            both = forward.sites & _moved(forward.sites, step)
            moved = np.stack([_moved(one, step) for one in maps])
            numbers.append(int(both.sum()))
            found.append((maps * moved)[:, both].sum(axis=1) / max(1, numbers[-1]))
        correlations = np.array(found) / deviation**2  # (lags, energies)
        total = np.array(numbers) @ correlations**2
        strongest = np.abs(correlations).argmax(axis=0)
        noise, n = forward.noise, forward.noise.sites
        return cls(
            deviation,
            deviation / forward.size,
            np.take_along_axis(correlations, strongest[None], axis=0)[0],
            chi2.sf(total, len(LAGS)),
            deviation / noise.level if noise.known else None,
            chi2.sf(mode.squares / noise.level**2, n) if noise.known else None,
            (deviation <= noise.level) & (not noise.known),
        )

    @property
    def is_noise(self) -> bool:
        """Whether white noise, or what simulated maps are not exact by, may leave this."""
        correlated = (self.whiteness < SURE) & ~self.exact
        too_large = self.plenty is not None and bool((self.plenty < SURE).any())
        return not (bool(correlated.any()) or too_large)


def _moved(values: NDArray[Any], step: tuple[int, int]) -> NDArray[Any]:
    """Values at r - step, zero where that lies outside."""
    moved = np.roll(values, step, axis=(0, 1))
    moved[: step[0]] = 0
    if step[1] > 0:
        moved[:, : step[1]] = 0
    elif step[1] < 0:
        moved[:, step[1] :] = 0
    return moved
