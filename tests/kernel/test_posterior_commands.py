"""The commands around a posterior: it is computed once, and asked what to measure next."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import gapscope as gs
from gapscope.cli import main
from gapscope.errors import SettingError
from gapscope.inference.design import ask
from gapscope.inference.posterior import posterior as sampling
from gapscope.learning.prediction.predictor import Predictor
from gapscope.simulation.mapfile import read_map
from gapscope.support.netcdf import write_netcdf
from gapscope.support.resources import SHIPPED_MODEL, find_model


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map with half its own strength of noise."""
    state = gs.Specification(
        gs.material("nbse2"), gs.Pairing("Eg", 1.1, theta=0.4), gs.Impurity.scalar(50.0), -60.0
    )
    maps = gs.simulate(state, gs.Numerics([0.0], broadening=0.1, window=64))
    away = maps.ldos_change.where((maps.r1 != 0) | (maps.r2 != 0))
    noise = 0.5 * float(away.std())
    maps["ldos_change"] += noise * np.random.default_rng(1).standard_normal((1, 64, 64))
    return write_netcdf(maps, tmp_path_factory.mktemp("map") / "map.nc")


@dataclass(frozen=True)
class Written:
    """What ``gapscope predict --posterior --figure`` said and wrote."""

    said: str
    posterior: Path
    figure: Path


@pytest.fixture(scope="module")
def written(simulated: Path) -> Written:
    posterior, figure = (simulated.with_name(name) for name in ("posterior.nc", "corner.png"))
    given = ["predict", str(simulated), "--posterior", str(posterior), "--figure", str(figure)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "ROUNDS", (12, 12))
        result = CliRunner().invoke(main, given)
    assert result.exit_code == 0, result.output
    return Written(result.output, posterior, figure)


def test_the_command_writes_a_posterior_and_its_plot(written: Written) -> None:
    assert "The model explains the map" in written.said
    tree = gs.read_posterior(written.posterior)
    summary = tree.to_dataset().sel({"class": "Eg"})
    assert float(summary["probability"]) > 0.999
    for name, value in {"gap": 1.1, "theta": 0.4, "eps0": -60.0}.items():
        own = summary.sel(unknown=name)
        assert abs(float(own["mean"]) - value) < 4 * float(own["deviation"])
    assert written.figure.stat().st_size > 0


def test_the_command_ranks_for_a_posterior_that_predict_wrote(
    simulated: Path, written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "design", partial(ask.design, draws=16))
    output = tmp_path / "next.nc"
    given = ["design", str(simulated), "--posterior", str(written.posterior)]
    given += ["--energies", "0,0.6"]
    result = CliRunner().invoke(main, [*given, "-o", str(output)])
    assert result.exit_code == 0, result.output
    ranked = xr.load_dataset(output)
    assert "wrote" in result.output
    assert set(ranked["candidate"].values) == {
        "0 meV again",
        "0.6 meV",
        "another scalar defect",
        "a magnetic defect",
        "128 x 128 sites",
        "noise / 2",
    }
    assert (np.diff(ranked["gain"]) <= 0).all()
    rows = [line.split("   ")[0] for line in result.output.splitlines()]
    assert [one for one in rows if one in ranked["candidate"].values] == list(
        ranked["candidate"].values
    )
    by_name = ranked.set_index(candidate="candidate")
    assert float(by_name["gain"].sel(candidate="noise / 2")) > float(
        by_name["gain"].sel(candidate="0 meV again")
    )
    assert float(by_name["time"].sel(candidate="128 x 128 sites")) == 4
    # Four times the time on the same maps: a deviation of half, or rather less than that together.
    gap = ranked["deviation"].sel({"class": "Eg", "unknown": "gap", "candidate": "noise / 2"})
    now = ranked["deviation_now"].sel({"class": "Eg", "unknown": "gap"})
    assert float(gap / now) == pytest.approx(1 / np.sqrt(5), rel=0.25)

    problem = json.loads(gs.read_posterior(written.posterior).attrs["problem"])
    assert ranked.attrs["aim"] == "all"
    assert json.loads(ranked.attrs["problem"]) == problem


def test_a_question_that_does_not_fit_the_posterior_is_refused(
    simulated: Path, written: Written
) -> None:
    network = Predictor.load(find_model(SHIPPED_MODEL))
    wrong = gs.read_posterior(written.posterior)
    changed = wrong.copy()
    changed.attrs["sites"] = 1
    with pytest.raises(SettingError, match="by the same network"):
        gs.design(simulated, changed, network)
    other = read_map(simulated)
    other["ldos_change"] = 1.001 * other["ldos_change"]
    with pytest.raises(SettingError, match="one of this map"):
        gs.design(other, wrong, network)
    older = wrong.copy()
    del older["map_size"]
    with pytest.raises(SettingError, match="all, irrep, gap, theta or eps0"):
        gs.design(other, older, network, aim="moment")
    with pytest.raises(SettingError, match="all, irrep, gap, theta or eps0"):
        gs.design(simulated, wrong, network, aim="moment")
    with pytest.raises(SettingError, match="knows the noise"):
        gs.design(simulated, wrong, network, noise=1.0)
    with pytest.raises(SettingError, match="16 or more"):
        gs.design(simulated, wrong, network, draws=1)
    collapsed = wrong.copy()
    collapsed["effective"] = 0 * collapsed["effective"] + 1.0
    with pytest.raises(SettingError, match="not collapsed"):
        gs.design(simulated, collapsed, network)


@pytest.mark.parametrize(
    ("further", "words"),
    [
        (["--noise", "0.1"], "--noise is for --posterior"),
        (["--posterior", "p.nc", "--noise", "-1"], "--noise"),
        (["{map}", "--posterior", "p.nc"], "takes one map"),
        (["--posterior", "p.txt"], "p.txt"),
        (["--posterior", "{map}"], "map.nc"),
        (["--posterior", "p.nc", "-o", "./p.nc"], "two files"),
        (["--posterior", "p.nc", "--model", "nbse2-measured"], "measured maps"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    simulated: Path, further: list[str], words: str
) -> None:
    given = [one.replace("{map}", str(simulated)) for one in further]
    result = CliRunner().invoke(main, ["predict", str(simulated), *given])
    assert result.exit_code != 0
    assert words in result.output + str(result.exception)
