"""A dataset recipe: everything that decides the numbers of a dataset, as a TOML file.

Schema 2 names candidates, unknowns and what is fixed. Schema 1 is the paper's problem by its ranges
(:mod:`gapscope.problem.paper`), and is still written where nothing else is asked.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, field_validator, model_validator

from gapscope.dataset.recipe_contents import Contents
from gapscope.dataset.recipe_errors import recipe_error
from gapscope.dataset.recipe_tables import (
    CandidateTable,
    ImpurityTable,
    RangesTable,
    WeightedImpurityTable,
    known_fixed,
    unknown_of,
)
from gapscope.dataset.schema import SPLITS, Variable, parameters, require_readable
from gapscope.errors import RecipeError
from gapscope.instrument.contour import Contour, setpoint_contour
from gapscope.instrument.resolution import energy_rule
from gapscope.physics import Material
from gapscope.physics.group.found import EXACT
from gapscope.problem.define import define
from gapscope.problem.draft import Draft
from gapscope.problem.moves import ALONG_Z, MOMENT
from gapscope.problem.paper import paper_problem
from gapscope.problem.problem import Problem
from gapscope.problem.unknown import Unknown
from gapscope.simulation.numerics import Numerics
from gapscope.support.reading import read_toml

RECIPE_BYTES = 1_000_000
"""Largest recipe that is read."""

NODES = 5
"""Quadrature nodes of the bias integral. Error of its relative change by impurities, by
benchmarks/energy_nodes.py for 30 fresh states: 0.5 % in the median, 1.7 % at worst."""

RULE_NODES = 7
"""Quadrature nodes of the average over an energy resolution. Error of maps at 1.2 K, 0.1 meV rms,
by the same script: 1.3 % in the median, 3.9 % at worst, where the gap is small."""


class Recipe(Contents):
    """What a dataset contains, of which problem, and how its maps are computed."""

    @property
    def symmetry_tolerance(self) -> float:
        """meV to which the crystal's symmetry has to hold."""
        return EXACT

    @model_validator(mode="after")
    def _computable(self) -> Self:
        self._require_contents()
        self._require_problem()
        self.numerics()
        self.contours(self.broadening or 1.0)  # zero where each sample has its own
        self.energy_rules()
        return self

    def _require_problem(self) -> None:
        """Raise RecipeError for what can be seen to be wrong without the material."""
        raise NotImplementedError

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What is drawn, in the order of the draws."""
        raise NotImplementedError

    def define(self, material: Material) -> Problem:
        """The problem; in schema 2 with every candidate in a class of its own.

        Raises
        ------
        RecipeError, SpecificationError : see :func:`gapscope.problem.define.define`.
        """
        raise NotImplementedError

    def bytes(self, samples: int) -> int:
        """Bytes that a number of samples take in a file, but for a few per cent."""
        sizes = self.sizes(samples)
        return sum(
            math.prod(one.shape(sizes)) * np.dtype(one.dtype).itemsize for one in self.variables()
        )

    def draft(self, material: Material) -> Draft:
        """What all samples have in common."""
        impurity = self.impurity
        weights = impurity.weights if isinstance(impurity, WeightedImpurityTable) else None
        return Draft(
            material, self.numerics().broadening, impurity.scalar, impurity.moment, weights
        )

    def numerics(self) -> Numerics:
        """How the maps are computed."""
        return Numerics(self.energies, self.broadening, self.window, self.method.method())

    def contours(self, broadening: float) -> list[Contour]:
        """The ways to integrate over, of each setpoint, of samples with a broadening in meV."""
        return [setpoint_contour(bias, broadening, NODES) for bias in self.setpoints]

    def energy_rules(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Nodes in meV around the energy and weights, of each resolution."""
        return [energy_rule(*one, RULE_NODES) for one in self.resolutions]

    def parameters(self) -> tuple[Variable, ...]:
        """The dataset's variables that were drawn."""
        return parameters(self.unknowns, self.schema_version)

    def variables(self) -> tuple[Variable, ...]:
        """All variables of the dataset's shards, in the order in which they are hashed."""
        sample, *_ = self.coordinates()
        return (sample, *self.maps(), *self.parameters())

    def deciding(self) -> dict[str, Any]:
        """The part that decides the dataset's numbers; its identity follows from it."""
        return self.to_dict()

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
        kind = ProblemRecipe if version == 2 else PaperRecipe
        try:
            # JSON has arrays where TOML has them, and strict mode takes them for tuples.
            return kind.model_validate_json(json.dumps(table, default=str))
        except ValidationError as error:
            raise recipe_error(error, where) from error


