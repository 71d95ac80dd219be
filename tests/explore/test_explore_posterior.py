"""The posterior on the page: it narrows, stops, and takes turns with the page's maps."""

from __future__ import annotations

import json
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from bokeh.document import Document

import gapscope as gs
from gapscope.dataset.samples import simulate_samples
from gapscope.errors import MapFileError
from gapscope.explore import narrowing
from gapscope.explore.narrowing import OF_FILE, Marginal, Narrowing, Standing, command
from gapscope.explore.page import Page
from gapscope.explore.posterior_card import START, STOP
from gapscope.explore.posterior_words import ended_html, standing_html
from gapscope.explore.state import State
from gapscope.explore.worker import Outcome, Worker
from gapscope.inference.posterior.posterior import find_posterior
from gapscope.inference.posterior.result import posterior_tree
from gapscope.inference.posterior.starts import NetworkStarts
from gapscope.inference.refine import Conditions, Guess
from gapscope.problem.define import Named, define
from gapscope.problem.draft import Draft
from gapscope.problem.quantities import quantity
from gapscope.support.netcdf import write_netcdf
from hands import Hand

# Its successor, label, is newer than the oldest Panel that is allowed.
pytestmark = pytest.mark.filterwarnings("ignore:Widget.name:PendingDeprecationWarning")

WINDOW = 12
TRUTH = Guess("B1g", {"gap": 32.0, "potential": 90.0})
FILES = ("posterior.nc", "compared.nc")


def square() -> Conditions:
    """A cuprate's problem: A1g and B1g, on a coarse grid, which is all its world."""
    draft = Draft(gs.material("bi2212"), 5.0, 100.0)
    ranges = {"gap": (10.0, 50.0), "potential": (20.0, 200.0)}
    own = [quantity(name).unknown(name, *ends) for name, ends in ranges.items()]
    problem = define(draft, [Named("A1g"), Named("B1g")], own, {})
    return Conditions(problem, draft, gs.Numerics([-5.0, 20.0], 5.0, WINDOW, gs.Grid(96)))


KNOWN = square()


def answer(window: Any, network: Any) -> xr.Dataset:
    """What a network might say that is nearly right."""
    return xr.Dataset(
        {
            "probability": (("sample", "class"), [[0.3, 0.7]]),
            "label": ("sample", [1]),
            "gap": ("sample", [30.0]),
            "potential": ("sample", [100.0]),
        },
        attrs={"problem": json.dumps(KNOWN.problem.to_dict())},
    )


@pytest.fixture(scope="module")
def noisy() -> np.ndarray[Any, np.dtype[np.float32]]:
    """A map of TRUTH with a tenth of white noise."""
    clean = simulate_samples([KNOWN.sample(TRUTH)], KNOWN.numerics)[0][0]
    level = 0.1 * clean[:, KNOWN.sites].std(axis=1)
    rng = np.random.default_rng(7)
    noise = level[:, None, None] * rng.standard_normal(clean.shape)
    return np.asarray(clean + noise, dtype=np.float32)


