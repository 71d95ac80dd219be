"""The objective is the paper's eq. 16."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import toys
from gapscope.learning.network.two_heads import build_network
from gapscope.learning.training.fit import compiled
from gapscope.learning.training.loss import FLOOR, KnownRootMeanSquares, KnownSquaredError, losses

TRUTH = np.array([[0.3, -0.9, 1.2, 0.1], [np.nan, np.nan, -0.4, 0.7]], dtype=np.float32)
ANSWER = np.array([[0.1, -0.5, 1.0, 0.4], [0.9, 0.2, -0.1, 0.5]], dtype=np.float32)


def test_the_parameter_loss_is_the_squared_distance_averaged_over_samples() -> None:
    by_hand = np.mean([0.2**2 + 0.4**2 + 0.2**2 + 0.3**2, 0.3**2 + 0.2**2])
    loss = float(KnownSquaredError()(TRUTH, ANSWER))
    assert loss == pytest.approx(by_hand, rel=1e-6)


def test_theta_without_a_meaning_pulls_at_nothing() -> None:
    changed = ANSWER.copy()
    changed[1, :2] += 5
    loss = KnownSquaredError()
    assert float(loss(TRUTH, changed)) == float(loss(TRUTH, ANSWER))
    changed[0, 0] += 5
    assert float(loss(TRUTH, changed)) > float(loss(TRUTH, ANSWER))


def test_the_whole_objective_is_eq_16_by_hand() -> None:
    config = toys.tiny_config(irrep_weight=0.7, parameter_weight=2.5, batch_size=6)
    network = build_network(config.network, 1, toys.PROBLEM)
    trainer = compiled(network, config, steps_per_epoch=1)
    rng = np.random.default_rng(3)
    for head in ("irrep", "parameters"):
        layer = network.get_layer(head)
        layer.set_weights([rng.normal(0, 0.3, w.shape) for w in layer.get_weights()])
    images = rng.standard_normal((6, 16, 16, 1)).astype(np.float32)
    label = np.array([0, 1, 2, 3, 4, 1])
    targets = rng.standard_normal((6, 4)).astype(np.float32)
    targets[label == 1, :2] = np.nan
    outputs = {
        name: np.asarray(value) for name, value in network.predict(images, verbose=0).items()
    }
    entropy = -np.log(outputs["irrep"][np.arange(6), label])
    distance = np.nansum((outputs["parameters"] - targets) ** 2, axis=1)
    by_hand = np.mean(0.7 * entropy + 2.5 * distance)
    computed = trainer.evaluate(
        images, {"irrep": label, "parameters": targets}, batch_size=6, verbose=0, return_dict=True
    )
    assert computed["loss"] == pytest.approx(by_hand, rel=1e-5)


def test_a_step_on_samples_without_theta_leaves_all_weights_finite() -> None:
    config = toys.tiny_config()
    network = build_network(config.network, 1, toys.PROBLEM)
    trainer = compiled(network, config, steps_per_epoch=1)
    before = [np.array(w) for w in network.get_weights()]
    images = np.random.default_rng(4).standard_normal((4, 16, 16, 1)).astype(np.float32)
    targets = np.full((4, 4), np.nan, dtype=np.float32)
    targets[:, 2:] = 1
    trainer.train_on_batch(images, {"irrep": np.full(4, 1), "parameters": targets})
    after = network.get_weights()
    assert all(np.isfinite(w).all() for w in after)
    assert any((a != b).any() for a, b in zip(after, before, strict=True))


def test_the_losses_can_be_rebuilt_by_name_without_code_from_a_file() -> None:
    for loss in (*losses().values(), *losses("rms").values()):
        again = keras.losses.deserialize(keras.losses.serialize(loss))
        assert type(again) is type(loss)


def test_the_root_mean_squares_by_hand() -> None:
    rng = np.random.default_rng(6)
    truth, answer = rng.normal(size=(2, 8, 3)).astype(np.float32)
    truth[:5, 1] = np.nan
    known = [truth[:, 0] - answer[:, 0], (truth - answer)[5:, 1], truth[:, 2] - answer[:, 2]]
    by_hand = sum(len(one) / 8 * np.sqrt((one**2).mean() + FLOOR) for one in known)
    assert float(KnownRootMeanSquares()(truth, answer)) == pytest.approx(by_hand, rel=1e-5)


def test_root_mean_squares_pull_at_all_parameters_alike() -> None:
    """One that is told ten times as well pulls as much; one of which no sample has a meaning pulls
    at nothing."""
    truth = np.zeros((64, 3), np.float32)
    truth[:, 2] = np.nan
    answer = np.random.default_rng(7).normal(size=(64, 3)).astype(np.float32)
    answer[:, 1] = 0.1 * answer[:, 0]
    given = tf.Variable(answer)
    with tf.GradientTape() as tape:
        loss = KnownRootMeanSquares()(truth, given)
    slope = np.asarray(tape.gradient(loss, given))
    np.testing.assert_allclose(slope[:, 1], slope[:, 0], rtol=0.02)
    assert not slope[:, 2].any()
