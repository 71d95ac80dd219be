"""The file that a visitor drops: what is asked of the workers, and where the answers go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import panel as pn
import xarray as xr
from bokeh.document import Document

from gapscope.errors import GapscopeError
from gapscope.explore.files import Files
from gapscope.explore.judge import Judge
from gapscope.explore.measured_view import Measurement
from gapscope.explore.posterior_card import PosteriorCard
from gapscope.explore.prepared_map import Placed, Work
from gapscope.explore.raster import Raster, file_raster
from gapscope.explore.sides import MEASURED, Sides
from gapscope.explore.state import State
from gapscope.explore.style import STYLE
from gapscope.explore.upload import is_simulated, open_bytes
from gapscope.explore.worker import Outcome, Stage, Worker
from gapscope.measured.channels import image_channels
from gapscope.measured.preparation.sought import sought

REST = 0.15
"""Seconds without a move after which an image is prepared."""


class DroppedFile:
    """The file that a visitor has dropped last, measured or simulated, with its widgets.

    Parameters
    ----------
    reader : reads and prepares it, and asks the networks.
    sides : the page's texts.
    posterior : the card of a simulated map's.
    token : of the page.
    state : where the page's sliders stand: their crystal's lattice is looked for.

    Attributes
    ----------
    placed : the measured map as it is prepared, as soon as it is.
    """

    def __init__(
        self,
        reader: Worker,
        judge: Judge,
        document: Document,
        sides: Sides,
        posterior: PosteriorCard,
        token: str,
        state: Callable[[], State],
    ) -> None:
        self._reader, self._judge, self._document = reader, judge, document
        self._sides, self._token, self._state = sides, token, state
        self._dataset: xr.Dataset | None = None
        self._work: Work | None = None
        self.placed: Placed | None = None
        self._name, self._generation = "", 0
        self.pictures = Measurement(self._tapped)
        self.pictures.found.stylesheets = [STYLE]
        constant = sought(state().material).constant
        energy = judge.known_measured.energies[0]
        self.widgets = Files(constant, energy, self._dropped, self._chosen, self._refused)
        self.posterior = posterior
        posterior.column.visible = False

    def parts(self) -> list[pn.viewable.Viewable]:
        """Its pictures and texts."""
        left = pn.Column(
            self.widgets.row(), self.pictures.grid(), styles={"max-width": "min(1100px, 100vw)"}
        )
        return [
            pn.FlexBox(left, self._sides.measurement(self.posterior.column), css_classes=["wide"])
        ]

    def forget(self) -> None:
        """Drop what is still asked."""
        for kind in ("file", "map"):
            self._reader.forget((self._token, kind))

    def _ask(self, kind: str, stages: list[Stage]) -> None:
        generation = self._generation

        def deliver(outcome: Outcome) -> None:
            self._document.add_next_tick_callback(partial(self._show, generation, outcome))

        self._reader.request((self._token, kind), stages, deliver)

    def _show(self, generation: int, outcome: Outcome) -> None:
        if generation != self._generation:
            return
        # One message for all that changes.
        with pn.io.hold(self._document):
            self._take(outcome)

    def _take(self, outcome: Outcome) -> None:
        if outcome.error is None:
            getattr(self, f"_show_{outcome.name}")(outcome.value)
        elif outcome.name == "prediction":
            self._sides.say("")
            self._sides.measured_error(outcome.error)
        else:
            self._show_file_error(outcome.error)

    def _dropped(self, name: str, content: bytes) -> None:
        self._start_over("reading the file …")
        self._dataset, self._name = None, name
        width, height = self.widgets.width.value, self.widgets.height.value
        self._sides.say(f"reading {name} …")
        self._ask("file", [Stage("file", lambda: open_bytes(name, content, width, height))])

    def _chosen(self) -> None:
        dataset = self._dataset
        if dataset is None:
            return
        self.widgets.fit(dataset)
        channel, bias = self.widgets.channel.value, self.widgets.bias.value
        self._start_over("looking at it …")
        if channel not in image_channels(dataset):
            self.pictures.show_spectra(dataset, channel)
        self._sides.say(f"preparing {self._name} …")
        lattice = replace(self._state().material.lattice, constant=self.widgets.lattice_constant)
        work = Work(
            dataset,
            channel,
            bias,
            lattice,
            self._judge,
            self.widgets.lattice_from,
            bool(self.widgets.mask_wave.value),
        )
        self._work = work
        stages = [Stage("prepared", work.prepare, REST), Stage("prediction", work.predict)]
        self._ask("map", [Stage("raw", work.raw), *stages])

    def _tapped(self, x: float, y: float) -> None:
        """Somebody shows where the impurity is."""
        if self._work is None:
            return
        self._work = work = self._work.around((x, y))
        self._sides.say(f"reading {self._name} around ({x:.2f}, {y:.2f}) nm …")
        self._sides.measured_note("asking the network …")
        self._ask("map", [Stage("prepared", work.prepare), Stage("prediction", work.predict)])

    def _refused(self, error: GapscopeError) -> None:
        self._start_over("")
        self._dataset = None
        self._show_file_error(error)

    def _start_over(self, words: str) -> None:
        """Drop all of an earlier measured map, and what is still to come of it."""
        self._generation += 1
        self.forget()
        self._work = self.placed = None
        self.posterior.clear()
        self.posterior.column.visible = False
        self._sides.offer({})
        self._sides.measured_note("…")
        self.pictures.clear(words)

    def _show_file(self, dataset: xr.Dataset) -> None:
        if is_simulated(dataset):
            self._sides.measured_note("asking the network …")
            answer = Stage("answer", lambda: (dataset, self._judge.simulated(dataset)))
            drawn = Stage("drawn", lambda: (dataset, file_raster(dataset)))
            self._ask("map", [answer, drawn])
            return
        self._dataset = dataset
        self.widgets.fill(dataset)
        self._chosen()

    def _show_answer(self, found: tuple[xr.Dataset, xr.Dataset]) -> None:
        dataset, prediction = found
        known = self._judge.known
        about = f"{self._judge.model} has learned from {known.sees()}."
        self._sides.show_simulated(prediction, about)
        self._sides.say(f"{self._name} read")
        self.posterior.column.visible = True
        self.posterior.offer(lambda: dataset, self._name)

    def _show_drawn(self, found: tuple[xr.Dataset, Raster]) -> None:
        dataset, raster = found
        self.pictures.show_map(raster, dataset)

    def _show_raw(self, found: tuple[xr.DataArray, Any]) -> None:
        self.pictures.show_raw(*found)

    def _show_prepared(self, placed: Placed) -> None:
        self.placed = placed
        self.pictures.show_prepared(placed)
        self._sides.measured_note("asking the network …")
        self._sides.offer(MEASURED)

    def _show_prediction(self, prediction: xr.Dataset) -> None:
        known, own = self._judge.known_measured, self._state().material.name
        other = [] if known.knows(self._state()) else [f"learned from {known.crystal}, not {own}"]
        self._sides.show_measured(prediction, other)
        self._sides.say(f"{self._name} read")

    def _show_file_error(self, error: Exception) -> None:
        self._sides.say("")
        self.pictures.show_error(error)
        self._sides.measured_note("No map to look at.")