class PaperRecipe(Recipe):
    """Schema 1: the paper's problem by the ranges of gap, eps0 and theta."""

    schema_version: Literal[1] = Field(alias="schema")
    impurity: ImpurityTable
    broadening: float
    ranges: RangesTable

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What is drawn, in the order of the draws."""
        return self._problem.unknowns

    def define(self, material: Material) -> Problem:
        """The paper's problem."""
        return self._problem

    @property
    def _problem(self) -> Problem:
        return paper_problem(self.ranges.model_dump())

    def _require_problem(self) -> None:
        if not self.impurity.scatters:
            raise RecipeError(
                "The impurity needs a nonzero potential or moment.",
                "impurity = 0",
                "Give scalar or moment.",
            )
        problem = self._problem
        balance = len(problem.classes) * problem.rounds
        if any(count % balance for count in self.splits.counts):
            counts = zip(SPLITS, self.splits.counts, strict=True)
            raise RecipeError(
                f"Each split holds a multiple of {balance} samples: {len(problem.classes)}"
                " classes in turn, and the candidates of each in turn.",
                ", ".join(f"{name} = {n}" for name, n in counts),
                f"Round the counts to multiples of {balance}, not all of them zero.",
            )


class ProblemRecipe(Recipe):
    """Schema 2: candidates by their irreps, unknowns by their ranges, and what is fixed.

    ``[unknowns]`` and ``[fixed]`` name rows of :data:`gapscope.problem.quantities.QUANTITIES`;
    ``tolerance`` is that of the crystal's symmetry in meV; ``[training]`` holds options of
    ``gapscope train`` and decides nothing of the dataset.
    """

    schema_version: Literal[2] = Field(alias="schema")
    impurity: WeightedImpurityTable = WeightedImpurityTable()
    candidates: tuple[CandidateTable, ...]
    unknown_entries: dict[str, Any] = Field(alias="unknowns")
    fixed: dict[str, float] = Field(default_factory=dict)
    tolerance: float = Field(default=EXACT, gt=0)
    training: dict[str, Any] = Field(default_factory=dict)
    _known = field_validator("fixed")(known_fixed)

    @property
    def symmetry_tolerance(self) -> float:
        """meV to which the crystal's symmetry has to hold."""
        return self.tolerance

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What is drawn, in the order of the draws."""
        return tuple(unknown_of(name, entry) for name, entry in self.unknown_entries.items())

    def define(self, material: Material) -> Problem:
        """The problem with every candidate in a class of its own."""
        named = [one.named for one in self.candidates]
        return define(self.draft(material), named, self.unknowns, self.fixed, self.tolerance)

    def numerics(self) -> Numerics:
        """How the maps are computed; in the middle of its range where the broadening is unknown."""
        own = [one for one in self.unknowns if one.name == "broadening"]
        broadening = math.sqrt(own[0].low * own[0].high) if own else self.broadening
        return Numerics(self.energies, broadening, self.window, self.method.method())

    def deciding(self) -> dict[str, Any]:
        """All but the options of a training."""
        return {name: value for name, value in self.to_dict().items() if name != "training"}

    def _require_problem(self) -> None:
        names = {one.name for one in self.unknowns}
        if not names:
            raise RecipeError(
                "A network reads at least one number.", "no [unknowns]", "Give a range of the gap."
            )
        if twice := names & self.fixed.keys():
            raise RecipeError(
                "A quantity is unknown or fixed.",
                f"{', '.join(sorted(twice))}: both",
                "Leave one of the two out.",
            )
        if bool(self.broadening) == ("broadening" in names):
            raise RecipeError(
                "The broadening stands at the top, or among the unknowns.",
                f"{'both' if self.broadening else 'neither'}",
                "Give it once, in meV.",
            )
        if "gap" not in names | self.fixed.keys():
            raise RecipeError(
                "The gap is unknown or fixed.",
                ", ".join(sorted(names)),
                "Give gap = [low, high] in meV in [unknowns].",
            )
        if not self.impurity.scatters and not names & {"potential", "moment", ALONG_Z}:
            raise RecipeError(
                "An impurity scatters: its potential or moment is given, or unknown.",
                "neither",
                "Give [impurity] scalar in meV, or potential = [low, high] in [unknowns].",
            )
        given = names | self.fixed.keys()
        if ALONG_Z in given and given & set(MOMENT):
            raise RecipeError(
                "A moment is given by its size and direction, or along z with its sign.",
                ", ".join(sorted(given & {ALONG_Z, *MOMENT})),
                f"Leave {ALONG_Z} out, or the others.",
            )
        self._require_one_instrument(names)

    def _require_one_instrument(self, names: set[str]) -> None:
        smeared = names | self.fixed.keys()
        if self.holds_green and {"temperature", "modulation"} & smeared:
            raise RecipeError(
                "Averages over energies are those of maps; a Green's function has one energy.",
                'temperature or modulation with store = "green"',
                "Leave store out, or these quantities.",
            )
        if self.resolutions and {"temperature", "modulation", "broadening"} & smeared:
            raise RecipeError(
                "Energy resolutions are listed, or unknown.",
                "resolutions beside " + ", ".join(sorted(smeared)),
                "Leave one of the two out.",
            )


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a TOML file; raises as :meth:`Recipe.from_dict` does."""
    path = Path(path)
    try:
        table = read_toml(path, RECIPE_BYTES)
    except (OSError, ValueError) as error:
        raise RecipeError(
            "A recipe is readable TOML.", f"{path}: {error}", "Fix the file."
        ) from error
    return Recipe.from_dict(table, path.name)
