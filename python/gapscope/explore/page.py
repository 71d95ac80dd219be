"""One visitor's page: what it asks of the workers, and where the answers go."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import panel as pn
import xarray as xr
from bokeh.document import Document

from gapscope.errors import GapscopeError
from gapscope.explore.controls import Controls
from gapscope.explore.files import Files
from gapscope.explore.fitting import fit
from gapscope.explore.judge import Judge
from gapscope.explore.measured_view import Measurement
from gapscope.explore.narrowing import OF_FILE, POSTERIOR_FILE
from gapscope.explore.posterior_card import PosteriorCard
from gapscope.explore.prepared_map import Placed, Work, preparation_file
from gapscope.explore.python_lines import python_lines
from gapscope.explore.raster import Raster, file_raster
from gapscope.explore.results import (
    density,
    density_part,
    figure_file,
    map_file,
    maps,
    spectral,
    spectral_part,
)
from gapscope.explore.sides import MEASURED, Sides, text
from gapscope.explore.simulated_view import Simulation
from gapscope.explore.state import COARSE, CONVERGED, Quality, State
from gapscope.explore.style import STYLE
from gapscope.explore.upload import is_simulated, open_bytes
from gapscope.explore.words import note_html
from gapscope.explore.worker import Outcome, Stage, Worker
from gapscope.measured.channels import image_channels
from gapscope.measured.preparation.sought import sought

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
        self._dataset: xr.Dataset | None = None
        self._work: Work | None = None
        self._placed: Placed | None = None
        self._file, self._generation = "", 0
        self._simulation, self._measurement = Simulation(), Measurement(self._tapped)
        self._controls = Controls(self._state, self._moved)
        constant = sought(self._state.material).constant
        energy = judge.known_measured.energies[0]
        self._files = Files(constant, energy, self._dropped, self._chosen, self._refused)
        self._sides = Sides(self.token)
        self._posterior = PosteriorCard(
            reader, sampler, judge, document, self.token, POSTERIOR_FILE
        )
        self._of_file = PosteriorCard(reader, sampler, judge, document, self.token, OF_FILE)
        self._of_file.column.visible = False
        self._measurement.found.stylesheets = [STYLE]

    def download(self, name: str) -> Callable[[], bytes] | None:
        """What makes a file of this page, to be run by ``worker``; None if there is none."""
        state, placed = self._state, self._placed
        jobs: dict[str, Callable[[], bytes]] = {
            "map.nc": partial(map_file, state),
            "view.png": partial(figure_file, state),
            "view.py": self._lines(state).encode,
        }
        if placed is not None:
            jobs["preparation.png"] = partial(preparation_file, placed)
        cards = (self._posterior, self._of_file)
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
        views = dict(zip(VIEWS, (self._simulation_parts(), self._measured_parts()), strict=True))

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
        fit(self._document, self._simulation.figures, self._measurement.figures)
        # Before the browser is there, Bokeh may lose what other threads hand it.
        pn.state.onload(lambda: self._moved(self._state))

    def _lines(self, state: State) -> str:
        known = self._judge.known
        reads = known.knows(state) and known.energies == (state.energy,)
        return python_lines(state, self._judge.model if reads else "")

    def end(self) -> None:
        """The visitor has gone."""
        self._forget("state", "verdict", "file", "map")
        self._posterior.end()
        self._of_file.end()

    def _simulation_parts(self) -> list[pn.viewable.Viewable]:
        controls = self._controls.column()
        sides = self._sides.simulation(self._posterior.column)
        controls.css_classes, sides.css_classes = ["left"], ["right"]
        return [controls, sides, *self._simulation.rows()]

    def _measured_parts(self) -> list[pn.viewable.Viewable]:
        left = pn.Column(
            self._files.row(), self._measurement.grid(), styles={"max-width": "min(1100px, 100vw)"}
        )
        return [
            pn.FlexBox(left, self._sides.measurement(self._of_file.column), css_classes=["wide"])
        ]

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

    def _dropped(self, name: str, content: bytes) -> None:
        self._start_over("reading the file …")
        self._dataset, self._file = None, name
        width, height = self._files.width.value, self._files.height.value
        self._sides.say(f"reading {name} …")
        self._ask("file", [Stage("file", lambda: open_bytes(name, content, width, height))])

    def _chosen(self) -> None:
        dataset = self._dataset
        if dataset is None:
            return
        self._files.fit(dataset)
        channel, bias = self._files.channel.value, self._files.bias.value
        self._start_over("looking at it …")
        if channel not in image_channels(dataset):
            self._measurement.show_spectra(dataset, channel)
        self._sides.say(f"preparing {self._file} …")
        lattice = replace(self._state.material.lattice, constant=self._files.lattice_constant)
        work = Work(
            dataset,
            channel,
            bias,
            lattice,
            self._judge,
            self._files.lattice_from,
            bool(self._files.mask_wave.value),
        )
        self._work = work
        stages = [Stage("prepared", work.prepare, REST), Stage("prediction", work.predict)]
        self._ask("map", [Stage("raw", work.raw), *stages])

    def _tapped(self, x: float, y: float) -> None:
        """Somebody shows where the impurity is."""
        if self._work is None:
            return
        self._work = work = self._work.around((x, y))
        self._sides.say(f"reading {self._file} around ({x:.2f}, {y:.2f}) nm …")
        self._sides.measured_note("asking the network …")
        self._ask("map", [Stage("prepared", work.prepare), Stage("prediction", work.predict)])

    def _refused(self, error: GapscopeError) -> None:
        self._start_over("")
        self._dataset = None
        self._show_file_error(error)

    def _start_over(self, words: str) -> None:
        """Drop all of an earlier measured map, and what is still to come of it."""
        self._generation += 1
        self._forget("file", "map")
        self._work = self._placed = None
        self._of_file.clear()
        self._of_file.column.visible = False
        self._sides.offer({})
        self._sides.measured_note("…")
        self._measurement.clear(words)

    def _ask(self, kind: str, stages: list[Stage]) -> None:
        generation = self._generation

        def deliver(outcome: Outcome) -> None:
            self._document.add_next_tick_callback(partial(self._show, kind, generation, outcome))

        self._asked(kind).request((self.token, kind), stages, deliver)

    def _forget(self, *kinds: str) -> None:
        for kind in kinds:
            self._asked(kind).forget((self.token, kind))

    def _asked(self, kind: str) -> Worker:
        return self._worker if kind == "state" else self._reader

    def _show(self, kind: str, generation: int, outcome: Outcome) -> None:
        simulated = kind in ("state", "verdict")
        if not simulated and generation != self._generation:
            return
        # One message for all that changes.
        with pn.io.hold(self._document):
            self._take(outcome, simulated)

    def _take(self, outcome: Outcome, simulated: bool) -> None:
        if outcome.error is None:
            getattr(self, f"_show_{outcome.name}")(outcome.value)
        elif simulated:
            self._sides.say("")
            self._sides.show_error(outcome.error)
        elif outcome.name == "prediction":
            self._sides.say("")
            self._sides.measured_error(outcome.error)
        else:
            self._show_file_error(outcome.error)

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
        self._measurement.show_simulated(found)

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

    def _show_file(self, dataset: xr.Dataset) -> None:
        if is_simulated(dataset):
            self._sides.measured_note("asking the network …")
            answer = Stage("answer", lambda: (dataset, self._judge.simulated(dataset)))
            drawn = Stage("drawn", lambda: (dataset, file_raster(dataset)))
            self._ask("map", [answer, drawn])
            return
        self._dataset = dataset
        self._files.fill(dataset)
        self._chosen()

    def _show_answer(self, found: tuple[xr.Dataset, xr.Dataset]) -> None:
        dataset, prediction = found
        known = self._judge.known
        about = f"{self._judge.model} has learned from {known.sees()}."
        self._sides.show_simulated(prediction, about)
        self._sides.say(f"{self._file} read")
        self._of_file.column.visible = True
        self._of_file.offer(lambda: dataset, self._file)

    def _show_drawn(self, found: tuple[xr.Dataset, Raster]) -> None:
        dataset, raster = found
        self._measurement.show_map(raster, dataset)

    def _show_raw(self, found: tuple[xr.DataArray, Any]) -> None:
        self._measurement.show_raw(*found)

    def _show_prepared(self, placed: Placed) -> None:
        self._placed = placed
        self._measurement.show_prepared(placed)
        self._sides.measured_note("asking the network …")
        self._sides.offer(MEASURED)

    def _show_prediction(self, prediction: xr.Dataset) -> None:
        known, own = self._judge.known_measured, self._state.material.name
        other = [] if known.knows(self._state) else [f"learned from {known.crystal}, not {own}"]
        self._sides.show_measured(prediction, other)
        self._sides.say(f"{self._file} read")

    def _show_file_error(self, error: Exception) -> None:
        self._sides.say("")
        self._measurement.show_error(error)
        self._sides.measured_note("No map to look at.")
