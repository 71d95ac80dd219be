"""Continuum maps against a slow sum over all pairs of sites, against limits and symmetry."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import gapscope as gs
from gapscope.cli.main import main
from gapscope.errors import ConvergenceWarning, NumericsError, SpecificationError
from gapscope.physics import Bonds, Lattice, Material, Orbital
from oracle import greens_function, uniform_grid

TORUS = 9
WIDTH = 0.8
IMPURITY = gs.Impurity.onsite([[30, 8j], [-8j, -20]]) + gs.Impurity.magnetic(
    (12.0, 0.0, 25.0), site=(1, -1)
)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def two_orbitals(impurity: gs.Impurity = IMPURITY) -> gs.Specification:
    """s and px on two places at two heights, with spin-orbit coupling, on an oblique lattice."""
    hop = np.kron(np.eye(2), [[-60.0, 25.0], [10.0, 30.0]])
    onsite = np.array([[5, 0, 0, 8], [0, -20, -8, 0], [0, -8, 5, 0], [8, 0, 0, -20]], complex)
    bonds = {(0, 0): onsite, (1, 0): hop, (0, 1): hop, (-1, 0): hop.T, (0, -1): hop.T}
    basis = (Orbital("s", (0.1, 0.0)), Orbital("px", (0.5, 0.4), 0.6))
    lattice = Lattice.from_vectors([[3.1, 0.0], [0.7, 3.6]])
    material = Material("two", lattice, Bonds.from_dict(bonds), basis=basis)
    singlet = Bonds.from_dict({(0, 0): 2.0 * np.array([[0, 1], [-1, 0]])})
    return gs.Specification(material, gs.Pairing.from_bonds(singlet), impurity)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"tip": 3.0}, "Tip"),
        ({"tip": gs.Tip(3.0), "impurity": 50.0}, "Impurity"),
        ({"tip": gs.Tip(3.0), "functions": "s"}, "WannierFunctions"),
    ],
)
def test_what_is_of_another_type_is_refused(given: dict[str, object], kind: str) -> None:
    with pytest.raises(SpecificationError, match=rf"is a gapscope\.{kind}\."):
        gs.continuum(two_orbitals(), gs.Numerics([1.0], 5.0, 8, gs.Grid(9)), **given)


def gaussian(character: str, away: np.ndarray) -> np.ndarray:
    """Written from the formula, for s and px."""
    wave = (math.pi * WIDTH**2) ** -0.75 * np.exp(-(away**2).sum(axis=-1) / (2 * WIDTH**2))
    return wave if character == "s" else math.sqrt(2) * away[..., 0] / WIDTH * wave


def slow_densities(
    spec: gs.Specification, omega: float, delta: float, points: np.ndarray, axis: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Clean density and its change at points (n, 3): the torus with its impurities, inverted."""
    n, orbitals = TORUS, 2
    d = 4 * orbitals
    hopping = np.fft.ifft2(spec.bdg().at(uniform_grid(n)), axes=(0, 1))
    r = np.arange(n)
    apart = (r[:, None] - r[None, :]) % n
    blocks = hopping[apart[:, None, :, None], apart[None, :, None, :]]
    clean = blocks.transpose(0, 1, 4, 2, 3, 5).reshape(d * n**2, d * n**2)
    dirty = clean.copy()
    for (a, b), block in spec.impurity.blocks(orbitals).items():
        i, j = (d * (x % n * n + y % n) for x, y in (a, b))
        dirty[i : i + d, j : j + d] += block
    lattice = spec.material.lattice
    waves = np.zeros((len(points), n, n, d))
    for m1 in range(-n, 2 * n):
        for m2 in range(-n, 2 * n):
            for i, one in enumerate(spec.material.basis or ()):
                place = np.array([m1, m2]) + one.position
                x, y = lattice.constant * (place @ lattice.vectors)
                away = points - [x, y, one.height]
                wave = gaussian(one.character, away)
                if axis is not None:
                    h = 1e-4 * np.eye(3)[axis]
                    wave = gaussian(one.character, away + h) - gaussian(one.character, away - h)
                    wave = wave / 2e-4 / gs.Tip(0.0).decay
                for spin in range(2):
                    waves[:, m1 % n, m2 % n, spin * orbitals + i] += wave
    flat = waves.reshape(len(points), n * n, d)
    out = []
    greens = [greens_function(h, omega, delta) for h in (clean, dirty)]
    for green in (greens[0], greens[1] - greens[0]):
        total = np.zeros(len(points))
        for spin in range(2):
            own = np.zeros_like(flat)
            chosen = slice(spin * orbitals, (spin + 1) * orbitals)
            own[..., chosen] = flat[..., chosen]
            own = own.reshape(len(points), -1)
            total += -np.einsum("pi,ij,pj->p", own, green, own, optimize=True).imag / np.pi
        out.append(total)
    return out[0], out[1]


