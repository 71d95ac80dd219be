"""Verdicts in words: whether the network can know comes first."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from gapscope.errors import PreparationError
from gapscope.explore.judge import Judge
from gapscope.explore.results import maps
from gapscope.explore.state import CONVERGED, State
from gapscope.explore.words import error_html, links_html, nearest_html, summary_html, verdict_html
from gapscope.physics import LABELS


def prediction(label: str = "Eg", *, unlike: bool = False, calibrated: bool = True) -> xr.Dataset:
    probability = np.where(np.array(LABELS) == label, 0.92, 0.02)[None]
    theta = np.nan if label == "A12u" else 0.31
    values = {
        "probability": (("sample", "class"), probability),
        "label": ("sample", [LABELS.index(label)]),
        "gap": ("sample", [1.25]),
        "theta": ("sample", [theta]),
        "eps0": ("sample", [-12.34]),
    }
    if calibrated:
        for name, value in (("gap", 1.25), ("theta", theta), ("eps0", -12.34)):
            values[f"{name}_low"] = ("sample", [value - 0.1])
            values[f"{name}_high"] = ("sample", [value + 0.1])
        values["irrep_set"] = (("sample", "class"), probability > 0.5)
        values |= {"novelty_p": ("sample", [0.003]), "unlike_training": ("sample", [unlike])}
    return xr.Dataset(values, {"class": list(LABELS)}, {"level": 0.9})


def test_a_verdict_names_what_the_page_has() -> None:
    told = prediction(unlike=True).assign(likely_change=("sample", ["moved (3, -2)"]))
    html = verdict_html(told)
    assert "tap it in the map as measured" in html
    assert "--" not in html


@pytest.mark.parametrize("unlike", [False, True])
def test_the_likeness_stands_before_all_numbers(unlike: bool) -> None:
    html = verdict_html(prediction(unlike=unlike), ["ω = 1 & more"])
    words = "Unlike the training maps" if unlike else "Like the training maps"
    order = [words, "ω = 1 &amp; more", "0.920", "1.250", "1.150 … 1.350"]
    places = [html.index(one) for one in order]
    assert places == sorted(places)
    assert ('class="badge unlike"' in html) == unlike
    assert ('class="doubt"' in html) == unlike
    short = summary_html(prediction(unlike=unlike))
    assert short.index(words) < short.index("0.920")


def test_without_a_calibration_there_are_no_intervals() -> None:
    html = verdict_html(prediction(calibrated=False))
    assert html.index("No calibration") < html.index("0.920")
    assert "…" not in html
    assert "●" not in html


def test_a_class_without_an_angle_shows_none() -> None:
    html = verdict_html(prediction("A12u"))
    assert "no angle" in html
    assert "nan" not in html


def test_nearest_maps_are_listed_where_known() -> None:
    assert nearest_html(prediction()) == ""
    over = ("sample", "rank")
    known = prediction().assign(
        nearest_label=(over, [[0, 1]]),
        nearest_gap=(over, [[0.5, 0.6]]),
        nearest_theta=(over, [[0.7, np.nan]]),
        nearest_eps0=(over, [[10.0, -20.0]]),
        nearest_setpoint=(over, [[np.nan, 17.0]]),
        nearest_distance=(over, [[0.12, 0.34]]),
    )
    html = nearest_html(known)
    assert html.index("0.12") < html.index("17") < html.index("0.34")
    assert "nan" not in html


def test_links_are_relative_so_that_they_stay_on_this_server() -> None:
    assert 'href="download/token/map.nc"' in links_html("token", {"map.nc": "map"})


def test_the_network_reads_a_map_of_its_kind_and_says_so(judge: Judge) -> None:
    state = State()
    assert judge.known.departures(state) == []
    found = judge(state, maps(state, CONVERGED))
    assert LABELS[int(found["label"][0])] == "Eg"
    assert float(found["gap"][0]) == pytest.approx(state.gap, abs=0.02)
    assert not bool(found["unlike_training"][0])


def test_the_network_knows_its_own_crystal_alone(judge: Judge) -> None:
    assert judge.known.knows(State())
    assert not judge.known.knows(State.first("bi2212", 35.0))


def test_every_slider_off_the_training_maps_is_named(judge: Judge) -> None:
    state = State(
        gap=2.0, phi=1.0, eps0=-300.5, impurity=60.0, moment=5.0, energy=0.5, broadening=0.2
    )
    found = " ".join(judge.known.departures(state))
    for words in ("ω = 0.5", "δ = 0.2", "v = 60", "J = 5", "φ = 1", "Δ = 2", "ε₀ = -300.5"):
        assert words in found


def test_the_gap_of_a2u_counts_in_the_normalisation_of_its_class(judge: Judge) -> None:
    assert judge.known.departures(State(irrep="A2u", gap=2.0)) == []
    assert judge.known.departures(State(irrep="A1u", gap=2.0)) != []


def test_a_map_off_its_kind_is_called_unlike(judge: Judge) -> None:
    state = State(energy=2.0, impurity=-150.0, broadening=0.5)
    found = judge(state, maps(state, CONVERGED))
    assert bool(found["unlike_training"][0])


def test_a12u_has_no_theta(judge: Judge) -> None:
    state = State(irrep="A1u")
    found = judge(state, maps(state, CONVERGED))
    assert LABELS[int(found["label"][0])] == "A12u"
    assert np.isnan(float(found["theta"][0]))


def test_remedies_name_the_fields_of_the_page() -> None:
    error = PreparationError("A rule.", "this", "Give --lattice-constant, or widen it (--scale).")
    html = error_html(error)
    assert "Give the field “lattice constant (Å)”, or widen it (gapscope prepare --scale)." in html
