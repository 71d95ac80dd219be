"""Gwyddion Simple Fields: their corner, their scale, and the padding before their values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gapscope import measured
from measured_files import GIVEN, check_frame, gsf, upright
from reader_contract import check_contract
from refusals import refused


@pytest.mark.parametrize("title", ["Z", "Zo", "Zoo", "Zooo"])
def test_the_first_row_is_the_top_behind_any_padding(tmp_path: Path, title: str) -> None:
    path = tmp_path / "field.gsf"
    path.write_bytes(gsf(upright()[::-1], title=title))
    found = measured.open(path)
    check_contract(found)
    check_frame(found)
    np.testing.assert_array_equal(found[title], upright())
    assert found[title].attrs["units"] == "A"


def test_a_field_without_units_is_given_its_width(tmp_path: Path) -> None:
    path = tmp_path / "field.gsf"
    path.write_bytes(gsf(upright()[::-1], {"XYUnits": "none", "ZUnits": "none"}, title="none"))
    found = measured.open(path, **GIVEN)
    check_frame(found)
    np.testing.assert_array_equal(found["image"], upright())
    assert "--width" in refused(path, "with its width").remedy


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"XRes": "9"}, "as much data"),
        ({"YRes": "1e9"}, "whole number up to"),
        ({"XRes": "7.5"}, "whole number up to"),
        ({"XReal": "none"}, "finite number"),
        ({"YReal": "0"}, "nm long"),
        ({"XYUnits": "V"}, "a length in"),
    ],
)
def test_what_a_header_cannot_mean_is_refused(
    tmp_path: Path, changes: dict[str, str], rule: str
) -> None:
    path = tmp_path / "field.gsf"
    path.write_bytes(gsf(upright(), changes))
    refused(path, rule)


def test_a_field_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "field.gsf"
    path.write_bytes(gsf(upright())[:-1])
    refused(path, "as much data")
    path.write_bytes(gsf(upright())[:60])
    refused(path, "zero byte")
    path.write_bytes(gsf(upright()))
    refused(path, "tells its own scale", **GIVEN)
