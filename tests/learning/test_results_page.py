"""The results page, made whole from a toy network, and its parts that compute something."""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import xarray as xr

import toys
from gapscope.dataset.recipe import Recipe
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.training.fit_calibration import calibrate
from gapscope.physics import LABELS
from gapscope.physics.lattice import symmetric_window
from pictures import ink

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def module() -> Iterator[Callable[[str], ModuleType]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield lambda name: importlib.import_module(name)


@pytest.fixture
def folders(toy_dataset: Path, learned: RunFolder, tmp_path: Path) -> Path:
    """data/reference, runs/vgg16-large and nothing else."""
    for path, target in (("data/reference", toy_dataset), ("runs/vgg16-large", learned.path)):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).symlink_to(target)
    return tmp_path


def page_in(folder: Path, module: Callable[[str], ModuleType]) -> object:
    return module("results_page").Page(
        *(folder / name for name in ("data", "runs", "cache", "images")), quick=True
    )


def test_the_whole_page_is_made_once_and_then_from_the_cache(
    folders: Path, module: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = module("results")
    page = page_in(folders, module)
    text = results.page_text(page, list(results.PARTS))
    for heading in ("Table I", "Confusion", "Robustness", "The grid leak", "What cannot be told"):
        assert f"## {heading}" in text
    for absent in (
        "vgg16-s1",
        "vgg16-s2",
        "vgg16-s3",
        "convnext",
        "vgg16-grid1024",
        "vgg16-five-energies",
    ):
        assert f"`{absent}` was not trained: `python benchmarks/reference.py runs {absent}`" in text
    assert "gapscope dataset build nbse2-fresh -o data/fresh" in text
    assert "gapscope calibrate runs/vgg16-large data/calibration" in text
    assert "nan" not in text
    for name in ("confusion", "errors", "noise", "limits"):
        assert f"images/results-{name}.png" in text
        assert ink(folders / "images" / f"results-{name}.png").mean() > 0.01

    def refused(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("gapscope.learning.prediction.predictor.Predictor.__call__", refused)
    monkeypatch.setattr(module("results_states"), "simulate_batch", refused)
    # Figures of the same numbers would only take their time again.
    monkeypatch.setattr(module("results_page"), "save_figure", lambda figure, path: path)
    assert results.page_text(page_in(folders, module), list(results.PARTS)) == text


def test_a_page_without_anything_says_what_to_make(
    tmp_path: Path, module: Callable[[str], ModuleType]
) -> None:
    results = module("results")
    text = results.page_text(page_in(tmp_path, module), list(results.PARTS))
    assert text.count("`vgg16-large` was not trained") == len(results.PARTS)
    assert "gapscope dataset build nbse2-reference -o data/reference" in text


@pytest.mark.parametrize("kind", ["Gaussian", "1/f"])
def test_noise_has_the_strength_of_its_ratio_and_the_same_field_at_all(
    kind: str, module: Callable[[str], ModuleType], rng: np.random.Generator
) -> None:
    robustness = module("results_robustness")
    model = NoiseModel.on("triangular", 64)
    maps = rng.normal(size=(4, 1, 64, 64)).astype(np.float32)
    strong, weak = (robustness.noisy(model, maps, kind, ratio) - maps for ratio in (2.0, 20.0))
    np.testing.assert_allclose(strong, 10 * weak, atol=2e-5)
    spread = strong[..., model.sites].std(axis=-1) / model.contrast(maps)
    np.testing.assert_allclose(spread, 0.5, rtol=0.15)
    assert np.abs(np.corrcoef(strong.reshape(4, -1)) - np.eye(4)).max() < 0.3
    np.testing.assert_array_equal(robustness.noisy(model, maps, kind, np.inf), maps)


def test_a_smaller_field_keeps_the_middle_hexagon(module: Callable[[str], ModuleType]) -> None:
    robustness = module("results_robustness")
    made = robustness.small_field(np.ones((2, 1, 64, 64)), "triangular", 0.5)
    np.testing.assert_array_equal(made[0, 0, 16:48, 16:48], symmetric_window("triangular", 32))
    assert made[1].sum() == symmetric_window("triangular", 32).sum()
    whole = robustness.small_field(np.ones((64, 64)), "triangular", 1.0)
    np.testing.assert_array_equal(whole, symmetric_window("triangular", 64))


def test_blur_spreads_a_site_over_its_neighbours_and_keeps_the_sum(
    module: Callable[[str], ModuleType],
) -> None:
    point = np.zeros((32, 32))
    point[16, 16] = 1
    made = module("results_robustness").blurred(point, "triangular", 0.5)
    assert made.sum() == pytest.approx(1)
    neighbours = [made[16 + m, 16 + n] for m, n in ((1, 0), (0, 1), (-1, 1), (1, -1), (-1, 0))]
    np.testing.assert_allclose(neighbours, np.exp(-2) * made[16, 16])
    np.testing.assert_allclose(made[17, 17], np.exp(-6) * made[16, 16])


def test_tested_states_are_those_of_the_dataset(
    toy_dataset: Path, module: Callable[[str], ModuleType]
) -> None:
    states = module("results_states")
    from gapscope.dataset.load import DatasetReader

    drawn = states.tested_states(Recipe.from_dict(toys.RECIPE), 1000)
    with DatasetReader(toy_dataset) as reader:
        maps, truth = states.unseen_maps(reader, toys.WINDOW, 1000)
    assert len(drawn) == len(maps) == 60
    xr.testing.assert_allclose(states.truth_of(drawn), truth)


def test_slopes_of_maps_are_their_derivatives(module: Callable[[str], ModuleType]) -> None:
    bounds, states = module("results_bounds"), module("results_states")
    recipe = Recipe.from_dict(toys.RECIPE)
    for state in states.random_states(recipe, 10):
        made = np.stack(
            [
                toys.toy_map(state.label, one.labelled_gap, one.theta, one.eps0)[None]
                for one in bounds.neighbours(state)
            ]
        )
        slopes = bounds.jacobian(made, state)
        by_gap = made[0] / (0.5 + state.labelled_gap)  # the toys are linear in the gap
        np.testing.assert_allclose(slopes[1], by_gap, atol=1e-9)
        assert (np.abs(slopes[0]).max() > 0) == (state.theta is not None)
        moved = toys.toy_map(state.label, state.labelled_gap, state.theta, state.eps0 + 1e-4)
        np.testing.assert_allclose(slopes[2], (moved - made[0]) / 1e-4, atol=1e-9)


def test_the_even_part_is_what_the_real_image_keeps(
    module: Callable[[str], ModuleType], rng: np.random.Generator
) -> None:
    from gapscope.learning.data.inputs import momentum_images

    maps = rng.normal(size=(3, 1, 16, 16))
    even = module("results_bounds").even(maps)
    assert np.abs(even - maps).max() > 0.5
    np.testing.assert_allclose(
        momentum_images(even, "triangular"), momentum_images(maps, "triangular"), atol=1e-5
    )


def test_moving_a_gap_moves_the_printed_one_with_it(module: Callable[[str], ModuleType]) -> None:
    states = module("results_states").random_states(Recipe.from_dict(toys.RECIPE), 10)
    (a2u,) = (state for state in states if state.irrep == "A2u")
    moved = module("results_bounds").moved(a2u, "gap", 0.1)
    assert moved.labelled_gap == pytest.approx(a2u.labelled_gap + 0.1)
    assert moved.gap == pytest.approx(np.sqrt(3) * moved.labelled_gap)
    assert replace(moved, gap=a2u.gap, labelled_gap=a2u.labelled_gap) == a2u


def test_a_calibrated_network_gets_a_part_on_its_uncertainty(
    learned: RunFolder,
    toy_dataset: Path,
    folders: Path,
    module: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, data = folders / "runs" / "vgg16-large", folders / "data"
    run.unlink()
    shutil.copytree(learned.path, run)
    splits = {"train": 0, "validation": 0, "test": 200}
    for seed, name in ((21, "calibration"), (22, "fresh")):
        toys.build_toys(data / name, seed=seed, splits=splits)
    calibrate(run, data / "calibration", training=toy_dataset)
    uncertainty = module("results_uncertainty")
    script = folders / "novelty.py"
    script.write_text("import sys\nprint('asked', sys.argv[1])")
    monkeypatch.setattr(uncertainty, "NOVELTY", script)
    text = uncertainty.uncertainty_part(page_in(folders, module))
    assert f"asked {run}" in text
    assert "hold the truth on 200 maps of `fresh`" in text
    before, after = map(float, re.findall(r"(?:before|scaling) ([\d.]+) %", text))
    assert after <= before < 50  # equal for a network that is cautious itself
    covered = re.findall(r"\*\*all\*\* \| ([\d.]+)", text)
    assert len(covered) == 2
    assert all(float(share) > 80 for share in covered)
    assert ink(folders / "images" / "results-reliability.png").mean() > 0.01


def test_coverage_counts_truths_inside_by_class(module: Callable[[str], ModuleType]) -> None:
    samples = 10 * len(LABELS)
    truth = np.arange(samples) % len(LABELS)
    first = np.arange(samples) < samples // 2
    theta = np.where(truth == LABELS.index("A12u"), np.nan, 0.05)
    values = {"true_label": truth, "true_theta": theta}
    values["theta_low"] = np.where(first, 3.0, 0.5)
    values["theta_high"] = np.where(first, np.pi + 0.1, 1.5)
    for name in ("gap", "eps0"):
        values |= {f"true_{name}": np.where(first, 0.5, 1.5), f"{name}_low": np.zeros(samples)}
        values[f"{name}_high"] = np.ones(samples)
    predictions = xr.Dataset({name: ("sample", value) for name, value in values.items()})
    sets = np.eye(len(LABELS), dtype=bool)[truth]
    sets[:, 0] = True
    predictions["irrep_set"] = (("sample", "class"), sets)
    predictions["label"] = ("sample", np.full(samples, LABELS.index("A2g")))
    table = module("results_uncertainty").coverage_table
    assert [
        line.split("|")[2].strip() for line in table(predictions, "label").splitlines()[2:]
    ] == [*("/", "/", "100.0 [92.9, 100.0]", "/", "/", "100.0 [92.9, 100.0]")]
    lines = table(predictions, "true_label").splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[0] for row in cells] == [*LABELS, "**all**"]
    for row in cells:
        assert row[1].startswith("100.0")
        assert row[3].startswith("50.0")
        assert row[4] == "1.000"
        if row[0] == "A12u":
            assert row[5:7] == ["/", "/"]
        else:
            assert row[5].startswith("50.0")
            assert row[6] == f"{(0.1 + np.pi - 3.0 + 1.0) / 2:.3f}"
    assert [row[2] for row in cells] == ["1.00", *["2.00"] * 4, "1.80"]
