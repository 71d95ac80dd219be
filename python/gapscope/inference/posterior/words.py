"""What a posterior says, in words: whether it is to be believed, and its table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.inference.posterior.posterior import ClassPosterior, Found
from gapscope.inference.posterior.residual import SURE, Residual
from gapscope.learning.evaluation.tables import aligned
from gapscope.problem.paper import predicted_problem
from gapscope.problem.unknown import Unknown

COLLAPSED, LEAST_EFFECTIVE = 0.01, 5.0
"""Efficiency, and effective number of Green's functions, below which weights have collapsed."""
AT_THE_END = 0.02
"""Part of a range within which a posterior's maximum counts as at its end."""
EXPLAINED = "The model explains the map"
"""What a verdict that limits nothing begins with."""
SHOWN = 0.01
"""Probability from which on a class's unknowns are listed."""
LEVEL = 0.9


def verdict(found: Found, residuals: Sequence[Residual]) -> list[str]:
    """Sentences about the leading class: does it explain the map, and what limits the answer?"""
    number = int(found.probabilities.argmax())
    one, left = found.classes[number], residuals[number]
    lines = [*_collapse(one), *_residual(left), *_ends(one)]
    if not lines:
        like = "less than simulated maps err" if left.exact.all() else "which is like white noise"
        lines = [f"{EXPLAINED}: {_share(left)} is left, {like}."]
    unsampled = [one.mode.cube.label for one in found.classes if one.samples is None]
    if unsampled:
        lines.append(
            f"Not sampled, since even {'its' if len(unsampled) == 1 else 'their'} best map found"
            f" is far from this one: {', '.join(unsampled)}. Evidence and probability are upper"
            " bounds there."
        )
    return lines


def _collapse(one: ClassPosterior) -> list[str]:
    if one.samples is None:
        return []
    few = one.samples.effective < min(LEAST_EFFECTIVE, len(one.samples.points))
    if one.samples.efficiency >= COLLAPSED and not few:
        return []
    return [
        f"The weights have collapsed: {one.samples.effective:.1f} of {len(one.samples.points)}"
        " Green's functions have them all. The model does not explain this map, or its best"
        " state was not found; do not trust the numbers."
    ]


def _residual(left: Residual) -> list[str]:
    if left.is_noise:
        return []
    if left.plenty is not None and left.times is not None and (left.plenty < SURE).any():
        return [
            f"The best map leaves {left.times.max():.3g} times the noise that is stated: the model"
            " does not explain this map, or the noise is larger. The widths are too small."
        ]
    worst = int(left.whiteness.argmin())
    return [
        f"What the best map leaves ({_share(left)}) is not white noise: sites near each other are"
        f" correlated by up to {left.correlation[worst]:.2f}, which white noise is with a"
        f" probability of {left.whiteness[worst]:.1g}. The model does not explain all of this map,"
        " or its noise is not white. The widths are too small."
    ]


def _ends(one: ClassPosterior) -> list[str]:
    cube = one.mode.cube
    ends = [
        unknown.name
        for unknown, x, circle in zip(cube.unknowns, one.mode.point, cube.circles, strict=True)
        if not circle and unknown.high > unknown.low and min(x, 1 - x) < 1e-9
    ]
    if not ends:
        return []
    return [
        f"The best value of {', '.join(ends)} is at the end of the range that the prior allows:"
        " the truth may lie beyond it."
    ]


def _share(left: Residual) -> str:
    return f"{_percent(float(left.share.max()))} of it"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def posterior_text(tree: xr.DataTree) -> str:
    """The verdict, the classes' probabilities, and the unknowns of those that may be."""
    summary = tree.to_dataset()
    problem = predicted_problem(summary.attrs)
    lines = [["irrep", "probability", "log evidence", "effective", "left"]]
    for i, label in enumerate(problem.labels):
        one = summary.isel({"class": i})
        sampled = bool(one["sampled"])
        evidence = float(one["log_evidence"] - summary["log_evidence"].max())
        error = f" +- {float(one['log_evidence_error']):.2f}" if sampled else ""
        lines.append(
            [
                label,
                f"{float(one['probability']):.3g}" if sampled else "0",
                f"{'' if sampled else '< '}{evidence:.1f}{error}",
                f"{float(one['effective']):.0f} of {int(one['evaluated'])}" if sampled else "/",
                _percent(float(one["residual"].max())),
            ]
        )
    text = [*summary.attrs["verdict"].split("\n"), "", *aligned(lines)]
    head = ["irrep", "unknown", "mean", "deviation", f"{100 * LEVEL:.0f} % set"]
    rows = [head]
    likely = (summary["probability"].values >= SHOWN) & summary["sampled"].values
    for i in np.flatnonzero(likely).tolist():
        for unknown in problem.shown:
            one = summary.isel({"class": i}).sel(unknown=unknown.name)
            if not np.isnan(float(one["mean"])):
                parts = one["credible"].sel(level=LEVEL).values
                cells = cells_of(unknown, float(one["mean"]), float(one["deviation"]), parts)
                rows.append([problem.labels[i], unknown.title, *cells])
    return "\n".join([*text, *(["", *aligned(rows)] if len(rows) > 1 else [])])


def cells_of(
    unknown: Unknown, mean: float, deviation: float, parts: NDArray[np.float64]
) -> list[str]:
    """Mean, deviation and credible set in words, with the digits that the deviation leaves.

    Parameters
    ----------
    parts : (n, 2), the set's intervals; NaN where there are fewer.
    """
    digits = unknown.digits
    if deviation > 0:
        digits = int(np.clip(1 - np.floor(np.log10(deviation)), 0, 8))
    mean = float(unknown.on_circle(np.array(mean))) if unknown.circular else mean
    if unknown.circular:  # told by the turn that is nearest to the mean
        turns = np.round((parts.mean(axis=-1, keepdims=True) - mean) / unknown.period)
        parts = parts - unknown.period * turns
    words = " and ".join(
        f"[{low:.{digits}f}, {high:.{digits}f}]" for low, high in parts if not np.isnan(low)
    )
    return [f"{mean:.{digits}f}", f"{deviation:.{digits}f}", words]
