"""Tables of a recipe, as TOML has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gapscope.errors import RecipeError
from gapscope.physics import Impurity
from gapscope.problem.candidate import FunctionName
from gapscope.problem.define import Named
from gapscope.problem.others import Others
from gapscope.problem.quantities import quantity
from gapscope.problem.unknown import Unknown
from gapscope.simulation.numerics import Converged, Grid

ANY = "any"
MOST_OTHERS = 16

PLACED = {"broadening": "at the top", "potential": "scalar of [impurity]"}
"""What is fixed elsewhere than in [fixed]."""


class Table(BaseModel):
    """A table of the recipe: no unknown keys, no silent conversion, only finite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ImpurityTable(Table):
    """Scatterer on the site r = 0: potential v and moment (Jx, Jy, Jz) in meV."""

    scalar: float = 0.0
    moment: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def scatters(self) -> bool:
        """Whether there is anything that scatters."""
        return self.scalar != 0 or any(self.moment)

    def impurity(self) -> Impurity:
        """The impurity as physics knows it."""
        return Impurity.scalar(self.scalar) + Impurity.magnetic(self.moment)


class WeightedImpurityTable(ImpurityTable):
    """The same, on orbitals with weights."""

    weights: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.weights is not None and not any(self.weights):
            raise RecipeError(
                "An impurity scatters on one orbital at least.",
                f"weights = {list(self.weights)}",
                "Give each orbital's weight, such as 1.0, or leave weights out for all.",
            )
        return self

    def impurity(self) -> Impurity:
        """The impurity as physics knows it."""
        return Impurity.scalar(self.scalar, self.weights) + Impurity.magnetic(
            self.moment, self.weights
        )


class OthersTable(Table):
    """Further impurities beside the one on r = 0: ``number = [least, most]``, up to ``distance``
    sites away; see :mod:`gapscope.problem.others`."""

    number: tuple[int, int]
    distance: int = Field(ge=1)

    @model_validator(mode="after")
    def _some(self) -> Self:
        least, most = self.number
        if not 0 <= least <= most or not 1 <= most <= MOST_OTHERS:
            raise RecipeError(
                "The number of other impurities has a range, [least, most], in rising order, from 0"
                f" on and up to {MOST_OTHERS} at most.",
                f"number = {list(self.number)}",
                "Give for example number = [0, 2], or leave [others] out.",
            )
        return self

    def others(self) -> Others:
        """As problems know them."""
        return Others.of(self.model_dump())


class GridTable(Table):
    """Method ``grid``: a uniform kgrid x kgrid mesh of the Brillouin zone."""

    name: Literal["grid"]
    kgrid: int

    def method(self) -> Grid:
        """The method as numerics knows it."""
        return Grid(self.kgrid)


class ConvergedTable(Table):
    """Method ``converged``: maps to a relative accuracy, within a budget of rows of k points."""

    name: Literal["converged"]
    accuracy: float = Converged.accuracy
    budget: int = Converged.budget

    def method(self) -> Converged:
        """The method as numerics knows it."""
        return Converged(self.accuracy, self.budget)


Method = Annotated[GridTable | ConvergedTable, Field(discriminator="name")]


class RangesTable(Table):
    """Ranges of the uniform draws of schema 1: gap and eps0 in meV, theta in radians."""

    gap: tuple[float, float]
    eps0: tuple[float, float]
    theta: tuple[float, float]


class FunctionTable(Table):
    """A basis function of an irrep, by what tells it from others."""

    shell: int | None = None
    channel: Literal["s", "tz", "txy"] | None = None
    copy_: int | None = Field(default=None, alias="copy")

    @property
    def function(self) -> FunctionName:
        """The function as a problem names it."""
        return FunctionName(self.shell, self.channel, self.copy_)


class CandidateTable(FunctionTable):
    """A pairing symmetry: an irrep, by one basis function or by a mixture of two."""

    irrep: str
    name: str = ""
    mixed: tuple[FunctionTable, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        if self.mixed and self.function != FunctionName():
            raise RecipeError(
                "A candidate is one basis function (shell, channel, copy) or a mixture (mixed).",
                f"{self.irrep}: both",
                "Write the first one into mixed, too.",
            )
        return self

    @property
    def named(self) -> Named:
        """The candidate as a problem is defined by it."""
        functions = tuple(one.function for one in self.mixed)
        if not functions and self.function != FunctionName():
            functions = (self.function,)
        return Named(self.irrep, functions, self.name)


class SplitsTable(Table):
    """Number of samples of each split; ids run through them in this order."""

    train: int = Field(ge=0)
    validation: int = Field(ge=0)
    test: int = Field(ge=0)

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of samples in the order of SPLITS."""
        return self.train, self.validation, self.test


def known_fixed(fixed: dict[str, float]) -> dict[str, float]:
    """The entries of [fixed] as they are.

    Raises
    ------
    RecipeError : no such quantity, or one whose place is elsewhere.
    """
    for name in fixed:
        quantity(name)
        if name in PLACED:
            raise RecipeError(
                f"{name} is given in its own place, {PLACED[name]}, or is unknown.",
                f"{name} in [fixed]",
                "Move it there.",
            )
    return fixed


def unknown_of(name: str, entry: Any) -> Unknown:
    """The unknown of an entry of [unknowns].

    That is ``[low, high]``, a table with ``range`` and ``scale = "logarithmic"`` or the ``least``
    magnitude of values of both signs, or ``"any"`` for the whole of a circle.

    Raises
    ------
    RecipeError : no such quantity, or an entry that is none of these.
    """
    row = quantity(name)
    scale, least = None, 0.0
    if isinstance(entry, Mapping) and set(entry) <= {"range", "scale", "least"}:
        scale, least = entry.get("scale"), entry.get("least", 0.0)
        entry = entry.get("range")
    if entry == ANY and row.period:
        entry = [0.0, row.period]
    numbers = isinstance(entry, (list, tuple)) and len(entry) == 2
    if not numbers or not all(type(x) in (int, float) for x in (*entry, least)):
        whole = f', or "{ANY}"' if row.period else ""
        raise RecipeError(
            f"{name} is unknown within a range: [low, high], or a table with range and scale"
            f" or least{whole}.",
            f"{name} = {entry!r}",
            f"Give for example {name} = {ANY!r}." if row.period else f"Give {name} = [low, high].",
        )
    return row.unknown(name, entry[0], entry[1], scale, float(least))
