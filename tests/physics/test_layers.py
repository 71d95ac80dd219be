"""Half-infinite crystals: how they are given, kept and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import gapscope as gs
from gapscope.errors import GapscopeError, MaterialFileError, NumericsError, SpecificationError
from gapscope.physics import Bonds, Lattice, Material, Orbital
from gapscope.physics.group.found import find_group
from gapscope.physics.layers import downward
from gapscope.physics.material_writer import material_toml
from gapscope.problem.quantities import bond_lengths
from gapscope.simulation.blocks import blocks
from gapscope.simulation.kgrid import require_resolved_rows, resolving_kgrid
from wannier_files import write_hr

CUBIC = {(0, 0, 0): 20.0, (1, 0, 0): -100.0, (0, 1, 0): -100.0, (0, 0, 1): -60.0}
SQUARE = Lattice("square", 3.0)


def cubic() -> Bonds:
    """By all its bonds, both spins."""
    opposite = {(-a, -b, -c): t for (a, b, c), t in CUBIC.items()}
    return Bonds.from_dict({r: t * np.eye(2) for r, t in (CUBIC | opposite).items()})


def hr_file(
    folder: Path, a3: str = "0 0 5", matrices: dict[tuple[int, int, int], NDArray] | None = None
) -> Path:
    """A tetragonal crystal of two orbitals that z -> -z does not map onto itself, in eV."""
    hop = {
        (0, 0, 0): np.diag([0.1, -0.1]),
        (1, 0, 0): -0.2 * np.eye(2),
        (0, 1, 0): -0.2 * np.eye(2),
        (0, 0, 1): np.array([[0.05, 0.02], [0.0, 0.03]]),
    }
    hop = matrices or hop
    partners = {(-a, -b, -c): h.T for (a, b, c), h in hop.items()}
    cell = f"begin unit_cell_cart\n3 0 0\n0 3 0\n{a3}\nend unit_cell_cart\n"
    atoms = "begin atoms_frac\nCu 0 0 0.5\nend atoms_frac\n"
    projections = "begin projections\nCu:s\nCu:pz\nend projections\n"
    (folder / "x.win").write_text(cell + atoms + projections)
    return write_hr(folder / "x_hr.dat", hop | partners)


def test_bonds_between_layers_are_those_of_three_momenta() -> None:
    m = np.random.default_rng(1).uniform(-0.5, 0.5, (5, 3))
    bands = cubic().at(m)[:, 0, 0].real
    c = np.cos(2 * np.pi * m)
    assert bands == pytest.approx(20 - 200 * (c[:, 0] + c[:, 1]) - 120 * c[:, 2])
    flat = cubic().in_plane().at(m[:, :2])[:, 0, 0].real
    assert flat == pytest.approx(20 - 200 * (c[:, 0] + c[:, 1]) - 120)
    both = Bonds.sum([cubic(), Bonds.from_dict({(0, 0): 7.0 * np.eye(2)})])
    assert both.at(m)[:, 0, 0].real == pytest.approx(bands + 7)
    with pytest.raises(SpecificationError, match="no bands over the plane") as caught:
        cubic().at(m[:, :2])
    assert "spectral_function" in caught.value.remedy


@pytest.mark.parametrize(
    ("bonds", "surface", "rule"),
    [
        (cubic(), None, "says where it is open"),
        (cubic(), "left", "at its top .* or at its bottom"),
        (cubic().in_plane(), "top", "hopping out of the plane"),
        (Bonds.sum([cubic().in_plane(), Bonds.from_dict({(0, 0, 0): np.eye(2)})]), "top", "out of"),
    ],
)
def test_a_surface_and_bonds_between_layers_go_together(
    bonds: Bonds, surface: str | None, rule: str
) -> None:
    with pytest.raises(SpecificationError, match=rule):
        Material("x", SQUARE, bonds, surface=surface)


@pytest.mark.parametrize("surface", ["top", "bottom"])
def test_a_half_infinite_material_is_kept_and_read_again(surface: str, tmp_path: Path) -> None:
    material = Material("x", SQUARE, cubic(), surface=surface)
    again = Material.from_dict(material.to_dict())
    assert again.surface == surface
    assert again.bonds.distance(material.bonds) == 0
    (tmp_path / "x.toml").write_text(material_toml(material))
    read = gs.material(str(tmp_path / "x.toml"))
    assert read.surface == surface
    assert read.bonds.distance(material.bonds) == 0
    assert "surface" not in gs.material("nbse2").to_dict()


def test_the_kernel_counts_layers_from_the_surface_down() -> None:
    """A hop to the cell above is one out of the crystal at its top, and into it at its bottom."""
    hop = Bonds.from_dict({(0, 0, 1): 1j * np.eye(2), (0, 0, -1): -1j * np.eye(2)})
    into = {
        s: dict(
            zip(
                downward(hop, s).vectors[:, 2].tolist(),
                downward(hop, s).matrices[:, 0, 0],
                strict=True,
            )
        )
        for s in ("top", "bottom")
    }
    assert into["top"][1] == -1j
    assert into["bottom"][1] == 1j
    spec = gs.Specification(
        Material("x", SQUARE, cubic(), surface="top"),
        gs.Pairing.from_bonds({(0, 0): [[0, 2], [-2, 0]]}),
        gs.Impurity.scalar(1.0),
        eps0=5.0,
    )
    h = dict(zip(map(tuple, spec.bdg().vectors.tolist()), spec.bdg().matrices, strict=True))
    assert np.diag(h[0, 0, 0]).real == pytest.approx([25, 25, -25, -25])
    assert h[0, 0, 0][0, 3] == 2
    assert np.diag(h[0, 0, 1]).real == pytest.approx([-60, -60, 60, 60])


@pytest.mark.parametrize(("a3", "up"), [("0 0 5", 1), ("0 0 -5", -1)])
def test_wannier90_gives_all_layers(a3: str, up: int, tmp_path: Path) -> None:
    path = hr_file(tmp_path, a3)
    found = gs.material(str(path), fermi_energy=0.01, surface="top")
    assert found.surface == "top"
    assert "open at its top" in found.description
    assert found.lattice.name == "square"
    h = dict(zip(map(tuple, found.bonds.vectors.tolist()), found.bonds.matrices, strict=True))
    assert h[0, 0, up][:2, :2] == pytest.approx(np.array([[50, 20], [0, 30]]))
    assert h[0, 0, 0][2:, 2:] == pytest.approx(np.diag([90, -110]))
    toml = tmp_path / "x.toml"
    toml.write_text(
        'schema = 1\nname = "x"\n[wannier90]\nhr = "x_hr.dat"\n'
        'fermi_energy = 0.01\nsurface = "bottom"\n'
    )
    other = gs.material(str(toml))
    assert other.surface == "bottom"
    assert other.bonds.distance(found.bonds) == 0


def test_the_filling_is_that_of_the_bulk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One electron of the four that two orbitals hold, by momenta of its own."""
    monkeypatch.setattr("gapscope.physics.filling.BULK_KGRIDS", (12, 24))
    found = gs.material(str(hr_file(tmp_path)), filling=1.0, surface="top")
    m = (np.arange(24) + 0.5) / 24
    bands = np.linalg.eigvalsh(found.bonds.at(np.stack(np.meshgrid(m, m, m), axis=-1)))
    assert (bands < 0).mean() * 4 == pytest.approx(1.0, abs=0.01)
    assert "not of the bulk" not in found.description


