"""Build a dataset: shards by Dask workers, then one file that shows them as a whole."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from multiprocessing import current_process
from pathlib import Path

from gapscope.dataset.assemble import write_dataset
from gapscope.dataset.compute import Job, JuliaKernel, Simulator, require_versions
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.merges import merge_candidates
from gapscope.dataset.preflight import check_workers, define_problem, require_room
from gapscope.dataset.recipe import PaperRecipe, Recipe, load_recipe
from gapscope.dataset.schema import MANIFEST, shard_name
from gapscope.dataset.shards import intact_shard
from gapscope.errors import ClusterError, DatasetError, RecipeError
from gapscope.physics import Material
from gapscope.problem.problem import Problem
from gapscope.problem.told import told
from gapscope.simulation.materials import material
from gapscope.support.storage import make_folder, only_writer, remove_leftovers, require_folder

logger = logging.getLogger(__name__)
KERNEL = JuliaKernel()


def build(
    recipe: str | Path | Recipe,
    directory: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: bool = True,
    simulator: Simulator = KERNEL,
) -> Path:
    """Build a dataset, or finish one: intact shards are kept, missing and broken ones computed.

    The numbers depend on recipe and material alone, not on workers, shards or interruptions. In a
    script, call it under ``if __name__ == "__main__":``, since local workers are processes.

    Parameters
    ----------
    recipe : a TOML file or a Recipe; a material file is looked for relative to it, for a Recipe
        relative to the current folder.
    directory : where the dataset is, or is going to be.
    workers : number of local worker processes, between whose kernels the cores are shared out; by
        default one for each core, as far as memory and shards go.
    scheduler : address (tcp://HOST:PORT) of a running Dask cluster that sees the same folder.
    progress : tell on stderr which candidates no map tells apart and how much room the dataset
        takes, and show a bar with rate and time left.
    simulator : what turns a batch of specifications into maps.

    Returns
    -------
    The dataset's folder.

    Raises
    ------
    RecipeError : a broken recipe, one whose classes its material does not have, or a folder begun
        with another one.
    MaterialFileError : no such material.
    DatasetError : another build works in the folder, or another version of gapscope began it.
    ClusterError : no workers, or a kernel host that died again and again.
    StorageError, NumericsError : the disk or the memory is too small, before anything is computed.
    KernelError, StorageError : computing or writing failed; finished shards are kept.
    """
    check_workers(workers, scheduler)
    _require_main()
    require_folder(directory)
    base = Path() if isinstance(recipe, Recipe) else Path(recipe).parent
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    matter = material(recipe.material, folder=base)
    problem = define_problem(recipe, matter)
    folder = Path(directory).resolve()
    make_folder(folder / "shards")
    with only_writer(folder, "build.lock", _in_use(folder)):
        remove_leftovers(folder)
        remove_leftovers(folder / "shards")
        manifest = _survey(folder, _begin(folder, recipe, matter, problem, simulator, progress))
        manifest.write(folder)
        if manifest.missing:
            shards = manifest.recipe.shards()
            missing = sum(len(shards[index]) for index in manifest.missing)
            told = require_room(manifest.recipe, folder, missing)
            if progress:
                print(told, file=sys.stderr)
            job = Job(folder, manifest, matter, simulator, neighbours=1)
            # Dask takes seconds to import: it is for what there is to compute.
            from gapscope.dataset.farm import computed

            manifest = computed(job, workers, scheduler, progress)
        write_dataset(folder, manifest)
        remove_leftovers(folder / "shards")
    return folder


def _require_main() -> None:
    """Refuse to start workers from a worker, which imports the script that starts it again."""
    if getattr(current_process(), "_inheriting", False):
        raise ClusterError(
            'A script that starts processes does so under if __name__ == "__main__":, since each'
            " of them imports it.",
            "a build that starts as its own worker imports the script",
            'Put what the script does under if __name__ == "__main__":, and start it again.',
        )


def _in_use(folder: Path) -> DatasetError:
    return DatasetError(
        "One build at a time works in a dataset folder.",
        str(folder),
        "Wait for the other build, or end it.",
    )


def _begin(
    folder: Path,
    recipe: Recipe,
    matter: Material,
    problem: Problem,
    simulator: Simulator,
    progress: bool,
) -> Manifest:
    """The folder's manifest, for this recipe, or a new one that merges what no map can tell."""
    if (folder / MANIFEST).exists():
        begun = Manifest.read(folder)
        begun.require_same(Manifest.start(recipe, matter, begun.problem))
        # What decides no numbers, the options of a training, may have changed.
        return replace(begun, recipe=recipe)
    if not isinstance(recipe, PaperRecipe):
        problem = merge_candidates(problem, recipe, matter, simulator)
        for line in told(problem) if progress else ():
            print(line, file=sys.stderr)
    return Manifest.start(recipe, matter, problem)


def _survey(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest with exactly those shards that lie in the folder and are whole."""
    entered = manifest
    manifest = replace(manifest, shards={})
    for index, samples in enumerate(manifest.recipe.shards()):
        path = folder / shard_name(index)
        shard = intact_shard(path, manifest.recipe, samples)
        if shard is None:
            path.unlink(missing_ok=True)
            continue
        if entered.shards.get(index, shard.entry) != shard.entry:
            logger.warning("Computed again: %s, which is not the one in the manifest", path.name)
            path.unlink()
            continue
        if shard.origin.identity != manifest.identity:
            raise RecipeError(
                "A dataset folder holds the shards of one recipe with one material.",
                f"{path.name} of another one",
                "Build into another folder, or remove this one's shards.",
            )
        manifest = replace(manifest, versions=manifest.versions or shard.origin.versions)
        require_versions(manifest.versions, shard.origin.versions)
        manifest = manifest.with_shard(index, shard.entry)
    return manifest
