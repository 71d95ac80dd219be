"""Predictions as a table for people: what a map may be, and whether the network can know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from gapscope.learning.evaluation.tables import aligned
from gapscope.learning.evaluation.wording import (
    interval_words,
    notes_of,
    p_words,
)
from gapscope.problem.paper import predicted_problem
from gapscope.problem.problem import Problem

UNLIKE = (
    "UNLIKE training: the network has learned from no map of this kind; do not trust the numbers "
    "in parentheses. p: the share of maps like the training ones that look as odd. What a map may "
    "have been through is a guess: a state at an end of what was learned may be called unlike, too."
)
UNCALIBRATED = (
    "This network has no calibration: probabilities are its own, and nothing says how far off a "
    "number may be or whether a map is like those it learned from (gapscope calibrate)."
)


def prediction_text(predictions: xr.Dataset, names: Sequence[str]) -> str:
    """A line per map: whether it is like the training maps, irrep, set, unknowns.

    Intervals and the first column are there where the network has a calibration. What is said of a
    map unlike the training maps stands in parentheses; lines below name what may explain it, and
    unknowns that lie beyond what was learned.
    """
    problem = predicted_problem(predictions.attrs)
    calibrated = "irrep_set" in predictions
    level = f"{100 * predictions.attrs['level']:.4g} %" if calibrated else ""
    heads = ["map", *(["training maps"] if calibrated else []), "irrep", "probability"]
    heads += [f"{level} set"] if calibrated else []
    heads += [one.title for one in problem.shown]
    lines, notes = [heads], []
    for sample, name in enumerate(names):
        one = predictions.isel(sample=sample)
        lines.append([name, *_cells(one, problem, calibrated)])
        notes += [f"{name}: {words}." for words in notes_of(one)]
    text = [*aligned(lines), *notes]
    if not calibrated:
        text.append(UNCALIBRATED)
    elif predictions["unlike_training"].values.any():
        text.append(UNLIKE)
    return "\n".join(text)


def refinement_text(predictions: xr.Dataset, names: Sequence[str]) -> str:
    """A line per map of what :func:`gapscope.inference.refine.refine_predictions` found."""
    problem = predicted_problem(predictions.attrs)
    lines = [["map", "refined", *(one.title for one in problem.shown), "chi"]]
    for sample, name in enumerate(names):
        one = predictions.isel(sample=sample)
        cells = [*_state(one, problem, "refined", 1), f"{float(one['chi']):.2g}"]
        lines.append([name, *_doubted(cells, one)])
    return "\n".join(aligned(lines))


def verdict_lines(one: xr.Dataset) -> list[str]:
    """Sentences about one map: whether it is like the training maps, class, set; what it may be."""
    problem = predicted_problem(one.attrs)
    label = int(one["label"])
    answer = f"{problem.labels[label]} with probability {float(one['probability'][label]):.3f}"
    if "irrep_set" not in one:
        return [f"{answer}.", UNCALIBRATED]
    chosen = [problem.labels[i] for i in np.flatnonzero(one["irrep_set"].values)]
    answer += f"; {100 * one.attrs['level']:.4g} % set: {', '.join(chosen)}"
    notes = [f"{words[0].upper()}{words[1:]}." for words in notes_of(one)]
    if not bool(one["unlike_training"]):
        return [f"Like the training maps ({p_words(one)}): {answer}.", *notes]
    return [f"UNLIKE the training maps ({p_words(one)}): ({answer}).", *notes, UNLIKE]


def state_rows(one: xr.Dataset) -> list[list[str]]:
    """A table of one map, a row per unknown, with the heads first: the network's answer, its
    interval, and what was refined or is nearest, where there is such a thing.

    What is said of a map unlike the training maps stands in parentheses.
    """
    problem = predicted_problem(one.attrs)
    calibrated = "irrep_set" in one
    label = int(one["label"])
    heads = ["unknown"]
    columns = [[problem.labels[label], *_values(one, problem, calibrated)]]
    heads.append("network" + (f", {100 * one.attrs['level']:.4g} % interval" if calibrated else ""))
    names = ["irrep", *(unknown.title for unknown in problem.shown)]
    if "refined_label" in one:
        heads.append("refined")
        columns.append([*_state(one, problem, "refined", 1), f"{float(one['chi']):.2g}"])
    for rank in range(one.sizes.get("rank", 0)):
        near = one.isel(rank=rank)
        heads.append(f"nearest {rank + 1}")
        setpoint = _number(near, "nearest_setpoint", 0, False)
        distance = f"{100 * float(near['nearest_distance']):.0f} %"
        columns.append([*_state(near, problem, "nearest"), setpoint, distance])
    if "rank" in one.sizes:
        names += ["setpoint (mV)", "distance"]
    elif "refined_label" in one:
        names.append("left over")
    told = [[*_doubted(column, one), *[""] * (len(names) - len(column))] for column in columns]
    return [heads, *([name, *cells] for name, *cells in zip(names, *told, strict=True))]


def nearest_text(predictions: xr.Dataset, names: Sequence[str]) -> str:
    """A line per nearest simulated map; see :mod:`gapscope.inference.measured_maps`."""
    problem = predicted_problem(predictions.attrs)
    heads = [*(one.title for one in problem.shown), "setpoint (mV)", "distance"]
    lines = [["map", "nearest", *heads]]
    for sample, name in enumerate(names):
        for rank in range(predictions.sizes["rank"]):
            one = predictions.isel(sample=sample, rank=rank)
            distance = f"{100 * float(one['nearest_distance']):.0f} %"
            setpoint = _number(one, "nearest_setpoint", 0, False)
            cells = [*_state(one, problem, "nearest"), setpoint, distance]
            lines.append([name, *_doubted(cells, one)])
    return "\n".join(aligned(lines))


def _state(one: xr.Dataset, problem: Problem, kind: str, further: int = 0) -> list[str]:
    """Class and unknowns of the variables KIND_label, KIND_gap, ..., with further digits."""
    label = problem.labels[int(one[f"{kind}_label"])]
    shown = ((f"{kind}_{unknown.name}", unknown.digits + further) for unknown in problem.shown)
    return [label, *(_number(one, *pair, False) for pair in shown)]


def _values(one: xr.Dataset, problem: Problem, calibrated: bool) -> list[str]:
    return [_number(one, u.name, u.digits, calibrated) for u in problem.shown]


def _cells(one: xr.Dataset, problem: Problem, calibrated: bool) -> list[str]:
    label, labels = int(one["label"]), problem.labels
    cells = [labels[label], f"{float(one['probability'][label]):.3f}"]
    if calibrated:
        chosen = [labels[i] for i in np.flatnonzero(one["irrep_set"].values)]
        cells.append(", ".join(chosen))
    cells += _values(one, problem, calibrated)
    if not calibrated:
        return cells
    kind = "UNLIKE" if bool(one["unlike_training"]) else "like"
    return [f"{kind} ({p_words(one)})", *_doubted(cells, one)]


def _doubted(cells: Sequence[str], one: xr.Dataset) -> list[str]:
    """Cells in parentheses where the map is unlike the training maps."""
    unlike = "unlike_training" in one and bool(one["unlike_training"])
    return [f"({cell})" for cell in cells] if unlike else list(cells)


def _number(one: xr.Dataset, name: str, digits: int, calibrated: bool) -> str:
    value = float(one[name])
    if np.isnan(value):
        return "/"
    if not calibrated:
        return interval_words(value, None, digits)[0]
    ends = (float(one[f"{name}_low"]), float(one[f"{name}_high"]))
    text, low, high = interval_words(value, ends, digits)
    return f"{text} [{low}, {high}]"
