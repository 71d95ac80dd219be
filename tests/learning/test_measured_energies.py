"""Grids of spectra, read by a network for several energies."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib.figure import Figure
from numpy.typing import NDArray

import gapscope as gs
import toys
from gapscope import measured
from gapscope.cli.main import main
from gapscope.errors import PreparationError
from gapscope.explore.judge import Judge
from gapscope.explore.prepared_map import Work
from gapscope.inference import predict as predict_module
from gapscope.inference.answers import even_images, nearest_beside
from gapscope.inference.kinds import usual_measured_model
from gapscope.inference.measured_files import Scan
from gapscope.inference.measured_maps import departures, predict_sites
from gapscope.inference.nearest import NEAREST, nearest_maps
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.training.train import train
from gapscope.physics.lattice import Lattice, symmetric_window
from gapscope.plots.comparison import comparison_figure
from gapscope.plots.report import Page, report_figure, save_report
from gapscope.support.resources import GRID_MODEL, MEASURED_MODEL

ENERGIES = [-0.5, 0.0, 0.5]
BIASES = np.array([-1.0, -0.5, 0.0, 0.52, 1.0])
STRENGTHS = np.array([7.0, 1.0, 2.0, -1.5, 9.0])
"""What the interference of the map at each bias is multiplied by."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    splits = {"train": 240, "validation": 10, "test": 0}
    folder = tmp_path_factory.mktemp("energies") / "dataset"
    return toys.build_toys(folder, energies=ENERGIES, splits=splits)


