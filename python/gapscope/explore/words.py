"""Verdicts, facts and errors as HTML; what comes from files and models is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import GapscopeError
from gapscope.explore.symbols import symbol_html
from gapscope.learning.evaluation.wording import (
    interval_words,
    notes_of,
    p_words,
)
from gapscope.problem.paper import predicted_problem
from gapscope.problem.unknown import Unknown

MOST_SHOWN = 4
"""Unknowns of a nearest map that stand beside its irrep."""
FIELDS = {
    "channel": "channel",
    "topograph": "lattice from",
    "bias": "bias (mV)",
    "lattice-constant": "lattice constant (Å)",
    "width": "width (nm)",
    "height": "height (nm)",
    "mask-wave": "take the density wave out",
}
"""Options of ``gapscope prepare`` that the page has, and what they are called there."""
TAP = "tap it in the map as measured"
"""The page's --centre."""


def label_html(label: str) -> str:
    """A class's name, irreps in the usual typography."""
    parts = []
    for one in label.split("/"):
        named = re.fullmatch(r"([ABE])(\d*[gu]?)('*)", one)
        if named is None or not named[2]:
            parts.append(escape(one))
        else:
            parts.append(f"{named[1]}<sub>{named[2]}</sub>{escape(named[3])}")
    return "/".join(parts)


def verdict_html(prediction: xr.Dataset, notes: Sequence[str] = ()) -> str:
    """One map's prediction: first whether the network can know, then irrep and parameters.

    Parameters
    ----------
    prediction : the answer for one sample, as
        :meth:`gapscope.learning.prediction.predictor.Predictor.__call__` gives it.
    notes : where the map is not of the kind that the network was trained on.
    """
    one = prediction.isel(sample=0)
    calibrated = "irrep_set" in one
    unlike = calibrated and bool(one["unlike_training"])
    parts = [_likeness(one, calibrated, unlike)]
    if notes:
        rows = "".join(f"<li>{escape(note)}</li>" for note in notes)
        parts.append(f'<ul class="notes">{rows}</ul>')
    kind = "doubt" if unlike else "body"
    parts.append(f'<div class="{kind}">{numbers_html(prediction)}</div>')
    return "".join(parts)


def numbers_html(prediction: xr.Dataset) -> str:
    """The same without its likeness: irreps and parameters alone."""
    one = prediction.isel(sample=0)
    calibrated = "irrep_set" in one
    return _irreps(one, calibrated) + _parameters(one, calibrated)


def summary_html(prediction: xr.Dataset, notes: Sequence[str] = ()) -> str:
    """The same in a few lines."""
    one = prediction.isel(sample=0)
    calibrated = "irrep_set" in one
    best, problem = int(one["label"]), predicted_problem(one.attrs)
    parts = [f"{label_html(problem.labels[best])} {float(one['probability'][best]):.3f}"]
    for unknown in problem.shown:
        if not np.isnan(value := float(one[unknown.name])):
            shown = interval_words(value, None, unknown.digits)[0]
            parts.append(f"{symbol_html(unknown.symbol)} = {shown} {unit_of(unknown)}".rstrip())
    unlike = calibrated and bool(one["unlike_training"])
    likeness = _likeness(one, calibrated, unlike)
    answer = ",&ensp;".join(parts)
    departures = f'<p class="note">{escape("; ".join(notes))}</p>' if notes else ""
    kind = "doubt" if unlike else "body"
    return f'{likeness}<p class="{kind}">{f"({answer})" if unlike else answer}</p>{departures}'


def _likeness(one: xr.Dataset, calibrated: bool, unlike: bool) -> str:
    if not calibrated:
        return (
            '<div class="badge unknown"><b>No calibration</b>'
            "<span>nothing says whether the map is like those it learned from</span></div>"
        )
    share = escape(p_words(one))
    reasons = "".join(f"<span>{escape(words)}</span>" for words in map(on_the_page, notes_of(one)))
    if unlike:
        return (
            f'<div class="badge unlike"><b>Unlike the training maps</b><span>{share}: do not trust '
            f"what stands below</span>{reasons}</div>"
        )
    return (
        f'<div class="badge like"><b>Like the training maps</b><span>{share}: share of training '
        f"maps that look as odd</span>{reasons}</div>"
    )


def _irreps(one: xr.Dataset, calibrated: bool) -> str:
    labels = predicted_problem(one.attrs).labels
    chosen = one["irrep_set"].values if calibrated else None
    level = f"● in the {100 * one.attrs['level']:.4g} % set" if calibrated else ""
    return bars_html(labels, one["probability"].values, int(one["label"]), level, chosen)


def bars_html(
    labels: Sequence[str],
    probability: NDArray[np.float64],
    best: int,
    level: str = "",
    chosen: NDArray[np.bool_] | None = None,
) -> str:
    """Irreps and their probabilities; those that are chosen have a dot, which ``level`` says."""
    rows = []
    for index, label in enumerate(labels):
        value = float(probability[index])
        kind = "best" if index == best else ""
        mark = "●" if chosen is not None and chosen[index] else ""
        rows.append(
            f'<tr class="{kind}"><td class="name">{label_html(label)}</td>'
            f'<td class="bar"><i style="width:{100 * value:.1f}%"></i></td>'
            f'<td class="number">{value:.3f}</td><td class="set">{mark}</td></tr>'
        )
    return (
        '<table class="irreps"><caption>irrep: probability'
        f"<em>{level}</em></caption>{''.join(rows)}</table>"
    )


