"""The networks are the published ones."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import toys
from gapscope.errors import TrainingError
from gapscope.learning.network.backbone import BACKBONES, CONVNEXT_TINY, VGG16, convnext, vgg
from gapscope.learning.network.config import NetworkConfig
from gapscope.learning.network.precision import dtype_policy
from gapscope.learning.network.two_heads import build_network


def features(build: object, size: int, channels: int, kernel: int, batch_norm: bool) -> keras.Model:
    image = keras.Input((size, size, channels))
    return keras.Model(image, build(image, kernel, batch_norm))  # type: ignore[operator]


@pytest.mark.parametrize(("channels", "parameters"), [(3, 14_714_688), (1, 14_713_536)])
def test_vgg16_has_the_published_number_of_convolution_weights(
    channels: int, parameters: int
) -> None:
    assert features(vgg(VGG16), 64, channels, 3, False).count_params() == parameters


def test_convnext_has_the_published_number_of_weights_below_its_head() -> None:
    # ConvNeXt-T has 28,589,128 with its 768 -> 1000 classifier.
    assert features(convnext(CONVNEXT_TINY), 64, 3, 4, True).count_params() == 28_589_128 - 769_000


def test_batch_normalisation_takes_the_place_of_the_bias() -> None:
    plain = features(vgg((8, "M", 16)), 16, 1, 3, False).count_params()
    normalised = features(vgg((8, "M", 16)), 16, 1, 3, True).count_params()
    assert normalised - plain == 3 * (8 + 16)  # four statistics of a channel instead of a bias


def test_the_first_kernel_is_k_by_k_with_he_weights() -> None:
    model = features(vgg((512, 8)), 16, 2, 5, True)
    first, second = (layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    weights = np.asarray(first.kernel)
    assert weights.shape == (5, 5, 2, 512)
    assert tuple(second.kernel.shape[:2]) == (3, 3)
    # He: variance 2 / fan-in; 25600 draws scatter by 0.5 %.
    assert weights.std() == pytest.approx(np.sqrt(2 / 50), rel=0.03)


@pytest.mark.parametrize("name", ["vgg16", "convnext"])
def test_every_backbone_ends_in_two_heads_and_maps_of_the_stated_stride(name: str) -> None:
    size = BACKBONES[name].smallest_image
    feature_map = BACKBONES[name].features(
        keras.Input((size, size, 1)), BACKBONES[name].kernel, True
    )
    assert tuple(feature_map.shape[1:3]) == (2, 2)
    network = build_network(NetworkConfig(backbone=name, input_size=size, width=8), 1, toys.PROBLEM)
    outputs = network.output
    assert {key: tuple(value.shape) for key, value in outputs.items()} == {
        "irrep": (None, 5),
        "parameters": (None, 4),
    }


def test_a_fresh_network_gives_the_uninformed_answer() -> None:
    network = build_network(NetworkConfig(backbone="tiny", input_size=16, width=8), 1, toys.PROBLEM)
    outputs = network(np.random.default_rng(1).standard_normal((3, 16, 16, 1)))
    irrep, parameters = (
        keras.ops.convert_to_numpy(outputs[name]) for name in ("irrep", "parameters")
    )
    np.testing.assert_allclose(irrep, 0.2, rtol=1e-6)
    np.testing.assert_array_equal(parameters, 0)


def test_both_heads_are_float32_in_mixed_precision() -> None:
    before = keras.config.dtype_policy()
    with dtype_policy("mixed_bfloat16"):
        network = build_network(
            NetworkConfig(backbone="tiny", input_size=16, width=8), 2, toys.PROBLEM
        )
    assert keras.config.dtype_policy() == before
    outputs = network(np.zeros((1, 16, 16, 2), dtype=np.float32))
    assert {keras.backend.standardize_dtype(value.dtype) for value in outputs.values()} == {
        "float32"
    }
    assert network.get_layer("aggregation").compute_dtype == "bfloat16"
    assert keras.ops.convert_to_numpy(outputs["irrep"]).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "received"),
    [
        ({"backbone": "alexnet"}, "alexnet"),
        ({"input_size": 32}, 32),
        ({"input_size": 65}, 65),
        ({"width": 0}, 0),
        ({"kernel": 0}, 0),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(
    options: dict[str, object], received: object
) -> None:
    with pytest.raises(TrainingError) as caught:
        NetworkConfig(**options)  # type: ignore[arg-type]
    assert caught.value.received == received