@pytest.mark.parametrize(("orbital", "axis"), [("s", None), ("py", 1), ("pz", 2)])
def test_maps_are_the_slow_sum_over_all_pairs_of_sites(orbital: str, axis: int | None) -> None:
    spec = two_orbitals()
    numerics = gs.Numerics((3.0,), 3.0, 4, kgrid=TORUS)
    functions = gs.WannierFunctions.gaussian(spec.material, WIDTH)
    tip = gs.Tip(1.3, orbital, cut=1e-9)
    found = gs.continuum(spec, numerics, tip=tip, functions=functions, pixels=3)
    points = np.stack([found.x, found.y, np.full(found.x.shape, 1.3)], axis=-1).reshape(-1, 3)
    clean, change = slow_densities(spec, 3.0, 3.0, points, axis)
    for name, right in (("ldos_clean", clean), ("ldos_change", change)):
        close = 1e-6 * np.abs(right).max()
        np.testing.assert_allclose(found[name].values.ravel(), right, rtol=0, atol=close)


def nbse2(**gap: float) -> gs.Specification:
    pairing = gs.Pairing("A1g", 1.0, theta=0.4)
    return gs.Specification(gs.material("nbse2"), pairing, gs.Impurity.scalar(50.0), eps0=20.0)


@pytest.mark.parametrize("method", [gs.Grid(64), gs.Converged(0.02)])
def test_point_like_orbitals_make_the_lattice_map(method: gs.Grid | gs.Converged) -> None:
    spec = nbse2()
    numerics = gs.Numerics((0.0, 0.7), 0.5, 16, method)
    lattice = gs.simulate(spec, numerics)
    functions = gs.WannierFunctions.gaussian(spec.material, 0.3)
    found = gs.continuum(spec, numerics, tip=gs.Tip(0.0), functions=functions, pixels=4)
    height = functions.at(np.zeros((1, 3)))[0, 0] ** 2
    sites = found.isel(p1=slice(None, None, 4), p2=slice(None, None, 4))
    scale = float(abs(lattice.ldos_change).max())
    np.testing.assert_allclose(
        sites.ldos_change / height, lattice.ldos_change, rtol=0, atol=1e-7 * scale
    )
    np.testing.assert_allclose(sites.ldos_clean[:, 0, 0] / height, lattice.dos, rtol=1e-7)
    momenta = found.sel(q1=lattice.q1, q2=lattice.q2, method="nearest")
    for name in ("x", "y"):
        np.testing.assert_allclose(sites[name], lattice[name], atol=1e-12)
        np.testing.assert_allclose(momenta[f"q{name}"], lattice[f"q{name}"], atol=1e-12)
    between = found.isel(p1=slice(2, None, 4), p2=slice(2, None, 4)).ldos_change
    assert float(abs(between).max()) < 1e-6 * height * scale
    if isinstance(method, gs.Converged):
        np.testing.assert_allclose(found.relative_error, lattice.relative_error, rtol=0.2)
    # Per cell: the Fourier sum of one pixel per cell, spread over all of them.
    assert found.sizes["q1"] == 64
    middle = float(found.qpi_re.sel(q1=0, q2=0)[0])
    own = float(lattice.qpi_re.sel(q1=0, q2=0)[0])
    assert middle * 16 / height == pytest.approx(own, rel=0.2)


