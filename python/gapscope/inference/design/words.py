"""Ranked measurements as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from gapscope.learning.evaluation.tables import aligned
from gapscope.problem.paper import predicted_problem
from gapscope.problem.unknown import Unknown

SORTED = {
    "all": "the expected information",
    "irrep": "the expected entropy of the irrep",
}


def design_text(ranked: xr.Dataset) -> str:
    """What is known, and a line for each candidate; deviations are those of the leading class."""
    problem = predicted_problem(ranked.attrs)
    leading = ranked.isel({"class": int(ranked["probability"].values.argmax())})
    now = float(ranked["entropy_now"])
    known = [u for u in problem.shown if np.isfinite(leading["deviation_now"].sel(unknown=u.name))]
    shares = ", ".join(
        f"{label} {share:.3g}"
        for label, share in zip(problem.labels, ranked["probability"].values, strict=True)
        if share > 0
    )
    head = ["next measurement", "time", "gain (nat)", "entropy of the irrep", "halved"]
    rows = [[*head, *(one.title for one in known)]]
    rows.append(["none", "", "", f"{now:.3f}", "", *_deviations(leading["deviation_now"], known)])
    for i, name in enumerate(ranked["candidate"].values.tolist()):
        one, own = ranked.isel(candidate=i), leading.isel(candidate=i)
        rows.append(
            [
                str(name),
                f"{float(one['time']):.3g}",
                f"{float(one['gain']):.2f} +- {float(one['gain_error']):.2f}",
                f"{float(one['entropy']):.3f} +- {float(one['entropy_error']):.3f}",
                "/" if np.isnan(one["halving"]) else f"{float(one['halving']):.0%}",
                *_deviations(own["deviation"], known),
            ]
        )
    aim = ranked.attrs["aim"]
    by = SORTED.get(aim, f"the expected deviation of {aim}")
    lines = [f"irreps: {shares}", f"sorted by {by}; deviations as of {leading['class'].item()}"]
    return "\n".join([*lines, "", *aligned(rows)])


def _deviations(values: xr.DataArray, known: Sequence[Unknown]) -> list[str]:
    return [f"{float(values.sel(unknown=one.name)):.2g}" for one in known]
