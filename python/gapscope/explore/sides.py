"""The columns of text beside the pictures: verdicts, Python lines, downloads; and the header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import panel as pn
import xarray as xr

from gapscope.explore.style import STYLE
from gapscope.explore.words import (
    code_html,
    error_html,
    links_html,
    nearest_html,
    note_html,
    summary_html,
    verdict_html,
)
from gapscope.inference.measured_maps import departures

WIDTH = 292
SIMULATED = {"map.nc": "map", "view.png": "figure", "view.py": "Python lines"}
MEASURED = {"preparation.png": "figure"}


def text(html: str = "", width: int = WIDTH, margin: tuple[int, int] = (5, 10)) -> pn.pane.HTML:
    """HTML in the page's style."""
    return pn.pane.HTML(html, width=width, margin=margin, stylesheets=[STYLE])


def heading(words: str) -> pn.pane.HTML:
    """A heading of a group."""
    return text(f"<h2>{words}</h2>", margin=(0, 10))


class Sides:
    """Texts of a page, whose downloads are found under its token."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.status = text(width=330, margin=(14, 10))
        self.status.height = 20  # with words or without, the pictures stay where they are
        self.status.styles = {"text-align": "right"}
        self._verdict, self._summary = text(), text()
        self._lines, self._measured, self._links = text(), text(), text()
        self.measured_note("No measured map yet.")

    def simulation(self, posterior: pn.Column) -> pn.Column:
        """The column beside the simulated pictures, with the posterior's card in it."""
        return pn.Column(
            heading("The network on this map"),
            self._verdict,
            posterior,
            heading("This view in Python"),
            self._lines,
            text(links_html(self._token, SIMULATED)),
            width=WIDTH + 20,
        )

    def measurement(self, posterior: pn.Column) -> pn.Column:
        """The column beside the measured pictures, with the card of a simulated map's posterior."""
        return pn.Column(
            heading("The network on the measured map"),
            self._measured,
            posterior,
            self._links,
            heading("… on the simulation beside it"),
            self._summary,
            width=WIDTH + 20,
        )

    def say(self, words: str) -> None:
        """What the page is doing."""
        self.status.object = note_html(words)

    def show_lines(self, lines: str) -> None:
        """The Python lines of the view."""
        self._lines.object = code_html(lines)
        self._lines.styles = {"opacity": "1"}

    def fade(self) -> None:
        """Verdict and lines are of an earlier map."""
        self._verdict.styles = self._summary.styles = {"opacity": "0.4"}
        self._lines.styles = {"opacity": "0.4"}

    def show_verdict(self, prediction: xr.Dataset, departures: Sequence[str], about: str) -> None:
        """The prediction for the simulated map; ``about`` says what the network knows."""
        self._answer(verdict_html(prediction, departures) + note_html(about))
        self._summary.object = summary_html(prediction, departures)

    def no_map(self, lines: str) -> None:
        """Without an impurity there is nothing to judge; the Python lines of what is left."""
        self._answer(note_html("No map: move the slider of the impurity or of its moment."))
        self._summary.object = note_html("No simulated map.")
        self.show_lines(lines)

    def no_network(self, crystal: str, learned: str) -> None:
        """The network has learned from another crystal: what it would say means nothing."""
        words = (
            f"The network has learned from {learned} and does not know {crystal};"
            " --model gives the page another network."
        )
        self._answer(note_html(words))
        self._summary.object = note_html(words)

    def show_error(self, error: Exception) -> None:
        """Why there is no simulated map."""
        self._answer(error_html(error))
        self._summary.object = error_html(error)

    def show_measured(self, prediction: xr.Dataset, other: Sequence[str] = ()) -> None:
        """The prediction for the measured map; ``other`` says where it is of another kind."""
        notes = [*other, *departures(prediction)[0]]
        if prediction.attrs.get("scale") == "unknown":
            notes.append("no absolute scale: the gap is read off the shape of the image alone")
        self._measured.object = verdict_html(prediction, notes) + nearest_html(prediction)

    def show_simulated(self, prediction: xr.Dataset, about: str) -> None:
        """The prediction for a simulated map from a file; ``about`` says what the network knows."""
        self._measured.object = verdict_html(prediction) + note_html(about)

    def measured_note(self, words: str) -> None:
        """Why there is no prediction yet."""
        self._measured.object = note_html(words)

    def measured_error(self, error: Exception) -> None:
        """Why there is none at all."""
        self._measured.object = error_html(error)

    def offer(self, names: Mapping[str, str]) -> None:
        """Downloads of the measured map."""
        self._links.object = links_html(self._token, names) if names else ""

    def _answer(self, html: str) -> None:
        self._verdict.object = html
        self._verdict.styles = self._summary.styles = {"opacity": "1"}
