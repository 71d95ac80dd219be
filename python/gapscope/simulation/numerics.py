"""How maps are computed: energies, broadening, window and method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gapscope.errors import NumericsError
from gapscope.physics.kinds import is_number, require_kind
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


LOOSEST = 0.5


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
        if not is_number(self.accuracy) or not 1e-5 <= self.accuracy <= LOOSEST:
            raise NumericsError(
                f"The accuracy is a relative error between 1e-5 and {LOOSEST}.",
                self.accuracy,
                "Use for example 0.005.",
            )
        if not is_number(self.budget) or self.budget != int(self.budget) or self.budget < 1:
            raise NumericsError(
                "The budget is a positive whole number of rows.", self.budget, "Raise it."
            )

    @property
    def name(self) -> str:
        """Name of the method in attributes and recipes."""
        return "converged"


@dataclass(frozen=True, init=False)
class Numerics:
    """Energies w and broadening delta of z = w + i delta, window of sites, and method.

    ``Numerics([0.0], accuracy=0.01)`` is short for ``method=Converged(0.01)``, ``kgrid=2048`` for
    ``method=Grid(2048)``.

    Parameters
    ----------
    energies : energies in meV, rising or in any order; one number is a list of one.
    broadening : delta in meV, positive.
    window : even number L of sites per side, r from -L/2 to L/2 - 1; at most the kgrid of a Grid.
    method : how the Brillouin zone is summed; ``Converged()`` where nothing is given.
    accuracy, kgrid : one of them instead of a method.

    Raises
    ------
    NumericsError : a value outside its rule, or more than one of method, accuracy and kgrid.
    """

    energies: Sequence[float]
    broadening: float
    window: int
    method: Grid | Converged

    def __init__(
        self,
        energies: float | Iterable[float] = (0.0,),
        broadening: float = 0.1,
        window: int = 128,
        method: Grid | Converged | None = None,
        *,
        accuracy: float | None = None,
        kgrid: int | None = None,
    ) -> None:
        chosen = _method(method, accuracy, kgrid)
        for name, value in (
            ("energies", require_energies(energies)),
            ("broadening", broadening),
            ("window", window),
            ("method", chosen),
        ):
            object.__setattr__(self, name, value)
        require_broadening(self.broadening)
        check_window(self.window)
        if isinstance(chosen, Grid) and self.window > chosen.kgrid:
            raise NumericsError(
                "The window fits into the k-grid's real-space torus: window <= kgrid.",
                f"window = {self.window}, kgrid = {chosen.kgrid}",
                "Use a finer k-grid or a smaller window.",
            )


def require_numerics(numerics: Numerics) -> None:
    """Raise SpecificationError for anything else."""
    require_kind(numerics, Numerics, "How maps are computed", "gs.Numerics([0.0], broadening=0.1)")


def choose_method(
    method: Grid | Converged | str | None = None,
    *,
    accuracy: float | None = None,
    kgrid: int | None = None,
) -> Grid | Converged:
    """The method by its name or its settings; without one, a k-grid that is given chooses the grid.

    Raises
    ------
    NumericsError : no such method, the grid without a kgrid, or a number of the other method.
    """
    if not isinstance(method, str):
        return _method(method, accuracy, kgrid)
    if method not in ("converged", "grid"):
        raise NumericsError(
            "A method is converged or grid.", method, 'Choose "converged", or "grid" with a kgrid.'
        )
    if method == "grid" and kgrid is None:
        raise NumericsError(
            "Method grid needs the number of k points per side.", "no kgrid", "Give kgrid."
        )
    if method == "converged" and kgrid is not None:
        raise NumericsError(
            "Method converged chooses its k points by itself.",
            f"kgrid = {kgrid}",
            "Leave kgrid out, or choose the method grid.",
        )
    return _method(None, accuracy, kgrid)


def _method(
    method: Grid | Converged | None, accuracy: float | None, kgrid: int | None
) -> Grid | Converged:
    given = {"method": method, "accuracy": accuracy, "kgrid": kgrid}
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) > 1:
        raise NumericsError(
            "The Brillouin zone is summed by one method: accuracy belongs to Converged, kgrid to"
            " Grid.",
            ", ".join(f"{name} = {value!r}" for name, value in named.items()),
            "Give one of them, for example accuracy=0.005, kgrid=2048 or"
            " method=Converged(0.005, budget=500_000).",
        )
    if kgrid is not None:
        return Grid(kgrid)
    if accuracy is not None:
        return Converged(accuracy)
    if method is None:
        return Converged()
    if not isinstance(method, Grid | Converged):
        raise NumericsError(
            "The method is Converged(accuracy) or Grid(kgrid).",
            method,
            "Write for example method=Grid(2048), kgrid=2048 or accuracy=0.005.",
        )
    return method


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
    if not (is_number(broadening) and broadening > 0):
        raise NumericsError(
            "The broadening is a positive energy in meV (retarded Green's function).",
            broadening,
            "Use for example broadening = 0.1.",
        )


def require_energies(energies: float | Iterable[float]) -> tuple[float, ...]:
    """Energies as a tuple; NumericsError where there is none or one is not finite."""
    try:
        values = np.atleast_1d(np.asarray(energies, dtype=np.float64))
    except (TypeError, ValueError):
        values = np.array([np.nan])
    if values.ndim > 1 or not values.size or not np.isfinite(values).all():
        raise NumericsError(
            "Energies are one or more finite numbers in meV.",
            repr(energies),
            "Give a list of numbers, for example [0.0, 0.5].",
        )
    return tuple(values.tolist())
