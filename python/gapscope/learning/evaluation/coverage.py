"""How often sets and intervals hold the truth, and how large they are, as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.learning.evaluation.tables import aligned, head
from gapscope.problem.paper import predicted_problem
from gapscope.problem.unknown import Unknown


def coverage_text(predictions: xr.Dataset) -> str:
    """Per predicted class and for all maps: coverage, and in brackets the mean size or width.

    Predictions stand beside their truth; they need the variables of
    :meth:`gapscope.learning.uncertainty.calibration.Calibration.applied`.
    """
    label = predictions["label"].values
    problem = predicted_problem(predictions.attrs)
    heads = ("predicted", "maps", "irrep set", *map(head, problem.shown), "unlike")
    lines: list[tuple[str, ...]] = [heads]
    for index, name in (*enumerate(problem.labels), (None, "all")):
        chosen = np.ones(len(label), bool) if index is None else label == index
        if chosen.any():
            lines.append((name, *_row(predictions.isel(sample=chosen), problem.shown)))
    level, novelty_level = (predictions.attrs[name] for name in ("level", "novelty_level"))
    note = (
        f"Coverage of {level:.4g} sets and intervals, mean size or width in brackets; maps called "
        f"unlike training at {novelty_level:.4g}."
    )
    return "\n".join([*aligned(lines), note])


def covered(predictions: xr.Dataset, name: str) -> NDArray[np.bool_]:
    """Whether the true irrep is in its set, or an unknown's true value in its interval."""
    if name == "irrep":
        truth = predictions["true_label"].values
        return np.asarray(predictions["irrep_set"].values[np.arange(len(truth)), truth])
    truth = predictions[f"true_{name}"].values
    low, high = (predictions[f"{name}_{end}"].values for end in ("low", "high"))
    unknown = predicted_problem(predictions.attrs).unknown(name)
    if unknown.circular:
        truth = low + (truth - low) % unknown.period
    return np.asarray((truth >= low) & (truth <= high))


def _row(predictions: xr.Dataset, unknowns: Sequence[Unknown]) -> tuple[str, ...]:
    sizes = predictions["irrep_set"].values.sum(axis=1)
    cells = [str(len(sizes)), _cell(covered(predictions, "irrep"), sizes, 2)]
    for name, digits in ((one.name, one.digits) for one in unknowns):
        width = (predictions[f"{name}_high"] - predictions[f"{name}_low"]).values
        known = np.isfinite(width) & np.isfinite(predictions[f"true_{name}"].values)
        cells.append(_cell(covered(predictions, name)[known], width[known], digits))
    return (*cells, f"{predictions['unlike_training'].values.mean():.1%}")


def _cell(inside: NDArray[np.bool_], sizes: NDArray[np.floating], digits: int) -> str:
    return f"{inside.mean():.1%} [{sizes.mean():.{digits}f}]" if len(inside) else "/"