def test_what_wannier90_cannot_give_is_refused(tmp_path: Path) -> None:
    path = hr_file(tmp_path)
    for wrong in ({"surface": "top", "kz": "Gamma"}, {"surface": "up"}):
        with pytest.raises(MaterialFileError, match="or half of it is there"):
            gs.material(str(path), fermi_energy=0.0, **wrong)
    with pytest.raises(MaterialFileError, match="two-dimensional") as caught:
        gs.material(str(path), fermi_energy=0.0)
    assert "--surface top" in caught.value.remedy
    flat = {(0, 0, 0): np.eye(2), (1, 0, 0): np.eye(2), (0, 0, 1): 1e-6 * np.eye(2)}
    with pytest.raises(MaterialFileError, match="hopping out of the plane"):
        gs.material(str(hr_file(tmp_path, matrices=flat)), fermi_energy=0.0, surface="top")


BONDS = """schema = 1
name = "x"
{surface}
[lattice]
name = "square"
constant = 3.0
[[bonds]]
vector = {vector}
real = -60.0
"""


@pytest.mark.parametrize(
    ("surface", "vector", "rule"),
    [
        ("", "[0, 0, 1]", "two whole numbers"),
        ('surface = "top"', "[0, 1]", "three whole numbers"),
        ('surface = "top"', "[0, 1, 0]", "out of the plane"),
        ('surface = "up"', "[0, 0, 1]", "at its top"),
    ],
)
def test_files_with_bonds_that_do_not_fit_are_refused(
    surface: str, vector: str, rule: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.toml"
    path.write_text(BONDS.format(surface=surface, vector=vector))
    with pytest.raises(MaterialFileError, match=rule):
        gs.material(str(path))
    path.write_text(BONDS.format(surface='surface = "top"', vector="[0, 0, 1]"))
    assert gs.material(str(path)).bonds.at([0.0, 0.0, 0.0])[0, 0] == pytest.approx(-120)


def test_a_surface_has_no_mirror_of_z() -> None:
    """D4h of the bulk's plane becomes C4v, and pz goes with s."""
    basis = (Orbital("s"), Orbital("pz"))
    flat = np.kron(np.eye(2), np.diag([-100.0, 50.0]))
    between = np.kron(np.eye(2), [[-60.0, 15.0], [-15.0, 30.0]])  # s-pz: odd along z
    hops = {(1, 0, 0): flat, (0, 1, 0): flat, (0, 0, 1): between}
    partners = {(-a, -b, -c): h.T for (a, b, c), h in hops.items()}
    bonds = Bonds.from_dict(hops | partners)
    surface = Material("x", SQUARE, bonds, basis=basis, surface="top")
    assert find_group(surface).schoenflies == "C4v"
    plain = Material("x", SQUARE, cubic(), surface="top")
    assert find_group(plain).schoenflies == "C4v"
    gap = gs.Pairing.of(surface, "B1", 2.0, channel="s", copy=1)
    assert gap.custom is not None
    spec = gs.Specification(surface, gap, gs.Impurity.scalar(10.0))
    assert spec.bdg().dimension == 8


def test_gaps_and_shells_are_those_of_a_plane() -> None:
    with pytest.raises(SpecificationError, match="within a layer"):
        gs.Pairing.from_bonds({(0, 0, 1): [[0, 1], [-1, 0]], (0, 0, -1): [[0, 1], [-1, 0]]})
    with pytest.raises(GapscopeError, match="Shells of neighbours"):
        bond_lengths(Material("x", SQUARE, cubic(), surface="top"))


def test_effort_counts_a_surface_as_no_pair_and_its_steepest_band() -> None:
    bdg = gs.Specification(
        Material("x", SQUARE, cubic(), surface="top"), gs.Pairing.normal(), gs.Impurity.scalar(1.0)
    ).bdg()
    (block,) = blocks(bdg, whole=False)
    assert (block.size, block.copies, block.is_pair, block.is_mirrored) == (2, 2, False, True)
    assert resolving_kgrid(bdg, 1.0) == pytest.approx(2 * np.pi * 200, abs=1)


def test_a_broadening_that_rows_of_a_surface_cannot_resolve_is_refused() -> None:
    """And what the remedy says is not."""
    crystal = Material("x", SQUARE, cubic(), surface="top")
    spec = gs.Specification(crystal, gs.Pairing.normal(), gs.Impurity.scalar(1.0))
    asked = (
        lambda: gs.simulate(spec, gs.Numerics([0.0], 0.001, 16)),
        lambda: gs.green_function(spec, gs.Numerics([0.0], 0.001, 16)),
        lambda: gs.density_of_states(spec, [0.0], 0.001),
    )
    for ask in asked:
        with pytest.raises(NumericsError, match="Rows of a surface") as caught:
            ask()
    enough = float(str(caught.value.remedy).split()[4])
    for least, method in ((enough, gs.Converged()), (0.001, gs.Grid(64))):
        require_resolved_rows(spec.bdg(), least, method)
    assert enough == pytest.approx(2 * np.pi * 200 / 2**17, rel=0.1)
