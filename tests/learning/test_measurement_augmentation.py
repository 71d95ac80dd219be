"""Measured-like maps for training: every effect by itself, against what it means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.errors import TrainingError
from gapscope.instrument.image import render
from gapscope.instrument.setpoint import LEAST_CURRENT, constant_current
from gapscope.instrument.site_noise import NoiseModel
from gapscope.instrument.sites import superpose
from gapscope.learning.data.constant_current import ConstantCurrent
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.measured_augmentation import MeasurementAugmentation, _model
from gapscope.learning.data.single_impurity import Broadened, Feedback
from gapscope.physics.lattice import VECTORS, Lattice, symmetric_window, window_coordinates

SIZE, WIDE = 32, 64
LATTICE = "triangular"
NOTHING = MeasurementAugmentation(
    size=SIZE, density=0.0, orbital=None, shift=0.0, affine=0.0, bend=0.0, background=0.0,
    least_field=1.0, white=0.0, pink=0.0, lines=0.0, amplitude=0.0,
)  # fmt: skip
INSIDE = symmetric_window(LATTICE, SIZE)


def map_like() -> NDArray[np.float64]:
    """Ripples around r = 0 at two energies, (2, WIDE, WIDE)."""
    r = window_coordinates(WIDE)
    x = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1) @ VECTORS["triangular"]
    distance = np.hypot(*np.moveaxis(x, -1, 0))
    waves = [np.cos(k * distance + x[..., 0]) / np.sqrt(1 + distance) for k in (1.3, 0.7)]
    return np.stack(waves)


def window(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    edge = (WIDE - SIZE) // 2
    return maps[:, edge:-edge, edge:-edge]


def augmented(seed: int = 0, **settings: float | None) -> NDArray[np.float32]:
    return replace(NOTHING, **settings)(map_like(), np.random.default_rng(seed), lattice=LATTICE)


def test_without_effects_only_the_mean_is_gone() -> None:
    for seed in range(20):
        found = augmented(seed)
        kept = found[0] != 0
        # A rectangle may cut the hexagon even where its width is the window's.
        assert (kept <= INSIDE).all()
        values = window(map_like())
        expected = values - values[:, kept].mean(axis=1)[:, None, None]
        np.testing.assert_allclose(found[:, kept], expected[:, kept], atol=1e-6)
        assert (found[:, ~kept] == 0).all()
        np.testing.assert_allclose(found[:, kept].mean(axis=1), 0, atol=1e-6)


@pytest.mark.parametrize("density", [0.0, 0.003])
def test_constant_current_divides_by_what_flows(density: float) -> None:
    rho0, integrals = np.array([0.7, 2.0]), 0.05 * map_like()
    settings = replace(NOTHING, density=density, constant_current=1.0)
    chosen = set()
    for seed in range(10):
        found = settings(
            map_like(), np.random.default_rng(seed), Feedback(rho0, integrals), lattice=LATTICE
        )
        kept = found[0] != 0
        # The same numbers in the same order as the augmentation draws them.
        rng = np.random.default_rng(seed)
        rng.random()
        setpoint = int(rng.integers(2))
        room = (WIDE - SIZE) // 2
        number = rng.poisson(rng.uniform(0, density) * (2 * room + 1) ** 2)
        others = rng.integers(-room, room + 1, size=(number, 2))
        sites = np.concatenate([[[0, 0]], others[others.any(axis=1)]])
        density_of_states = rho0[:, None, None] + superpose(map_like(), sites, SIZE)
        current = 1 + superpose(integrals[setpoint], sites, SIZE)
        expected = constant_current(density_of_states, np.maximum(current, LEAST_CURRENT), 1.0)
        expected -= expected[:, kept].mean(axis=1)[:, None, None]
        np.testing.assert_allclose(found[:, kept], expected[:, kept], atol=1e-5)
        chosen.add(setpoint)
    assert chosen == {0, 1}


@pytest.mark.parametrize("setpoint", [0, 1])
def test_clean_maps_at_constant_current_are_divided_and_nothing_else(setpoint: int) -> None:
    rho0, integrals = np.array([0.7, 2.0]), 0.05 * map_like()
    found = ConstantCurrent(SIZE, setpoint)(
        map_like(), np.random.default_rng(0), Feedback(rho0, integrals), lattice=LATTICE
    )
    density_of_states = rho0[:, None, None] + window(map_like())
    current = np.maximum(1 + window(integrals)[setpoint], LEAST_CURRENT)
    expected = constant_current(density_of_states, current, 1.0) - rho0[:, None, None]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(TrainingError, match="setpoints"):
        ConstantCurrent(SIZE, setpoint)(map_like(), np.random.default_rng(0), lattice=LATTICE)


def test_a_part_of_the_maps_is_taken_at_constant_current() -> None:
    feedback = Feedback(np.ones(2), 0.3 * map_like())
    settings = replace(NOTHING, constant_current=0.3)
    changed = 0
    for seed in range(200):
        rngs = np.random.default_rng(seed), np.random.default_rng(seed)
        rngs[0].random()  # which decides
        height = settings(map_like(), rngs[0], lattice=LATTICE)
        found = settings(map_like(), rngs[1], feedback, lattice=LATTICE)
        changed += not np.array_equal(height, found)
    assert 40 <= changed <= 80


def test_whole_hexagons_change_no_image_but_q_zero() -> None:
    found = next(f for f in map(augmented, range(20)) if (f[0] != 0).sum() >= INSIDE.sum() - 1)
    images = [momentum_images(m[None], "triangular")[0] for m in (found, window(map_like()))]
    change = np.abs(images[0] - images[1])
    middle = change[SIZE // 2, SIZE // 2].max()
    assert middle > 0.1
    # On the hexagon the mean is a form factor around q = 0, not a point.
    assert np.abs(found).max() < 2 * np.abs(map_like()).max()


def test_other_impurities_are_sums_of_shifted_maps() -> None:
    settings = {"density": 0.003, "least_field": 1.0}
    changed = 0
    for seed in range(12):
        found = augmented(seed, **settings)
        kept = found[0] != 0
        # The same numbers in the same order as the augmentation draws them.
        rng = np.random.default_rng(seed)
        room = (WIDE - SIZE) // 2
        number = rng.poisson(rng.uniform(0, 0.003) * (2 * room + 1) ** 2)
        others = rng.integers(-room, room + 1, size=(number, 2))
        sites = np.concatenate([[[0, 0]], others[others.any(axis=1)]])
        expected = superpose(map_like(), sites, SIZE)
        expected -= expected[:, kept].mean(axis=1)[:, None, None]
        np.testing.assert_allclose(found[:, kept], expected[:, kept], atol=1e-5)
        changed += len(sites) > 1
    assert changed > 4


def test_a_map_of_the_window_s_own_size_stays_alone() -> None:
    single = window(map_like())
    crowded = replace(NOTHING, density=0.05)
    found, alone = (
        a(single, np.random.default_rng(9), lattice=LATTICE) for a in (crowded, NOTHING)
    )
    kept = (found[0] != 0) & (alone[0] != 0)
    difference = found - alone
    assert np.ptp(difference[0][kept]) < 1e-5


def test_misplaced_positions_see_the_image_there() -> None:
    """Against an image of Gaussian orbitals, evaluated where the positions went."""
    shift, affine = 0.2, 0.004
    settings = replace(NOTHING, orbital=0.3, shift=shift, affine=affine)
    positions = np.stack(np.meshgrid(*2 * [window_coordinates(SIZE)], indexing="ij"), axis=-1)
    positions = positions @ VECTORS["triangular"]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        values = settings._misplaced(window(map_like()), 0.3, LATTICE, rng)
        rng = np.random.default_rng(seed)
        matrix = rng.uniform(-affine, affine, size=(2, 2))
        moved = positions + rng.uniform(-shift, shift, size=2) + positions @ matrix.T
        expected = render(map_like()[0], moved, VECTORS["triangular"], 0.3)
        inner = (slice(2, -2), slice(2, -2))
        np.testing.assert_allclose(values[0][inner], expected[inner], atol=2e-3)
        assert np.abs(expected - window(map_like())[0])[inner].max() > 0.02


@pytest.mark.parametrize(
    "lattice", [Lattice("square", 3.0), Lattice.from_cell(3.0, 4.0, 90.0)], ids=lambda one: one.name
)
def test_positions_are_misplaced_on_other_lattices(lattice: Lattice) -> None:
    width = 0.45  # the diagonal of a square has a part then
    settings = replace(NOTHING, orbital=width, shift=0.2, affine=0.004)
    positions = np.stack(np.meshgrid(*2 * [window_coordinates(SIZE)], indexing="ij"), axis=-1)
    positions = positions @ lattice.vectors
    longest = np.linalg.norm(lattice.vectors, axis=1).max()
    rng = np.random.default_rng(1)
    values = settings._misplaced(window(map_like()), width, lattice, np.random.default_rng(1))
    matrix = rng.uniform(-0.004, 0.004, size=(2, 2))
    moved = positions + rng.uniform(-0.2, 0.2, size=2) + positions / longest @ matrix.T
    expected = render(map_like()[0], moved, lattice.vectors, width, lattice)
    inner = (slice(2, -2), slice(2, -2))
    np.testing.assert_allclose(values[0][inner], expected[inner], atol=2e-3)
    assert np.abs(expected - window(map_like())[0])[inner].max() > 0.02


def test_fields_and_lines_follow_the_lattice() -> None:
    lattice = Lattice.from_cell(3.0, 6.0, 90.0)
    inside = symmetric_window(lattice, SIZE)
    shares = []
    for seed in range(40):
        settings = replace(NOTHING, least_field=0.5)
        kept = settings(map_like(), np.random.default_rng(seed), lattice=lattice)[0] != 0
        assert (kept <= inside).all()
        shares.append(kept.sum() / inside.sum())
    assert max(shares) > 0.8  # the longer side of the cell does not cut the field
    lines = NoiseModel.on(lattice, SIZE).line_field(1, np.random.default_rng(3))[0]
    angle, pitch = (
        (rng := np.random.default_rng(3)).uniform(0, np.pi),
        rng.uniform(0.2, 1.0),
    )
    r = np.stack(np.meshgrid(*2 * [window_coordinates(SIZE)], indexing="ij"), axis=-1)
    across = r @ lattice.vectors @ [-np.sin(angle), np.cos(angle)]
    for number in np.unique(np.floor(across / pitch)):
        assert np.ptp(lines[np.floor(across / pitch) == number]) == 0


def test_creep_bends_positions_by_a_quadratic() -> None:
    """The same image of Gaussian orbitals, where a parabola took the positions."""
    bend = 0.1
    settings = replace(NOTHING, orbital=0.3, bend=bend)
    positions = np.stack(np.meshgrid(*2 * [window_coordinates(SIZE)], indexing="ij"), axis=-1)
    positions = positions @ VECTORS["triangular"]
    x, y = np.moveaxis(positions / (SIZE / 2), -1, 0)
    near = np.hypot(x, y) < 0.8
    for seed in range(5):
        values = settings._misplaced(window(map_like()), 0.3, LATTICE, np.random.default_rng(seed))
        rng = np.random.default_rng(seed)
        rng.uniform(size=6)  # of the affine part
        c = rng.uniform(-bend, bend, size=(3, 2))
        moved = positions + sum(
            term[..., None] * one for term, one in zip((x * x, x * y, y * y), c, strict=True)
        )
        expected = render(map_like()[0], moved, VECTORS["triangular"], 0.3)
        np.testing.assert_allclose(values[0][near], expected[near], atol=5e-3)
        assert np.abs(expected - window(map_like())[0])[near].max() > 0.015


@pytest.mark.parametrize("fed_back", [False, True])
def test_coarse_resolutions_are_mixed_in(fed_back: bool) -> None:
    sharp, rho0 = map_like()[:1], np.array([0.7])
    broad = Broadened(np.stack([0.2 * sharp[0] ** 2, 3 - sharp[0]]), np.array([1.5, 2.5]))
    feedback = Feedback(rho0, 0.05 * map_like()[:1]) if fed_back else None
    settings = replace(NOTHING, resolution=0.8, constant_current=1.0)
    chosen, parts = set(), []
    for seed in range(20):
        found = settings(sharp, np.random.default_rng(seed), feedback, broad, lattice=LATTICE)
        rng = np.random.default_rng(seed)
        which, part = int(rng.integers(2)), rng.uniform(0, 0.8)
        mixed = (1 - part) * sharp + part * broad.maps[which]
        density = (1 - part) * rho0 + part * broad.density[which]
        expected = window(mixed)
        if fed_back:
            current = np.maximum(1 + window(0.05 * sharp), LEAST_CURRENT)
            expected = (density + expected) / current - density
        kept = found[0] != 0
        expected = expected - expected[:, kept].mean()
        np.testing.assert_allclose(found[:, kept], expected[:, kept], atol=1e-5)
        chosen.add(which)
        parts.append(part)
    assert chosen == {0, 1}
    assert min(parts) < 0.2 < 0.6 < max(parts)


def test_a_background_is_seen_only_where_positions_are_misplaced() -> None:
    still = {"orbital": 0.3, "background": 50.0}
    calm, bare = augmented(3, **still), augmented(3, orbital=0.3)
    kept = (calm[0] != 0) & (bare[0] != 0)
    assert np.ptp((calm - bare)[0][kept]) < 1e-4
    moved = augmented(3, **still, affine=0.01), augmented(3, orbital=0.3, affine=0.01)
    kept = (moved[0][0] != 0) & (moved[1][0] != 0)
    assert np.ptp((moved[0] - moved[1])[0][kept]) > 0.1


@pytest.mark.parametrize("kind", ["white", "pink", "lines"])
def test_noise_has_the_strength_it_is_said_to_have(kind: str) -> None:
    """A uniform number to the power of three has the mean square 1/7."""
    contrast = window(map_like())[0][INSIDE & (np.abs(window(map_like())[0]) < 1)].std()
    strengths = []
    for seed in range(150):
        noisy, quiet = augmented(seed, **{kind: 2.0}), augmented(seed)
        kept = (noisy[0] != 0) & (quiet[0] != 0)
        if kept.sum() > 100:
            strengths.append((noisy - quiet)[0][kept].std() / contrast)
    assert np.square(strengths).mean() == pytest.approx(4 / 7, rel=0.4)
    assert np.std(strengths) > 0.2


def test_line_noise_is_the_same_along_lines() -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        noise = replace(NOTHING, lines=1.0)._noise(_model(LATTICE, SIZE), 1, rng)
        assert 1 < len(np.unique(noise)) < 4 * SIZE * 2


def test_fields_of_view_are_parts_of_the_hexagon() -> None:
    shares = []
    for seed in range(60):
        kept = augmented(seed, least_field=0.5)[0] != 0
        shares.append(kept.sum() / INSIDE.sum())
        assert (kept <= INSIDE).all()
        assert kept[SIZE // 2, SIZE // 2]
    assert min(shares) < 0.4 < 0.7 < max(shares)


def test_amplitudes_multiply() -> None:
    ratios = []
    for seed in range(40):
        scaled, plain = augmented(seed, amplitude=1.0), augmented(seed)
        kept = plain[0] != 0
        ratio = scaled[:, kept] / plain[:, kept]
        assert np.ptp(ratio) < 1e-3 * ratio.mean()
        ratios.append(np.log(ratio.mean()))
    assert -1 <= min(ratios) < -0.5
    assert 0.5 < max(ratios) <= 1


def test_everything_follows_the_generator() -> None:
    usual = MeasurementAugmentation(size=SIZE)
    first, again, other = (
        usual(map_like(), np.random.default_rng(s), lattice=LATTICE) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"density": -1.0},
        {"white": np.nan},
        {"least_field": 0.0},
        {"orbital": 2.0},
        {"shift": 0.6},
        {"bend": 0.2},
        {"resolution": 1.5},
        {"density": 0.5},
    ],
)
def test_strengths_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(TrainingError):
        MeasurementAugmentation(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(64, 64), (1, 30, 30), (1, 64, 62), (1, 65, 65)])
def test_maps_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(TrainingError, match="shape"):
        NOTHING(np.zeros(shape), np.random.default_rng(0), lattice=LATTICE)
