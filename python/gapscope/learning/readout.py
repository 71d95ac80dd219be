"""What a network's last layer leaves of the parameters, by kernel ridge regression on its features.

The parameter head is one linear function of the aggregated features for all irreps. The maps of one
irrep, though, lie on a surface of two or three dimensions, on which the head's errors are smooth.
For each irrep they are learned from the training maps as

    e(x) = sum_i a_i exp(-|x - x_i|^2 / 2 s^2),   x = basis^T (f - mean),

with f the features, x their leading principal components on a compressed scale and x_i training
maps, by least squares with the ridge RIDGE in the regression's own norm (subset of regressors; C.
Rasmussen and C. Williams, Gaussian Processes for Machine Learning, MIT Press 2006, section 8.3.1;
of features that a network has learned: A. Wilson et al., AISTATS 2016). Far from clean maps, as
noise takes a map, e fades and leaves the head's answer.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import NDArray

from gapscope.errors import RunError, SchemaVersionError
from gapscope.learning.batches import TrainingBatches
from gapscope.learning.network import AGGREGATION, IRREP, PARAMETERS, with_features
from gapscope.learning.run import storing
from gapscope.learning.targets import TARGETS
from gapscope.physics import LABELS

READOUT_SCHEMA = 1
ENOUGH, MOST_PASSES = 20_000, 4
"""Moved training maps to learn from, in at most so many passes over the training split."""
COMPONENTS = 32
CENTRES = 1000
RIDGE = 1e-5
REACH = 1.0
"""s over the root mean square of |x|."""
FEWEST = 50
"""Maps of an irrep below which the head's answer is left alone."""

_SINGULAR = 1e-10
_UNREADABLE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Correction:
    """e(x) of one irrep.

    Attributes
    ----------
    mean, basis : (width,) and (width, components), from features to x.
    centres : (centres, components), the x_i.
    coefficients : (centres, TARGETS), the a_i, in the units of the network's outputs.
    reach : s.
    """

    mean: Array
    basis: Array
    centres: Array
    coefficients: Array
    reach: float

    @classmethod
    def fit(cls, features: Array, errors: Array, rng: np.random.Generator) -> Self:
        """The correction of what the head left, target - output, both for maps of one irrep."""
        mean = features.mean(axis=0)
        _, s, turn = np.linalg.svd(features - mean, full_matrices=False)
        kept = int(np.count_nonzero(s[:COMPONENTS] > 1e-6 * s[0]))
        # Components of x have standard deviations (s_k / s_0)^(1/2): small ones count for more.
        scale = np.sqrt(len(features) / (s[:kept] * s[0]))
        mean, basis = _stored(mean), _stored(turn[:kept].T * scale)
        x = (features - mean) @ basis
        chosen = rng.choice(len(x), size=min(CENTRES, len(x)), replace=False)
        centres = _stored(x[chosen])
        reach = float(REACH * np.sqrt(np.square(x).sum(axis=1).mean()))
        value, vector = np.linalg.eigh(_kernel(centres, centres, reach))
        sound = value > _SINGULAR * value[-1]
        root = vector[:, sound] / np.sqrt(value[sound])
        design = _kernel(x, centres, reach) @ root
        normal = design.T @ design + RIDGE * len(x) * np.eye(design.shape[1])
        return cls(mean, basis, centres, root @ np.linalg.solve(normal, design.T @ errors), reach)

    def __call__(self, features: Array) -> Array:
        """e (n, TARGETS) of features (n, width)."""
        x = (features - self.mean) @ self.basis
        return np.asarray(_kernel(x, self.centres, self.reach) @ self.coefficients)


