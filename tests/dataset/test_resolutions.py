"""Datasets that hold their maps at coarse energy resolutions too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gapscope as gs
from doubles import Formula, PlainMaps, build_here, image, recipe, specification
from gapscope.dataset.card import card
from gapscope.dataset.compute import JuliaKernel
from gapscope.dataset.load import DatasetReader, open_dataset
from gapscope.dataset.recipe import Recipe
from gapscope.dataset.verify import verify
from gapscope.errors import KernelError, RecipeError
from gapscope.instrument.resolution import energy_rule, energy_width
from gapscope.physics import Specification

PAIRS = ((0.35, 0.05), (1.2, 0.1))


def resolved(**changes: object) -> Recipe:
    return recipe(energies=[0.4], resolutions=PAIRS, **changes)


@pytest.fixture(scope="module")
def broadened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_here(resolved(), tmp_path_factory.mktemp("resolutions") / "dataset")


def test_broadened_maps_are_averages_around_the_energy(broadened: Path) -> None:
    """The doubles' cosine in the energy, over a kernel of variance s^2, falls by exp(-s^2/2)."""
    with open_dataset(broadened) as opened:
        assert opened.broadened_change.dims == ("sample", "resolution", "r1", "r2")
        assert opened.resolution.attrs["units"] == "meV"
        np.testing.assert_allclose(opened.resolution, [energy_width(*one) for one in PAIRS])
    with DatasetReader(broadened) as reader:
        np.testing.assert_array_equal(reader.resolutions, PAIRS)
        maps, densities = reader.broadened([3, 38])
    for row, sample in enumerate((3, 38)):
        sharp = image(specification(resolved(), sample), resolved().numerics())[0]
        for n, pair in enumerate(PAIRS):
            fall = np.exp(-(energy_width(*pair) ** 2) / 2)
            np.testing.assert_allclose(maps[row, n], fall * sharp, atol=2e-3)
            assert densities[row, n] == pytest.approx(fall * sharp.sum(), abs=0.1)
    assert "| also at | 0.35 K and 0.05 meV rms, 1.2 K and 0.1 meV rms |" in card(broadened)


def test_the_width_is_the_kernel_s_standard_deviation() -> None:
    nodes, weights = energy_rule(1.2, 0.1, 24)
    assert np.sqrt(weights @ nodes**2) == pytest.approx(energy_width(1.2, 0.1), rel=2e-3)


def test_the_digest_covers_broadened_maps(broadened: Path, tmp_path: Path) -> None:
    other = build_here(resolved(), tmp_path / "dataset", Weaker())
    assert verify(other).digest != verify(broadened).digest


class Weaker(Formula):
    def maps(self, specifications: list[Specification], numerics: gs.Numerics) -> PlainMaps:
        maps = super().maps(specifications, numerics)
        only = len(numerics.energies) == 1
        return maps if only else PlainMaps(0.9 * maps.ldos_change, maps.dos)


class NotFinite(Formula):
    def maps(self, specifications: list[Specification], numerics: gs.Numerics) -> PlainMaps:
        maps = super().maps(specifications, numerics)
        if len(numerics.energies) > 1:
            maps.ldos_change[0, 2, 2, 2] = np.inf
        return maps


def test_broadened_maps_are_finite(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="finite"):
        build_here(resolved(), tmp_path / "dataset", NotFinite())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"energies": [0.0, 0.4]}, "one energy"),
        ({"resolutions": [[0.35, 0.05], [0.35, 0.05]]}, "stands once"),
        ({"resolutions": [[0.0, 0.0]]}, "not perfect"),
        ({"resolutions": [[-1.0, 0.1]]}, "number >= 0"),
    ],
)
def test_resolutions_without_meaning_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        recipe(**({"energies": [0.4], "resolutions": PAIRS} | changes))


def test_the_kernel_s_maps_lose_what_is_sharp(tmp_path: Path) -> None:
    """Against a fine sum over energies, weighted with the formula of -df/dE."""
    pairs, window, temperature = [[2.0, 0.0]], 12, 2.0
    what = recipe(
        energies=[0.0], resolutions=pairs, broadening=0.3, window=window,
        method={"name": "converged", "accuracy": 0.005},
        splits={"train": 10, "validation": 0, "test": 0},
    )  # fmt: skip
    folder = build_here(what, tmp_path / "dataset", JuliaKernel())
    with DatasetReader(folder) as reader:
        maps, densities = reader.broadened([0])
    kt = 0.08617333262 * temperature
    energies = np.linspace(-12 * kt, 12 * kt, 121)
    weights = 1 / np.cosh(energies / (2 * kt)) ** 2
    axis = replace(what.numerics(), energies=energies.tolist())
    dense = gs.simulate(specification(what, 0), axis)
    expected = np.tensordot(weights / weights.sum(), dense.ldos_change.values, 1)
    assert np.linalg.norm(maps[0, 0] - expected) < 0.02 * np.linalg.norm(expected)
    assert densities[0, 0] == pytest.approx(weights @ dense.dos.values / weights.sum(), rel=0.02)
