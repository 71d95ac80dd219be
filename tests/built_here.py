"""A dataset that is built in the test's own process, without Dask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gapscope.dataset.assemble import write_dataset
from gapscope.dataset.compute import Job, Simulator, compute_shard
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import Recipe
from gapscope.problem.problem import Problem
from gapscope.simulation.materials import material


def build_here(
    recipe: Recipe, folder: Path, simulator: Simulator, problem: Problem | None = None
) -> Path:
    """The dataset of a recipe in a folder, of this problem or with candidates unmerged."""
    matter = material(recipe.material)
    fresh = Manifest.start(recipe, matter, problem or recipe.define(matter))
    manifest = replace(fresh, versions=simulator.versions(1))
    (folder / "shards").mkdir(parents=True)
    for index in manifest.missing:
        entry = compute_shard(Job(folder, manifest, matter, simulator, 1), index)
        manifest = manifest.with_shard(index, entry)
    manifest.write(folder)
    write_dataset(folder, manifest)
    return folder
