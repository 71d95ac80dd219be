"""Map files in, irreps and parameters out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import toys
from gapscope.dataset.load import DatasetReader
from gapscope.errors import MapFileError, RunError
from gapscope.inference.choice import usual_model
from gapscope.inference.predict import predict
from gapscope.learning.evaluation.evaluate import evaluate
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.prediction.loaded import load_predictor
from gapscope.learning.prediction.predictor import Predictor
from gapscope.physics import LABELS
from gapscope.simulation.mapfile import MAP_SCHEMA, read_map
from gapscope.support.resources import OPEN_ONE_MODEL


@pytest.fixture(scope="module")
def test_files(toy_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The maps of the test split as files, with a second energy that the run does not know."""
    folder = tmp_path_factory.mktemp("maps")
    files = []
    with DatasetReader(toy_dataset) as reader:
        for sample in reader.ids("test"):
            maps = np.concatenate([np.zeros((1, 16, 16)), reader.image(sample)])
            files.append(toys.map_file(folder / f"{sample}.nc", maps, [0.7, 0.0]))
    return files


def test_files_are_judged_as_the_same_maps_in_a_dataset(
    test_files: list[Path], toy_dataset: Path, learned: RunFolder
) -> None:
    predicted = predict(test_files, learned.path)
    evaluated = evaluate(learned.path, toy_dataset).predictions
    assert predicted["file"].values.tolist() == [str(file) for file in test_files]
    np.testing.assert_array_equal(predicted["label"], evaluated["label"])
    for name in ("probability", "gap", "eps0"):
        # A dataset holds maps in single precision.
        spread = float(evaluated[name].std())
        np.testing.assert_allclose(predicted[name], evaluated[name], atol=3e-4 * spread)
    without = predicted["label"].values == LABELS.index("A12u")
    assert 0 < without.sum() < len(without)
    np.testing.assert_array_equal(np.isnan(predicted["theta"]), without)
    np.testing.assert_allclose(
        predicted["theta"].values[~without], evaluated["theta"].values[~without], atol=1e-4
    )


def test_a_network_stays_in_memory_until_a_file_changes(learned: RunFolder, tmp_path: Path) -> None:
    folder = shutil.copytree(learned.path, tmp_path / "run")
    loaded = load_predictor(folder)
    assert load_predictor(str(folder)) is loaded
    other = load_predictor(folder, symmetry=False)
    assert (loaded.symmetry, other.symmetry) == (True, False)
    assert load_predictor(folder) is loaded
    weights = folder / learned.best.name
    weights.write_bytes(weights.read_bytes())
    assert load_predictor(folder) is not loaded
    weights.unlink()
    with pytest.raises(RunError, match="weights"):
        load_predictor(folder)


def test_a_larger_window_is_cut_to_the_network(learned: RunFolder, tmp_path: Path) -> None:
    files = [toys.one_map(tmp_path / f"{window}.nc", window) for window in (16, 24)]
    predicted = predict(files, learned.path)
    np.testing.assert_allclose(*predicted["probability"].values, rtol=1e-4, atol=1e-6)


def test_the_atoms_of_a_cell_are_counted_together(learned: RunFolder, tmp_path: Path) -> None:
    """As in datasets; gapscope.simulate gives each its own density."""

    def two_atoms(one: xr.Dataset) -> xr.Dataset:
        shares = xr.DataArray([0.25, 0.75], dims="atom")
        return one.assign(ldos_change=one["ldos_change"] * shares)

    files = [toys.one_map(tmp_path / "1.nc"), toys.one_map(tmp_path / "2.nc", change=two_atoms)]
    one, other = predict(files, learned.path)["probability"].values
    np.testing.assert_allclose(other, one, rtol=1e-6)


