"""A dataset recipe: everything that decides the numbers of a dataset, as a TOML file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gapscope.dataset.sampling import Range, Sampler
from gapscope.dataset.schema import (
    SPLITS,
    Variable,
    coordinates,
    maps,
    require_readable,
    sample_variables,
)
from gapscope.errors import GapscopeError, RecipeError
from gapscope.instrument.contour import Contour, setpoint_contour
from gapscope.instrument.resolution import energy_rule, energy_width
from gapscope.physics import LABELS, Impurity
from gapscope.simulation.numerics import Converged, Grid, Numerics
from gapscope.support.reading import read_bounded

RECIPE_BYTES = 1_000_000
"""Largest recipe that is read."""

BALANCE = 2 * len(LABELS)
"""Sample ids run through the classes, and A12u alternates between A1u and A2u."""

NODES = 5
"""Quadrature nodes of the bias integral. Error of its relative change by impurities, by
benchmarks/energy_nodes.py for 30 fresh states: 0.5 % in the median, 1.7 % at worst."""

RULE_NODES = 7
"""Quadrature nodes of the average over an energy resolution. Error of maps at 1.2 K, 0.1 meV rms,
by the same script: 1.3 % in the median, 3.9 % at worst, where the gap is small."""


class Table(BaseModel):
    """A table of the recipe: no unknown keys, no silent conversion, only finite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ImpurityTable(Table):
    """Scatterer on the site r = 0: potential v and moment (Jx, Jy, Jz) in meV."""

    scalar: float = 0.0
    moment: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @model_validator(mode="after")
    def _scatters(self) -> Self:
        if self.scalar == 0 and not any(self.moment):
            raise RecipeError(
                "The impurity needs a nonzero potential or moment.",
                "impurity = 0",
                "Give scalar or moment.",
            )
        return self

    def impurity(self) -> Impurity:
        """The impurity as physics knows it."""
        return Impurity.scalar(self.scalar) + Impurity.magnetic(self.moment)


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
    """Ranges of the uniform draws: labelled gap and eps0 in meV, theta in radians."""

    gap: Range
    eps0: Range
    theta: Range


