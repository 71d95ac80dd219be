"""What a Dask worker does: the samples of one shard, from ids to a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import Recipe
from gapscope.dataset.samples import Maps, alike, simulate_samples
from gapscope.dataset.schema import CANDIDATE, GREEN, OWN_GAP, Arrays, shard_name
from gapscope.dataset.shards import ShardEntry, faults, intact_shard, write_shard
from gapscope.errors import ConvergenceError, DatasetError, KernelError
from gapscope.instrument.contour import Contour
from gapscope.instrument.integrated import integrated_densities
from gapscope.kernel.client import configure, default_threads
from gapscope.physics import Material, Specification
from gapscope.problem.problem import Problem
from gapscope.problem.sampling import Drawn, draw
from gapscope.problem.states import Sample, States
from gapscope.simulation.green import kernel_green
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Numerics
from gapscope.simulation.provenance import versions


class Simulator(Protocol):
    """How a worker turns specifications into maps."""

    def versions(self, neighbours: int) -> dict[str, str]:
        """Get ready beside other workers on the same machine; say what computes."""

    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> Maps:
        """Maps of a batch."""

    def integral_changes(
        self,
        specifications: Sequence[Specification],
        contours: Sequence[Contour],
        numerics: Numerics,
    ) -> NDArray[np.floating[Any]]:
        """(N - N0)/N0 of a batch, (n, setpoints, L, L)."""

    def green(
        self, specification: Specification, numerics: Numerics, kept: int
    ) -> NDArray[np.complexfloating[Any, Any]]:
        """G of one superconductor in 1/meV, (energies, 2 kept + 1, 2 kept + 1, d, d), r = 0 at
        kept."""


class JuliaKernel:
    """The kernel in a host process of the worker's own, with its share of the cores."""

    def versions(self, neighbours: int) -> dict[str, str]:
        """Versions of gapscope, kernel and Julia; starts the host if need be."""
        configure(threads=max(1, default_threads() // neighbours))
        return versions()

    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> Maps:
        """Maps of a batch; raises as :func:`gapscope.simulation.maps.simulate_batch` does.

        Raises
        ------
        ConvergenceError : a map did not reach its accuracy: no dataset holds it unnoticed.
        """
        maps = simulate_batch(specifications, numerics)
        convergence = maps.convergence
        if convergence is not None and not convergence.reached.all():
            raise _unconverged(np.count_nonzero(~convergence.reached), convergence.larger.max())
        return maps

    def integral_changes(
        self,
        specifications: Sequence[Specification],
        contours: Sequence[Contour],
        numerics: Numerics,
    ) -> NDArray[np.floating[Any]]:
        """(N - N0)/N0 of a batch, (n, setpoints, L, L); raises as :meth:`maps` does."""
        every = integrated_densities(specifications, contours, numerics.window, numerics.method)
        for found in every:
            if not found.reached:
                raise _unconverged("integrated", found.relative_error)
        return np.stack([one.change / one.clean[:, None, None] for one in every], axis=1)

    def green(
        self, specification: Specification, numerics: Numerics, kept: int
    ) -> NDArray[np.complexfloating[Any, Any]]:
        """G of one superconductor; raises as :meth:`maps` does."""
        found = kernel_green(specification, numerics, kept)
        convergence = found.convergence
        if convergence is not None and not convergence.reached.all():
            raise _unconverged(np.count_nonzero(~convergence.reached), convergence.larger.max())
        return found.values


@dataclass(frozen=True)
class Job:
    """What the shards of a build have in common; ``neighbours`` workers share one machine."""

    folder: Path
    manifest: Manifest
    material: Material
    simulator: Simulator
    neighbours: int


def compute_shard(job: Job, index: int) -> ShardEntry:
    """Simulate the samples of a shard and write it, unless that is done.

    Dask asks again where a worker dies after it has written its shards.

    Raises
    ------
    DatasetError : this worker has other versions than those that the dataset was begun with.
    KernelError : the kernel failed, or a map is not finite or constant.
    StorageError : the system refused to write.
    """
    recipe = job.manifest.recipe
    require_versions(job.manifest.versions, job.simulator.versions(job.neighbours))
    samples = recipe.shards()[index]
    path = job.folder / shard_name(index)
    written = intact_shard(path, recipe, samples)
    if written is not None and written.origin == job.manifest.origin:
        return written.entry
    problem = job.manifest.problem
    drawn = [draw(problem, recipe.seed, sample) for sample in samples]
    states = States(problem, recipe.draft(job.material), recipe.symmetry_tolerance)
    lattice = job.material.lattice
    own = [
        states.sample(
            one.label, one.values, one.member, recipe.beside(problem, lattice, one.sample)
        )
        for one in drawn
    ]
    began = time.monotonic()
    if recipe.holds_green:
        further = _greens(job.simulator, own, recipe)
    else:
        ldos_change, dos = simulate_samples(own, recipe.numerics(), job.simulator.maps)
        further = {"ldos_change": ldos_change, "dos": dos}
    if recipe.setpoints:
        further["integral_change"] = _integral_changes(job.simulator, own, recipe)
    if recipe.resolutions:
        specifications = [one.specification for one in own]
        further |= _broadened(job.simulator, specifications, recipe)
    seconds = time.monotonic() - began
    columns = {
        "sample": np.asarray(samples),
        **further,
        **_parameters(problem, drawn, recipe.schema_version),
        "split": recipe.split_of(samples),
    }
    arrays: Arrays = {
        variable.name: np.ascontiguousarray(columns[variable.name], dtype=variable.dtype)
        for variable in recipe.variables()
    }
    for rule, ids in faults(arrays):
        raise KernelError(rule, f"samples {ids}", "Use a larger broadening, or another impurity.")
    return write_shard(path, arrays, job.manifest.origin, seconds)


def _greens(simulator: Simulator, own: Sequence[Sample], recipe: Recipe) -> Arrays:
    """Green's functions and densities of states of samples, each with its own broadening."""
    shape = recipe.sizes(len(own))
    sizes = tuple(shape[name] for name in GREEN)
    real, imaginary = (np.empty(sizes, recipe.dtype) for _ in range(2))
    dos = np.empty(sizes[:2])
    for row, one in enumerate(own):
        numerics = replace(recipe.numerics(), broadening=one.broadening)
        middle, electrons = sizes[2] // 2, sizes[-1] // 2
        green = simulator.green(one.specification, numerics, middle)
        real[row], imaginary[row] = green.real, green.imag
        local = green[:, middle, middle, :electrons, :electrons]
        dos[row] = -np.trace(local, axis1=1, axis2=2).imag / np.pi
    return {"green_re": real, "green_im": imaginary, "dos": dos}


def _integral_changes(
    simulator: Simulator, own: Sequence[Sample], recipe: Recipe
) -> NDArray[np.floating[Any]]:
    """(N - N0)/N0 of samples, (n, setpoints, L, L), each with its own broadening. What smears a
    map's energy is no matter to an integral over many times as much."""
    found = np.empty((len(own), len(recipe.setpoints), recipe.window, recipe.window))
    for (broadening,), rows in alike(own, "broadening").items():
        found[rows] = simulator.integral_changes(
            [own[row].specification for row in rows],
            recipe.contours(broadening),
            replace(recipe.numerics(), broadening=broadening),
        )
    return found


def _broadened(
    simulator: Simulator, specifications: Sequence[Specification], recipe: Recipe
) -> Arrays:
    """Maps and densities of states of a batch at each of the recipe's energy resolutions."""
    images, densities = [], []
    for nodes, weights in recipe.energy_rules():
        energies = (recipe.energies[0] + nodes).tolist()
        maps = simulator.maps(specifications, replace(recipe.numerics(), energies=energies))
        images.append(np.einsum("e,neij->nij", weights, maps.ldos_change))
        densities.append(maps.dos @ weights)
    return {
        "broadened_change": np.stack(images, axis=1),
        "broadened_dos": np.stack(densities, axis=1),
    }


def require_versions(begun: dict[str, str], now: dict[str, str]) -> None:
    """Raise DatasetError unless all that computes has the versions the dataset was begun with."""
    if begun != now:
        raise DatasetError(
            "One dataset is computed by one version of gapscope and of Julia.",
            f"begun with {begun}, now {now}",
            "Go on with the versions it was begun with, or build into another folder.",
        )


def _unconverged(which: object, error: float) -> ConvergenceError:
    return ConvergenceError(
        "Every map of a dataset reaches the recipe's accuracy within its budget.",
        f"{which} maps of a shard, estimated error {error:.2g}",
        "Raise the recipe's budget, accuracy or broadening; finished shards are kept.",
    )


def _parameters(problem: Problem, drawn: Sequence[Drawn], version: int) -> Arrays:
    names = [one.name for one in problem.candidates]
    members = [problem.classes[one.label].members[one.member].candidate for one in drawn]
    return {
        "label": np.array([one.label for one in drawn]),
        CANDIDATE[version]: np.array([names.index(name) for name in members]),
        OWN_GAP[version]: np.array([one.own_gap for one in drawn]),
        **{
            unknown.name: np.array([one.values.get(unknown.name, np.nan) for one in drawn])
            for unknown in problem.unknowns
        },
    }