def test_a_crop_is_cut_around_the_impurity_and_not_in_its_middle(
    learned: RunFolder, tmp_path: Path
) -> None:
    crops = [
        lambda d: d,
        lambda d: d.isel(r1=slice(6, None), r2=slice(0, 22)),
        lambda d: d.isel(r1=slice(None, None, -1)).sortby("r1"),
        lambda d: d.assign_coords(r1=d["r1"] * (1 + 1e-9)),
    ]
    files = [toys.one_map(tmp_path / f"{n}.nc", 28, change) for n, change in enumerate(crops)]
    whole, *others = predict(files, learned.path)["probability"].values
    for other in others:
        np.testing.assert_allclose(other, whole, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda d: d.isel(r1=slice(0, 15)), "r1 from -8 to 7"),
        (lambda d: d.assign_coords(r2=d["r2"] + 1), "r2 from -8 to 7"),
        (lambda d: d.assign_coords(r2=d["r2"] * 3.44), r"whole number(?s:.*)not as a length"),
        (lambda d: d.assign_coords(r2=d["r2"] * 1e-3), r"whole number(?s:.*)not as a length"),
        (lambda d: d.isel(r1=slice(None, None, -1)), r'rising order(?s:.*)sortby\("r1"\)'),
        (lambda d: d.assign_coords(r1=np.where(d["r1"] == 5, 4, d["r1"])), "some of them twice"),
        (lambda d: d.assign_coords(r1=np.where(d["r1"] == 5, np.nan, d["r1"])), "not finite"),
        (lambda d: d.assign(ldos_change=d["ldos_change"].assign_attrs(units="1/eV")), "1/meV"),
        (lambda d: d.assign_coords(energy=d["energy"].assign_attrs(units="eV")), "in meV"),
        (lambda d: d.assign(ldos_change=d["ldos_change"].astype(str)), "in numbers"),
        (lambda d: d.assign_coords(r1=d["r1"].astype(str)), "in numbers"),
        (lambda d: d.isel(r1=slice(2, 14), r2=slice(2, 14)), "16 x 16 sites"),
        (lambda d: d.isel(r1=slice(2, None)), "16 x 16 sites"),
        (lambda d: d.assign_coords(energy=[0.3]), "--energy 0"),
        (lambda d: d.assign_coords(energy=[np.nan]), "--energy 0"),
        (lambda d: d.drop_vars("energy"), "no coordinate energy"),
        (lambda d: xr.concat([d, d], "energy", data_vars="minimal"), "2 maps at w = 0 meV"),
        (
            lambda d: d.assign_attrs(lattice="square"),
            r"triangular lattice(?s:.*)--model bi2212 \(at 16 meV\), or train",
        ),
        (lambda d: d.drop_attrs().assign_attrs(schema=MAP_SCHEMA), "attribute lattice"),
        (lambda d: d.assign(ldos_change=d["ldos_change"] * np.nan), "finite"),
        (lambda d: d.drop_vars("ldos_change"), "ldos_change"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_with_a_remedy(
    change: toys.Changes, rule: str, learned: RunFolder, tmp_path: Path
) -> None:
    good, bad = toys.one_map(tmp_path / "good.nc"), toys.one_map(tmp_path / "bad.nc", change=change)
    with pytest.raises(MapFileError, match=rule) as caught:
        predict([good, bad], learned.path)
    assert "bad.nc" in str(caught.value)
    assert caught.value.remedy


def test_what_is_no_map_file_is_refused(learned: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "text.nc").write_text("not HDF5")
    for files in ([tmp_path / "text.nc"], [tmp_path / "missing.nc"], []):
        with pytest.raises(MapFileError):
            predict(files, learned.path)


def test_a_run_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nowhere"):
        predict(toys.one_map(tmp_path / "map.nc"), tmp_path / "nowhere")


def test_files_datasets_and_loaded_networks_are_one_question(
    learned: RunFolder, tmp_path: Path
) -> None:
    files = [toys.one_map(tmp_path / f"{window}.nc", window) for window in (16, 20)]
    datasets = [read_map(file) for file in files]
    by_name = predict(files, learned.path)
    loaded = predict(datasets, Predictor.load(learned.path))
    assert loaded["file"].values.tolist() == ["map 1", "map 2"]
    for name in ("probability", "gap", "theta", "eps0"):
        np.testing.assert_array_equal(loaded[name], by_name[name])
    alone = predict(datasets[1], learned.path)
    np.testing.assert_allclose(alone["gap"], by_name["gap"][1:], rtol=1e-5)


def test_energies_in_single_precision_are_the_same(
    learned: RunFolder, test_files: list[Path]
) -> None:
    at = xr.load_dataset(test_files[0], engine="h5netcdf")
    near = at.assign_coords(energy=at["energy"] + 2e-6)
    answers = predict([at, near], learned.path)
    assert float(answers["gap"][0]) == float(answers["gap"][1])


def test_a_simulated_map_at_a_chosen_energy_stays_one(learned: RunFolder, tmp_path: Path) -> None:
    maps = read_map(toys.one_map(tmp_path / "whole.nc", 16)).assign_attrs(method="converged")
    chosen = maps.isel(energy=0)
    chosen.to_netcdf(tmp_path / "chosen.nc")
    whole = predict(maps, learned.path)
    assert "scale" not in whole.attrs
    for one in (chosen, tmp_path / "chosen.nc"):
        found = predict(one, learned.path)
        np.testing.assert_array_equal(found["gap"], whole["gap"])
    assert usual_model([chosen.assign_coords(energy=0.5)]) == OPEN_ONE_MODEL
    # A map that no longer says at which energy it was simulated is not a measured one.
    with pytest.raises(MapFileError, match="no coordinate energy"):
        predict(maps.isel(energy=0, drop=True), learned.path)
    # Energies of other variables are not those of the map.
    of_none = maps.assign(ldos_change=maps["ldos_change"].isel(energy=0, drop=True))
    with pytest.raises(MapFileError, match="energy"):
        predict(of_none, learned.path)


def test_maps_on_lattice_sites_are_measured_ones(calibrated: RunFolder) -> None:
    sites = toys.on_sites(toys.toy_map("Eg", 0.6, 1.0, 20.0))
    seen: list[xr.Dataset] = []
    found = predict(sites, calibrated.path, used=seen.append)
    assert found.attrs["scale"] == "unknown"
    assert "nearest_gap" in found
    assert seen == [sites]
    assert predict(sites, calibrated.path, unit=1.0).attrs["scale"] == "1 1/meV"


def test_what_cannot_be_used_is_left_out_and_told(learned: RunFolder, tmp_path: Path) -> None:
    good, text = toys.one_map(tmp_path / "good.nc"), tmp_path / "text.nc"
    text.write_text("not HDF5")
    told: list[tuple[str, str]] = []
    found = predict(
        [text, good],
        learned.path,
        left_out=lambda name, error: told.append((name, type(error).__name__)),
    )
    assert found["file"].values.tolist() == [str(good)]
    assert told == [(str(text), "MapFileError")]
    with pytest.raises(MapFileError, match=r"text\.nc"):
        predict([text], learned.path, left_out=lambda name, error: None)


@pytest.mark.parametrize(
    ("measured", "options", "rule"),
    [
        (False, {"unit": 2.0}, "unit is for measured files"),
        (False, {"channel": "Z", "bias": 0.0}, "channel, bias is for measured"),
        (True, {"refine": True}, "refine compares the amplitudes"),
        (None, {}, "one command each"),
    ],
)
def test_options_of_the_other_kind_are_refused(
    measured: bool | None,
    options: dict[str, Any],
    rule: str,
    learned: RunFolder,
    tmp_path: Path,
) -> None:
    simulated = [toys.one_map(tmp_path / "map.nc")]
    sites = [toys.on_sites(toys.toy_map("Eg", 0.6, 1.0, 20.0))]
    given = {False: simulated, True: sites, None: simulated + sites}[measured]
    with pytest.raises(MapFileError, match=rule):
        predict(given, learned.path, **options)
    with pytest.raises(TypeError, match="chanel"):
        predict(sites, learned.path, chanel="Z")