def cuprate() -> gs.Specification:
    """One orbital dx2-y2 on a square lattice, d wave, as C4v has it."""
    hop = -40.0 * np.eye(2)
    bonds = {(0, 0): 15.0 * np.eye(2), **dict.fromkeys([(1, 0), (0, 1), (-1, 0), (0, -1)], hop)}
    orbital = (Orbital("dx2-y2"),)
    material = Material("cu", Lattice("square", 3.8), Bonds.from_dict(bonds), basis=orbital)
    i_sy = np.array([[0, 1.0], [-1.0, 0]])
    gap = {(1, 0): i_sy, (-1, 0): i_sy, (0, 1): -i_sy, (0, -1): -i_sy}
    pairing = gs.Pairing.from_bonds(Bonds.from_dict(gap))
    return gs.Specification(material, pairing, gs.Impurity.scalar(60.0))


@pytest.mark.parametrize("orbital", ["s", "pz"])
def test_a_map_has_the_point_group_of_the_impurity(orbital: str) -> None:
    numerics = gs.Numerics((1.0,), 1.0, 12, kgrid=48)
    tip = gs.Tip(2.5, orbital, cut=1e-8)
    found = gs.continuum(cuprate(), numerics, tip=tip, pixels=4)
    for name in ("ldos_change", "ldos_clean"):
        values = found[name].values[0, 1:, 1:]  # without p = -L/2, whose partner is not there
        scale = 1e-6 * np.abs(values).max()
        np.testing.assert_allclose(values, np.rot90(values), atol=scale)
        np.testing.assert_allclose(values, values[::-1], atol=scale)
        np.testing.assert_allclose(values, values.T, atol=scale)
    image = found.qpi_im.values
    assert np.abs(image).max() < 1e-6 * float(abs(found.qpi_re).max())
    lateral = gs.continuum(cuprate(), numerics, tip=replace(tip, orbital="px"), pixels=4)
    turned = gs.continuum(cuprate(), numerics, tip=replace(tip, orbital="py"), pixels=4)
    one, two = (x.ldos_change.values[0, 1:, 1:] for x in (lateral, turned))
    np.testing.assert_allclose(one, np.rot90(two), atol=1e-6 * np.abs(one).max())
    assert np.abs(one - two).max() > 0.01 * np.abs(one).max()


def test_a_tip_above_a_d_orbital_sees_nothing_at_its_nodes() -> None:
    """dx2-y2 has no amplitude above its own site or along the diagonal; sz waves of others do."""
    numerics = gs.Numerics((1.0,), 1.0, 8, kgrid=48)
    functions = gs.WannierFunctions.gaussian(cuprate().material, 0.5)
    found = gs.continuum(cuprate(), numerics, tip=gs.Tip(0.4), functions=functions, pixels=6)
    along = np.diag(found.ldos_clean.values[0])
    assert np.abs(along).max() < 1e-6 * float(found.ldos_clean.max())


def test_a_greens_function_serves_as_the_specification_does() -> None:
    spec = two_orbitals()
    numerics = gs.Numerics((3.0, -3.0), 3.0, 6, kgrid=24)
    tip = gs.Tip(3.0, {"s": 0.5, "px": 0.5}, decay=2.0)
    whole = gs.continuum(spec, numerics, tip=tip, pixels=2)
    green = gs.green_function(replace(spec, impurity=gs.Impurity.scalar(0.0)), numerics, reach=12)
    again = gs.continuum(green, tip=tip, impurity=IMPURITY, pixels=2)
    scale = float(abs(whole.ldos_change).max())
    np.testing.assert_allclose(again.ldos_change, whole.ldos_change, rtol=0, atol=1e-12 * scale)
    one, two = (json.loads(x["specification"].item()) for x in (again, whole))
    assert one == two


def test_a_greens_function_that_ends_too_early_is_refused() -> None:
    spec = nbse2()
    numerics = gs.Numerics((0.3,), 0.5, 16, kgrid=48)
    green = gs.green_function(spec, numerics, reach=2)
    tip = gs.Tip(3.0, cut=1e-3)
    for_map = {"tip": tip, "impurity": gs.Impurity.scalar(50.0), "pixels": 4}
    with pytest.raises(NumericsError, match="window = 14 fits; or compute") as refused:
        gs.continuum(green, **for_map)  # type: ignore[arg-type]
    gs.continuum(green, window=14, **for_map)  # type: ignore[arg-type]
    needed = int(refused.value.remedy.split("reach = ")[1].rstrip("."))
    wide = gs.green_function(spec, numerics, reach=needed)
    gs.continuum(wide, **for_map)  # type: ignore[arg-type]
    with pytest.raises(NumericsError, match="ompute") as refused:
        gs.continuum(wide, window=20, **for_map)  # type: ignore[arg-type]
    wider = int(refused.value.remedy.split("reach = ")[1].rstrip("."))
    assert wider == needed + 2
    narrow = gs.green_function(spec, numerics, reach=needed - 1)
    with pytest.raises(NumericsError):
        gs.continuum(narrow, **for_map)  # type: ignore[arg-type]


