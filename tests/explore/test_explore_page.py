"""What a page shows when answers come late: only those of what was asked last."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from bokeh.document import Document
from bokeh.events import Tap

from gapscope.errors import LatticeNotFoundError, MeasurementFileError
from gapscope.explore.page import Page
from gapscope.explore.state import State
from gapscope.explore.upload import open_bytes
from gapscope.explore.worker import Worker
from hands import Hand
from spip_text import atoms, spip

# Its successor, label, is newer than the oldest Panel that is allowed.
pytestmark = pytest.mark.filterwarnings("ignore:Widget.name:PendingDeprecationWarning")

FIGURE = "preparation.png"
TEXT = spip(atoms(128, 8.0), 8.0).encode()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def page(hand: Hand) -> Page:
    """A page whose document takes answers at once."""
    document: Any = Document()
    document.add_next_tick_callback = lambda show: show()
    worker: Any = hand
    known = SimpleNamespace(knows=lambda state: True, energies=(0.0,), crystal="NbSe2")
    judge: Any = SimpleNamespace(
        model="model",
        measured=lambda prepared, centre, at: centre,
        known=known,
        known_measured=SimpleNamespace(**vars(known) | {"energies": (0.6,)}),
    )
    return Page(worker, worker, worker, judge, document, State())


def drop(page: Page, name: str, content: bytes = TEXT) -> None:
    page._file.widgets.drop.value = {name: content}


def two_channels(page: Page, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of which the first channel is being prepared."""

    def opened(name: str, content: bytes, *scale: float) -> xr.Dataset:
        dataset = open_bytes(name, content)
        return dataset.assign(other=-dataset["image"])

    monkeypatch.setattr("gapscope.explore.dropped_file.open_bytes", opened)
    drop(page, "first.txt")
    hand.requests["file"]["file"]()
    assert page._file.widgets.channel.options == ["image", "other"]


