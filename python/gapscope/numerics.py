"""How maps are computed: energies, broadening, window and method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gapscope.errors import NumericsError
from gapscope.physics.lattice import check_window


@dataclass(frozen=True)
class Grid:
    """Uniform kgrid x kgrid sum over the Brillouin zone with Gamma on it, m = j / kgrid.

    Raises
    ------
    NumericsError : kgrid is not a positive whole number.
    """

    kgrid: int

    def __post_init__(self) -> None:
        require_kgrid(self.kgrid)

    @property
    def name(self) -> str:
        """Name of the method in attributes and recipes."""
        return "grid"


@dataclass(frozen=True)
class Converged:
    """The Brillouin zone integrated to an accuracy, whatever it takes.

    Parameters
    ----------
    accuracy : largest relative error ||error of drho|| / ||drho|| over the window, with and without
        the impurities' sites; between 1e-5 and 0.5.
    budget : largest number of rows of k points per energy; a map that needs more says so.

    Raises
    ------
    NumericsError : a value outside its rule.
    """

    accuracy: float = 0.005
    budget: int = 200_000

    def __post_init__(self) -> None:
        if not 1e-5 <= self.accuracy <= 0.5:
            raise NumericsError(
                "The accuracy is a relative error between 1e-5 and 0.5.",
                self.accuracy,
                "Use for example 0.005.",
            )
        if isinstance(self.budget, bool) or self.budget != int(self.budget) or self.budget < 1:
            raise NumericsError(
                "The budget is a positive whole number of rows.", self.budget, "Raise it."
            )

    @property
    def name(self) -> str:
        """Name of the method in attributes and recipes."""
        return "converged"


@dataclass(frozen=True)
class Numerics:
    """Energies w and broadening delta of z = w + i delta, window of sites, and method.

    Parameters
    ----------
    energies : in meV, rising or in any order; one number is a list of one.
    broadening : delta in meV, positive.
    window : even number L of sites per side, r from -L/2 to L/2 - 1; at most the kgrid of a Grid.
    method : how the Brillouin zone is summed.

    Raises
    ------
    NumericsError : a value outside its rule.
    """

    energies: Sequence[float]
    broadening: float
    window: int
    method: Grid | Converged = Converged()

    def __post_init__(self) -> None:
        object.__setattr__(self, "energies", require_energies(self.energies))
        require_broadening(self.broadening)
        check_window(self.window)
        if isinstance(self.method, Grid) and self.window > self.method.kgrid:
            raise NumericsError(
                "The window fits into the k-grid's real-space torus: window <= kgrid.",
                f"window = {self.window}, kgrid = {self.method.kgrid}",
                "Use a finer k-grid or a smaller window.",
            )


def require_kgrid(kgrid: int) -> None:
    """Raise NumericsError unless the number of k points per side is a positive whole number."""
    if isinstance(kgrid, bool) or not isinstance(kgrid, (int, np.integer)) or kgrid < 1:
        raise NumericsError(
            "A k-grid has a positive whole number of points per side.",
            kgrid,
            "Use for example kgrid = 2048.",
        )


def require_broadening(broadening: float) -> None:
    """Raise NumericsError unless delta is finite and positive."""
    if not (np.isfinite(broadening) and broadening > 0):
        raise NumericsError(
            "The broadening is a positive energy in meV (retarded Green's function).",
            broadening,
            "Use for example broadening = 0.1.",
        )


def require_energies(energies: float | Iterable[float]) -> tuple[float, ...]:
    """Energies as a tuple; NumericsError where there is none or one is not finite."""
    values = tuple(float(w) for w in np.atleast_1d(np.asarray(energies, dtype=np.float64)))
    if not values or not np.isfinite(values).all():
        raise NumericsError(
            "Energies are one or more finite numbers in meV.", values, "Give for example [0.0]."
        )
    return values