def _parameters(one: xr.Dataset, calibrated: bool) -> str:
    rows = []
    for unknown in predicted_problem(one.attrs).shown:
        name, symbol = unknown.name, symbol_html(unknown.symbol)
        value = float(one[name])
        if np.isnan(value):
            none = "no angle" if unknown.circular else "none"
            rows.append(
                f'<tr><td class="name">{symbol}</td><td colspan="3" class="none">{none}</td></tr>'
            )
            continue
        interval = ""
        shown, _, _ = interval_words(value, None, unknown.digits)
        if calibrated:
            ends = (float(one[f"{name}_low"]), float(one[f"{name}_high"]))
            shown, low, high = interval_words(value, ends, unknown.digits)
            interval = f"{low} … {high}"
        rows.append(
            f'<tr><td class="name">{symbol}</td><td class="number">{shown}</td>'
            f'<td class="interval">{interval}</td><td class="unit">{unit_of(unknown)}</td></tr>'
        )
    level = f"{100 * one.attrs['level']:.4g} % intervals" if calibrated else ""
    return (
        f'<table class="parameters"><caption>parameters<em>{level}</em></caption>'
        f"{''.join(rows)}</table>"
    )


def nearest_html(prediction: xr.Dataset) -> str:
    """The simulated training maps that are nearest to a measured one, where they are known: of
    many unknowns the first, and the nearest map alone, as the page has room for."""
    if "nearest_label" not in prediction:
        return ""
    one = prediction.isel(sample=0)
    problem = predicted_problem(one.attrs)
    few = len(problem.shown) <= MOST_SHOWN
    unknowns, ranks = problem.shown[:MOST_SHOWN], one.sizes["rank"] if few else 1
    rows = []
    for rank in range(ranks):
        state = one.isel(rank=rank)
        cells = [
            *(_cell(state[f"nearest_{u.name}"], max(u.digits - 1, 0)) for u in unknowns),
            _cell(state["nearest_setpoint"], 0),
            _cell(state["nearest_distance"], 2),
        ]
        name = label_html(problem.labels[int(state["nearest_label"])])
        rows.append(f"<tr><td>{name}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    symbols = [symbol_html(unknown.symbol) for unknown in unknowns]
    heads = "".join(f"<th>{head}</th>" for head in ("irrep", *symbols, "setpoint", "distance"))
    unlike = "unlike_training" in one and bool(one["unlike_training"])
    kind, words = (" doubt", ": the map is unlike all of them") if unlike else ("", "")
    return (
        f'<table class="nearest{kind}"><caption>nearest simulated maps{words}</caption>'
        f"<tr>{heads}</tr>{''.join(rows)}</table>"
    )


def _cell(number: xr.DataArray, digits: int) -> str:
    return "–" if np.isnan(number) else f"{float(number):.{digits}f}"


def unit_of(unknown: Unknown) -> str:
    """An unknown's unit; none where it is a number."""
    return "" if unknown.unit == "1" else unknown.unit


def on_the_page(remedy: str) -> str:
    """A remedy in which options of the command line are what the page has in their place."""

    def field(found: re.Match[str]) -> str:
        if found[1] == "centre":
            return TAP
        named = FIELDS.get(found[1])
        return f"the field “{named}”" if named else f"gapscope prepare --{found[1]}"

    return re.sub(r"--([a-z]+(?:-[a-z]+)*)", field, remedy)


def error_html(error: Exception) -> str:
    """A typed error as its three parts; any other by its kind alone, its text is in the log."""
    if isinstance(error, GapscopeError):
        received = "" if error.received is None else escape(str(error.received)[:400])
        return (
            f'<div class="error"><b>{escape(type(error).__name__)}</b><p>{escape(error.rule)}</p>'
            f'<p class="received">{received}</p><p>{escape(on_the_page(error.remedy))}</p></div>'
        )
    return (
        f'<div class="error"><b>{escape(type(error).__name__)}</b>'
        "<p>An error of gapscope itself; the terminal shows where.</p></div>"
    )


def facts_html(rows: Sequence[tuple[str, str]]) -> str:
    """A table of names and values."""
    cells = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows
    )
    return f'<table class="facts">{cells}</table>'


def code_html(lines: str) -> str:
    """Python lines as they are."""
    return f"<pre>{escape(lines)}</pre>"


def note_html(text: str) -> str:
    """A line in small grey letters."""
    return f'<p class="note">{escape(text)}</p>'


def links_html(token: str, names: Mapping[str, str]) -> str:
    """Links to downloads of a page: file names and what they hold."""
    links = "".join(
        f'<a href="download/{token}/{name}" download="{name}">{escape(text)}'
        f"<span>{escape(name)}</span></a>"
        for name, text in names.items()
    )
    return f'<div class="links">{links}</div>'
