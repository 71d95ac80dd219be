"""The posterior on its way, as HTML; what comes from models is escaped."""

from __future__ import annotations

from html import escape

import xarray as xr

from gapscope.explore.narrowing import Marginal, Standing, command
from gapscope.explore.symbols import symbol_html
from gapscope.explore.words import bars_html, code_html, note_html, numbers_html, unit_of
from gapscope.inference.posterior.words import EXPLAINED, LEVEL, cells_of

OFFER = "Weighs simulated maps by how well they explain this one: about a minute of computing."
SEARCHED = "Laplace's approximation around the best maps that a search has found"


def begun_html(prediction: xr.Dataset, seen: str) -> str:
    """The first picture: the network's answer, as a stage like those to come.

    Parameters
    ----------
    seen : in words, the maps that the network has learned from, whose prior it is.
    """
    first = f"Prior: the maps that the network has learned from ({seen}). First its own answer:"
    return note_html(first) + numbers_html(prediction)


def standing_html(standing: Standing) -> str:
    """Irreps, the leading one's unknowns, and how they are known."""
    problem = standing.problem
    rows = "".join(_row(one) for one in standing.marginals)
    level = f"mean, {100 * LEVEL:.4g} % set"
    table = f'<table class="fine"><caption>parameters<em>{level}</em></caption>{rows}</table>'
    return (
        note_html(f"{how(standing)}:")
        + bars_html(problem.labels, standing.probability, standing.leading)
        + (table if rows else "")
    )


def how(standing: Standing) -> str:
    """In words, what a standing rests on."""
    if not standing.weighted:
        return SEARCHED
    label = standing.problem.labels[standing.leading]
    return (
        f"Effective number of simulated Green's functions {standing.effective:.1f}, of"
        f" {standing.weighted} weighed for {label}"
    )


def _row(one: Marginal) -> str:
    mean, _, words = cells_of(one.unknown, one.mean, one.deviation, one.parts)
    parts = [part.strip("[]").replace(", ", " … ") for part in words.split(" and ")]
    return (
        f'<tr><td class="name">{symbol_html(one.unknown.symbol)}</td>'
        f'<td class="number">{escape(mean)}</td>'
        f'<td class="interval">{"<br>".join(map(escape, parts))}</td>'
        f'<td class="unit">{unit_of(one.unknown)}</td></tr>'
    )


def ended_html(standing: Standing, verdict: str) -> str:
    """The end: whether the model explains the map first, and pale numbers where it does not.

    Parameters
    ----------
    verdict : of :func:`gapscope.posterior`.
    """
    explained = verdict.startswith(EXPLAINED)
    lines = "".join(f"<span>{escape(line)}</span>" for line in verdict.split("\n"))
    badge, kind = ("like", "body") if explained else ("unlike", "doubt")
    return (
        f'<div class="badge {badge}"><b>The posterior\'s verdict</b>{lines}</div>'
        f'<div class="{kind}">{standing_html(standing)}</div>'
    )


def command_html(map: str, model: str, posterior: str) -> str:
    """The same on the command line."""
    return note_html("The same as a command:") + code_html(command(map, model, posterior))
