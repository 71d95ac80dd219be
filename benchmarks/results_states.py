"""Maps simulated for the results page, and networks asked about maps in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
from gapscope.dataset.load import DatasetReader
from gapscope.dataset.recipe import Recipe
from gapscope.learning.data.inputs import cut
from gapscope.learning.data.samples import Samples
from gapscope.learning.prediction.predictor import BATCH, Predictor
from gapscope.physics import LABELS
from gapscope.simulation.maps import simulate_batch
from paper_states import PaperState, paper_state, ranges_of

SEED = 20261126
"""Seed of states that no dataset holds."""
CHUNK = 50
"""Maps per call of the kernel, as its complex maps are kept until the call ends."""

Map = NDArray[np.floating]


def random_states(recipe: Recipe, count: int) -> list[PaperState]:
    """States in the recipe's ranges, classes in turn, from a seed of the page's own."""
    return [paper_state(SEED, sample, ranges_of(recipe)) for sample in range(count)]


def tested_states(recipe: Recipe, count: int) -> list[PaperState]:
    """The first states of the test split of the recipe's dataset."""
    first = recipe.splits.train + recipe.splits.validation
    return [
        paper_state(recipe.seed, first + n, ranges_of(recipe))
        for n in range(min(count, recipe.splits.test))
    ]


def specification(
    recipe: Recipe, state: PaperState, impurity: gs.Impurity | None = None
) -> gs.Specification:
    """A state in the recipe's material, with its impurity or another one."""
    return gs.Specification(
        gs.material(recipe.material),
        gs.Pairing(state.irrep, state.gap, theta=state.theta),
        impurity or recipe.impurity.impurity(),
        eps0=state.eps0,
    )


def simulated(
    specifications: Sequence[gs.Specification], numerics: gs.Numerics, size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """drho (n, energies, size, size) in the middle of the window, estimated errors (n, energies).

    The errors are NaN for method grid, which estimates none.
    """
    maps, errors = [], []
    for first in range(0, len(specifications), CHUNK):
        chunk = simulate_batch(specifications[first : first + CHUNK], numerics)
        inside = slice((numerics.window - size) // 2, (numerics.window + size) // 2)
        maps.append(chunk.ldos_change[..., inside, inside])
        known = chunk.convergence
        errors.append(np.full(maps[-1].shape[:2], np.nan) if known is None else known.larger)
    return np.concatenate(maps), np.concatenate(errors)


def truth_of(states: Sequence[PaperState]) -> xr.Dataset:
    """True parameters as an evaluation names them."""
    values = {
        "true_label": [LABELS.index(s.label) for s in states],
        "true_gap": [s.labelled_gap for s in states],
        "true_theta": [np.nan if s.theta is None else s.theta for s in states],
        "true_eps0": [s.eps0 for s in states],
    }
    return xr.Dataset({name: ("sample", np.asarray(v)) for name, v in values.items()})


def asked(predictor: Predictor, maps: Map, truth: xr.Dataset) -> xr.Dataset:
    """Predictions for maps (n, energies, L, L) beside their truth; the window is cut to fit."""
    batches = (
        cut(maps[first : first + BATCH], predictor.size) for first in range(0, len(maps), BATCH)
    )
    return predictor(batches).assign(truth.data_vars)


def unseen_maps(
    reader: DatasetReader, size: int, count: int
) -> tuple[NDArray[np.float32], xr.Dataset]:
    """The first maps of a dataset's test split, (n, energies, size, size), and their truth."""
    samples = Samples.of(reader, "test", size)
    rows = np.arange(min(count, len(samples)))
    values = {"label": samples.label[rows], **samples.values(rows)}
    truth = xr.Dataset({f"true_{name}": ("sample", value) for name, value in values.items()})
    return samples.maps(rows), truth
