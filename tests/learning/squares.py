"""A second toy world, of another crystal and other unknowns: a square lattice, D4h."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import toys
from built_here import build_here
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import Recipe
from gapscope.physics import Lattice, Specification
from gapscope.physics.lattice import window_coordinates
from gapscope.problem.problem import Problem
from gapscope.simulation.numerics import Numerics

MATERIAL = """
schema = 1
name = "checkers"
citation = "of the tests"
description = "one orbital, nearest neighbours"

[lattice]
{lattice}

[[shells]]
bond = [1, 0]
hopping = -100.0
"""
SQUARE = 'name = "square"\nconstant = 4.0'
CANDIDATES = ("A1g", "B1g", "Eu")
UNKNOWNS: dict[str, Any] = {
    "gap": [0.5, 2.0],
    "theta": "any",
    "phi": "any",
    "potential": {"range": [10.0, 200.0], "scale": "logarithmic"},
}
RECIPE: dict[str, Any] = {
    "schema": 2,
    "name": "squares",
    "seed": 5,
    "energies": [0.0],
    "broadening": 0.5,
    "window": toys.WINDOW,
    "method": {"name": "grid", "kgrid": 64},
    "splits": {"train": 180, "validation": 15, "test": 30},
    "shard_size": 120,
}


def square_map(
    index: int, values: Mapping[str, float], vectors: NDArray[np.float64], window: int
) -> NDArray[np.float64]:
    """A map (L, L) of a class: rings tell it and the gap, strength the potential.

    The third class has a part |c.r|^2, c = (cos theta, exp(i phi) sin theta), which moves with the
    map as c does, and is the same for c^*.
    """
    r = window_coordinates(window)
    sites = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1)
    x, y = np.moveaxis(sites @ vectors, -1, 0)
    distance = np.hypot(x, y)
    shape = np.cos((0.5 + 0.7 * index + 0.2 * values["gap"]) * distance)
    if index == 2:
        second = np.exp(1j * values["phi"]) * np.sin(values["theta"])
        along = np.abs(np.cos(values["theta"]) * x + second * y)
        shape = shape + 2 * np.square(along / np.maximum(distance, 1))
    return 1e-6 * values["potential"] * np.exp(-distance / 5) * shape


@dataclass(frozen=True)
class Squares:
    """Stands in for the kernel."""

    labels: tuple[str, ...]

    def versions(self, neighbours: int) -> dict[str, str]:
        return {"gapscope_version": "of the tests"}

    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> toys.ToyMaps:
        maps = np.stack([self.one(spec, numerics) for spec in specifications])
        return toys.ToyMaps(maps, maps.sum(axis=(2, 3)))

    def integral_changes(self, *_: object) -> NDArray[np.float64]:
        raise NotImplementedError

    def one(self, spec: Specification, numerics: Numerics) -> NDArray[np.float64]:
        pairing = spec.pairing
        values = {
            "gap": pairing.gap,
            "theta": pairing.theta or 0.0,
            "phi": pairing.phi or 0.0,
            "potential": float(spec.impurity_matrix()[0, 0].real),
        }
        vectors = spec.material.lattice.vectors
        image = square_map(self.labels.index(pairing.irrep), values, vectors, numerics.window)
        return np.stack([image] * len(numerics.energies))


def build_squares(
    folder: Path,
    candidates: Sequence[str] = CANDIDATES,
    lattice: str = SQUARE,
    unknowns: Mapping[str, Any] = UNKNOWNS,
    **changes: Any,
) -> Path:
    """A dataset of such maps, built in this process."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    own = folder.with_suffix(".toml")
    own.write_text(MATERIAL.format(lattice=lattice))
    named = [{"irrep": one} for one in candidates]
    table = {"material": str(own), "candidates": named, "unknowns": dict(unknowns)}
    recipe = Recipe.from_dict(RECIPE | table | changes)
    return build_here(recipe, folder, Squares(tuple(candidates)))


def square_problem(folder: Path) -> Problem:
    """The problem of such a dataset."""
    return Manifest.read(folder).problem


VECTORS = Lattice("square", 1.0).vectors