@dataclass(frozen=True)
class Readout:
    """Corrections by irrep, in the order of LABELS; None where there were too few maps."""

    corrections: tuple[Correction | None, ...]

    @classmethod
    def fit(
        cls,
        features: NDArray[np.floating],
        errors: NDArray[np.floating],
        label: NDArray[np.integer],
        seed: int = 0,
    ) -> Self:
        """Fit every irrep's correction.

        Parameters
        ----------
        features : (n, width) of training maps.
        errors : (n, TARGETS), target - output of the head; NaN where a target has no meaning.
        label : (n,), their irreps.
        seed : decides which maps become centres.
        """
        rng = np.random.default_rng(seed)
        known = np.nan_to_num(errors.astype(np.float64))
        own = [label == index for index in range(len(LABELS))]
        return cls(
            tuple(
                Correction.fit(features[one].astype(np.float64), known[one], rng)
                if np.count_nonzero(one) >= FEWEST
                else None
                for one in own
            )
        )

    def __call__(
        self, features: NDArray[np.floating], label: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """What to add to the head's outputs, (n, TARGETS), for maps taken for these irreps."""
        added = np.zeros((len(features), len(TARGETS)))
        for index, correction in enumerate(self.corrections):
            own = label == index
            if correction is not None and own.any():
                added[own] = correction(features[own].astype(np.float64))
        return added

    def write(self, path: Path, weights: str) -> None:
        """Write the file, beside the weights of this name (their SHA-256); raises StorageError."""
        about = {"schema": READOUT_SCHEMA, "labels": list(LABELS), "weights": weights}
        arrays: dict[str, Any] = {"about": np.array(json.dumps(about))}
        for label, one in zip(LABELS, self.corrections, strict=True):
            if one is not None:
                arrays |= {
                    f"{label}_mean": one.mean.astype(np.float16),
                    f"{label}_basis": one.basis.astype(np.float16),
                    f"{label}_centres": one.centres.astype(np.float16),
                    f"{label}_coefficients": one.coefficients,
                    f"{label}_reach": np.array(one.reach),
                }
        with storing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def read(cls, path: Path, weights: str, width: int) -> Readout:
        """The readout in a file, of the weights of this name and features of this width.

        Raises
        ------
        RunError : the file is damaged or foreign, or belongs to other weights.
        SchemaVersionError : it was written by a newer gapscope.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(str(arrays["about"]))
            schema, owner = int(about["schema"]), str(about["weights"])
            readout = cls(tuple(_correction(arrays, label, width) for label in LABELS))
        except _UNREADABLE as error:
            raise RunError(
                "readout.npz is a file that `gapscope train` wrote.",
                f"{path}: {type(error).__name__}: {error}",
                "Remove it and give the command of the training again, or copy the model again.",
            ) from error
        if schema > READOUT_SCHEMA:
            raise SchemaVersionError(
                f"This version of gapscope reads readouts of schema {READOUT_SCHEMA}.",
                f"{path}: schema {schema}",
                "Update gapscope.",
            )
        if owner != weights:
            raise RunError(
                "A readout belongs to the weights that it was made with.",
                f"{path}, of weights {owner}, beside {weights}",
                "Remove it and give the command of the training again, or copy the model again.",
            )
        return readout


def learn_readout(network: keras.Model, batches: TrainingBatches, first: int) -> Readout:
    """The readout of a trained network from batches of its training maps, epochs ``first`` on."""
    eyes = with_features(network)
    passes = min(-(-ENOUGH // len(batches.samples)), MOST_PASSES)
    parts: list[tuple[NDArray[Any], ...]] = []
    for epoch in range(first, first + passes):
        batches.epoch = epoch
        for index in range(len(batches)):
            inputs, targets = batches[index]
            outputs = eyes.predict_on_batch(inputs)
            errors = targets[PARAMETERS] - outputs[PARAMETERS]
            parts.append((outputs[AGGREGATION], errors, targets[IRREP]))
    features, errors, label = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Readout.fit(features, errors, label)


def _correction(arrays: dict[str, NDArray[Any]], label: str, width: int) -> Correction | None:
    if f"{label}_mean" not in arrays:
        return None
    mean, basis, centres, coefficients = (
        arrays[f"{label}_{name}"].astype(np.float64)
        for name in ("mean", "basis", "centres", "coefficients")
    )
    reach = float(arrays[f"{label}_reach"])
    components, count = basis.shape[1], len(centres)
    shapes = (mean.shape, basis.shape, centres.shape, coefficients.shape)
    if shapes != ((width,), (width, components), (count, components), (count, len(TARGETS))):
        raise ValueError(f"shapes {shapes} for features of width {width}")
    numbers = (mean, basis, centres, coefficients, np.array(reach))
    if not (reach > 0 and all(np.isfinite(v).all() for v in numbers)):
        raise ValueError("numbers that are not finite, or no reach")
    return Correction(mean, basis, centres, coefficients, reach)


def _kernel(x: Array, centres: Array, reach: float) -> Array:
    squares = np.square(x).sum(axis=1)[:, None] + np.square(centres).sum(axis=1)
    distance = np.maximum(squares - 2 * x @ centres.T, 0)
    return np.asarray(np.exp(-distance / (2 * reach**2)))


def _stored(values: Array) -> Array:
    """As half precision keeps them: a readout read again gives the same answers."""
    return values.astype(np.float16).astype(np.float64)
