"""The whole path in a real browser: a slider, a file, a prediction, a download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gapscope.explore.results import maps
from gapscope.explore.state import CONVERGED, State
from gapscope.simulation.mapfile import read_map
from spip_text import atoms, spip

EMPTY = -1
"""Hash of no pixels."""
LONG = 600_000
"""Milliseconds."""


def test_a_visit(visit: Any, tmp_path: Path) -> None:
    image, sites = "Re ρ(q)", "δρ(r)"
    before, beside = visit.pixels(image), visit.pixels(sites)
    frames = [visit.frame(one) for one in (image, sites, "A(k)")]
    visit.move("gap", 4)
    visit.changed(image, before)
    visit.changed(sites, beside)
    visit.text("gap=1.2,")
    visit.text("converged")

    visit.tab.get_by_label("irrep of the gap").select_option("A1g")
    visit.text("'A1g'")
    visit.text("converged")
    with visit.tab.expect_download(timeout=LONG) as coming:
        visit.tab.get_by_text("map.nc", exact=True).click()
    path = tmp_path / "map.nc"
    coming.value.save_as(path)
    expected = maps(State(irrep="A1g", gap=1.2), CONVERGED)
    found = read_map(path)
    assert found.attrs["irrep"] == "A1g"
    np.testing.assert_allclose(found.ldos_change, expected.ldos_change, rtol=1e-6, atol=1e-12)

    visit.move("energy", 10)
    visit.text("ω = 0.5, trained at 0 meV")

    bad = tmp_path / "bad.npy"
    bad.write_bytes(b"\x93NUMPY\x01\x00junk")
    visit.drop(bad)
    visit.text("MeasurementFileError")

    good = tmp_path / "atoms.txt"
    good.write_text(spip(atoms(192, 8.0), 8.0))
    visit.drop(good)
    visit.text("affine correction")
    visit.text("nearest simulated maps")
    visit.text("3 × 3 density wave")
    before = visit.pixels("measured Re ρ(q)")
    visit.tap("as measured", 0.35, 0.6)
    visit.changed("measured Re ρ(q)", before)
    visit.text("atoms.txt read")
    with visit.tab.expect_download(timeout=LONG) as coming:
        visit.tab.get_by_text("preparation.png").click()
    assert Path(coming.value.path()).read_bytes().startswith(b"\x89PNG\r\n")

    plain = tmp_path / "plain.npy"
    np.save(plain, atoms(128, 8.0))
    visit.drop(plain)
    visit.text("opened with its width")
    visit.tab.get_by_label("width (nm)").fill("8")
    visit.tab.get_by_label("height (nm)").fill("8")
    visit.tab.get_by_label("height (nm)").press("Enter")
    visit.text("affine correction")

    assert visit.overflow() == (0, 0)
    visit.tab.get_by_text("Simulation", exact=True).click()
    visit.text("This view in Python")
    visit.move("gap", -1)
    visit.text("gap=1.15,")
    assert [visit.frame(one) for one in (image, sites, "A(k)")] == frames
    assert visit.overflow() == (0, 0)
    assert visit.outside == []


def test_without_an_impurity_the_maps_are_empty_and_the_rest_is_there(visit: Any) -> None:
    visit.settled()
    visit.move("impurity", -10)
    visit.text("No map: move the slider")
    assert visit.pixels("Re ρ(q)") == visit.pixels("δρ(r)") == EMPTY
    visit.move("gap", 1)
    visit.text("density of states coarse, a k-grid of 256")
    visit.settled()
    visit.text("A(k) converged")
    assert visit.pixels("Re ρ(q)") == EMPTY
    visit.move("moment", 3)
    visit.changed("Re ρ(q)", EMPTY)
    visit.text("map converged, estimated error")
    visit.text("J = 15, trained at 0 meV")


@pytest.fixture(scope="module")
def resting(tools: ModuleType, browser: Any, address: str) -> Iterator[Any]:
    """A visit whose sliders stay where they were, for several tests."""
    with tools.visit(browser, address) as one:
        yield one


def test_a_page_has_nothing_of_another(resting: Any, address: str) -> None:
    other = resting.tab.context.browser.new_page()
    other.goto(address, timeout=LONG)
    links = {
        tab.get_by_text("map.nc", exact=True)
        .locator("xpath=..")
        .get_attribute("href", timeout=LONG)
        for tab in (resting.tab, other)
    }
    other.close()
    assert len(links) == 2
    assert all(link.startswith("download/") for link in links)


def test_nothing_is_cut_in_windows_of_any_width(resting: Any, tmp_path: Path) -> None:
    resting.settled()
    good = tmp_path / "atoms.txt"
    good.write_text(spip(atoms(192, 8.0), 8.0))
    for view in ("Simulation", "Measured file"):
        resting.tab.get_by_text(view, exact=True).click()
        if view == "Measured file":
            resting.drop(good)
            resting.text("nearest simulated maps")
        for width in (1440, 1320, 1200, 700, 390):
            assert resting.cut(width) == [], (view, width)
