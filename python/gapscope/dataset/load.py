"""Open a finished dataset: as one lazy xarray dataset, or image by image for learning."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import h5py
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.manifest import Manifest
from gapscope.dataset.schema import (
    CANDIDATE,
    DATASET,
    OWN_GAP,
    SCHEMA_VERSION,
    require_readable,
    shard_name,
)
from gapscope.dataset.shards import corrupt, read_shard
from gapscope.errors import DatasetError
from gapscope.physics import Lattice, Material, Specification
from gapscope.physics.scattering import scattered_trace
from gapscope.problem.draft import Draft
from gapscope.problem.others import Beside
from gapscope.problem.sampling import draw
from gapscope.problem.states import States

SPARE_DESCRIPTORS = 128
ENERGY_TOLERANCE = 1e-5
"""In meV: single precision leaves that of some ten meV, and no broadening is as small."""
REBUILD = "Run the build again; it keeps all intact shards and writes this file anew."


def open_dataset(directory: str | Path) -> xr.Dataset:
    """The whole dataset, lazily; close it, or use it in a ``with`` statement.

    Every shard's presence and size is checked, its content is not (``verify`` does, and
    :class:`DatasetReader` as it goes); what HDF5 cannot read of a shard later shows as NaN. May
    raise the process's soft limit of open files, as HDF5 opens every shard it has read from.

    Raises
    ------
    DatasetError : no dataset, or one that is not finished.
    CorruptShardError : a shard is missing or of another size.
    SchemaVersionError : the dataset was written by a newer gapscope.
    """
    folder = Path(directory)
    open_view(folder, _finished(folder)).close()
    return xr.open_dataset(folder / DATASET, engine="h5netcdf")


def read_images(directory: str | Path, ids: Iterable[int]) -> NDArray[np.floating[Any]]:
    """Images of some samples, (n, energies, L, L), in 1/meV; raises as DatasetReader does."""
    with DatasetReader(directory) as reader:
        return reader.images(ids)


class DatasetReader:
    """Parameters in memory, images from disk one by one; every shard is verified on first use.

    Attributes
    ----------
    labels, candidates, splits : names that the arrays label, candidate and split point into.
    energies, setpoints : (energies,) and (setpoints,) in meV; often there are no setpoints.
    resolutions : (resolutions, 2), temperature in K and modulation in meV rms; often none.
    window : sites per side.
    store : "maps", or "green" where the dataset holds Green's functions; images are then computed
        from them, which takes longer.
    others : which impurities there are beside the one on r = 0; None: there are none.
    lattice, lattice_constant : name of the lattice and its constant in Angstrom.
    crystal_lattice : both with its vectors.
    recipe : the recipe as it stood in TOML.
    problem : candidates, classes and unknowns.
    parameters : label, candidate, every unknown, own_gap (in the candidate's normalisation) and
        split by name, each (samples,); NaN where a class does not have an unknown. Datasets of
        schema 1 name candidate and own_gap irrep and printed_gap, too.

    Raises
    ------
    DatasetError, CorruptShardError, SchemaVersionError : as :func:`open_dataset`.
    """

    def __init__(self, directory: str | Path) -> None:
        self.folder = Path(directory)
        self._manifest = _finished(self.folder)
        self._file = open_view(self.folder, self._manifest)
        attributes = self._file.attrs
        self.labels = tuple(attributes["labels"])
        recipe = self._manifest.recipe
        self.candidates = tuple(attributes[f"{CANDIDATE[recipe.schema_version]}s"])
        self.splits = tuple(attributes["splits"])
        self.energies: NDArray[np.float64] = self._file["energy"][()]
        self.setpoints = np.asarray(self._manifest.recipe.setpoints, dtype=np.float64)
        self.resolutions = np.reshape(self._manifest.recipe.resolutions, (-1, 2)).astype(float)
        self.window = int(attributes["window"])
        self.store = recipe.store
        self.others = None if recipe.others is None else recipe.others.others()
        self.lattice = str(attributes["lattice"])
        self.lattice_constant = float(attributes["lattice_constant"])
        self.crystal_lattice = Lattice.from_dict(self._manifest.material)
        self.recipe: dict[str, Any] = json.loads(attributes["recipe"])
        self.problem = self._manifest.problem
        drawn = {v.name: self._file[v.name][()] for v in recipe.parameters()}
        for names in (CANDIDATE, OWN_GAP):
            if (own := names[recipe.schema_version]) in drawn:
                drawn[names[SCHEMA_VERSION]] = drawn[own]
        self.parameters = MappingProxyType(drawn)
        self._shards = self._manifest.recipe.shards()
        self._verified: set[int] = set()

    def __len__(self) -> int:
        return self._manifest.recipe.samples

    def ids(self, split: str) -> NDArray[np.int64]:
        """Sample ids of a split in rising order.

        Raises
        ------
        DatasetError : there is no such split.
        """
        if split not in self.splits:
            raise DatasetError(
                f"A split is one of {', '.join(self.splits)}.", split, "Choose one of them."
            )
        return np.flatnonzero(self.parameters["split"] == self.splits.index(split))

    def examples(self, per_class: int) -> dict[str, NDArray[np.int64]]:
        """The first sample ids of every class."""
        label = self.parameters["label"]
        return {
            name: np.flatnonzero(label == index)[:per_class]
            for index, name in enumerate(self.labels)
        }

    def image(self, sample: int) -> NDArray[np.floating[Any]]:
        """ldos_change of one sample in 1/meV, (energies, L, L).

        Where the dataset holds Green's functions it is computed from the sample's.

        Raises
        ------
        DatasetError : no sample has this id.
        CorruptShardError : the sample's shard does not match its checksum.
        """
        if self.store == "green":
            return self._map(sample)
        return self._one("ldos_change", sample)

    def images(self, ids: Iterable[int]) -> NDArray[np.floating[Any]]:
        """Images of several samples in the order of ``ids``, (n, energies, L, L)."""
        if self.store == "green":
            maps = [self._map(sample) for sample in ids]
            empty = np.empty((0, len(self.energies), self.window, self.window), self._dtype)
            return np.stack(maps) if maps else empty
        return self._several("ldos_change", ids)

    def green(self, sample: int) -> NDArray[np.complexfloating[Any, Any]]:
        """G_ij(r; w) of one sample in 1/meV, (energies, 2s + 1, 2s + 1, d, d), r = 0 at s, which
        is L/2, or more by the largest distance of other impurities.

        :func:`gapscope.dataset.greens.sample_green` gives it as :func:`gapscope.green_function`
        does, so that maps of any impurities follow from it.

        Raises
        ------
        DatasetError : the dataset holds maps, or no sample has this id.
        CorruptShardError : the sample's shard does not match its checksum.
        """
        if self.store != "green":
            raise DatasetError(
                'Datasets of recipes with store = "green" hold Green\'s functions.',
                f"{self.folder} with store = {self.store!r}",
                "Build one with that key.",
            )
        found: NDArray[np.complexfloating[Any, Any]] = self._one("green_re", sample) + 1j * (
            self._one("green_im", sample)
        )
        return found

    def specification(self, sample: int) -> Specification:
        """The superconductor of one sample, with its impurities."""
        one = draw(self.problem, self._manifest.recipe.seed, int(sample))
        beside = self.beside(int(sample))
        return self._states.sample(one.label, one.values, one.member, beside).specification

    def beside(self, sample: int) -> Beside | None:
        """The impurities of one sample beside the one on r = 0; None where the recipe has none."""
        return self._manifest.recipe.beside(self.problem, self.crystal_lattice, int(sample))

    def places(self, energies: Sequence[float] | None) -> NDArray[np.int64]:
        """Which of the dataset's energies some are; None: all.

        Raises
        ------
        DatasetError : one is not there.
        """
        if energies is None:
            return np.arange(len(self.energies))
        apart = np.abs(np.subtract.outer(np.asarray(energies, dtype=float), self.energies))
        if (apart.min(axis=1) > ENERGY_TOLERANCE).any():
            raise DatasetError(
                "A network sees energies of the dataset.",
                f"{list(energies)} of {self.energies.tolist()} meV",
                "Name energies among them, or build a dataset at these.",
            )
        return np.asarray(apart.argmin(axis=1))

    @property
    def manifest(self) -> Manifest:
        """What the dataset says of itself."""
        return self._manifest

    @cached_property
    def draft(self) -> Draft:
        """What all samples have in common."""
        return self._manifest.recipe.draft(Material.from_dict(self._manifest.material))

    @cached_property
    def _states(self) -> States:
        tolerance = self._manifest.recipe.symmetry_tolerance
        return States(self.problem, self.draft, tolerance)

    def _map(self, sample: int) -> NDArray[np.floating[Any]]:
        green = self.green(sample).astype(np.complex128)
        scatterers = self.specification(sample).scatterers()
        traces = [scattered_trace(one, scatterers, self.window).sum(axis=0) for one in green]
        return np.asarray(-np.stack(traces).imag / np.pi, dtype=self._dtype)

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(self._manifest.recipe.dtype)

    def densities(self, ids: Iterable[int]) -> NDArray[np.floating[Any]]:
        """Densities of states of the clean material in 1/meV per site, (n, energies)."""
        return self._several("dos", ids)

    def integral_changes(self, ids: Iterable[int]) -> NDArray[np.floating[Any]]:
        """(N - N0)/N0 of several samples up to each setpoint, (n, setpoints, L, L)."""
        return self._several("integral_change", ids)

    def broadened(
        self, ids: Iterable[int]
    ) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
        """Images (n, resolutions, L, L) and densities of states (n, resolutions) of several samples
        at each energy resolution, in 1/meV."""
        samples = list(ids)
        return self._several("broadened_change", samples), self._several("broadened_dos", samples)

    def close(self) -> None:
        """Close the files."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _several(self, name: str, ids: Iterable[int]) -> NDArray[np.floating[Any]]:
        # h5py reads single indices several times faster than a list of them.
        samples, stored = list(ids), self._file[name]
        values = np.empty((len(samples), *stored.shape[1:]), stored.dtype)
        for row, sample in enumerate(samples):
            values[row] = self._one(name, sample)
        return values

    def _one(self, name: str, sample: int) -> NDArray[np.floating[Any]]:
        if not 0 <= sample < len(self):
            raise DatasetError(
                f"Sample ids run from 0 to {len(self) - 1}.", int(sample), "Choose among them."
            )
        index = int(sample) // self._manifest.recipe.shard_size
        if index not in self._verified:
            self._verify(index)
        values: NDArray[np.floating[Any]] = self._file[name][int(sample)]
        if np.isnan(values).any():  # HDF5 shows the fill value where it cannot open a shard
            raise corrupt(shard_name(index), f"sample {sample} cannot be read")
        return values

    def _verify(self, index: int) -> None:
        path = self.folder / shard_name(index)
        shard = read_shard(path, self._manifest.recipe, self._shards[index])
        self._manifest.require_entered(index, shard.entry.sha256)
        self._verified.add(index)


def open_view(folder: Path, manifest: Manifest) -> h5py.File:
    """``dataset.h5``, which shows all shards as one; raises as :func:`open_dataset`."""
    try:
        file = h5py.File(folder / DATASET, "r")
        require_readable(int(file.attrs["schema_version"]), DATASET)
        identity = str(file.attrs["identity"])
    except (OSError, KeyError) as error:
        raise DatasetError(
            f"A finished dataset has a readable {DATASET}.", str(error), REBUILD
        ) from error
    if identity != manifest.identity:
        raise DatasetError(f"{DATASET} and the manifest are of one recipe.", identity, REBUILD)
    _allow_descriptors(len(manifest.shards) + SPARE_DESCRIPTORS)
    return file


def _finished(folder: Path) -> Manifest:
    """The manifest of a dataset whose shards are all there."""
    manifest = Manifest.read(folder)
    manifest.require_finished()
    manifest.require_present(folder)
    return manifest


def _allow_descriptors(needed: int) -> None:
    """HDF5 keeps every shard open, and shows fill values where the system refuses one more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError) as error:
        raise DatasetError(
            "A process may open every shard of a dataset at once.",
            f"{needed} open files are needed, {hard} are allowed",
            "Raise the limit (ulimit -n), or build with a larger shard_size.",
        ) from error
