"""Convolutional backbones: a table each, and the block function that reads it.

All work on images (batch, q1, q2, energies) and end in a feature map (batch, n, n, filters).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import layers

from gapscope.learning.network.normalization import BatchNormalization

Pool = Literal["M"]
VggTable = tuple[int | Pool, ...]
ConvNextTable = tuple[tuple[int, int], ...]

VGG16: VggTable = (
    *(64, 64, "M"),
    *(128, 128, "M"),
    *(256, 256, 256, "M"),
    *(512, 512, 512, "M"),
    *(512, 512, 512, "M"),
)
"""Filters of 3 x 3 convolutions and M, a 2 x 2 max pooling: configuration D of arXiv:1409.1556."""

VGG16_HALF: VggTable = tuple(n if n == "M" else n // 2 for n in VGG16)
"""A quarter of the weights and of the time."""

VGG16_QUARTER: VggTable = tuple(n if n == "M" else n // 4 for n in VGG16)
"""A sixteenth of both."""

VGG16_EIGHTH: VggTable = tuple(n if n == "M" else n // 8 for n in VGG16)
"""A sixty-fourth of both: for networks that are shipped beside others."""

CONVNEXT_TINY: ConvNextTable = ((96, 3), (192, 3), (384, 9), (768, 3))
"""Filters and number of blocks of each stage: ConvNeXt-T of the paper's ref. 46."""

_INITIAL = ContextVar("_INITIAL", default="he_normal")


@contextmanager
def without_weights() -> Iterator[None]:
    """Build networks whose weights are read afterwards: zeros take no time."""
    before = _INITIAL.set("zeros")
    try:
        yield
    finally:
        _INITIAL.reset(before)


def initial() -> str:
    """Keras' name of the initializer of kernels."""
    return _INITIAL.get()


def _convolution(filters: int, kernel: int, **options: Any) -> Any:
    return layers.Conv2D(
        filters,
        kernel,
        padding="same",
        data_format="channels_last",
        kernel_initializer=initial(),
        **options,
    )


@dataclass(frozen=True)
class Backbone:
    """A named feature extractor.

    Attributes
    ----------
    features : (image, first kernel, batch_norm) -> feature map, of Keras tensors.
    kernel : side of the first convolution's kernel unless another is asked for.
    stride : image sites per site of the feature map; an image has at least two of those per side.
    """

    features: Callable[[Any, int, bool], Any]
    kernel: int
    stride: int

    @property
    def smallest_image(self) -> int:
        """Sites per side of the smallest image the adaptive pooling can follow."""
        return 2 * self.stride


def vgg(table: VggTable) -> Callable[[Any, int, bool], Any]:
    """Features of a VGG table; its first convolution is k x k with He-normal weights."""

    def features(x: Any, kernel: int, batch_norm: bool) -> Any:
        for position, entry in enumerate(table):
            if entry == "M":
                x = layers.MaxPooling2D(2, data_format="channels_last")(x)
            else:
                x = vgg_block(x, entry, 3 if position else kernel, batch_norm)
        return x

    return features


def vgg_block(x: Any, filters: int, kernel: int, batch_norm: bool) -> Any:
    """Convolution, batch normalisation where wanted (its shift replaces the bias), ReLU."""
    x = _convolution(filters, kernel, use_bias=not batch_norm)(x)
    if batch_norm:
        # Small data sets have few steps: running statistics must settle within one epoch.
        x = BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)


def convnext(table: ConvNextTable) -> Callable[[Any, int, bool], Any]:
    """Features of a ConvNeXt table; normalisation is its own, whatever ``batch_norm`` says."""

    def features(x: Any, kernel: int, batch_norm: bool) -> Any:
        del batch_norm
        for stage, (filters, blocks) in enumerate(table):
            if stage == 0:
                x = _norm(_convolution(filters, kernel, strides=4)(x))
            else:
                x = _convolution(filters, 2, strides=2)(_norm(x))
            for _ in range(blocks):
                x = convnext_block(x, filters)
        return _norm(x)

    return features


def convnext_block(x: Any, filters: int) -> Any:
    """x + gamma * (7 x 7 depthwise, layer norm, 4-fold inverted bottleneck with GELU)."""
    y = layers.DepthwiseConv2D(
        7, padding="same", data_format="channels_last", depthwise_initializer=initial()
    )(x)
    y = layers.Dense(4 * filters, activation="gelu", kernel_initializer=initial())(_norm(y))
    y = LayerScale()(layers.Dense(filters)(y))
    return layers.Add()([x, y])


def _norm(x: Any) -> Any:
    return layers.LayerNormalization(epsilon=1e-6)(x)


@keras.saving.register_keras_serializable(package="gapscope")
class LayerScale(layers.Layer):  # type: ignore[misc]
    """One learned factor per channel, small at the start so that a block begins as the identity."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the factors for the last axis."""
        initial = keras.initializers.Constant(1e-6)
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer=initial, name="gamma")

    def call(self, x: Any) -> Any:
        """Scale the channels."""
        return x * self.gamma


BACKBONES: dict[str, Backbone] = {
    "vgg16": Backbone(vgg(VGG16), kernel=3, stride=32),
    "vgg16-half": Backbone(vgg(VGG16_HALF), kernel=3, stride=32),
    "vgg16-quarter": Backbone(vgg(VGG16_QUARTER), kernel=3, stride=32),
    "vgg16-eighth": Backbone(vgg(VGG16_EIGHTH), kernel=3, stride=32),
    "convnext": Backbone(convnext(CONVNEXT_TINY), kernel=4, stride=32),
}
"""Backbones by the name that a run folder stores."""
