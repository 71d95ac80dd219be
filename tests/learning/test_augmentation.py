"""Augmented maps are maps: moved by the lattice's symmetry, or measured with noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import toys
from gapscope.dataset.load import DatasetReader
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import InputScaling, momentum_images
from gapscope.learning.data.moves import move_images, moves_group, pixel_gathers
from gapscope.learning.data.samples import Samples
from gapscope.learning.data.targets import Targets, TargetScaling
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.training.batches import TrainingBatches
from gapscope.physics import LABELS, Impurity, Lattice, Material, Pairing, Specification
from gapscope.physics.lattice import window_coordinates
from gapscope.physics.symmetry import C2, C3, C6, MIRROR_X, act_on_map
from gapscope.problem.moves import Move
from oracle import Oracle

SIZE = 16
MOVES = toys.PROBLEM.moves
ONE = {"eps0": 1.0, "gap": 1.0}
IDENTITY = Targets(toys.PROBLEM, TargetScaling(dict.fromkeys(ONE, 0.0), ONE))
TURNING = ("Eg", "Eu")


def images_of(drho: NDArray[np.floating]) -> NDArray[np.float32]:
    return momentum_images(np.asarray(drho)[:, None], "triangular")


def theory_map(nbse2: Material, irrep: str, theta: float | None) -> NDArray[np.float64]:
    """A map of the real model on a small torus, from the slow code of the tests."""
    pairing = Pairing(irrep, gap=30.0, theta=theta)
    spec = Specification(nbse2, pairing, Impurity.scalar(200.0), eps0=-40.0)
    return Oracle(spec.bdg().at, spec.impurity_matrix(), 18, 0.0, 25.0).ldos_change(SIZE)


def test_moving_pixels_is_moving_sites() -> None:
    drho = np.random.default_rng(5).standard_normal((len(MOVES), SIZE, SIZE))
    moved = move_images(images_of(drho), np.arange(len(MOVES)), pixel_gathers(MOVES, SIZE))
    expected = [act_on_map(move.matrix, one) for move, one in zip(MOVES, drho, strict=True)]
    scale = np.abs(moved).max()
    np.testing.assert_allclose(moved, images_of(np.stack(expected)), atol=1e-6 * scale)


def test_the_moves_are_the_group_c3v() -> None:
    operations = {move.lattice for move in MOVES}
    assert len(operations) == len(MOVES) == 6
    for first in MOVES:
        for second in MOVES:
            product = first.matrix @ second.matrix
            assert tuple(map(tuple, product.tolist())) in operations
    assert moves_group(MOVES) == "C3v"


def test_moves_are_named_with_what_is_even_in_q() -> None:
    quarter, mirror = Move(((0, -1), (1, 0))), Move(((-1, 0), (0, 1)))
    diagonal = Move(((0, 1), (1, 0)))
    assert moves_group(MOVES[:1]) == "C1"
    assert moves_group([MOVES[0], quarter]) == "C4"
    assert moves_group([MOVES[0], mirror]) == "Cs"
    assert moves_group([MOVES[0], quarter, mirror, diagonal]) == "C4v"


@pytest.mark.parametrize("irrep", ["A1g", "A1u", "A2u", "A2g", "Eg", "Eu"])
def test_a_moved_map_is_the_map_of_the_moved_angle(nbse2: Material, irrep: str) -> None:
    label = "A12u" if irrep in ("A1u", "A2u") else irrep
    theta = None if label == "A12u" else 0.4
    images = np.repeat(images_of(theory_map(nbse2, irrep, theta)[None]), len(MOVES), axis=0)
    moves = np.arange(len(MOVES))
    moved = move_images(images, moves, pixel_gathers(MOVES, SIZE))
    angles = toys.PROBLEM.moved(
        {"theta": np.full(len(MOVES), np.nan if theta is None else theta)},
        np.full(len(MOVES), LABELS.index(label)),
        moves.tolist(),
    )["theta"]
    scale = np.abs(images).max()
    for image, angle in zip(moved, angles, strict=True):
        there = theory_map(nbse2, irrep, None if theta is None else float(angle))
        np.testing.assert_allclose(image, images_of(there[None])[0], atol=1e-5 * scale)
    if label in TURNING:
        assert len(np.unique(np.round(angles, 9))) == len(MOVES)
        assert np.abs(moved - images).max() > 0.01 * scale


def test_re_rho_makes_the_other_half_of_d6_redundant(nbse2: Material) -> None:
    drho = theory_map(nbse2, "Eu", 0.7)
    for extra, known in ((C6, C3 @ C3), (C2 @ MIRROR_X, MIRROR_X), (C2, np.eye(2, dtype=int))):
        one, other = (images_of(act_on_map(g, drho)[None]) for g in (extra, known))
        np.testing.assert_allclose(one, other, atol=1e-6 * np.abs(other).max())


def test_pink_noise_has_power_one_over_q() -> None:
    size, draws = 32, 400
    model = NoiseModel.on("triangular", size)
    noise = model.pink_field((draws,), np.random.default_rng(6))
    assert noise.std() == pytest.approx(1, rel=0.02)
    power = np.mean(np.abs(np.fft.fft2(noise)) ** 2, axis=0)
    j = np.fft.ifftshift(window_coordinates(size)) / size
    reduced = np.stack(np.meshgrid(j, j, indexing="ij"), axis=-1)
    q = np.linalg.norm(Lattice("triangular", 1.0).momentum(reduced), axis=-1)
    inside = (q > 0) & (q < np.pi)  # there no equivalent momentum is shorter
    slope = np.polyfit(np.log(q[inside]), np.log(power[inside]), 1)[0]
    # 400 draws scatter each of the ~470 pixels by 5 %.
    assert slope == pytest.approx(-1, abs=0.02)
    assert power[0, 0] < 1e-20 * power.max()


def test_white_noise_has_a_flat_spectrum() -> None:
    noise = NoiseModel.on("triangular", 16).white_field((2000,), np.random.default_rng(7))
    power = np.mean(np.abs(np.fft.fft2(noise)) ** 2, axis=0) / 16**2
    # Real noise: pixels with q = -q scatter by sqrt(2 / 2000) = 3 %.
    np.testing.assert_allclose(power, 1, atol=0.17)


def test_the_strength_of_noise_is_relative_to_the_map_without_the_impurity_site() -> None:
    drho = np.stack([toys.toy_map("A1g", 1.0, 0.2, 0.0), 5 * toys.toy_map("Eg", 1.0, 0.2, 0.0)])
    bright = drho.copy()
    bright[:, SIZE // 2, SIZE // 2] *= 100
    model = NoiseModel.on("triangular", SIZE)
    np.testing.assert_allclose(model.contrast(bright), model.contrast(drho))
    many = np.repeat(drho[:, None], 500, axis=1)
    for options in ({"gaussian": 0.3}, {"pink": 0.3}):
        added = model.add(many, np.random.default_rng(8), **options) - many
        np.testing.assert_allclose(added.std(axis=(1, 2, 3)), 0.3 * model.contrast(drho), rtol=0.02)


def batches(dataset: Path, config: TrainingConfig) -> TrainingBatches:
    reader = DatasetReader(dataset)
    samples = Samples.of(reader, "train", SIZE, cache_gib=1.0)
    return TrainingBatches(samples, InputScaling.of(samples), IDENTITY, config)


def test_a_sample_is_augmented_by_seed_epoch_and_id_alone(toy_dataset: Path) -> None:
    config = toys.tiny_config(gaussian_noise=0.1, pink_noise=0.1)
    forwards, backwards = batches(toy_dataset, config), batches(toy_dataset, config)
    forwards.epoch = backwards.epoch = 3
    ahead = [forwards[i] for i in range(len(forwards))]
    behind = [backwards[i] for i in reversed(range(len(backwards)))][::-1]
    for (one, _), (other, _) in zip(ahead, behind, strict=True):
        np.testing.assert_array_equal(one, other)

    def by_id(made: TrainingBatches) -> dict[float, NDArray[np.float32]]:
        pairs = (made[i] for i in range(len(made)))
        return {
            float(t[3]): x for xs, ts in pairs for x, t in zip(xs, ts["parameters"], strict=True)
        }

    same = by_id(batches_at(toy_dataset, config, epoch=3))
    rebatched = by_id(
        batches_at(
            toy_dataset,
            toys.tiny_config(gaussian_noise=0.1, pink_noise=0.1, batch_size=24),
            epoch=3,
        )
    )
    assert same.keys() == rebatched.keys()
    assert all((same[gap] == rebatched[gap]).all() for gap in same)
    for other in (
        batches_at(toy_dataset, config, epoch=4),
        batches_at(
            toy_dataset, toys.tiny_config(gaussian_noise=0.1, pink_noise=0.1, seed=1), epoch=3
        ),
    ):
        changed = by_id(other)
        assert not any((same[gap] == changed[gap]).all() for gap in same)


def batches_at(dataset: Path, config: TrainingConfig, epoch: int) -> TrainingBatches:
    made = batches(dataset, config)
    made.epoch = epoch
    return made


def test_every_epoch_has_all_samples_in_another_order(toy_dataset: Path) -> None:
    made = batches(toy_dataset, toys.tiny_config())
    orders = []
    for epoch in range(2):
        made.epoch = epoch
        orders.append(np.concatenate([made[i][1]["parameters"][:, 3] for i in range(len(made))]))
    assert (orders[0] != orders[1]).any()
    np.testing.assert_array_equal(np.sort(orders[0]), np.sort(orders[1]))
    gaps = made.samples.parameters["gap"].astype(np.float32)
    np.testing.assert_array_equal(np.sort(orders[0]), np.sort(gaps))


def test_augmented_inputs_are_inputs_of_true_maps(toy_dataset: Path) -> None:
    made = batches(toy_dataset, toys.tiny_config(gaussian_noise=0.0, pink_noise=0.0))
    made.epoch = 2
    inputs, targets = made[1]
    for image, label, (sine, cosine, eps0, gap) in zip(
        inputs, targets["irrep"], targets["parameters"], strict=True
    ):
        theta = None if np.isnan(sine) else float(np.arctan2(sine, cosine) / 2)
        true = toys.toy_map(LABELS[label], float(gap), theta, float(eps0))
        expected = made.inputs.apply(images_of(true[None]))[0]
        np.testing.assert_allclose(image, expected, atol=1e-3)


def test_maps_read_from_disk_and_kept_in_memory_give_the_same_batches(toy_dataset: Path) -> None:
    config = toys.tiny_config()
    with DatasetReader(toy_dataset) as reader:
        kept = Samples.of(reader, "train", SIZE, cache_gib=1.0)
        read = Samples.of(reader, "train", SIZE, cache_gib=0.0)
        assert kept.cached is not None
        assert read.cached is None
        scaling = InputScaling.of(read)
        assert scaling == InputScaling.of(kept)
        for index in (0, 3):
            one, other = (
                TrainingBatches(samples, scaling, IDENTITY, config)[index][0]
                for samples in (kept, read)
            )
            np.testing.assert_array_equal(one, other)
