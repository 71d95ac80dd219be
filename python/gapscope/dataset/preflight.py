"""What is checked before anything is written or computed: recipe, material, workers."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from gapscope.dataset.recipe import PaperRecipe, Recipe
from gapscope.errors import RecipeError, SettingError, SpecificationError, StorageError
from gapscope.physics import Material
from gapscope.physics.lattice import require_triangular
from gapscope.physics.symmetry import band_asymmetry
from gapscope.problem.problem import Problem
from gapscope.problem.sampling import draw
from gapscope.problem.states import States
from gapscope.support.memory import available_memory, gigabytes, require_memory

SHARD_COPIES = 4
"""Times that a shard lies in memory: results, arrays to store, the file, its copy in HDF5."""
WORKER_BYTES = 1e9
"""What a worker takes besides its shard: its process and its kernel host, some 0.3 and 0.4 GB, and
what a Hamiltonian of many orbitals takes there, up to 0.3 GB."""
ASYMMETRY = 0.01
"""Part of the bands' width by which they may depart from the symmetry. The Wannier90 Hamiltonian of
NbS2, whose crystal has it, departs by 0.0006."""


def define_problem(recipe: Recipe, material: Material) -> Problem:
    """The problem of a recipe, in schema 2 with every candidate in a class of its own.

    One sample of every candidate shows whether gap, impurity and unknowns go with the orbitals;
    that there are as many sites as other impurities is looked at, too. The
    classes of schema 1 are irreps of D3h: the lattice is triangular then and the bands have that
    symmetry, which is necessary, and all that can be said without knowing what the orbitals are.

    Raises
    ------
    RecipeError : where the crystal does not have what the recipe names.
    """
    try:
        if isinstance(recipe, PaperRecipe):
            require_triangular(material.lattice, "A dataset, whose classes are irreps of D3h,")
        problem = recipe.define(material)
        _require_sites(recipe, material)
        states = States(problem, recipe.draft(material), recipe.symmetry_tolerance)
        for sample in range(len(problem.classes) * problem.rounds):
            one = draw(problem, recipe.seed, sample)
            states.sample(one.label, one.values, one.member)
    except SpecificationError as error:
        raise RecipeError(
            f"{recipe.name}: {error.rule}", f"{material.name}: {error.received}", error.remedy
        ) from error
    if isinstance(recipe, PaperRecipe):
        _require_d3h(recipe, material)
    return problem


def _require_sites(recipe: Recipe, material: Material) -> None:
    if recipe.others is None:
        return
    others = recipe.others.others()
    if others.most > (sites := len(others.sites(material.lattice))):
        raise RecipeError(
            "Every impurity stands on a site of its own.",
            f"up to {others.most} others on the {sites} sites within distance = {others.distance}",
            "Give [others] a larger distance, or a smaller number.",
        )


def _require_d3h(recipe: Recipe, material: Material) -> None:
    departure = band_asymmetry(material.bonds)
    if departure > ASYMMETRY:
        raise RecipeError(
            f"{recipe.name}: the classes of a recipe of schema 1 are irreps of D3h, and its"
            f" material has that symmetry: its bands differ by at most {ASYMMETRY:.0%} of their"
            " width under it.",
            f"{material.name}: {departure:.1%}",
            "Check the bonds of the material: a vector without its images under rotations by 60"
            " degrees, or another crystal; for the latter write a recipe of schema 2, which names"
            " its candidates.",
        )


def require_room(recipe: Recipe, folder: Path, samples: int) -> str:
    """How much the missing samples take, in words.

    Raises
    ------
    StorageError : more than is free on the folder's disk.
    NumericsError : shards that do not fit into memory.
    """
    needed, free = recipe.bytes(samples), shutil.disk_usage(folder).free
    told = f"{samples} samples take about {gigabytes(needed)}; {gigabytes(free)} are free"
    if needed > free:
        raise StorageError(
            "A dataset fits on its disk, or it is not begun.",
            f"{folder}: {told}",
            "Make room, choose another folder, or give fewer samples or a smaller window.",
        )
    count = min(recipe.shard_size, recipe.samples)
    require_memory(
        f"a shard of {count} samples",
        SHARD_COPIES * recipe.bytes(count),
        [
            (f"shard_size = {fewer}", partial(_shard_bytes, recipe, fewer))
            for fewer in (count // 4, count // 16, 1)
            if 0 < fewer < count
        ],
    )
    return told


def _shard_bytes(recipe: Recipe, count: int) -> float:
    return float(SHARD_COPIES * recipe.bytes(count))


def suitable_workers(recipe: Recipe, shards: int, cores: int) -> int:
    """Number of local workers for the missing shards: one for each core, as far as memory goes.

    A second thread makes one map a third faster (docs/benchmarks.md), a second worker twice as
    many maps; the threads of cores that are left over are shared out.
    """
    count = min(recipe.shard_size, recipe.samples)
    fitting = int(available_memory() // (WORKER_BYTES + _shard_bytes(recipe, count)))
    return max(1, min(cores, shards, fitting))


def check_workers(workers: int | None, scheduler: str | None) -> None:
    """Raise SettingError unless the numbers of workers and the scheduler go together."""
    if workers is not None and scheduler is not None:
        raise SettingError(
            "A running cluster brings its own workers.",
            f"workers = {workers}, scheduler = {scheduler}",
            "Leave one of the two out.",
        )
    if workers is not None and (isinstance(workers, bool) or workers < 1):
        raise SettingError("A build has at least one worker.", workers, "Give a whole number.")
