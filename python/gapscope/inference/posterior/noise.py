"""The likelihood of a map: white noise on every site, by residual sums of squares.

With a known standard deviation sigma_e at the energy e, over n sites and with the residual sum of
squares S_e of a simulated map,

    log p(map | state) = sum_e [-n log sigma_e - S_e / (2 sigma_e^2)] - (n/2) log 2 pi per energy.

Where sigma_e is not known it is integrated out, at each energy by itself, with Jeffreys' prior
1/sigma_e above a floor f_e, below which simulated maps themselves are not exact:

    int_f^inf sigma^(-n-1) exp(-S / 2 sigma^2) dsigma = (1/2) (S/2)^(-n/2) gamma(n/2, S / 2 f^2)

with the lower incomplete gamma function. The floor's prior is improper, but the same for all
states and classes, so that their probabilities are well defined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaln, hyp1f1

from gapscope.errors import NumericsError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Noise:
    """White noise, known or not, at each energy.

    Parameters
    ----------
    sites : n, number of sites at each energy.
    level : (energies,), sigma where it is ``known``, else the floor f; in the map's unit, positive.
    """

    sites: int
    level: Array
    known: bool

    def __post_init__(self) -> None:
        if not (np.isfinite(self.level).all() and (self.level > 0).all()):
            raise NumericsError(
                "The noise's standard deviation is positive and finite at every energy.",
                np.asarray(self.level).tolist(),
                "Leave it out where it is not known.",
            )

    def log_likelihood(self, squares: Array) -> Array:
        """(...,) for residual sums of squares (..., energies)."""
        n = self.sites
        if self.known:
            constant = -n * np.log(self.level) - n / 2 * np.log(2 * np.pi)
            return np.asarray((constant - squares / (2 * self.level**2)).sum(axis=-1))
        x = squares / (2 * self.level**2)
        log_gamma = _log_lower_gamma(n / 2, x)
        constant = np.log(0.5) - n / 2 * np.log(2 * np.pi)
        # (S/2)^(-n/2) = (x f^2)^(-n/2), joined with gamma's own x^(n/2) where x is small.
        return np.asarray((constant + log_gamma - n * np.log(self.level)).sum(axis=-1))

    def deviation(self, squares: Array) -> Array:
        """sigma (..., energies) at which residuals with these sums of squares are judged."""
        if self.known:
            return np.broadcast_to(self.level, np.shape(squares))
        return np.maximum(np.sqrt(squares / self.sites), self.level)


def _log_lower_gamma(a: float, x: Array) -> Array:
    """log [x^(-a) gamma(a, x)], also where gamma(a, x) or x^a is too small or large a number.

    gamma(a, x) = x^a exp(-x) / a * 1F1(1; a + 1; x) (DLMF 8.5.1), whose last factor is near
    1 / (1 - x/a) for x < a.
    """
    small = x < 0.9 * a
    by_series = -x - np.log(a) + np.log(hyp1f1(1.0, a + 1.0, np.where(small, x, 0.0)))
    safe = np.where(small, a, x)
    by_ratio = np.log(gammainc(a, safe)) + gammaln(a) - a * np.log(safe)
    return np.asarray(np.where(small, by_series, by_ratio))
