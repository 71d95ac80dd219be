"""Figure of measured images beside the simulated ones that are most like them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import draw_image, irrep_label
from gapscope.plots.style import styled
from gapscope.problem.paper import predicted_problem
from gapscope.problem.problem import Problem


def comparison_figure(
    measured: Sequence[xr.Dataset],
    predictions: xr.Dataset,
    nearest: xr.Dataset,
    names: Sequence[str],
) -> Figure:
    """Re rho(q) of every measured map, and of its nearest simulated maps; a row each.

    Parameters
    ----------
    measured : the map on lattice sites, qpi_re (q1, q2).
    predictions : predictions with the variables nearest_*, one sample per map.
    nearest : their maps, qpi_re (sample, rank, q1, q2).
    names : names of the measured maps.
    """
    ranks, problem = predictions.sizes["rank"], predicted_problem(predictions.attrs)
    with styled():
        figure = Figure(figsize=(2.9 * (ranks + 1), 3.4 * len(names) + 0.2), layout="constrained")
        axes = figure.subplots(len(names), ranks + 1, squeeze=False)
        for sample, (row, own, name) in enumerate(zip(axes, measured, names, strict=True)):
            one = predictions.isel(sample=sample)
            lattice = Lattice.from_dict(own.attrs)
            draw_image(figure, row[0], own["qpi_re"].values, lattice, colour_bar=False)
            row[0].set_title(f"{name}\n{_verdict(one)}")
            for rank, axis in enumerate(row[1:]):
                image = nearest["qpi_re"].isel(sample=sample, rank=rank).values
                draw_image(figure, axis, image, lattice, colour_bar=False)
                axis.set_title(_state(one.isel(rank=rank), problem))
                axis.set_ylabel("")
    return figure


def _verdict(one: xr.Dataset) -> str:
    if "unlike_training" not in one:
        return "network not calibrated"
    like = "unlike" if bool(one["unlike_training"]) else "like"
    return f"{like} the training maps, p = {float(one['novelty_p']):.2g}"


def _state(one: xr.Dataset, problem: Problem) -> str:
    """Class, unknowns and distance of a nearest map, in lines of three."""
    words = [irrep_label(problem.labels[int(one["nearest_label"])])]
    for unknown in problem.shown:
        value = float(one[f"nearest_{unknown.name}"])
        if not np.isnan(value):
            unit = "" if unknown.unit in ("1", "rad") else f" {unknown.unit}"
            digits = max(unknown.digits - 1, 0)
            words.append(f"${unknown.symbol}$ = {value:.{digits}f}{unit}")
    words.append(f"{100 * float(one['nearest_distance']):.0f} % apart")
    lines = [", ".join(words[first : first + 3]) for first in range(0, len(words), 3)]
    setpoint = float(one["nearest_setpoint"])
    if not np.isnan(setpoint):
        lines.append(f"constant current at {setpoint:.0f} mV")
    return "\n".join(lines)
