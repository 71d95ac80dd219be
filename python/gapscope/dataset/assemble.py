"""``dataset.h5``: parameters and coordinates stored, maps as virtual datasets over the shards."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from gapscope.dataset.manifest import Manifest
from gapscope.dataset.schema import (
    CANDIDATE,
    DATASET,
    SPLITS,
    Variable,
    shard_name,
)
from gapscope.dataset.shards import HDF5, read_variables
from gapscope.instrument.resolution import energy_width
from gapscope.support.storage import write_whole


def write_dataset(folder: Path, manifest: Manifest) -> None:
    """Write ``dataset.h5`` in netCDF4 layout; shards are found relative to it.

    Raises
    ------
    CorruptShardError : a shard cannot be read.
    StorageError : the system refused to write.
    """
    recipe = manifest.recipe
    drawn = recipe.parameters()
    names = ["sample", *(variable.name for variable in drawn)]
    parts = [
        read_variables(folder / shard_name(index), recipe, samples, names)
        for index, samples in enumerate(recipe.shards())
    ]
    stored = {name: np.concatenate([part[name] for part in parts]) for name in names}
    stored |= {"energy": np.asarray(recipe.energies), "r1": recipe.sites, "r2": recipe.sites}
    for name in ("row", "column"):
        stored[name] = np.arange(recipe.sizes(0)[name])
    stored["setpoint"] = np.asarray(recipe.setpoints)
    stored["resolution"] = np.array([energy_width(*one) for one in recipe.resolutions])
    image = io.BytesIO()
    with h5py.File(image, "w", libver=HDF5) as file:
        file.attrs.update(attributes(manifest))
        for variable in recipe.coordinates() + drawn:
            values = np.asarray(stored[variable.name], dtype=variable.dtype)
            _describe(file.create_dataset(variable.name, data=values), variable)
        for variable in recipe.coordinates():
            file[variable.name].make_scale(variable.name)
        for variable in recipe.maps():
            layout = _layout(manifest, variable)
            # Where a shard is lost, HDF5 shows the fill value without a word: make it NaN.
            made = file.create_virtual_dataset(variable.name, layout, fillvalue=np.nan)
            _describe(made, variable)
        for variable in recipe.maps() + drawn:
            for axis, dim in enumerate(variable.dims):
                file[variable.name].dims[axis].attach_scale(file[dim])
    write_whole(folder / DATASET, image.getvalue())


def attributes(manifest: Manifest) -> dict[str, Any]:
    """Provenance and conventions of a dataset."""
    recipe, problem = manifest.recipe, manifest.problem
    stored = {"problem": json.dumps(problem.to_dict())} if recipe.schema_version > 1 else {}
    vectors = manifest.material.get("lattice_vectors")
    return {
        "schema_version": recipe.schema_version,
        "identity": manifest.identity,
        "name": recipe.name,
        "recipe": json.dumps(recipe.to_dict()),
        "material": str(manifest.material["name"]),
        "lattice": str(manifest.material["lattice"]),
        "lattice_constant": float(manifest.material["lattice_constant"]),
        "broadening": recipe.broadening or np.nan,
        "window": recipe.window,
        "method": json.dumps(recipe.method.model_dump()),
        "labels": list(problem.labels),
        f"{CANDIDATE[recipe.schema_version]}s": [one.name for one in problem.candidates],
        **stored,
        **({} if vectors is None else {"lattice_vectors": vectors}),
        "splits": list(SPLITS),
        **manifest.versions,
    }


def _layout(manifest: Manifest, variable: Variable) -> h5py.VirtualLayout:
    recipe = manifest.recipe
    whole = h5py.VirtualLayout(variable.shape(recipe.sizes(recipe.samples)), variable.dtype)
    for index, samples in enumerate(recipe.shards()):
        shape = variable.shape(recipe.sizes(len(samples)))
        source = h5py.VirtualSource(shard_name(index), variable.name, shape, variable.dtype)
        whole[samples.start : samples.stop] = source
    return whole


def _describe(dataset: h5py.Dataset, variable: Variable) -> None:
    dataset.attrs.update(units=variable.units, long_name=variable.long_name)
