"""What a dataset contains, whatever its problem: the entries that recipes of both schemas have.

The arrays, their axes and the samples follow from them.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr

from gapscope.dataset.recipe_tables import (
    ConvergedTable,
    ImpurityTable,
    Method,
    OthersTable,
    SplitsTable,
    Table,
)
from gapscope.dataset.schema import Variable, coordinates, maps
from gapscope.errors import RecipeError
from gapscope.instrument.resolution import energy_width
from gapscope.physics.lattice import Lattice, window_coordinates
from gapscope.problem.others import Beside
from gapscope.problem.problem import Problem


class Contents(Table):
    """What a dataset contains; sample ids 0 .. n - 1, parameters from (seed, id) alone.

    ``material`` is the name of a shipped material or the path of a material file, relative to the
    recipe; energies and broadening in meV; ``window`` sites per side. ``setpoints``: biases in meV
    up to which densities of states are integrated too, so that maps at constant current can be
    made of the dataset's. ``resolutions``: pairs of a temperature in K and a lock-in modulation in
    meV rms, at which the maps of the one energy are there too, broadened. ``store = "green"`` holds
    the Green's function of each sample on the window instead of its maps, which follow from it.
    ``others`` are further impurities beside the one on r = 0, of which a Green's function is kept
    that much farther out.
    """

    schema_version: int = Field(alias="schema")
    name: str = Field(min_length=1)
    seed: int = Field(ge=0, lt=2**63)
    material: str = Field(min_length=1)
    impurity: ImpurityTable = ImpurityTable()
    others: OthersTable | None = None
    energies: tuple[float, ...]
    broadening: float = 0.0
    setpoints: tuple[float, ...] = ()
    resolutions: tuple[tuple[float, float], ...] = ()
    window: int
    dtype: Literal["float32", "float64"] = "float32"
    method: Method = ConvergedTable(name="converged")
    splits: SplitsTable
    shard_size: int = Field(ge=1)
    store: Literal["maps", "green"] = "maps"
    _components: int = PrivateAttr(default=4)

    @property
    def holds_green(self) -> bool:
        """Whether Green's functions stand where maps do otherwise."""
        return self.store == "green"

    def for_orbitals(self, orbitals: int) -> Self:
        """The recipe with a material of so many orbitals, which the size of G depends on."""
        made = self.model_copy()
        made._components = 4 * orbitals
        return made

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
            "r1": len(self.sites),
            "r2": len(self.sites),
            "row": self._components,
            "column": self._components,
        }

    @property
    def sites(self) -> NDArray[np.int64]:
        """r1 and r2 of what is stored: those of the window, and of G up to L/2 itself, or farther
        by the distance of other impurities."""
        if not self.holds_green:
            return window_coordinates(self.window)
        last = self.window // 2 + (0 if self.others is None else self.others.distance)
        return np.arange(-last, last + 1)

    def beside(self, problem: Problem, lattice: Lattice, sample: int) -> Beside | None:
        """The impurities of a sample beside the one on r = 0; None where there are none."""
        if self.others is None:
            return None
        return self.others.others().of_sample(problem, lattice, self.seed, sample)

    def split_of(self, ids: range) -> NDArray[np.int8]:
        """Index into SPLITS of each sample id."""
        edges = np.cumsum(self.splits.counts)
        return np.searchsorted(edges, np.asarray(ids), side="right").astype(np.int8)

    def coordinates(self) -> tuple[Variable, ...]:
        """The dataset's coordinates."""
        return coordinates(*self._further, self.holds_green)

    def maps(self) -> tuple[Variable, ...]:
        """The dataset's variables that the kernel computes."""
        return maps(self.dtype, *self._further, self.holds_green)

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
        if table["store"] == "maps":
            del table["store"]
        if self.others is None:
            del table["others"]
        return table

    def _require_contents(self) -> None:
        """Raise RecipeError for entries that contradict each other, whatever the problem."""
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
        if not sum(self.splits.counts):
            raise RecipeError(
                "A dataset has samples.", "no sample in any split", "Raise the counts of [splits]."
            )
        if self.others is not None:
            self._require_others(self.others)
        if self.holds_green and (self.setpoints or self.resolutions):
            raise RecipeError(
                "Averages over energies are those of maps; a Green's function has one energy.",
                'setpoints or resolutions with store = "green"',
                "Leave store out, or these lists.",
            )

    def _require_others(self, others: OthersTable) -> None:
        if not others.distance < self.window // 2:
            raise RecipeError(
                "Other impurities stand within the window: their distance is below L/2.",
                f"distance = {others.distance}, window = {self.window}",
                f"Give [others] a distance of at most {self.window // 2 - 1}, or a larger window.",
            )
        if self.setpoints or self.resolutions:
            raise RecipeError(
                "Maps as a measurement leaves them are made of maps of one impurity.",
                "[others] beside setpoints or resolutions",
                "Leave out [others], or these lists.",
            )