def test_of_a_grid_of_spectra_the_map_at_the_networks_energy_stands_first(
    page: Page, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(name: str, content: bytes, *scale: float) -> xr.Dataset:
        one = open_bytes(name, content)
        biases = xr.Variable("bias", [-1.0, 0.0, 0.5, 1.0], {"units": "mV"})
        grid = xr.concat([one["image"]] * 4, biases).transpose("y", "x", "bias")
        return xr.Dataset({"image": grid}, attrs=one.attrs)

    monkeypatch.setattr("gapscope.explore.dropped_file.open_bytes", opened)
    drop(page, "grid.txt")
    hand.requests["file"]["file"]()
    assert page._file.widgets.bias.visible
    assert page._file.widgets.bias.value == 0.5
    hand.requests["map"]["raw"]()
    assert page._file.pictures.raw.figure.title.text == "as measured at 0.5 mV  (nA)"
    page._file.widgets.bias.value = -1.0
    hand.requests["map"]["raw"]()
    assert page._file.pictures.raw.figure.title.text == "as measured at -1 mV  (nA)"


def test_a_file_is_read_and_its_figure_offered(page: Page, hand: Hand) -> None:
    drop(page, "first.txt")
    assert page.download(FIGURE) is None
    hand.requests["file"]["file"]()
    for stage in ("raw", "prepared"):
        hand.requests["map"][stage]()
    figure = page.download(FIGURE)
    assert figure is not None
    assert figure().startswith(b"\x89PNG\r\n")
    assert FIGURE in page._sides._links.object


def test_a_tap_on_the_raw_map_reads_it_around_there(
    page: Page, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = page._file.pictures.raw.figure
    tap: Any = partial(Tap, figure, x=5.0, y=3.0)
    figure._trigger_event(tap())  # nothing to read yet
    assert "map" not in hand.requests
    drop(page, "first.txt")
    hand.requests["file"]["file"]()
    hand.requests["map"]["prepared"]()
    assert page._file.placed is not None
    middle = page._file.placed.in_scan
    figure._trigger_event(tap())
    assert list(hand.requests["map"]) == ["prepared", "prediction"]
    hand.requests["map"]["prepared"]()
    x, y = page._file.placed.in_scan
    assert np.hypot(x - 5.0, y - 3.0) < 0.25 < np.hypot(x - middle[0], y - middle[1])
    assert f"({x:.2f}, {y:.2f}) nm" in page._file.pictures.found.object
    marks = [rings.source.data for rings in page._file.pictures._atoms]
    assert [marks[0]["x"][0], marks[0]["y"][0]] == [x, y]
    asked = []
    monkeypatch.setattr(page._sides, "show_measured", lambda found, other: asked.append(found))
    hand.requests["map"]["prediction"]()
    assert asked == [(5.0, 3.0)]
    drop(page, "second.txt")
    figure._trigger_event(tap())  # the file is not open yet
    assert "map" not in hand.requests


def test_an_old_channels_preparation_is_not_that_of_the_new_one(
    page: Page, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_channels(page, hand, monkeypatch)
    old = hand.requests["map"]["prepared"]
    page._file.widgets.channel.value = "other"
    old()
    hand.fail("prepared", LatticeNotFoundError("A lattice is found.", "none", "Use another."))
    assert page.download(FIGURE) is None
    assert FIGURE not in page._sides._links.object
    assert "LatticeNotFoundError" in page._file.pictures.found.object


def test_a_file_that_is_too_large_leaves_nothing_of_the_one_before(page: Page, hand: Hand) -> None:
    drop(page, "first.txt")
    hand.requests["file"]["file"]()
    old = hand.requests["map"]["prepared"]
    page._file.widgets.drop.refused(MeasurementFileError("Too large.", 1, "Export a part of it."))
    assert hand.requests == {}
    old()
    assert page.download(FIGURE) is None
    assert "Too large." in page._file.pictures.found.object


def test_an_earlier_file_that_is_still_read_is_not_shown(page: Page, hand: Hand) -> None:
    drop(page, "first.txt")
    old = hand.requests["file"]["file"]
    drop(page, "second.txt", b"not a map")
    old()
    assert "map" not in hand.requests
    hand.fail("file", MeasurementFileError("No map.", 1, "Use another."))
    assert "No map." in page._file.pictures.found.object


def test_a_file_that_is_being_read_has_no_answers_and_channels_of_another(
    page: Page, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_channels(page, hand, monkeypatch)
    old = hand.requests["map"]
    old["prepared"]()
    drop(page, "second.txt")
    assert page.download(FIGURE) is None
    assert list(hand.requests) == ["file"]
    monkeypatch.setattr(page._sides, "show_measured", lambda found, other: None)
    old["prediction"]()
    assert "second.txt read" not in page._sides.status.object
    page._file.widgets.channel.value = "other"
    assert list(hand.requests) == ["file"]


def test_sliders_do_not_wait_for_the_network() -> None:
    worker, reader = Hand(), Hand()
    document: Any = SimpleNamespace(add_next_tick_callback=lambda show: show())
    asked = []
    known = SimpleNamespace(
        departures=lambda state: [],
        sees=lambda: "maps",
        crystal="NbSe2",
        energies=(0.0,),
        knows=lambda state: state.crystal == "nbse2",
    )
    judge: Any = SimpleNamespace(model="model", known=known, known_measured=known)
    page = Page(worker, reader, reader, judge, document, State())  # type: ignore[arg-type]
    page._moved(page._state)
    assert "verdict" not in worker.requests["state"]
    assert not reader.requests
    page._simulation.show_maps = lambda found, quality: asked.append(quality)  # type: ignore
    page._file.pictures.show_simulated = asked.append  # type: ignore
    maps = SimpleNamespace(relative_error=[0.001])
    page._show_maps((page._state, maps))  # type: ignore[arg-type]
    assert list(reader.requests["verdict"]) == ["verdict"]
    moved = replace(page._state, gap=1.5)
    page._moved(moved)
    assert not reader.requests
    page._show_maps((replace(moved, gap=1.2), maps))  # type: ignore[arg-type]
    assert not reader.requests  # those of an earlier state, which was still being computed
    assert len(asked) == 4
    cuprate = State.first("bi2212", 35.0)
    page._moved(cuprate)
    page._show_maps((cuprate, maps))  # type: ignore[arg-type]
    assert not reader.requests
    assert "does not know Bi2212" in page._sides._verdict.object
    assert "Pairing.of(" in page._sides._lines.object


def test_a_visitor_who_has_gone_does_not_stop_the_worker(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    document = Document()
    measured = SimpleNamespace(energies=(0.0,))
    judge: Any = SimpleNamespace(model="model", known_measured=measured)
    page = Page(worker, worker, worker, judge, document, State())
    session: Any = object()
    document.on_change_dispatch_to(session)
    document.destroy(session)  # as bokeh does before it tells the page
    drop(page, "first.txt")
    assert worker.run(lambda: "alive").result(60) == "alive"
    assert "AttributeError" in caplog.text
