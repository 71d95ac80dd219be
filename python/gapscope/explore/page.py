"""One visitor's page: what it asks of the workers, and where the answers go."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import xarray as xr
from bokeh.document import Document

from gapscope.explore.controls import Controls
from gapscope.explore.dropped_file import DroppedFile
from gapscope.explore.fitting import fit
from gapscope.explore.judge import Judge
from gapscope.explore.narrowing import OF_FILE, POSTERIOR_FILE
from gapscope.explore.posterior_card import PosteriorCard
from gapscope.explore.prepared_map import preparation_file
from gapscope.explore.python_lines import python_lines
from gapscope.explore.results import (
    density,
    density_part,
    figure_file,
    map_file,
    maps,
    spectral,
    spectral_part,
)
from gapscope.explore.sides import Sides, text
from gapscope.explore.simulated_view import Simulation
from gapscope.explore.state import COARSE, CONVERGED, Quality, State
from gapscope.explore.words import note_html
from gapscope.explore.worker import Outcome, Stage, Worker

REST = 0.15
"""Seconds without a move after which a state is computed to convergence."""
BREATH = 0.05
"""Seconds in which the browser draws a coarse picture, on the same cores, before the next."""
VIEWS = ("Simulation", "Measured file")
FIRST = "Move a slider: pictures and verdict follow. Or drop a map of your own in the other view."


class Page:
    """Widgets, pictures and texts of one visitor.

    Parameters
    ----------
    worker : simulates; ``reader`` reads and prepares files and asks the networks, which takes
        seconds that no slider waits for; ``sampler`` computes posteriors.
    first : where the sliders stand first.

    Attributes
    ----------
    token : a secret that names this page in the addresses of its downloads.
    """

    def __init__(
        self,
        worker: Worker,
        reader: Worker,
        sampler: Worker,
        judge: Judge,
        document: Document,
        first: State,
    ) -> None:
        self.token = secrets.token_urlsafe(16)
        self._worker, self._reader = worker, reader
        self._judge, self._document = judge, document
        self._state = first
        self._simulation = Simulation()
        self._controls = Controls(self._state, self._moved)
        self._sides = Sides(self.token)
        card = partial(PosteriorCard, reader, sampler, judge, document, self.token)
        self._posterior = card(POSTERIOR_FILE)
        self._file = DroppedFile(
            reader, judge, document, self._sides, card(OF_FILE), self.token, lambda: self._state
        )

    def download(self, name: str) -> Callable[[], bytes] | None:
        """What makes a file of this page, to be run by ``worker``; None if there is none."""
        state, placed = self._state, self._file.placed
        jobs: dict[str, Callable[[], bytes]] = {
            "map.nc": partial(map_file, state),
            "view.png": partial(figure_file, state),
            "view.py": self._lines(state).encode,
        }
        if placed is not None:
            jobs["preparation.png"] = partial(preparation_file, placed)
        cards = (self._posterior, self._file.posterior)
        return jobs.get(name) or next(filter(None, (one.download(name) for one in cards)), None)

    def serve(self) -> None:
        """Put the page into its document; asks for its first pictures."""
        choice = pn.widgets.RadioButtonGroup(
            options=list(VIEWS),
            value=VIEWS[0],
            width=260,
            margin=(8, 10),
            button_type="primary",
            button_style="outline",
        )
        title = text("<h1>gapscope <span>explore</span></h1>", width=236)
        first = text(note_html(FIRST), width=330, margin=(15, 10))
        header = pn.FlexBox(title, choice, first, self._sides.status, css_classes=["wide"])
        views = dict(zip(VIEWS, (self._simulation_parts(), self._file.parts()), strict=True))

        def choose(event: Any) -> None:
            with pn.io.hold(self._document):
                for name, parts in views.items():
                    for part in parts:
                        part.visible = name == event.new

        for part in views[VIEWS[1]]:
            part.visible = False
        choice.param.watch(choose, "value")
        self._document.title = "gapscope explore"
        # Bokeh lays out a whole root when a colour bar in it changes: each picture is one.
        for part in (header, *itertools.chain(*views.values())):
            part.server_doc(self._document, location=False)
        fit(self._document, self._simulation.figures, self._file.pictures.figures)
        # Before the browser is there, Bokeh may lose what other threads hand it.
        pn.state.onload(lambda: self._moved(self._state))

    def _lines(self, state: State) -> str:
        known = self._judge.known
        reads = known.knows(state) and known.energies == (state.energy,)
        return python_lines(state, self._judge.model if reads else "")

    def end(self) -> None:
        """The visitor has gone."""
        self._forget("state", "verdict")
        self._file.forget()
        self._posterior.end()
        self._file.posterior.end()

    def _simulation_parts(self) -> list[pn.viewable.Viewable]:
        controls = self._controls.column()
        sides = self._sides.simulation(self._posterior.column)
        controls.css_classes, sides.css_classes = ["left"], ["right"]
        return [controls, sides, *self._simulation.rows()]

    def _moved(self, state: State) -> None:
        self._state = state
        self._forget("verdict")
        self._posterior.clear()
        converged = Stage("maps", lambda: (state, maps(state, CONVERGED)), REST)
        stages = [
            Stage("coarse", lambda: maps(state, COARSE) if state.scatters else None),
            Stage(
                "spectral", lambda: (state, spectral(state, COARSE), COARSE), BREATH, joined=True
            ),
            Stage("density", lambda: (state, density(state, COARSE), COARSE), BREATH, joined=True),
            *([converged] if state.scatters else []),
            *(
                Stage("part", partial(spectral_part, state, CONVERGED, part), REST)
                for part in range(CONVERGED.parts)
            ),
            Stage("spectral", lambda: (state, spectral(state, CONVERGED), CONVERGED)),
            *(
                Stage("part", partial(density_part, state, CONVERGED, part), 2 * REST)
                for part in range(CONVERGED.parts)
            ),
            Stage("density", lambda: (state, density(state, CONVERGED), CONVERGED)),
        ]
        self._ask("state", stages)

    def _ask(self, kind: str, stages: list[Stage]) -> None:
        def deliver(outcome: Outcome) -> None:
            self._document.add_next_tick_callback(partial(self._show, outcome))

        self._asked(kind).request((self.token, kind), stages, deliver)

    def _forget(self, *kinds: str) -> None:
        for kind in kinds:
            self._asked(kind).forget((self.token, kind))

    def _asked(self, kind: str) -> Worker:
        return self._worker if kind == "state" else self._reader

    def _show(self, outcome: Outcome) -> None:
        # One message for all that changes.
        with pn.io.hold(self._document):
            if outcome.error is None:
                getattr(self, f"_show_{outcome.name}")(outcome.value)
            else:
                self._sides.say("")
                self._sides.show_error(outcome.error)

    def _show_coarse(self, found: xr.Dataset | None) -> None:
        if found is None:
            self._simulation.no_maps()
            self._sides.no_map(self._lines(self._state))
            return
        self._simulation.show_maps(found, COARSE)
        self._sides.fade()

    def _show_maps(self, made: tuple[State, xr.Dataset]) -> None:
        state, found = made
        if state == self._state:
            if self._judge.known.knows(state):
                answer = Stage("verdict", lambda: (state, self._judge(state, found)), REST)
                self._ask("verdict", [answer])
                self._posterior.offer(lambda: self._judge.maps(state))
            else:
                self._sides.no_network(state.material.name, self._judge.known.crystal)
            self._sides.show_lines(self._lines(state))
        self._simulation.show_maps(found, CONVERGED)
        self._file.pictures.show_simulated(found)

    def _show_spectral(self, found: tuple[State, Any, Quality]) -> None:
        state, image, quality = found
        self._simulation.show_spectral(image, state.energy, state.material.lattice, quality)

    def _show_density(self, found: tuple[State, xr.DataArray, Quality]) -> None:
        state, dos, quality = found
        self._simulation.show_density(dos, state.energy, quality)

    def _show_part(self, found: Any) -> None:
        """Nothing: it is kept until all are there."""

    def _show_verdict(self, found: tuple[State, xr.Dataset]) -> None:
        state, prediction = found
        known = self._judge.known
        departures = known.departures(state)
        about = f"{self._judge.model} has learned from {known.sees()}."
        self._sides.show_verdict(prediction, departures, about)
