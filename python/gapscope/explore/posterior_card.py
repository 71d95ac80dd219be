"""The card of the posterior: a button, and what is known of the map as it narrows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import panel as pn
import xarray as xr
from bokeh.document import Document

from gapscope.explore.judge import Judge
from gapscope.explore.narrowing import MAP_FILE, Narrowing, Standing, posterior_file
from gapscope.explore.posterior_words import (
    OFFER,
    begun_html,
    command_html,
    ended_html,
    standing_html,
)
from gapscope.explore.sides import WIDTH, heading, text
from gapscope.explore.words import error_html, links_html, note_html
from gapscope.explore.worker import Outcome, Stage, Worker

START, STOP = "Compute the posterior", "Stop"


class PosteriorCard:
    """The posterior of the page's map, computed when somebody asks for it and for no other map.

    Parameters
    ----------
    reader : asks the network, as it does for verdicts.
    sampler : searches and weighs, for a minute that neither sliders nor verdicts wait for: in the
        kernel, its Green's functions and their maps take turns.
    token : of the page, under which the downloads are found.
    file : name of the posterior's.
    """

    def __init__(
        self,
        reader: Worker,
        sampler: Worker,
        judge: Judge,
        document: Document,
        token: str,
        file: str,
    ) -> None:
        self._reader, self._sampler = reader, sampler
        self._judge, self._document, self._token = judge, document, token
        self._file = file
        self._own: str | None = None
        self._source: Callable[[], xr.Dataset] | None = None
        self._job: Narrowing | None = None
        self._standing: Standing | None = None
        self._tree: xr.DataTree | None = None
        self.button = pn.widgets.Button(name=START, width=WIDTH, margin=(4, 10))
        self.button.on_click(self._pressed)
        self._progress, self._shown, self._files = text(), text(), text()
        parts = (self.button, self._progress, self._shown, self._files)
        self.column = pn.Column(heading("Posterior"), *parts)
        self.clear()

    def offer(self, source: Callable[[], xr.Dataset], own: str | None = None) -> None:
        """A map is shown that the network knows.

        Parameters
        ----------
        source : gives the map at the network's energies.
        own : name of the visitor's file that holds it; without one, the card gives it away.
        """
        self.clear()
        self._source, self._own, self.button.disabled = source, own, False

    def clear(self) -> None:
        """Another map comes, or none: end what is computed, and show nothing of it."""
        self.end()
        self._source, self.button.disabled = None, True
        self._progress.object = note_html(OFFER)
        self._shown.object = self._files.object = ""

    def end(self) -> None:
        """End what is computed, before the next Green's function."""
        if self._job is not None:
            self._job.stop()
        for worker in (self._reader, self._sampler):
            worker.forget(self._key)
        self._job = self._standing = self._tree = None
        self.button.name = START

    def download(self, name: str) -> Callable[[], bytes] | None:
        """What makes a file of the posterior; None where there is none."""
        if self._job is None or self._tree is None:
            return None
        made: dict[str, Callable[[], bytes]] = {
            self._file: partial(posterior_file, self._tree),
            MAP_FILE: self._job.map_file,
        }
        return made[name] if name in self._downloads else None

    def _pressed(self, event: object) -> None:
        source = self._source
        if source is None:
            return
        running = self._job is not None and self._tree is None
        self.offer(source, self._own)
        if running:
            return
        self._job = job = Narrowing(self._judge, source)
        self.button.name = STOP
        self._progress.object = note_html("asking the network …")
        self._ask(self._reader, job, Stage("answer", job.answer))

    @property
    def _key(self) -> tuple[str, str]:
        return self._token, self._file

    @property
    def _downloads(self) -> dict[str, str]:
        """Names of files and what they hold."""
        given = {MAP_FILE: "its map"} if self._own is None else {}
        return {self._file: "posterior"} | given

    def _ask(self, worker: Worker, job: Narrowing, stage: Stage) -> None:
        worker.request(self._key, [stage], partial(self._deliver, job))

    def _deliver(self, job: Narrowing, outcome: Outcome) -> None:
        self._document.add_next_tick_callback(partial(self._take, job, outcome))

    def _take(self, job: Narrowing, outcome: Outcome) -> None:
        if job is not self._job:
            return
        # One message for all that changes.
        with pn.io.hold(self._document):
            if outcome.error is None:
                getattr(self, f"_show_{outcome.name}")(job, outcome.value)
            else:
                self.end()
                self._progress.object = ""
                self._shown.object = error_html(outcome.error)

    def _show_answer(self, job: Narrowing, prediction: xr.Dataset) -> None:
        self._shown.object = begun_html(prediction, self._judge.known.sees())
        self._progress.object = note_html("searching …")

        def heard(news: Standing | int) -> None:
            name = "computed" if isinstance(news, int) else "standing"
            self._deliver(job, Outcome(name, news))

        self._ask(self._sampler, job, Stage("posterior", lambda: job.run(heard)))

    def _show_computed(self, job: Narrowing, computed: int) -> None:
        doing = "searching" if self._standing is None else "weighing"
        self._progress.object = note_html(f"{doing} … {computed} Green's functions so far")

    def _show_standing(self, job: Narrowing, standing: Standing) -> None:
        self._standing = standing
        self._shown.object = standing_html(standing)

    def _show_posterior(self, job: Narrowing, tree: xr.DataTree) -> None:
        assert self._standing is not None
        self._tree = tree
        self.button.name, self.button.disabled = START, True
        self._progress.object = note_html(f"{tree.attrs['greens_functions']} Green's functions")
        self._shown.object = ended_html(self._standing, str(tree.attrs["verdict"]))
        same = command_html(self._own or MAP_FILE, self._judge.model, self._file)
        self._files.object = same + links_html(self._token, self._downloads)