@pytest.fixture
def toy(noisy: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One whose network knows the toy problem, whatever the state."""
    monkeypatch.setattr(narrowing, "compared", lambda maps, network: (noisy, KNOWN, network))
    monkeypatch.setattr(narrowing, "predict_windows", answer)
    known = SimpleNamespace(
        knows=lambda state: True,
        energies=(0.0,),
        crystal="Bi2212",
        sees=lambda: "its own maps",
        departures=lambda state: [],
    )
    return SimpleNamespace(
        model="runs/a model",
        network=None,
        simulated=lambda maps: answer(None, None),
        maps=lambda state: xr.Dataset({"ldos_change": ("energy", [state.gap])}),
        known=known,
        known_measured=known,
    )


def test_it_narrows_from_laplace_to_what_the_command_writes(toy: Any) -> None:
    job = Narrowing(toy, xr.Dataset)
    prediction = job.answer()
    heard: list[Standing | int] = []
    tree = job.run(heard.append)
    assert tree is not None
    standings = [one for one in heard if isinstance(one, Standing)]
    counts = [one for one in heard if isinstance(one, int)]
    assert counts == list(range(1, tree.attrs["greens_functions"] + 1))
    first, *rounds = standings
    assert (first.weighted, first.effective) == (0, 0.0)
    assert [one.weighted for one in rounds] == sorted({one.weighted for one in rounds})
    assert all(1 <= one.effective <= one.weighted for one in rounds)
    # Its numbers at the end are those of the file, and of the same search without a page.
    summary = tree.to_dataset()
    last = rounds[-1]
    np.testing.assert_array_equal(last.probability, summary["probability"])
    leading = summary.isel({"class": last.leading})
    assert str(leading["class"].item()) == "B1g"
    for one in last.marginals:
        own = leading.sel(unknown=one.unknown.name)
        assert (one.mean, one.deviation) == (float(own["mean"]), float(own["deviation"]))
        parts = own["credible"].sel(level=0.9).values
        np.testing.assert_array_equal(one.parts, parts[: len(one.parts)])
    again = posterior_tree(
        find_posterior(job._asked[0], KNOWN, NetworkStarts(prediction.isel(sample=0))),  # type: ignore[index]
        0,
    )
    xr.testing.assert_equal(tree["weighted"].to_dataset(), again["weighted"].to_dataset())
    # Narrow posteriors are nearly normal: Laplace's widths are theirs.
    for early, late in zip(first.marginals, last.marginals, strict=True):
        assert early.deviation == pytest.approx(late.deviation, rel=0.4)
        assert abs(early.mean - late.mean) < 2 * late.deviation


def test_it_stops_before_the_next_greens_function(toy: Any) -> None:
    job = Narrowing(toy, xr.Dataset)
    job.answer()
    counts: list[int] = []

    def heard(news: Standing | int) -> None:
        assert isinstance(news, int)
        counts.append(news)
        if news == 3:
            job.stop()

    assert job.run(heard) is None
    assert counts == [1, 2, 3]


def test_maps_take_turns_with_its_greens_functions(toy: Any, worker: Worker) -> None:
    """The kernel is shared: what a slider asks for does not wait until the end."""
    job = Narrowing(toy, xr.Dataset)
    job.answer()
    counts: list[int] = []

    def heard(news: Standing | int) -> None:
        counts.append(len(counts))

    running: Future[Any] = worker.run(lambda: job.run(heard))
    while not counts:
        assert not running.done()
    for _ in range(4):
        before = len(counts)
        KNOWN.values([TRUTH])
        assert len(counts) - before <= 8
    assert not running.done()
    job.stop()
    assert running.result(60) is None


class Visitor:
    """A page with the card, and hands for its reader and its sampler."""

    def __init__(self, toy: Any) -> None:
        document: Any = Document()
        document.add_next_tick_callback = lambda show: show()
        self.reader, self.sampler = Hand(), Hand()
        workers: list[Any] = [Hand(), self.reader, self.sampler]
        self.page = Page(*workers, toy, document, State())
        simulation: Any = self.page._simulation
        simulation.show_maps = lambda found, quality: None
        measurement: Any = self.page._file.pictures
        measurement.show_simulated = lambda found: None
        self.card = self.page._posterior

    def converged(self) -> None:
        """The map of the page's state comes."""
        maps: Any = SimpleNamespace(relative_error=[0.001])
        self.page._show_maps((self.page._state, maps))

    def drop(self, name: str, content: bytes) -> None:
        """A file on the drop area."""
        self.page._file.widgets.drop.value = {name: content}

    def press(self) -> None:
        """The card's button."""
        self.card.button.clicks += 1

    @property
    def shown(self) -> str:
        return "".join(
            str(one.object) for one in (self.card._progress, self.card._shown, self.card._files)
        )


@pytest.fixture
def visitor(toy: Any) -> Visitor:
    return Visitor(toy)


def test_it_begins_when_it_is_asked_for_and_ends_with_its_files(visitor: Visitor) -> None:
    assert visitor.card.button.disabled
    visitor.converged()
    assert not visitor.card.button.disabled
    assert "posterior.nc" not in visitor.reader.requests
    visitor.press()
    assert visitor.card.button.name == STOP
    visitor.reader.requests["posterior.nc"]["answer"]()
    assert "0.700" in visitor.shown
    assert "its own maps" in visitor.shown
    assert visitor.page.download(FILES[0]) is None
    visitor.sampler.requests["posterior.nc"]["posterior"]()
    shown = visitor.shown
    assert shown.index("The model explains the map") < shown.index("1.000")
    assert "--model &#x27;runs/a model&#x27; --posterior posterior.nc" in shown
    assert visitor.card.button.name == START
    for name in FILES:
        assert f"/{name}" in shown
        job = visitor.page.download(name)
        assert job is not None
        assert job()[1:4] == b"HDF"
    visitor.page._moved(State(gap=1.3))
    assert visitor.page.download(FILES[0]) is None
    assert "1.000" not in visitor.shown
    assert visitor.card.button.disabled


def test_a_moved_slider_ends_it_and_nothing_late_is_shown(visitor: Visitor) -> None:
    visitor.converged()
    visitor.press()
    visitor.reader.requests["posterior.nc"]["answer"]()
    late, job = visitor.sampler.requests["posterior.nc"]["posterior"], visitor.card._job
    assert job is not None
    visitor.page._moved(State(gap=1.3))
    assert "posterior.nc" not in visitor.sampler.requests
    before = visitor.shown
    late()  # returns at once: it was stopped
    visitor.sampler.fail("posterior", MapFileError("A rule.", 1, "A remedy."))
    visitor.card._deliver(job, Outcome("computed", 7))
    assert visitor.shown == before
    assert visitor.page.download(FILES[0]) is None


def test_the_button_stops_it_and_begins_it_anew(visitor: Visitor) -> None:
    visitor.converged()
    visitor.press()
    visitor.reader.requests["posterior.nc"]["answer"]()
    first = visitor.card._job
    visitor.press()
    assert visitor.card._job is None
    assert first is not None
    assert first._stopped.is_set()
    assert "posterior.nc" not in visitor.sampler.requests
    assert visitor.card.button.name == START
    visitor.press()
    assert "posterior.nc" in visitor.reader.requests


def test_a_refusal_is_shown_in_the_card(visitor: Visitor) -> None:
    visitor.converged()
    visitor.press()
    visitor.reader.fail("answer", MapFileError("This run looks at 64 sites.", "32", "Use more."))
    assert "This run looks at 64 sites." in visitor.shown
    assert visitor.card.button.name == START
    assert not visitor.card.button.disabled


def test_numbers_that_are_not_explained_are_pale(toy: Any) -> None:
    standing = Standing(KNOWN.problem, np.array([0.2, 0.8]), 1, (), 12, 3.2, 48)
    html = ended_html(standing, "The weights have collapsed: <few>.")
    assert html.index("&lt;few&gt;") < html.index("0.800")
    assert 'class="badge unlike"' in html
    assert 'class="doubt"' in html
    assert "Effective number of simulated Green&#x27;s functions 3.2, of 48" in html
    assert 'class="doubt"' not in ended_html(standing, "The model explains the map: 1 % is left.")
    assert "Laplace" in standing_html(Standing(KNOWN.problem, np.array([0.2, 0.8]), 1, (), 12))


def test_all_intervals_of_a_set_are_told() -> None:
    theta = quantity("theta").unknown("theta", 0.0, np.pi)
    parts = np.array([[0.2, 0.3], [1.2, 1.3]])
    marginal = Marginal(theta, 0.25, 0.02, parts)
    html = standing_html(Standing(KNOWN.problem, np.array([0.2, 0.8]), 1, (marginal,), 12))
    assert "0.200 … 0.300<br>1.200 … 1.300" in html


def test_the_command_quotes_file_and_model() -> None:
    words = command("my map.nc", "a b", "p.nc")
    assert words == "gapscope predict 'my map.nc' --model 'a b' --posterior p.nc"


@pytest.fixture(scope="module")
def map_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A simulated map, whose content the toy network does not look at."""
    sample = KNOWN.sample(TRUTH)
    maps = gs.simulate(sample.specification, KNOWN.numerics)
    return write_netcdf(maps, tmp_path_factory.mktemp("map") / "map.nc").read_bytes()


def test_a_simulated_map_that_is_dropped_is_read_and_has_its_posterior(
    visitor: Visitor, map_file: bytes
) -> None:
    card = visitor.page._file.posterior
    assert not card.column.visible
    visitor.drop("my map.nc", map_file)
    visitor.reader.requests["file"]["file"]()
    for stage in ("answer", "drawn"):
        visitor.reader.requests["map"][stage]()
    measurement = visitor.page._file.pictures
    assert measurement.image.picture.figure.title.text.startswith(
        "Re ρ(q) of the file,  ω = -5 meV"
    )
    assert measurement.image.picture.figure.visible
    assert not measurement.raw.figure.visible
    assert "0.700" in visitor.page._sides._measured.object
    assert card.column.visible
    card.button.clicks += 1
    visitor.reader.requests[OF_FILE]["answer"]()
    visitor.page._moved(State(gap=1.3))  # a slider is not the file's
    visitor.sampler.requests[OF_FILE]["posterior"]()
    assert "predict &#x27;my map.nc&#x27; --model" in card._files.object
    made = visitor.page.download(OF_FILE)
    assert made is not None
    assert made()[1:4] == b"HDF"
    assert visitor.page.download("compared.nc") is None
    assert "compared.nc" not in card._files.object
    visitor.drop("compared.nc", map_file)  # a name that the other card gives to its map
    assert visitor.page.download(OF_FILE) is None
    assert not card.column.visible
    visitor.reader.requests["file"]["file"]()
    visitor.reader.requests["map"]["answer"]()
    assert card._downloads == {OF_FILE: "posterior"}


def test_a_map_file_that_does_not_fit_the_network_is_refused(
    visitor: Visitor, map_file: bytes
) -> None:
    visitor.drop("map.nc", map_file)
    visitor.reader.requests["file"]["file"]()
    visitor.reader.fail("answer", MapFileError("This run looks at 64 sites.", "12", "Use more."))
    assert "This run looks at 64 sites." in visitor.page._file.pictures.found.object
    assert not visitor.page._file.posterior.column.visible
    visitor.drop("damaged.nc", map_file[:999])
    with pytest.raises(MapFileError):
        visitor.reader.requests["file"]["file"]()
