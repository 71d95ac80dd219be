"""All steps together, and their figure."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gapscope.measured.preparation import (
    LatticeNotFoundError,
    PreparationError,
    Prepared,
    Steps,
    prepare,
)
from gapscope.plots.preparation import preparation_figure
from lattice_maps import NBS2, as_map, lattice_map
from pictures import said, written

DRIFT = np.array([[1.03, 0.04], [-0.01, 0.98]])


@pytest.fixture(scope="module")
def everything() -> Prepared:
    image = lattice_map(
        distortion=DRIFT, degrees=10.0, wave=0.4, noise=0.3, line_noise=0.5, pixels=192
    )
    image = image + 0.5 * image.x - 0.2 * image.y + 4.0
    steps = Steps(lines="median", phase=3.0, mask_bragg=True, mask_wave=True, symmetry="C3v")
    return prepare(image, NBS2, steps)


def test_every_step_leaves_its_map(everything: Prepared) -> None:
    names = ["raw", "plane", "lines", "line_noise", "drift", "phase", "masked"]
    assert list(everything.images) == names
    assert everything.final is everything.images["masked"]
    assert everything.levelled is everything.images["line_noise"]


def test_the_lattice_is_found_and_corrected(everything: Prepared) -> None:
    undone = everything.lattice.correction.value @ DRIFT
    np.testing.assert_allclose(undone @ undone.T, np.eye(2), atol=5e-3)
    assert everything.final_lattice.constant.value == pytest.approx(NBS2, rel=2e-3)
    assert everything.final_lattice.anisotropy.value == pytest.approx(1, abs=3e-3)
    assert everything.wave is not None
    assert everything.wave.found


def test_masked_maps_have_neither_lattice_nor_wave(everything: Prepared) -> None:
    before, after = (np.abs(everything.transform(step)) for step in ("phase", "masked"))
    for m in ((1, 0), (0, 1), (1, 1), (1 / 3, 0), (0, 1 / 3)):
        q = everything.final_lattice.momentum(m)
        place = {"qx": q[0], "qy": q[1], "method": "nearest"}
        assert float(after.sel(**place)) < 0.1 * float(before.sel(**place))


def test_the_network_s_input(everything: Prepared) -> None:
    image = everything.network_input()
    assert image.sizes["r1"] >= 16
    assert image.attrs["symmetry"] == "C3v"
    assert tuple(image.attrs["centre"]) == everything.site()
    assert everything.network_input(size=12, centre=(4.0, 5.0), turns=2).sizes["q1"] == 12


def test_the_next_atom_is_found_in_the_map_that_shows_them(everything: Prepared) -> None:
    x, y = everything.site((4.0, 5.0))
    a1, a2 = everything.final_lattice.vectors
    assert np.hypot(x - 4.0, y - 5.0) <= np.linalg.norm(a1)
    unmasked = everything.images["phase"]
    on, off = (float(unmasked.interp(x=x + dx, y=y + dy)) for dx, dy in ((0.0, 0.0), (a1 + a2) / 3))
    assert on > off + 1
    again = everything.site((x + 0.3 * a1[0], y + 0.3 * a1[1]))
    np.testing.assert_allclose(again, (x, y), atol=0.02)
    field = [float(everything.final.x[-1]), float(everything.final.y[-1])]
    assert np.linalg.norm(np.array(everything.site()) - np.array(field) / 2) < np.linalg.norm(a1)


def test_steps_can_be_left_out() -> None:
    image = lattice_map(noise=0.2)
    steps = Steps(plane=False, line_noise=False, drift=False, wavevector=None)
    bare = prepare(image, NBS2, steps)
    assert list(bare.images) == ["raw"]
    assert bare.final.identical(image)
    assert bare.wave is None
    assert bare.final_lattice is bare.lattice
    lines = prepare(image, NBS2, Steps(lines=1, line_noise=False, drift=False))
    assert list(lines.images) == ["raw", "plane", "lines"]
    with pytest.raises(PreparationError, match="steps done"):
        lines.transform("drift")


def test_a_wrong_calibration_is_corrected() -> None:
    image = lattice_map(constant=0.56 * NBS2, step=0.03, noise=0.2, pixels=192)
    prepared = prepare(image, NBS2, Steps(scale=(0.5, 0.65)))
    assert prepared.lattice.constant.value == pytest.approx(0.56 * NBS2, rel=2e-3)
    assert prepared.final_lattice.constant.value == pytest.approx(NBS2, rel=2e-3)


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.7])
def test_a_lattice_at_another_scale_is_told_and_not_taken(ratio: float) -> None:
    image = lattice_map(constant=ratio * NBS2, step=0.04, noise=0.3, pixels=192)
    with pytest.raises(LatticeNotFoundError) as refused:
        prepare(image, NBS2)
    found = re.search(r"--scale ([0-9.]+) ([0-9.]+)", refused.value.remedy)
    assert found is not None
    assert f"{ratio:.2f} times" in str(refused.value.received)
    told = Steps(scale=(float(found[1]), float(found[2])))
    assert prepare(image, NBS2, told).lattice.constant.value == pytest.approx(
        ratio * NBS2, rel=3e-3
    )


def test_an_ideal_map_stays_as_it_is() -> None:
    image = lattice_map(degrees=10.0, wave=0.4, pixels=192)
    prepared = prepare(image, NBS2)
    shift = {axis: float(image[axis].mean() - prepared.final[axis].mean()) for axis in "xy"}
    # The corrected map is a pixel or two smaller, about the same centre.
    assert min(prepared.final.shape) >= 190
    final = prepared.final[5:-5, 5:-5]
    moved = {axis: final[axis] + shift[axis] for axis in "xy"}
    expected = image.interp(**moved, method="cubic").transpose("y", "x")
    np.testing.assert_allclose(final, expected, atol=0.05)


def test_noise_is_not_prepared(rng: np.random.Generator) -> None:
    with pytest.raises(LatticeNotFoundError, match="no such peaks"):
        prepare(as_map(rng.standard_normal((128, 128)), 0.06), NBS2)


def test_the_figure(everything: Prepared, tmp_path: Path) -> None:
    figure = preparation_figure(everything, "a title")
    titles = [axis.get_title() for axis in figure.axes]
    assert "raw" in titles
    assert "drift corrected, phase corrected, peaks masked" in titles
    rings = [line for axis in figure.axes for line in axis.lines if line.get_label() == "Bragg"]
    assert len(rings) == 2
    shown = 10 * np.stack(rings[0].get_data(), axis=1)
    for peak in everything.lattice.peaks:
        for momentum in (peak.momentum, -peak.momentum):
            assert np.linalg.norm(shown - momentum, axis=1).min() < 0.01 * np.linalg.norm(momentum)
    written(figure, tmp_path / "figure.png")
    labels = {x for _, x, _ in said(figure)}
    assert labels >= {"x (nm)", r"$q_x$ (1/Å)"}


def test_the_figure_of_bare_steps() -> None:
    bare = Steps(plane=False, line_noise=False, drift=False, wavevector=None)
    titles = [
        axis.get_title() for axis in preparation_figure(prepare(lattice_map(), NBS2, bare)).axes
    ]
    assert titles[1] == "as measured"
    assert titles[3] == "final"


def test_a_topograph_lends_its_lattice_to_a_map_without_atoms() -> None:
    topograph = lattice_map(distortion=DRIFT, degrees=10.0, noise=0.3, pixels=192)
    smooth = as_map(np.cos(0.8 * topograph.x.values + 0.5 * topograph.y.values[:, None]), 0.06)
    with pytest.raises(LatticeNotFoundError):
        prepare(smooth, NBS2)
    lent = prepare(smooth, NBS2, topograph=topograph)
    own = prepare(topograph, NBS2)
    np.testing.assert_array_equal(lent.lattice.reciprocal, own.lattice.reciprocal)
    np.testing.assert_array_equal(lent.final_lattice.reciprocal, own.final_lattice.reciprocal)
    assert lent.final.sizes == own.final.sizes
    # The corrected map is the same wave at the corrected places.
    bare = prepare(smooth, NBS2, Steps(plane=False, line_noise=False), topograph=topograph)
    grid = np.stack(np.meshgrid(bare.final.x, bare.final.y), axis=-1)
    source = (grid - grid[-1, -1] / 2) @ np.linalg.inv(bare.lattice.correction.value).T
    middle = [float(topograph.x[-1]) / 2, float(topograph.y[-1]) / 2]
    expected = np.cos((source + middle) @ [0.8, 0.5])
    inside = (slice(8, -8), slice(8, -8))  # splines know less at the rim
    np.testing.assert_allclose(bare.final.values[inside], expected[inside], atol=1e-4)


def test_topographs_of_other_scans_are_refused() -> None:
    image = lattice_map(noise=0.2)
    with pytest.raises(PreparationError, match="same pixels"):
        prepare(image, NBS2, topograph=lattice_map(pixels=130))
    with pytest.raises(PreparationError, match="phase"):
        prepare(image, NBS2, Steps(phase=3.0), topograph=image)
