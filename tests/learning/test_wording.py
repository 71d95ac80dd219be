"""Numbers of a verdict in words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import xarray as xr

from gapscope.errors import MapFileError
from gapscope.inference.kinds import require_options
from gapscope.learning.evaluation.listing import nearest_text, prediction_text, verdict_lines
from gapscope.learning.evaluation.wording import (
    change_words,
    factor_words,
    interval_words,
    p_words,
    range_words,
)
from gapscope.learning.uncertainty.changes import KINDS
from gapscope.physics import LABELS
from gapscope.problem.paper import paper_problem

PAPER = paper_problem({"gap": (0.3, 1.5), "eps0": (-300.0, 100.0), "theta": (0.0, 3.14)})


def prediction(unlike: bool = False, **values: float | str) -> xr.Dataset:
    """One map's prediction, calibrated with 1999 maps."""
    numbers: dict[str, Any] = {"gap": 1.0, "theta": 0.5, "eps0": 20.0, "novelty_p": 0.17, **values}
    for name, width in (("gap", 1e-4), ("theta", 0.01), ("eps0", 0.002)):
        numbers.setdefault(f"{name}_low", numbers[name] - width)
        numbers.setdefault(f"{name}_high", numbers[name] + width)
    found = xr.Dataset({name: ("sample", [value]) for name, value in numbers.items()})
    chance = np.eye(len(LABELS))[:1]
    found["probability"] = (("sample", "class"), chance)
    found["irrep_set"] = (("sample", "class"), chance > 0)
    found["label"] = ("sample", [0])
    found["unlike_training"] = ("sample", [unlike])
    return found.assign_attrs(level=0.9, novelty_level=0.01, novelty_floor=1 / 2000)


@pytest.mark.parametrize("p", [0.17, 1 / 2000, 2 / 2000])
def test_a_p_at_its_floor_is_a_bound(p: float) -> None:
    words = p_words(prediction(novelty_p=p).isel(sample=0))
    assert words == {0.17: "p = 0.17", 1 / 2000: "p <= 0.0005", 2 / 2000: "p = 0.001"}[p]


@pytest.mark.parametrize("width", [0.3, 4e-3, 3e-4, 9.99e-4, 2e-6])
@pytest.mark.parametrize("value", [1.0, 0.0, -12.25, 0.12345678])
def test_an_interval_is_never_printed_narrower_than_it_is_told_apart(
    value: float, width: float
) -> None:
    text, low, high = interval_words(value, (value - width, value + width), 3)
    assert float(low) < float(text) < float(high)
    assert len({len(words.split(".")[1]) for words in (text, low, high)}) == 1


@pytest.mark.parametrize("digits", [0, 1, 3])
def test_zero_has_no_sign(digits: int) -> None:
    assert not interval_words(-1e-9, None, digits)[0].startswith("-")
    assert interval_words(-0.01, (-0.03, 0.01), 1) == ("-0.01", "-0.03", "0.01")
    assert interval_words(0.0, (0.0, 0.0), 1) == ("0.0", "0.0", "0.0")


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1e3, "1/eV"),
        (1e-3, "1/eV"),
        (1e-6, "divided by 1000 twice"),
        (-1.0, "sign may be reversed"),
        (-1e3, "1/eV"),
        (0.2, "0.2 times"),
        (3.7e5, "arbitrary"),
        (27211.4, "hartree"),
    ],
)
def test_a_factor_names_the_likely_unit(factor: float, words: str) -> None:
    found = prediction(unlike=True, likely_factor=factor)
    assert any(words in said for said in factor_words(found.isel(sample=0)))
    assert words in prediction_text(found, ["map.nc"])


def test_no_factor_says_nothing() -> None:
    assert factor_words(prediction(likely_factor=np.nan).isel(sample=0)) == []
    assert factor_words(prediction().isel(sample=0)) == []


@pytest.mark.parametrize("unlike", [False, True])
def test_what_is_said_of_an_unlike_map_stands_apart(unlike: bool) -> None:
    found = prediction(unlike=unlike, novelty_p=1 / 2000 if unlike else 0.5)
    line = prediction_text(found, ["map.nc"]).splitlines()[2]
    assert ("(A1g)" in line) == unlike
    assert ("(1.0000 [0.9999, 1.0001])" in line) == unlike
    for name, value in (("label", 0), ("gap", 1.0), ("theta", 0.5), ("eps0", -0.001)):
        found[f"nearest_{name}"] = (("sample", "rank"), [[value]])
    found["nearest_setpoint"] = (("sample", "rank"), [[np.nan]])
    found["nearest_distance"] = (("sample", "rank"), [[0.3]])
    listed = nearest_text(found, ["map.nc"]).splitlines()[2]
    assert ("(A1g)" in listed) == unlike
    assert "-0.0" not in listed


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_is_said_with_its_amount_or_without(kind: str) -> None:
    (vague,) = change_words(prediction(unlike=True, likely_change=kind).isel(sample=0))
    (exact,) = change_words(prediction(unlike=True, likely_change=f"{kind} 15").isel(sample=0))
    assert "{" not in vague + exact
    assert ("15" in exact) == (kind in ("turned", "stretched", "moved"))
    assert "15" not in vague


@pytest.mark.parametrize("unlike", [False, True])
def test_a_map_of_no_state_that_was_learned_is_said_to_be_one(unlike: bool) -> None:
    found = prediction(unlike, outside_range="eps0, gap")
    problem = PAPER.to_dict()
    problem["unknowns"][1]["least"] = 10.0
    found.attrs["problem"] = json.dumps(problem)
    text = prediction_text(found, ["map.nc"])
    words = "for eps0 (-300 to -10 and 10 to 100 meV); gap (0.3 to 1.5 meV). The map"
    assert (words in text) is not unlike  # of which no number is to be trusted
    assert (words in " ".join(verdict_lines(found.isel(sample=0)))) is not unlike
    assert range_words(prediction(unlike).isel(sample=0)) == []


@pytest.mark.parametrize("kind", ["turned", "reversed", "negative", "stretched", "moved", "scaled"])
def test_what_a_discriminator_takes_for_a_change_is_called_possible(kind: str) -> None:
    """Rare maps of the network's own kind look changed, too."""
    (told,) = change_words(prediction(unlike=True, likely_change=kind).isel(sample=0))
    assert " may " in told


@pytest.mark.parametrize("kind", ["moved (1, 0)", "empty"])
def test_the_option_for_measured_maps_is_not_a_simulated_one_s_remedy(kind: str) -> None:
    """``predict`` refuses --centre for a simulated map."""
    (told,) = change_words(prediction(unlike=True, likely_change=kind).isel(sample=0))
    assert "measured map (--centre)" in told
    with pytest.raises(MapFileError, match="is for measured files"):
        require_options({"map.nc": "map"}, ["--centre"], "")
