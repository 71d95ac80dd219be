"""What tells maps as they are from changed ones: a small network beside the one that answers.

A network that learned from noise is asked about maps that lie off the training ones as far as noise
takes them, and a turn of 15 degrees takes a map no farther. But noise leaves a turned map turned.
With the shape s = asinh(rho / u) of Re rho and Im rho, u = <|Re rho|> at each energy, one hidden
layer gives the probabilities of the kinds of :mod:`gapscope.learning.uncertainty.changes`,

    p = softmax [ W' gelu(W s + V a + b) + b' ],

where a is log u, standardised. It learned them from training maps, changed and with noise. The
score of a kind is log(p_kind / p_as_it_is), averaged over the copies of a map.

Measured maps are full of other impurities, in which a shape alone shows little. For a network that
has learned from them s is what it has made of the image instead: the features that its aggregation
layer is given, and what that makes of them; a is left out.

``discriminator.npz``, beside the calibration, holds the scores of the calibration maps, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from gapscope.learning.data.inputs import even_half, own_unit
from gapscope.learning.uncertainty.belonging import damaged, require_weights
from gapscope.learning.uncertainty.changes import EMPTY, KINDS
from gapscope.support.array_file import UNREADABLE, Arrays, read_arrays, write_arrays

DISCRIMINATOR = "discriminator.npz"
DISCRIMINATOR_SCHEMA = 1
MOST_HIDDEN = 512
FARTHEST = 10.0
"""Standard deviations of log u from its mean: what is beyond counts as there."""

Array = NDArray[np.float64]
Images = NDArray[np.float32]
AnyArray = NDArray[np.floating]
_HALF = ("filters",)
_SINGLE = ("amplitude", "mean", "deviation", "bias", "second", "second_bias")


@dataclass(frozen=True)
class Discriminator:
    """One hidden layer over shapes, and what it says of the calibration maps.

    Attributes
    ----------
    kinds : names of its outputs but the first, which is of maps as they are.
    filters : W, (half, hidden), over pixels as
        :func:`gapscope.learning.data.inputs.even_half` orders them; or (features, hidden).
    mean, deviation : of log u over maps as they are, (energies,); of none for features.
    amplitude, bias : V (energies, hidden) and b (hidden,).
    second, second_bias : W' (hidden, 1 + kinds) and b' (1 + kinds,).
    scores : of calibration maps, (maps, kinds).
    of_features : whether s is of the network's features.
    """

    kinds: tuple[str, ...]
    filters: Images
    mean: Images
    deviation: Images
    amplitude: Images
    bias: Images
    second: Images
    second_bias: Images
    scores: Array
    of_features: bool = False

    def __call__(self, images: Images, copies: int) -> Array:
        """Scores (n, kinds) of maps with these images, Re rho and Im rho (copies n, L, L, 2
        energies) in 1/meV, copy by copy."""
        return self.score(*described(images), copies)

    def score(self, shape: Images, log_unit: Array, copies: int) -> Array:
        """Scores (n, kinds) of s (copies n, half) and log u (copies n, energies), copy by copy."""
        a = standardised(log_unit, self.mean, self.deviation)
        hidden = gelu(shape @ self.filters + a @ self.amplitude + self.bias)
        logits = (hidden @ self.second + self.second_bias).astype(np.float64)
        apart = logits[:, 1:] - logits[:, :1]
        return np.asarray(apart.reshape(copies, -1, len(self.kinds)).mean(axis=0))

    def write(self, path: Path, weights: str) -> None:
        """Write the file, beside the weights of this name (their SHA-256); raises StorageError."""
        arrays: Arrays = {name: getattr(self, name).astype(np.float16) for name in _HALF}
        arrays |= {name: getattr(self, name).astype(np.float32) for name in _SINGLE}
        arrays["scores"] = self.scores.astype(np.float32)
        about: dict[str, Any] = {"weights": weights, "kinds": list(self.kinds)}
        if self.of_features:
            about["of_features"] = True
        write_arrays(path, DISCRIMINATOR_SCHEMA, about, arrays)

    @classmethod
    def read(
        cls, path: Path, weights: str, count: int, size: int, energies: int, features: int
    ) -> Self:
        """The file beside the weights of this name and a calibration of ``count`` maps, for images
        of this size at so many energies, or so many features.

        Raises
        ------
        CalibrationError : the file is damaged or foreign, or belongs to other weights.
        SchemaVersionError : it was written by a newer gapscope.
        """
        about, arrays = read_arrays(path, DISCRIMINATOR_SCHEMA, damaged)
        try:
            owner, kinds = str(about["weights"]), tuple(map(str, about["kinds"]))
            names = (*_HALF, *_SINGLE)
            values: dict[str, Any] = {name: arrays[name].astype(np.float32) for name in names}
            values["scores"] = arrays["scores"].astype(np.float64)
            of_features = bool(about.get("of_features", False))
            half, units = (size**2 // 2 + 2) * 2 * energies, energies
            if of_features:
                half, units = features, 0
            _require_shapes(values, kinds, count, half, units)
        except UNREADABLE as error:
            raise damaged(path, error) from error
        require_weights(path, owner, weights)
        return cls(kinds, **values, of_features=of_features)


def described(images: Images) -> tuple[Images, Array]:
    """Shapes (n, half) and log u (n, energies) of images (n, L, L, 2 energies), Re and Im rho."""
    energies = images.shape[-1] // 2
    unit = own_unit(images[..., :energies])
    shape = np.arcsinh(images / np.concatenate([unit, unit], axis=-1))
    return even_half(shape), np.log(unit[:, 0, 0].astype(np.float64))


def standardised(log_unit: Array, mean: AnyArray, deviation: AnyArray) -> Images:
    """a of log u, (n, energies)."""
    return np.asarray(np.clip((log_unit - mean) / deviation, -FARTHEST, FARTHEST), dtype=np.float32)


def gelu(x: Images) -> Images:
    """x Phi(x), Phi being the normal distribution (Hendrycks and Gimpel 2016)."""
    return np.asarray(x * (1 + erf(x / np.sqrt(np.float32(2)))) / 2, dtype=np.float32)


def _require_shapes(
    values: dict[str, Any], kinds: Sequence[str], count: int, half: int, energies: int
) -> None:
    """Raise ValueError unless arrays are those of a discriminator."""
    hidden, outputs = values["filters"].shape[1], 1 + len(kinds)
    shapes = {
        "filters": (half, hidden),
        "mean": (energies,),
        "deviation": (energies,),
        "amplitude": (energies, hidden),
        "bias": (hidden,),
        "second": (hidden, outputs),
        "second_bias": (outputs,),
        "scores": (len(values["scores"]), len(kinds)),
    }
    if any(values[name].shape != shape for name, shape in shapes.items()):
        raise ValueError(f"shapes {[value.shape for value in values.values()]}")
    if not (0 < hidden <= MOST_HIDDEN and kinds and set(kinds) <= {*KINDS, EMPTY}):
        raise ValueError(f"{hidden} hidden units, kinds {kinds}")
    if not 0 < len(values["scores"]) <= count:
        raise ValueError(f"scores of {len(values['scores'])} maps of {count}")
    if not all(np.isfinite(value).all() for value in values.values()):
        raise ValueError("numbers that are not finite")
    if not (values["deviation"] > 0).all():
        raise ValueError("deviations that are not positive")
