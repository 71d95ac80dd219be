"""Images of fresh impurities and fresh noise, made where the network is trained.

A layer that does what the following do one after another, on the device that trains:
:meth:`gapscope.learning.data.fresh_maps.FreshMaps.maps`,
:class:`gapscope.instrument.site_noise.NoiseModel`,
:func:`gapscope.learning.data.inputs.momentum_images`,
:func:`gapscope.learning.data.moves.move_images` and
:class:`gapscope.learning.data.inputs.InputScaling`.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import InputScaling
from gapscope.physics.lattice import Lattice, symmetric_window

IMAGES, WEIGHTS, NOISE, MOVE = "images", "weights", "noise", "move"


def fresh_inputs(energies: int, images: int, size: int) -> dict[str, Any]:
    """Inputs of a trainer: images (energies, images, L, L) in half precision, their weights in
    1/meV, the strengths of white and 1/f noise in units of the map's contrast, and the number of a
    move."""
    return {
        IMAGES: keras.Input((energies, images, size, size), dtype="float16", name=IMAGES),
        WEIGHTS: keras.Input((energies, images), name=WEIGHTS),
        NOISE: keras.Input((2,), name=NOISE),
        MOVE: keras.Input((), dtype="int32", name=MOVE),
    }


class FreshImages(keras.layers.Layer):  # type: ignore[misc]
    """Network inputs (batch, L, L, channels) from :func:`fresh_inputs`, in single precision.

    The noise is another one at every call; :meth:`begin` says of which epoch.

    Parameters
    ----------
    lattice, size : of the window.
    inputs : scaling of the channels.
    odd : whether Im rho(q) follows Re rho(q).
    gathers : flat index of the pixel that lands on each pixel, (moves, L^2).
    seed : of the noise.
    """

    def __init__(
        self,
        lattice: Lattice,
        size: int,
        inputs: InputScaling,
        odd: bool,
        gathers: NDArray[np.int64],
        seed: int,
    ) -> None:
        super().__init__(dtype="float32", name="fresh_images")
        model = NoiseModel.on(lattice, size)
        self._size, self._odd, self._seed = size, odd, seed
        self._sites = model.sites.astype(np.float32)
        self._window = symmetric_window(lattice, size).astype(np.float32)
        self._pink = (size * model.pink).astype(np.float32)
        self._gathers = gathers.astype(np.int32)
        self._scaling = [
            np.array(v, np.float32) for v in (inputs.unit, inputs.mean, inputs.deviation)
        ]
        self._random = keras.random.SeedGenerator(seed)

    def begin(self, epoch: int) -> None:
        """Begin the noise of an epoch, whatever was drawn before."""
        self._random.state.assign(np.array([self._seed, epoch << 20], dtype="uint32"))

    def call(self, given: dict[str, Any]) -> Any:
        """The images."""
        size = self._size
        images = ops.cast(given[IMAGES], "float32")
        energies, count = images.shape[1:3]
        flat = ops.reshape(images, (-1, energies, count, size * size))
        weights = ops.expand_dims(given[WEIGHTS], 2)
        maps = ops.reshape(ops.matmul(weights, flat), (-1, energies, size, size))
        maps = maps + self._contrast(maps) * self._noise(given[NOISE], ops.shape(maps))
        images = self._images(maps)
        gathers = ops.take(ops.convert_to_tensor(self._gathers), given[MOVE], axis=0)
        images = ops.take_along_axis(images, ops.expand_dims(gathers, 1), axis=2)
        channels = images.shape[1]
        images = ops.reshape(ops.transpose(images, (0, 2, 1)), (-1, size, size, channels))
        unit, mean, deviation = self._scaling
        return (ops.arcsinh(images / unit) - mean) / deviation

    def compute_output_shape(self, given: dict[str, Any]) -> tuple[int | None, ...]:
        """(batch, L, L, channels)."""
        energies = given[IMAGES][1]
        return None, self._size, self._size, energies * (2 if self._odd else 1)

    def _contrast(self, maps: Any) -> Any:
        """Standard deviation over the sites, (batch, energies, 1, 1)."""
        count = float(self._sites.sum())
        mean = ops.sum(maps * self._sites, axis=(2, 3), keepdims=True) / count
        apart = ops.square(maps - mean) * self._sites
        return ops.sqrt(ops.sum(apart, axis=(2, 3), keepdims=True) / count)

    def _noise(self, strengths: Any, shape: Any) -> Any:
        """White and 1/f noise of these strengths (batch, 2) and variance one."""
        white, real, imaginary = (keras.random.normal(shape, seed=self._random) for _ in range(3))
        # The real part of an inverse transform of independent amplitudes: 1/f noise over sites.
        pink, _ = ops.ifft2((real * self._pink, imaginary * self._pink))
        strengths = ops.reshape(strengths, (-1, 2, 1, 1))
        return strengths[:, :1] * white + strengths[:, 1:] * pink

    def _images(self, maps: Any) -> Any:
        """rho(q), (batch, channels, L^2), of maps (batch, energies, L, L)."""
        half = self._size // 2
        masked = ops.roll(maps * self._window, (-half, -half), axis=(2, 3))
        real, imaginary = ops.fft2((masked, ops.zeros_like(masked)))
        rho = ops.concatenate([real, imaginary], axis=1) if self._odd else real
        return ops.reshape(
            ops.roll(rho, (half, half), axis=(2, 3)), (-1, rho.shape[1], half * half * 4)
        )
