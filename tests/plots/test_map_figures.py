"""Figures of maps: every pixel where it belongs, units, titles and scales said."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gapscope.physics import Impurity, Lattice
from gapscope.physics.lattice import window_coordinates
from gapscope.physics.path import path
from gapscope.plots.maps import SCALE_LABEL, caption, impurity_text, map_figure
from gapscope.plots.spectra import DECADES, dos_figure, path_figure

SIZE = 16
LATTICE = Lattice("triangular", 3.44)
IMPURITY = Impurity.scalar(50.0) + Impurity.magnetic((0, 0, 5), site=(7, -2))


def one_bright(place: tuple[int, int]) -> np.ndarray:
    values = np.zeros((1, SIZE, SIZE))
    values[0, place[0] + SIZE // 2, place[1] + SIZE // 2] = 3.0
    return values


def maps(image: np.ndarray, sites: np.ndarray, irrep: str = "Eg", **angles: float) -> xr.Dataset:
    attributes = {
        "lattice": "triangular", "lattice_constant": 3.44, "material": "NbSe2", "irrep": irrep,
        "gap": 1.5, "eps0": 20.0, "broadening": 0.1, "impurity": json.dumps(IMPURITY.to_dict()),
    }  # fmt: skip
    return xr.Dataset(
        {"qpi_re": (("energy", "q1", "q2"), image), "ldos_change": (("energy", "r1", "r2"), sites)},
        {"energy": [0.25], "r1": window_coordinates(SIZE), "r2": window_coordinates(SIZE)},
        attributes | angles,
    )


def brightest(axis: Axes) -> np.ndarray:
    """Middle (x, y) of the pixels of the largest value."""
    mesh = axis.collections[0]
    values = np.ma.filled(np.ma.asarray(mesh.get_array()), -np.inf)
    corners = mesh.get_coordinates()
    middles = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    return middles.reshape(-1, 2)[values.ravel() == values.max()].mean(axis=0)


@pytest.mark.parametrize("place", [(3, 0), (0, 3), (-2, 4), (2, 1)])
def test_sites_and_momenta_are_drawn_where_they_are(place: tuple[int, int]) -> None:
    figure = map_figure(maps(one_bright(place), one_bright(place)))
    image, sites = figure.axes[:2]
    momentum = LATTICE.momentum(np.array(place) / SIZE) / 3.44
    np.testing.assert_allclose(brightest(image), momentum, atol=0.01)
    np.testing.assert_allclose(brightest(sites), 3.44 * np.array(place) @ LATTICE.vectors, atol=0.2)


def test_the_brillouin_zone_reaches_to_k() -> None:
    """|K| = 4 pi / 3 a = 1.2177 1/Angstrom, one of the corners on the x axis."""
    axis = map_figure(maps(one_bright((1, 1)), one_bright((1, 1)))).axes[0]
    (zone,) = axis.lines
    corners = np.column_stack(zone.get_data())
    np.testing.assert_allclose(np.hypot(*corners.T), 1.21768, atol=1e-4)
    assert np.abs(corners - [1.21768, 0]).sum(axis=1).min() < 1e-3


def labels(figure: Figure) -> set[str]:
    return {text for axis in figure.axes for text in (axis.get_xlabel(), axis.get_ylabel())} - {""}


def test_axes_have_units_and_the_bars_say_that_the_scale_bends() -> None:
    figure = map_figure(maps(one_bright((1, 2)), one_bright((1, 2))))
    assert labels(figure) == {"$q_x$ (1/Å)", "$q_y$ (1/Å)", "x (Å)", "y (Å)", SCALE_LABEL}
    assert "1/meV" in SCALE_LABEL
    assert "arcsinh" in SCALE_LABEL
    mesh = figure.axes[0].collections[0]
    assert mesh.norm.vmin == -mesh.norm.vmax
    bar = figure.axes[2]
    assert bar.get_ylim() == pytest.approx((mesh.norm.vmin, mesh.norm.vmax))
    assert r"$\omega$ = 0.25 meV" in figure.axes[0].get_title()


def test_the_title_names_the_state_and_its_impurity() -> None:
    text = caption(maps(one_bright((1, 1)), one_bright((1, 1)), theta=0.3, phi=-1.25))
    for part in (
        "NbSe2, $E_{g}$", r"$\Delta$ = 1.5 meV", r"$\theta$ = 0.3 rad", r"$\varphi$ = -1.25 rad",
        r"$\epsilon_0$ = 20 meV", r"$\delta$ = 0.1 meV",
        "impurity V = 50 meV; J = (0, 0, 5) meV at (7, -2)",
    ):  # fmt: skip
        assert part in text
    assert "A_{12u}" not in text


def test_the_gap_of_a2u_is_told_in_both_normalisations() -> None:
    assert r"1.5 meV (0.866 meV as $A_{12u}$" in caption(
        maps(one_bright((1, 1)), one_bright((1, 1)), "A2u")
    )


def test_of_many_impurities_the_first_are_named() -> None:
    many = Impurity.scalar(1.0, (1, 0.5))
    for r in range(1, 6):
        many += Impurity.scalar(float(r + 1), site=(r, 0))
    text = impurity_text(many.to_dict())
    assert text == (
        "impurity V = 1 meV, weights (1, 0.5); V = 2 meV at (1, 0); V = 3 meV at (2, 0) and 3 more"
    )


def test_a_spectrum_s_pixels_lie_on_the_path_and_no_band_is_lost() -> None:
    """A band of one k point in 6001 is seen; what is weaker than the scale's end is cut. Lines are
    as long as they are in the zone, for Gamma M K on the triangular lattice sqrt(3) : 1 : 2."""
    energy = np.linspace(-6, 6, 13)
    values = np.full((6001, 13), 1e-9)
    values[4000, :4] = 2.0
    corners = ["Gamma", "M", "K", "Gamma"]
    kx, ky = Lattice("triangular", 3.0).momentum(path("triangular", corners, 2000)).T / 3.0
    coords = {"energy": energy, "kx": ("k", kx), "ky": ("k", ky)}
    spectral = xr.DataArray(values, coords, ("k", "energy"))
    figure = path_figure(spectral, corners, "a title")
    axis, bar = figure.axes
    x, y = brightest(axis)
    length = 2 * np.pi / 3.0 / 3 * np.array([np.sqrt(3), 1.0, 2.0])
    assert abs(x - length[:2].sum()) < length.sum() / 500
    assert y == pytest.approx(energy[:4].mean())
    np.testing.assert_allclose(axis.get_xticks(), [0.0, *length.cumsum()])
    low, high = axis.collections[0].get_clim()
    assert high - low == pytest.approx(DECADES)
    assert bar.get_ylabel() == r"$\log_{10} A(\mathbf{k}, \omega)$ (1/meV)"
    assert axis.get_ylabel() == r"$\omega$ (meV)"
    assert axis.get_ylim() == (-6.5, 6.5)


def test_a_density_of_states_is_drawn_as_it_is() -> None:
    dos = xr.DataArray([1.0, 3.0, 2.0], {"energy": [-1.0, 0.0, 1.0]}, ("energy",))
    (axis,) = dos_figure(dos, "a title").axes
    np.testing.assert_array_equal(np.column_stack(axis.lines[0].get_data())[:, 1], dos)
    assert (axis.get_xlabel(), axis.get_ylabel()) == (
        r"$\omega$ (meV)", "density of states (1/meV per cell)",
    )  # fmt: skip
    assert axis.get_ylim()[0] == 0


@pytest.mark.parametrize("centre", [None, (0.5, -0.75)])
@pytest.mark.parametrize("atom", [0, 1])
def test_an_atom_is_drawn_at_its_place(atom: int, centre: tuple[float, float] | None) -> None:
    """On a rectangle, one bright site of one of two atoms; rho(q) is then one plane wave.

    It counts from the centre of the image, where the map has one.
    """
    lattice = Lattice.from_cell(3.0, 4.0, 90.0)
    tau = np.array([[0.0, 0.0], [0.5, 0.25]])
    values = np.zeros((1, 2, SIZE, SIZE))
    values[0, atom, 2 + SIZE // 2, -1 + SIZE // 2] = 3.0
    one = maps(one_bright((0, 0)), one_bright((0, 0)))
    several = xr.Dataset(
        {"qpi_re": one.qpi_re, "ldos_change": (("energy", "atom", "r1", "r2"), values)},
        {"energy": [0.25], "tau1": ("atom", tau[:, 0]), "tau2": ("atom", tau[:, 1])},
        one.attrs | lattice.to_dict() | ({} if centre is None else {"image_centre": list(centre)}),
    )
    image, sites = map_figure(several).axes[:2]
    place = 3.0 * (np.array([2, -1]) + tau[atom]) @ lattice.vectors
    np.testing.assert_allclose(brightest(sites), place, atol=0.45)  # of its cell
    mesh = image.collections[0]
    corners = np.ma.getdata(mesh.get_coordinates())
    middles = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    shown = np.ma.getdata(mesh.get_array()).reshape(middles.shape[:2])
    size, b = SIZE, lattice.reciprocal / 3.0
    nodes = np.rint(middles @ np.linalg.inv(b) * size) / size
    off = np.abs(middles @ np.linalg.inv(b) * size - nodes * size).max(axis=-1) < 0.4
    start = 3.0 * np.array(centre or (0.0, 0.0)) @ lattice.vectors
    expected = 3.0 * np.cos((nodes @ b) @ (place - start))
    np.testing.assert_allclose(shown[off], expected[off], atol=1e-9)