class SplitsTable(Table):
    """Number of samples of each split; ids run through them in this order."""

    train: int = Field(ge=0)
    validation: int = Field(ge=0)
    test: int = Field(ge=0)

    @model_validator(mode="after")
    def _balanced(self) -> Self:
        counts = self.counts
        if sum(counts) == 0 or any(count % BALANCE for count in counts):
            raise RecipeError(
                f"Each split holds a multiple of {BALANCE} samples: {len(LABELS)} classes, A12u "
                "half A1u and half A2u.",
                ", ".join(f"{name} = {n}" for name, n in zip(SPLITS, counts, strict=True)),
                f"Round the counts to multiples of {BALANCE}, not all of them zero.",
            )
        return self

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of samples in the order of SPLITS."""
        return self.train, self.validation, self.test


class Recipe(Table):
    """What a dataset contains; sample ids 0 .. n - 1, parameters from (seed, id) alone.

    ``material`` is the name of a shipped material or the path of a material file, relative to the
    recipe; energies and broadening in meV; ``window`` sites per side. ``setpoints``: biases in meV
    up to which densities of states are integrated too, so that maps at constant current can be
    made of the dataset's. ``resolutions``: pairs of a temperature in K and a lock-in modulation in
    meV rms, at which the maps of the one energy are there too, broadened.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: str = Field(min_length=1)
    seed: int = Field(ge=0, lt=2**63)
    material: str = Field(min_length=1)
    impurity: ImpurityTable
    energies: tuple[float, ...]
    setpoints: tuple[float, ...] = ()
    resolutions: tuple[tuple[float, float], ...] = ()
    broadening: float
    window: int
    dtype: Literal["float32", "float64"] = "float32"
    method: Method = ConvergedTable(name="converged")
    ranges: RangesTable
    splits: SplitsTable
    shard_size: int = Field(ge=1)

    @model_validator(mode="after")
    def _computable(self) -> Self:
        if len(set(self.energies)) != len(self.energies):
            raise RecipeError("Each energy stands once.", list(self.energies), "Drop the copies.")
        if len(set(self.setpoints)) != len(self.setpoints):
            raise RecipeError("Each setpoint stands once.", list(self.setpoints), "Drop copies.")
        if self.resolutions and len(self.energies) != 1:
            raise RecipeError(
                "Maps of one energy are broadened.",
                list(self.energies),
                "Keep one, or no resolutions.",
            )
        widths = [energy_width(*one) for one in self.resolutions]
        if 0.0 in widths or len(set(widths)) != len(widths):
            raise RecipeError(
                "Each energy resolution stands once, and is not perfect.",
                [list(one) for one in self.resolutions],
                "Drop copies, and pairs of zeros.",
            )
        self.sampler()
        self.numerics()
        self.contours()
        self.energy_rules()
        return self

    @property
    def samples(self) -> int:
        """Number of samples of all splits."""
        return sum(self.splits.counts)

    def shards(self) -> list[range]:
        """Sample ids of each shard."""
        edges = range(0, self.samples, self.shard_size)
        return [range(first, min(first + self.shard_size, self.samples)) for first in edges]

    def sizes(self, samples: int) -> dict[str, int]:
        """Lengths of the dimensions for a number of samples."""
        return {
            "sample": samples,
            "energy": len(self.energies),
            "setpoint": len(self.setpoints),
            "resolution": len(self.resolutions),
            "r1": self.window,
            "r2": self.window,
        }

    def split_of(self, ids: range) -> NDArray[np.int8]:
        """Index into SPLITS of each sample id."""
        edges = np.cumsum(self.splits.counts)
        return np.searchsorted(edges, np.asarray(ids), side="right").astype(np.int8)

    def sampler(self) -> Sampler:
        """The generator of parameters."""
        ranges = self.ranges
        return Sampler(self.seed, gap=ranges.gap, eps0=ranges.eps0, theta=ranges.theta)

    def numerics(self) -> Numerics:
        """How the maps are computed."""
        return Numerics(self.energies, self.broadening, self.window, self.method.method())

    def contours(self) -> list[Contour]:
        """The ways to integrate over, of each setpoint."""
        return [setpoint_contour(bias, self.broadening, NODES) for bias in self.setpoints]

    def energy_rules(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Nodes in meV around the energy and weights, of each resolution."""
        return [energy_rule(*one, RULE_NODES) for one in self.resolutions]

    def coordinates(self) -> tuple[Variable, ...]:
        """The dataset's coordinates."""
        return coordinates(*self._further)

    def maps(self) -> tuple[Variable, ...]:
        """The dataset's variables that the kernel computes."""
        return maps(self.dtype, *self._further)

    def variables(self) -> tuple[Variable, ...]:
        """All variables of the dataset's shards, in the order in which they are hashed."""
        return sample_variables(self.dtype, *self._further)

    @property
    def _further(self) -> tuple[bool, bool]:
        return bool(self.setpoints), bool(self.resolutions)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as it stands in TOML, for JSON."""
        table = self.model_dump(mode="json", by_alias=True)
        for name in ("setpoints", "resolutions"):
            # Recipes without them are the same as before there were any, and so is their identity.
            if not table[name]:
                del table[name]
        return table

    @classmethod
    def from_dict(cls, table: dict[str, Any], where: str = "recipe") -> Recipe:
        """Check a parsed recipe.

        Raises
        ------
        RecipeError : unknown or missing keys, wrong types, values outside their rules.
        SchemaVersionError : the recipe is newer than this version of gapscope.
        """
        version = table.get("schema")
        if isinstance(version, int):
            require_readable(version, where)
        try:
            # JSON has arrays where TOML has them, and strict mode takes them for tuples.
            return cls.model_validate_json(json.dumps(table, default=str))
        except ValidationError as error:
            raise _recipe_error(error, where) from error


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a TOML file; raises as :meth:`Recipe.from_dict` does."""
    path = Path(path)
    try:
        table = tomllib.loads(read_bounded(path, RECIPE_BYTES).decode())
    except (OSError, ValueError, RecursionError) as error:
        raise RecipeError(
            "A recipe is readable TOML.", f"{path}: {error}", "Fix the file."
        ) from error
    return Recipe.from_dict(table, path.name)


def _recipe_error(error: ValidationError, where: str) -> RecipeError:
    """Pydantic's complaints as one RecipeError; a rule of ours keeps its own words."""
    details = error.errors(include_url=False)
    for detail in details:
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, GapscopeError):
            return RecipeError(f"{where}: {cause.rule}", cause.received, cause.remedy)
    received = "; ".join(
        f"no {_key(detail)}"
        if detail["type"] == "missing"
        else f"{_key(detail)} = {detail['input']!r}"
        for detail in details
    )
    rules = dict.fromkeys(_rules(details))
    return RecipeError(f"{where}: {'; '.join(rules)}.", received, "Mend these entries.")


def _rules(details: list[Any]) -> Iterator[str]:
    for detail in details:
        name = _key(detail)
        if detail["type"] == "extra_forbidden":
            yield f"{name} is not a key of a recipe"
        else:
            yield f"{name}: {detail['msg'][0].lower()}{detail['msg'][1:]}"


def _key(detail: Any) -> str:
    """The dotted key of a complaint, without the tag that pydantic puts after ``method``."""
    parts = [str(part) for part in detail["loc"]]
    if parts[0] == "method":
        del parts[1:2]
    return ".".join(parts)
