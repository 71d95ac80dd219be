"""Green's functions of a dataset's samples, as ``gapscope.green_function`` returns them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from gapscope.dataset.load import DatasetReader
from gapscope.kernel.green import Green
from gapscope.simulation.green import green_dataset


def sample_green(reader: DatasetReader, sample: int) -> xr.Dataset:
    """G of one sample; :func:`gapscope.simulate_from_green` makes maps of any impurities of it.

    It is as exact as the dataset's numbers (``dtype`` of the recipe), and its own error is not
    kept: each sample reached the accuracy of the recipe for its own impurity.

    Raises
    ------
    DatasetError, CorruptShardError : see :meth:`gapscope.dataset.load.DatasetReader.green`.
    """
    values = reader.green(sample).astype(np.complex128)
    manifest = reader.manifest
    numerics = manifest.recipe.numerics()
    if "broadening" in reader.parameters:
        own = float(reader.parameters["broadening"][sample])
        numerics = replace(numerics, broadening=own)
    specification = reader.specification(sample)
    return green_dataset(specification, numerics, Green(values), manifest.versions)