@pytest.fixture(scope="module")
def network(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return train(dataset, tmp_path_factory.mktemp("runs") / "run", toys.tiny_config(epochs=1))


@pytest.fixture(scope="module")
def predictor(network: RunFolder) -> Predictor:
    return Predictor.load(network.path)


def parts() -> tuple[NDArray[np.float64], NDArray[np.float64], xr.Coordinates]:
    """Atoms of a lattice of 3.44 Angstrom, interference around (4.1, 4.2) nm, and places."""
    places = 0.05 * np.arange(160)
    x, y = np.meshgrid(places, places)
    length = 4 * np.pi / np.sqrt(3) / 0.344
    angles = np.radians([30, 90, 150])
    atoms = sum(np.cos(length * (np.cos(a) * x + np.sin(a) * y)) for a in angles)
    distance = np.hypot(x - 4.1, y - 4.2)
    wave = np.cos(5 * distance + np.arctan2(y - 4.2, x - 4.1)) * np.exp(-distance / 2)
    axes = {axis: (axis, places, {"units": "nm"}) for axis in ("y", "x")}
    bias = ("bias", BIASES, {"units": "mV"})
    return np.asarray(atoms), wave, xr.Dataset(coords={"bias": bias, **axes}).coords


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spectra of which the map at -0.5 mV does not show the atoms, and others do."""
    atoms, wave, places = parts()
    shown = np.array([3.0, 0.0, 5.0, 3.0, 3.0])
    values = shown[:, None, None] * atoms + STRENGTHS[:, None, None] * wave
    image = xr.DataArray(atoms, {axis: places[axis] for axis in ("y", "x")}, ("y", "x"))
    file = xr.Dataset({"didv": (("bias", "y", "x"), values), "topograph": image}, places)
    path = tmp_path_factory.mktemp("grid") / "grid.nc"
    file.to_netcdf(path, engine="h5netcdf")
    return path


def compare(map_: NDArray[np.float64], other: NDArray[np.float64], factor: float) -> None:
    """Fail unless a map is another one times a factor, up to what is left of the atoms."""
    slope = (map_ * other).sum() / (other**2).sum()
    assert slope == pytest.approx(factor, rel=0.05)
    assert abs(np.corrcoef(map_, other)[0, 1]) > 0.99


def seen(file: Path, network: RunFolder, **given: object) -> tuple[xr.Dataset, xr.Dataset]:
    """What a network answers, and the maps that it was given; asked once."""
    return asked(file, network.path, *given.items())


@cache
def asked(file: Path, network: Path, *given: tuple[str, object]) -> tuple[xr.Dataset, xr.Dataset]:
    used: list[xr.Dataset] = []
    options = {"centre": (4.1, 4.2), **dict(given)}
    answer = gs.predict([file], network, used=used.append, **options)  # type: ignore[arg-type]
    return answer, used[0]


@pytest.mark.parametrize("topograph", [None, "topograph"])
def test_maps_at_the_energies_are_prepared_by_one_lattice(
    grid: Path, network: RunFolder, topograph: str | None
) -> None:
    given = {} if topograph is None else {"topograph": topograph}
    answer, sites = seen(grid, network, **given)
    maps = sites["ldos_change"]
    assert maps.dims == ("energy", "r1", "r2")
    np.testing.assert_array_equal(sites["energy"], ENERGIES)
    np.testing.assert_array_equal(sites["bias"], [-0.5, 0.0, 0.52])
    np.testing.assert_array_equal(answer["bias"], [[-0.5, 0.0, 0.52]])
    inside = symmetric_window("triangular", maps.shape[-1])
    weak, strong, negative = maps.values[:, inside]
    compare(strong, weak, 2.0)
    compare(negative, weak, -1.5)
    assert np.abs(weak).max() > 0.2


def test_between_two_biases_a_map_is_interpolated(grid: Path, network: RunFolder) -> None:
    _, sites = seen(grid, network, interpolate=True)
    np.testing.assert_array_equal(sites["bias"], ENERGIES)
    inside = symmetric_window("triangular", sites.sizes["r1"])
    weak, _, other = sites["ldos_change"].values[:, inside]
    # At 0.5 mV, between 2 at 0 and -1.5 at 0.52 mV.
    compare(other, weak, 2.0 + (0.5 / 0.52) * -3.5)


@pytest.mark.parametrize(
    ("biases", "given", "expected"),
    [
        ([-1.0, -0.5, 0.0, 0.52, 1.0], {}, GRID_MODEL),
        ([-0.4, 0.0, 0.4], {}, GRID_MODEL),
        ([-0.5, 0.0, 0.5], {"bias": 0.5}, MEASURED_MODEL),
        ([-0.5, 0.0, 0.5], {"channel": "topograph"}, MEASURED_MODEL),
        ([-0.5, 0.0, 0.5], {"channel": "didv"}, GRID_MODEL),
        ([-0.5, 0.0, 0.5], {"channel": "absent"}, MEASURED_MODEL),
        ([0.0, 0.5, 1.0], {}, MEASURED_MODEL),  # none near -0.5
        ([-1.0, 0.0, 1.0], {}, MEASURED_MODEL),  # one map for two energies
        ([-30.0, 0.0, 30.0], {}, MEASURED_MODEL),
    ],
)
def test_grids_that_have_the_energies_are_read_by_the_network_for_them(
    biases: list[float], given: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    atoms, wave, places = parts()
    values = np.stack([atoms + n * wave for n in range(len(biases))])
    places = places.to_dataset().drop_vars("bias").assign_coords(bias=biases).coords
    places["bias"].attrs["units"] = "mV"
    image = xr.DataArray(atoms, {axis: places[axis] for axis in ("y", "x")}, ("y", "x"))
    file = xr.Dataset({"didv": (("bias", "y", "x"), values), "topograph": image}, places)
    file.to_netcdf(tmp_path / "grid.nc", engine="h5netcdf")
    grid_file = tmp_path / "grid.nc"
    assert usual_measured_model([grid_file], Scan(**given)) == expected
    # One that has them not, and the network for one map reads all.
    plain = toys.on_sites(wave[:64, :64])
    assert usual_measured_model([grid_file, plain], Scan(**given)) == MEASURED_MODEL


def test_files_are_not_opened_to_choose_a_network_that_is_named(
    grid: Path, network: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(*_: object) -> str:
        raise AssertionError("a network is named")

    monkeypatch.setattr(predict_module, "usual_measured_model", chosen)
    assert gs.predict(grid, network.path, centre=(4.1, 4.2)).sizes["sample"] == 1
    with pytest.raises(AssertionError, match="is named"):
        gs.predict(grid, centre=(4.1, 4.2))


def test_what_cannot_be_opened_is_left_to_its_reading(tmp_path: Path) -> None:
    (tmp_path / "broken.sxm").write_bytes(b"nothing")
    assert usual_measured_model([tmp_path / "broken.sxm"], Scan()) == MEASURED_MODEL


def test_maps_on_sites_at_the_energies_are_read_by_the_network_for_them(
    grid: Path, network: RunFolder
) -> None:
    _, sites = seen(grid, network)
    assert usual_measured_model([sites], Scan()) == GRID_MODEL
    assert usual_measured_model([sites.isel(energy=0)], Scan()) == MEASURED_MODEL


def test_the_command_says_what_was_taken_for_each_energy(grid: Path, network: RunFolder) -> None:
    arguments = ["predict", str(grid), "--model", str(network.path), "--centre", "4.1", "4.2"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[:5] == [
        "grid.nc: hdf5, channel didv (dI/dV, first harmonic, forward; --channel names another:"
        " topograph)",
        "of spectra at 5 from -1 to 1 mV, 0.5 mV apart",
        "-0.5 meV: the map at -0.5 mV",
        "0 meV: the map at 0 mV",
        "0.5 meV: the map nearest to 0.5 mV, +0.02 mV off",
    ]


def test_report_and_figure_show_every_energy(
    grid: Path, network: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[Page] = []
    printed: list[Figure] = []
    drawn: list[Figure] = []

    def save(made: list[Page], path: Path, *words: str) -> Path:
        pages.extend(made)
        return save_report(made, path, *words)

    def print_one(page: Page) -> Figure:
        printed.append(report_figure(page))
        return printed[-1]

    def draw(*given: Any) -> Figure:
        drawn.append(comparison_figure(*given))
        return drawn[-1]

    monkeypatch.setattr("gapscope.cli.report.save_report", save)
    monkeypatch.setattr("gapscope.plots.report.report_figure", print_one)
    monkeypatch.setattr("gapscope.plots.comparison.comparison_figure", draw)
    outputs = {name: tmp_path / name for name in ("page.pdf", "figure.png", "answer.nc")}
    arguments = ["predict", str(grid), "--model", str(network.path), "--centre", "4.1", "4.2"]
    for option, path in zip(("--report", "--figure", "-o"), outputs.values(), strict=True):
        arguments += [option, str(path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert all(path.stat().st_size for path in outputs.values())
    (page,), (sheet,), (figure,) = pages, printed, drawn
    told = [title.rpartition(", ")[2] for title in page.images]
    assert told == [f"{energy:g} meV" for energy in ENERGIES for _ in range(3)]
    with_raw = [axis.get_title() for axis in sheet.subfigs[0].axes]
    assert with_raw[:2] == ["map as measured, -0.5 meV", "prepared, -0.5 meV"]
    assert len([title for title in with_raw if title]) == 3 + len(page.images)
    _, sites = seen(grid, network)
    lattice = Lattice.from_dict(sites.attrs)
    for energy, (image, _) in zip(
        sites["ldos_change"], list(page.images.values())[::3], strict=True
    ):
        kept = np.where(symmetric_window("triangular", len(energy)), energy.values, 0.0)
        assert np.corrcoef(even_images(kept[None], lattice).ravel(), image.ravel())[0, 1] > 0.999
    assert len(figure.axes) == len(ENERGIES) * (2 + NEAREST)
    own = [axis.get_title().splitlines()[-1] for axis in figure.axes[:: 2 + NEAREST]]
    assert own == [f"{energy:g} meV" for energy in ENERGIES]


def test_nearest_maps_have_the_energies_of_the_network(
    network: RunFolder, predictor: Predictor
) -> None:
    toy = toys.toy_map("Eg", 0.9, 0.5, -80.0)
    one = toys.on_sites(toy)
    values = np.stack([(1 + energy) * toy for energy in ENERGIES])
    axes = {"energy": ENERGIES, "r1": one.r1, "r2": one.r2}
    maps = xr.Dataset({"ldos_change": (("energy", "r1", "r2"), values)}, axes, one.attrs)
    nearest = nearest_maps(predict_sites([maps], predictor), network.path).isel(sample=0, rank=0)
    assert nearest["qpi_re"].dims == ("energy", "q1", "q2")
    whole = nearest["ldos_change"].values
    assert np.abs(whole[0] - whole[2]).max() > 1e-3 * np.abs(whole).max()
    beside = nearest_beside(whole, nearest)
    assert beside.seen.shape == whole.shape
    assert beside.share == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("first", [0, 1])
def test_the_page_gives_its_network_every_energy(
    first: int, grid: Path, network: RunFolder
) -> None:
    """Whichever of the maps is shown on the page."""
    opened = measured.open(grid)
    judge = Judge(network.path, network.path)
    work = Work(opened, "didv", [0.0, 1.0][first], 3.44, judge, "topograph")
    answer = work.around((4.1, 4.2)).predict()
    np.testing.assert_array_equal(answer["bias"], [[-0.5, 0.0, 0.52]])
    expected, _ = seen(grid, network, topograph="topograph")
    np.testing.assert_allclose(answer["probability"], expected["probability"], atol=1e-3)


def test_departures_are_told_for_each_energy(predictor: Predictor) -> None:
    one = toys.on_sites(toys.toy_map("Eg", 0.9, 0.5, -80.0))
    maps = xr.concat([one["ldos_change"]] * 3, "energy").assign_coords(energy=ENERGIES)
    sites = maps.to_dataset(name="ldos_change").assign_attrs(one.attrs)
    taken = sites.assign_coords(bias=("energy", [-0.5, 0.3, 0.52]))
    words = "taken at 0.3 mV, the network has learned from maps at 0 mV"
    assert departures(predict_sites([sites, taken], predictor)) == [[], [words]]


def test_maps_with_a_unit_are_maps_like_others_and_one_factor_is_that_of_all(
    predictor: Predictor,
) -> None:
    toy = toys.toy_map("Eg", 0.9, 0.5, -80.0)
    maps = np.stack([(1 + energy) * toy for energy in ENERGIES])  # as the toys have it
    one = toys.on_sites(toy)

    def measured(values: NDArray[np.float64]) -> xr.Dataset:
        over = ("energy", "r1", "r2")
        axes = {"energy": ENERGIES, "r1": one.r1, "r2": one.r2}
        return xr.Dataset({"ldos_change": (over, values)}, axes, one.attrs)

    hexagon = symmetric_window("triangular", 16)
    simulated = predictor([np.where(hexagon, maps, 0.0)[None].astype(np.float32)])
    known = predict_sites([measured(maps / 2e-6)], predictor, unit=2e-6)
    for name in ("probability", "gap", "eps0"):
        np.testing.assert_allclose(known[name], simulated[name], rtol=1e-3, atol=1e-6)
    assert known.attrs["energy"] == ENERGIES
    first, other = (predict_sites([measured(f * maps)], predictor) for f in (1.0, 4e7))
    distorted = predict_sites([measured(maps * [[[1.0]], [[3.0]], [[1.0]]])], predictor)
    for name in ("probability", "gap", "eps0"):
        np.testing.assert_allclose(first[name], other[name], rtol=1e-3, atol=1e-5)
    assert not np.allclose(first["gap"], distorted["gap"], rtol=1e-3)


def test_a_network_that_sees_the_odd_part_reads_measured_maps_too(
    dataset: Path, tmp_path: Path
) -> None:
    seeing = replace(toys.tiny_network(), odd=True)
    config = toys.tiny_config(epochs=1, network=seeing, surfaces=False)
    run = train(dataset, tmp_path / "run", config)
    predictor = Predictor.load(run.path)
    toy = toys.toy_map("Eg", 0.9, 0.5, -80.0)
    lopsided = toy * (1 + 0.5 * np.sign(np.arange(16) - 8))
    one = toys.on_sites(lopsided)
    axes = {"energy": ENERGIES, "r1": one.r1, "r2": one.r2}
    values = np.stack([(1 + energy) * lopsided for energy in ENERGIES])
    maps = xr.Dataset({"ldos_change": (("energy", "r1", "r2"), values)}, axes, one.attrs)
    hexagon = symmetric_window("triangular", 16)
    simulated = predictor([np.where(hexagon, values, 0.0)[None].astype(np.float32)])
    scaled = maps.assign(ldos_change=maps["ldos_change"] / 2e-6)
    known = predict_sites([scaled], predictor, unit=2e-6)
    for name in ("probability", "gap", "eps0"):
        np.testing.assert_allclose(known[name], simulated[name], rtol=1e-2, atol=1e-4)
    first, other = (
        predict_sites([maps.assign(ldos_change=f * maps["ldos_change"])], predictor)
        for f in (1.0, 4e7)
    )
    np.testing.assert_allclose(first["gap"], other["gap"], rtol=1e-3)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"bias": 0.5}, "several energies"),
        ({"channel": "topograph"}, "several energies"),
    ],
)
def test_what_gives_no_maps_at_the_energies_is_refused(
    grid: Path, network: RunFolder, given: dict[str, object], rule: str
) -> None:
    with pytest.raises(PreparationError, match=rule):
        seen(grid, network, **given)


def test_coarse_spectra_and_single_maps_are_refused(
    tmp_path: Path, network: RunFolder, predictor: Predictor
) -> None:
    atoms, _, places = parts()
    values = np.stack([atoms] * 5)
    file = xr.Dataset({"didv": (("bias", "y", "x"), values)}, places)
    coarse = file.assign_coords(bias=("bias", 10 * BIASES, {"units": "mV"}))
    coarse.to_netcdf(tmp_path / "coarse.nc", engine="h5netcdf")
    with pytest.raises(PreparationError, match="map of its own"):
        seen(tmp_path / "coarse.nc", network)
    beside = file.assign_coords(bias=("bias", BIASES + 0.7, {"units": "mV"}))
    beside.to_netcdf(tmp_path / "beside.nc", engine="h5netcdf")
    with pytest.raises(PreparationError, match="reach all energies") as refused:
        seen(tmp_path / "beside.nc", network)
    assert refused.value.received == "beside.nc from -0.3 to 1.7 mV, without -0.5"
    one = toys.on_sites(toys.toy_map("Eg", 0.9, 0.5, -80.0))
    with pytest.raises(PreparationError, match="energies that its network"):
        predict_sites([one], predictor)
