"""What the sliders say, and what is computed of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope.errors import SpecificationError
from gapscope.explore.gap_choices import gap_choices
from gapscope.explore.momentum import fermi_surface, middles
from gapscope.explore.python_lines import python_lines
from gapscope.explore.raster import (
    COLOURS,
    PIXELS,
    atoms_rasters,
    image_raster,
    linear,
    logarithmic,
    sites_raster,
    thinned_peaks,
)
from gapscope.explore.results import density, density_part, figure_file, map_file, maps, spectral
from gapscope.explore.state import COARSE, CONVERGED, Quality, State, ranges
from gapscope.physics import IRREPS, Bonds, Lattice, Material
from gapscope.physics.material_writer import material_toml
from gapscope.plots.maps import brillouin_zone
from gapscope.simulation.mapfile import read_map
from gapscope.simulation.spectrum import density_of_states, spectral_function

QUICK = Quality("quick", accuracy=0.05, kgrid=128, pixels=40, samples=3, parts=4)


@pytest.mark.parametrize("irrep", IRREPS)
def test_every_irrep_gets_the_angles_it_has(irrep: str) -> None:
    state = State(irrep=irrep, theta=0.4, phi=0.7)
    given = state.specification().pairing.angles
    expected = {} if irrep in ("A1u", "A2u") else {"theta": 0.4}
    expected |= {"phi": 0.7} if irrep in ("Eg", "Eu") else {}
    assert given == expected


@pytest.mark.parametrize(("crystal", "gap"), [("nbse2", 1.0), ("nbse2", 0.3), ("bi2212", 35.0)])
def test_the_sliders_can_show_the_first_state(crystal: str, gap: float) -> None:
    first = State.first(crystal, gap)
    for name, bounds in ranges(gap).items():
        assert bounds.low <= getattr(first, name) <= bounds.high
    assert first.specification().pairing.gap == gap


def test_the_paper_s_crystal_has_its_states_and_another_what_its_symmetry_allows() -> None:
    assert tuple(gap_choices("nbse2")) == IRREPS
    assert State.first() == State()
    of_cuprate = gap_choices("bi2212").values()
    first_shell = sorted(one.irrep for one in of_cuprate if one.shell == 1)
    # Sigrist and Ueda, Rev. Mod. Phys. 63, 239 (1991)
    assert first_shell == ["A1g", "A1u", "A2u", "B1g", "B1u", "B2u", "Eu"]
    assert {one.irrep for one in of_cuprate if one.angles} == {"Eu"}


def test_scalar_and_moment_add_up_and_one_is_needed() -> None:
    matrix = State(impurity=30.0, moment=4.0).scatterer().electron_matrix()
    np.testing.assert_allclose(matrix, np.diag([34.0, 26.0]))
    with pytest.raises(SpecificationError, match="needs a strength"):
        State(impurity=0.0, moment=0.0).scatterer()


@pytest.mark.parametrize(
    "state",
    [
        State(irrep="A1u", window=64, impurity=0.0, moment=-20.0, energy=0.5, broadening=0.8),
        State(
            irrep="Eu",
            window=64,
            theta=1.1,
            phi=1.2,
            gap=0.8,
            eps0=-40.0,
            moment=10.0,
            broadening=1.0,
        ),
        replace(
            State.first("bi2212", 35.0),
            irrep="Eu, tz, shell 1, copy 1",
            window=64,
            phi=1.57,
            broadening=20.0,
        ),
    ],
)
def test_the_python_lines_compute_the_map_that_is_shown(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found: dict[str, object] = {}
    model = "nbse2-vgg16" if state.crystal == "nbse2" and state.energy == 0 else ""
    exec(compile(python_lines(state, model), "view.py", "exec"), found)
    shown = maps(state, CONVERGED)
    for name in ("ldos_change", "qpi_re"):
        np.testing.assert_allclose(
            found["maps"][name].values,  # type: ignore[index]
            shown[name].values,
            rtol=1e-9,
            atol=1e-9 * float(np.abs(shown[name]).max()),
        )
    assert read_map("map.nc").equals(read_map(_written(tmp_path / "page.nc", map_file(state))))
    np.testing.assert_allclose(found["dos"].values, density(state, CONVERGED).values, rtol=1e-9)  # type: ignore[attr-defined]
    assert ("prediction" in found) == bool(model)


def test_without_an_impurity_the_python_lines_compute_what_is_left() -> None:
    state = State(window=64, impurity=0.0, moment=0.0, broadening=1.0)
    found: dict[str, object] = {}
    exec(compile(python_lines(state, "nbse2-vgg16"), "view.py", "exec"), found)
    assert not {"maps", "prediction"} & set(found)
    np.testing.assert_allclose(found["dos"].values, density(state, CONVERGED).values, rtol=1e-9)  # type: ignore[attr-defined]


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_coarse_map_is_near_the_converged_one() -> None:
    state = State(window=64)
    coarse, fine = maps(state, COARSE).ldos_change, maps(state, CONVERGED).ldos_change
    assert 0 < np.linalg.norm(coarse - fine) < 0.1 * np.linalg.norm(fine)


def test_the_density_of_states_is_that_of_the_clean_superconductor() -> None:
    state = State(irrep="A1g", theta=0.2, energy=0.7, impurity=80.0, moment=5.0)
    found = density(state, QUICK)
    expected = density_of_states(
        state.specification(), found.energy.values.tolist(), state.broadening, QUICK.kgrid
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_pixels_of_the_spectral_function_are_its_values_and_near_the_surface_its_means() -> None:
    state = State(irrep="A1g", theta=0.0, gap=2.0, broadening=0.5, energy=2.0)
    image = spectral(state, QUICK)
    lattice = state.material.lattice
    x = middles(QUICK.pixels, image.reach)
    mesh = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1)

    def at(points: np.ndarray) -> np.ndarray:
        momenta = lattice.reduced(lattice.constant * points.reshape(-1, 2))
        values = spectral_function(
            state.specification(), momenta, [state.energy], state.broadening
        ).values
        return values.reshape(points.shape[:-1])

    middle = at(mesh)
    far = middle < 1e-6
    np.testing.assert_allclose(image.values[far], middle[far], rtol=1e-12)
    row, column = np.unravel_index(image.values.argmax(), image.values.shape)
    offsets = middles(QUICK.samples, image.reach / QUICK.pixels)
    inside = mesh[row, column] + np.stack(np.meshgrid(offsets, offsets), axis=-1)
    np.testing.assert_allclose(image.values[row, column], at(inside).mean(), rtol=1e-9)


def test_the_fermi_surface_is_where_a_band_is_zero() -> None:
    state = State(eps0=-60.0)
    lattice = state.material.lattice
    points = np.concatenate(fermi_surface(state))
    bands = np.linalg.eigvalsh(
        state.material.electrons(state.eps0).at(lattice.reduced(lattice.constant * points))
    )
    # Contours are straight between pixels of some meV.
    assert np.abs(bands).min(axis=1).max() < 5.0
    assert len(points) > 300


def test_a_move_of_the_impurity_computes_no_new_density() -> None:
    states = State(window=64, impurity=50.0), State(window=64, impurity=51.0, moment=2.0)
    assert density_part(states[0], QUICK, 0) is density_part(states[1], QUICK, 0)
    assert spectral(states[0], QUICK) is spectral(states[1], QUICK)
    assert not maps(states[0], QUICK).equals(maps(states[1], QUICK))


def test_pictures_have_the_pixels_of_the_map() -> None:
    state = State(window=64, theta=0.5)
    found = maps(state, QUICK)
    lattice = state.material.lattice
    image = found["qpi_re"].values[0]
    raster = image_raster(image, lattice)
    assert raster.colours.shape == (PIXELS, PIXELS)
    reach = raster.reach[0]
    assert reach > np.abs(brillouin_zone(lattice)).max()
    # The pixel of a momentum within the zone has its value's colour.
    shown = np.sort(np.unique(image))
    momenta = np.stack([found.qx.values, found.qy.values], axis=-1)
    rows = ((momenta / reach + 1) / 2 * PIXELS).astype(int)
    inside = (np.abs(momenta) < 0.9 * reach).all(axis=-1)
    colours = raster.colours[rows[inside, 1], rows[inside, 0]].astype(int)
    order = np.argsort(image[inside])
    steps = np.diff(colours[order])
    assert len(shown) > 100
    assert (steps < 0).mean() < 0.01  # at a pixel's edge the neighbour may be shown
    sites = sites_raster(found["ldos_change"].values[0], lattice)
    middle = PIXELS // 2
    assert sites.colours[middle, middle] in (COLOURS // 2 - 1, COLOURS // 2)


def test_atoms_of_a_cell_stand_at_their_places() -> None:
    """One bright site of one of two atoms on a rectangle; rho(q) is then one plane wave."""
    lattice, size = Lattice.from_cell(3.0, 4.0, 90.0), 32
    values = np.zeros((2, size, size))
    values[1, 3 + size // 2, -2 + size // 2] = 3.0
    place = 3.0 * np.array([3.5, -1.75]) @ lattice.vectors
    one = xr.Dataset(
        {"ldos_change": (("atom", "r1", "r2"), values)},
        {"tau1": ("atom", [0.0, 0.5]), "tau2": ("atom", [0.0, 0.25])},
    )
    image, sites = atoms_rasters(one, lattice)
    bright = np.argwhere(sites.colours == sites.colours.max())
    middle = (2 * bright.mean(axis=0) + 1) / len(sites.colours) - 1  # (y, x) from -1 to 1
    np.testing.assert_allclose(middle[::-1] * sites.reach, place, atol=0.5)
    q = middles(len(image.colours), image.reach[0])
    nodes = np.rint(q * 3.0 * size / (2 * np.pi)) * 2 * np.pi / (3.0 * size)
    row = image.colours[len(q) // 2].astype(float)
    expected = np.cos(nodes * place[0])
    assert np.corrcoef(row, np.arcsinh(3 * expected))[0, 1] > 0.98


def test_scales_are_symmetric_or_as_asked() -> None:
    ticks = image_raster(
        np.linspace(-1, 3, 64 * 64).reshape(64, 64), State().material.lattice
    ).ticks
    assert ticks[2] == (pytest.approx((COLOURS - 1) / 2), 0.0)
    assert ticks[0][1] == -ticks[-1][1]
    values = np.array([[1e-3, 1e-2], [1e-1, 1.0]])
    logs = logarithmic(values, 1.0, 1e-3, 1.0)
    assert logs.colours.tolist() == [[0, 170], [85, 255]]
    assert [value for _, value in logs.ticks] == pytest.approx([1e-3, 1e-2, 1e-1, 1.0])
    flat = linear(np.full((2, 3), np.nan), (1.0, 1.0), 5.0, 5.0)
    assert not flat.colours.any()


def test_the_figure_is_a_png() -> None:
    assert figure_file(State(window=64)).startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize("size", [15, 17, 103])
def test_a_thinned_transform_keeps_its_peaks_and_their_places(size: int) -> None:
    values = np.zeros((size, size))
    middle = size // 2
    values[middle, middle] = 2.0
    up, left = size // 3, size // 4
    values[middle + up, middle - left] = 1.0
    thin, reach = thinned_peaks(values, (size / 2, size / 2), most=8)
    assert max(thin.shape) <= 9
    width = 2 * reach[0] / thin.shape[1]
    for height, (y, x), within in ((2.0, (0, 0), 0.51), (1.0, (up, -left), width)):
        row, column = np.argwhere(thin == height).mean(axis=0)
        assert width * (column + 0.5) - reach[0] == pytest.approx(x, abs=within)
        assert width * (row + 0.5) - reach[1] == pytest.approx(y, abs=within)


def test_the_momenta_of_a_surface_are_shown_without_lines(tmp_path: Path) -> None:
    """States of a half-infinite crystal fill areas: there is no line to sample finely."""
    hops = {(1, 0, 0): -100.0, (0, 1, 0): -100.0, (0, 0, 1): -60.0}
    hops |= {(-a, -b, -c): t for (a, b, c), t in hops.items()}
    bonds = Bonds.from_dict({r: t * np.eye(2) for r, t in hops.items()})
    cubic = Material("cubic", Lattice("square", 3.8), bonds, surface="top")
    (tmp_path / "cubic.toml").write_text(material_toml(cubic))
    state = State(crystal=str(tmp_path / "cubic.toml"), broadening=5.0, energy=30.0, eps0=0.0)
    image = spectral(state, replace(QUICK, pixels=8, parts=1))
    assert image.fermi_surface == ()
    x = middles(8, image.reach)
    momenta = state.material.lattice.reduced(3.8 * np.stack(np.meshgrid(x, x, indexing="ij"), -1))
    right = spectral_function(state.clean().specification(), momenta, [30.0], 5.0)
    assert image.values == pytest.approx(right.values[..., 0], rel=1e-9)