def test_a_map_less_accurate_than_was_asked_for_says_so() -> None:
    """A Green's function may say that it was computed to more than it was."""
    spec = nbse2()
    green = gs.green_function(spec, gs.Numerics((0.3,), 0.5, 8, accuracy=0.1), reach=6)
    bold = green.assign_attrs(accuracy=1e-5)
    for one, caught in ((green, 0), (bold, 2)):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", ConvergenceWarning)
            gs.simulate_from_green(one, spec.impurity)
            gs.continuum(one, tip=gs.Tip(3.0, cut=1e-3), impurity=spec.impurity, pixels=2)
        assert len(told) == caught


def test_what_does_not_belong_together_is_refused() -> None:
    spec = nbse2()
    numerics = gs.Numerics((0.3,), 0.5, 8, kgrid=24)
    tip = gs.Tip(3.0)
    green = gs.green_function(spec, numerics, reach=6)
    with pytest.raises(SpecificationError, match="no numerics"):
        gs.continuum(spec, tip=tip)
    with pytest.raises(SpecificationError, match="no impurity"):
        gs.continuum(green, tip=tip)
    with pytest.raises(SpecificationError, match="numerics"):
        gs.continuum(green, numerics, tip=tip, impurity=spec.impurity)
    for wrong in (0, 2.5, True, 65):
        with pytest.raises(NumericsError, match="pixels"):
            gs.continuum(spec, numerics, tip=tip, pixels=wrong)  # type: ignore[arg-type]
    other = gs.WannierFunctions.slater(two_orbitals().material)
    with pytest.raises(SpecificationError, match="2 functions for 1 orbitals"):
        gs.continuum(spec, numerics, tip=tip, functions=other)
    with pytest.raises(NumericsError, match="pixels, which takes"):
        gs.continuum(spec, replace(numerics, window=65536, method=gs.Converged()), tip=tip)


def test_the_command_is_the_python_function(tmp_path: Path) -> None:
    state = ["--irrep", "A1g", "--gap", "1.0", "--theta", "0.4", "--eps0", "20"]
    small = ["--broadening", "0.5", "--window", "12", "--method", "grid", "--kgrid", "48"]
    tip = ["--tip-height", "3", "--tip-orbital", "pz", "--pixels", "4"]
    data, figure, green = (str(tmp_path / name) for name in ("c.nc", "c.png", "g.nc"))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, list(arguments))
        assert result.exit_code == 0, result.output
        return result.output

    out = ["-o", data, "--figure", figure]
    said = run("continuum", *state, *small, "--energy", "0.3", "--impurity", "50", *tip, *out)
    assert "Slater orbitals, decay 1.09" in said
    numerics = gs.Numerics((0.3,), 0.5, 12, kgrid=48)
    right = gs.continuum(nbse2(), numerics, tip=gs.Tip(3.0, "pz"), pixels=4)
    from gapscope.support.netcdf import load_netcdf

    assert load_netcdf(data).ldos_change.identical(right.ldos_change)
    assert Path(figure).read_bytes().startswith(b"\x89PNG")
    run("green", *state, *small, "--energy", "0.3", "--reach", "8", "-o", green)
    run("continuum", "--green", green, "--impurity", "50", *tip, "-o", data)
    again = load_netcdf(data).ldos_change
    assert float(abs(again - right.ldos_change).max()) < 1e-12 * float(abs(again).max())
    run("continuum", "--green", green, "--impurity", "50", *tip, "--gaussian", "0.9", "-o", data)
    refused = CliRunner().invoke(
        main, ["continuum", "--green", green, *state, "--impurity", "5", *tip, "-o", data]
    )
    assert refused.exit_code == 1
    assert "Leave out --irrep" in refused.output
