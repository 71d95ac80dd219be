"""The two-head network of the paper's Appendix B: backbone, aggregation, irrep and parameters."""

from __future__ import annotations

from functools import partial

import keras
from keras import layers

from gapscope.learning.data.targets import column_count
from gapscope.learning.network.backbone import BACKBONES, initial
from gapscope.learning.network.config import STOKES, NetworkConfig
from gapscope.problem.problem import Problem

IRREP = "irrep"
PARAMETERS = "parameters"
FEATURES = "features"
AGGREGATION = "aggregation"
POOLED = 7


def with_features(network: keras.Model) -> keras.Model:
    """The network with a third output, FEATURES (batch, features): what the aggregation layer is
    given, and what it makes of it."""
    aggregation = network.get_layer(AGGREGATION)
    parts = [keras.ops.cast(part, "float32") for part in (aggregation.input, aggregation.output)]
    features = layers.Concatenate(dtype="float32", name=FEATURES)(parts)
    return keras.Model(network.inputs, {**network.output, FEATURES: features})


def feature_count(network: keras.Model) -> int:
    """Number of features of :func:`with_features`."""
    aggregation = network.get_layer(AGGREGATION)
    return int(aggregation.input.shape[-1] + aggregation.output.shape[-1])


def build_network(config: NetworkConfig, energies: int, problem: Problem) -> keras.Model:
    """Network (batch, L, L, channels) -> {"irrep": (batch, classes), "parameters": (batch, n)}.

    Features are averaged adaptively to at most 7 x 7, flattened and aggregated by ReLU(W x + b)
    (paper, eq. 13; where the feature map is smaller, averaging it to 7 x 7 would repeat its sites,
    and W would hold one function many times over). ``irrep`` holds probabilities of the problem's
    classes, ``parameters`` its n columns as :class:`gapscope.learning.data.targets.Targets` encodes
    them. Both heads are float32.
    """
    columns = column_count(problem, config.targets == STOKES)
    backbone = BACKBONES[config.backbone]
    kernel = config.kernel or backbone.kernel
    shape = (config.input_size, config.input_size, config.channels(energies))
    image = keras.Input(shape, name="qpi")
    x = backbone.features(image, kernel, config.batch_norm)
    pooled = min(POOLED, x.shape[1])
    x = layers.AdaptiveAveragePooling2D(pooled, data_format="channels_last")(x)
    x = layers.Flatten(data_format="channels_last")(x)
    x = layers.Dense(
        config.width, activation="relu", kernel_initializer=initial(), name=AGGREGATION
    )(x)
    # From zero, the heads begin at equal probabilities and mean parameters: no first shock.
    head = partial(layers.Dense, kernel_initializer="zeros", dtype="float32")
    heads = {
        IRREP: head(len(problem.classes), activation="softmax", name=IRREP)(x),
        PARAMETERS: head(columns, name=PARAMETERS)(x),
    }
    return keras.Model(image, heads, name=config.backbone)
