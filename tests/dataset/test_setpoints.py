"""Datasets whose maps can be turned into maps at constant current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import gapscope as gs
from doubles import Formula, build_here, image, recipe, specification
from gapscope.dataset.card import card
from gapscope.dataset.compute import JuliaKernel
from gapscope.dataset.load import DatasetReader, open_dataset
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import Recipe
from gapscope.dataset.verify import verify
from gapscope.errors import ConvergenceError, KernelError, RecipeError
from gapscope.instrument.contour import Contour
from gapscope.physics import Specification
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.materials import material
from gapscope.simulation.numerics import Numerics

BIASES = (10.0, -5.0)


@pytest.fixture(scope="module")
def fed_back(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_here(recipe(setpoints=BIASES), tmp_path_factory.mktemp("setpoints") / "dataset")


def expected(what: Recipe, sample: int) -> NDArray[np.float64]:
    spec = specification(what, sample)
    first = image(spec, what.numerics())[0]
    return np.stack(
        [0.01 * contour.energies.sum() * first for contour in what.contours(what.broadening)]
    )


def test_integrals_lie_beside_the_maps(fed_back: Path) -> None:
    with open_dataset(fed_back) as opened:
        assert opened.integral_change.dims == ("sample", "setpoint", "r1", "r2")
        assert opened.setpoint.values.tolist() == list(BIASES)
        assert opened.setpoint.attrs["units"] == "meV"
        everything = opened.load()
    with DatasetReader(fed_back) as reader:
        assert reader.setpoints.tolist() == list(BIASES)
        read = reader.integral_changes([3, 38])
        np.testing.assert_array_equal(read, everything.integral_change.values[[3, 38]])
        np.testing.assert_array_equal(reader.densities([38]), everything.dos.values[[38]])
    for row, sample in enumerate((3, 38)):
        np.testing.assert_allclose(read[row], expected(recipe(setpoints=BIASES), sample), atol=1e-6)
    assert f"| integrated up to | {list(BIASES)} meV |" in card(fed_back)


class Weaker(Formula):
    def integral_changes(
        self,
        specifications: Sequence[Specification],
        contours: Sequence[Contour],
        numerics: Numerics,
    ) -> NDArray[np.float64]:
        return 0.9 * super().integral_changes(specifications, contours, numerics)


def test_the_digest_covers_integrals(fed_back: Path, tmp_path: Path) -> None:
    weaker = build_here(recipe(setpoints=BIASES), tmp_path / "dataset", Weaker())
    assert verify(weaker).digest != verify(fed_back).digest


def test_recipes_without_setpoints_are_what_they_were(finished: Path) -> None:
    assert "setpoints" not in recipe().to_dict()
    with DatasetReader(finished) as reader:
        assert len(reader.setpoints) == 0
    nbse2 = material("nbse2")
    now, then = (
        Manifest.start(one, nbse2, one.define(nbse2)) for one in (recipe(), recipe(setpoints=[2.0]))
    )
    for one, other in ((now, then), (then, now)):
        with pytest.raises(RecipeError, match="setpoints"):
            one.require_same(other)


class NotFinite(Formula):
    def integral_changes(
        self,
        specifications: Sequence[Specification],
        contours: Sequence[Contour],
        numerics: Numerics,
    ) -> NDArray[np.float64]:
        change = super().integral_changes(specifications, contours, numerics)
        change[0, 0, 2, 2] = np.inf
        return change


def test_integrals_are_finite(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="finite"):
        build_here(recipe(setpoints=BIASES), tmp_path / "dataset", NotFinite())


def test_the_kernel_s_integrals_are_sums_over_the_real_axis() -> None:
    impurity = gs.Impurity.scalar(100.0)
    state = gs.Specification(gs.material("nbse2"), gs.Pairing("A1u", 1.0), impurity, 20.0)
    what = recipe(setpoints=[-8.0], broadening=1.0)
    numerics = replace(what.numerics(), window=12, method=gs.Converged(0.005))
    found = JuliaKernel().integral_changes([state], what.contours(what.broadening), numerics)[0, 0]
    nodes, weights = np.polynomial.legendre.leggauss(24)
    axis = gs.Numerics((-4 + 4 * nodes).tolist(), 1.0, 12, gs.Converged(0.002))
    maps = simulate_batch([state], axis)
    straight = np.tensordot(weights, maps.ldos_change[0], 1) / (weights @ maps.dos[0])
    assert np.linalg.norm(found - straight) < 0.02 * np.linalg.norm(straight)


def test_both_signs_together_are_each_by_itself() -> None:
    states = [
        gs.Specification(gs.material("nbse2"), gs.Pairing(irrep, 1.0), gs.Impurity.scalar(50.0), 20)
        for irrep in ("A1u", "A2u")
    ]
    what = recipe(setpoints=[8.0, -8.0, 3.0], broadening=1.0)
    numerics = replace(what.numerics(), window=12)
    together = JuliaKernel().integral_changes(states, what.contours(what.broadening), numerics)
    assert together.shape == (2, 3, 12, 12)
    for n, contour in enumerate(what.contours(what.broadening)):
        alone = JuliaKernel().integral_changes(states, [contour], numerics)[:, 0]
        np.testing.assert_allclose(together[:, n], alone, rtol=1e-9, atol=1e-12)
    assert np.abs(together[:, 0] - together[:, 1]).max() > 1e-4


def test_integrals_that_do_not_converge_are_no_dataset() -> None:
    state = gs.Specification(
        gs.material("nbse2"), gs.Pairing("A1u", 1.0), gs.Impurity.scalar(50.0), 20.0
    )
    what = recipe(setpoints=[0.5], broadening=0.02)
    numerics = replace(what.numerics(), method=gs.Converged(1e-4, budget=300))
    with pytest.raises(ConvergenceError, match="integrated maps"):
        JuliaKernel().integral_changes([state], what.contours(what.broadening), numerics)
