"""What a recipe's material cannot be is refused before anything is written or started."""

from __future__ import annotations

from multiprocessing import current_process
from pathlib import Path

import numpy as np
import pytest

from doubles import Formula, recipe, write_recipe
from gapscope.dataset import preflight
from gapscope.dataset.build import build
from gapscope.dataset.preflight import define_problem, suitable_workers
from gapscope.errors import ClusterError, RecipeError
from gapscope.physics import Material
from gapscope.physics.bonds import Bonds
from gapscope.physics.symmetry import band_asymmetry
from gapscope.simulation.materials import material

LATTICE = """
schema = 1
name = "Oddium"

[lattice]
name = "{}"
constant = 3.4
"""
BOND = """
[[bonds]]
vector = [{}, {}]
real = {}
"""
SQUARE = LATTICE.format("square") + BOND.format(1, 0, -100.0) + BOND.format(0, 1, -100.0)
STRIPES = LATTICE.format("triangular") + "".join(
    BOND.format(*bond) for bond in ((1, 0, -100.0), (0, 1, -100.0), (1, -1, -130.0))
)


@pytest.mark.parametrize(
    ("text", "said"),
    [(SQUARE, r"a square lattice of 3\.4 Angstrom"), (STRIPES, r"Oddium: \d+\.\d%")],
    ids=["square", "stripes"],
)
def test_a_material_without_the_irreps_is_refused_before_the_folder_is_made(
    text: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "odd.toml").write_text(text)
    path = write_recipe(tmp_path / "recipe.toml", recipe(material="odd.toml"))
    with pytest.raises(RecipeError, match=said) as caught:
        build(path, tmp_path / "dataset", workers=1, progress=False, simulator=Formula())
    assert "tiny" in caught.value.rule
    assert "Oddium" in caught.value.received
    assert not (tmp_path / "dataset").exists()


def test_a_worker_that_imports_its_script_builds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_process(), "_inheriting", True, raising=False)
    with pytest.raises(ClusterError, match="__main__"):
        build(recipe(), tmp_path / "data", workers=1, simulator=Formula())
    assert not (tmp_path / "data").exists()


def test_there_is_a_worker_for_each_core_as_far_as_memory_and_shards_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def workers(gigabytes: float, shards: int, cores: int) -> int:
        monkeypatch.setattr(preflight, "available_memory", lambda: 1e9 * gigabytes)
        return suitable_workers(recipe(), shards, cores)

    assert workers(64.0, 100, 16) == 16
    assert workers(64.0, 3, 16) == 3
    assert workers(5.9, 100, 16) == 5
    assert workers(0.1, 100, 16) == 1


def test_ising_soc_keeps_the_symmetry_of_the_bands(nbse2: Material) -> None:
    define_problem(recipe(), nbse2)
    assert band_asymmetry(nbse2.bonds) < 1e-12


def test_the_asymmetry_is_that_of_the_bands() -> None:
    """E = 2 t (c1 + c2) + 2 (t + d) c12: exchanging directions changes E by at most 4 d."""
    terms = {(1, 0): -100.0, (0, 1): -100.0, (1, -1): -101.0}
    half = Bonds.from_dict({r: t * np.eye(2) for r, t in terms.items()})
    found = band_asymmetry(Bonds.sum([half, half.adjoint()]))
    assert 1 / 900 < found < 4 / 800


def test_the_bands_of_a_wannier90_material_have_the_symmetry(measured: Path) -> None:
    path = measured / "nbs2" / "NbS2_hr.dat"
    if not path.exists():
        pytest.skip("the measured files are not there (GAPSCOPE_MEASURED)")
    nbs2 = material(str(path), fermi_energy=-6.09, lattice_constant=3.33)
    assert 1e-5 < band_asymmetry(nbs2.bonds) < 2e-3
    define_problem(recipe(), nbs2)
