"""Figure of measured images beside the simulated ones that are most like them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from gapscope.physics import LABELS
from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import draw_image, irrep_label
from gapscope.plots.style import styled


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
    ranks = predictions.sizes["rank"]
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
                axis.set_title(_state(one.isel(rank=rank)))
                axis.set_ylabel("")
    return figure


def _verdict(one: xr.Dataset) -> str:
    if "unlike_training" not in one:
        return "network not calibrated"
    like = "unlike" if bool(one["unlike_training"]) else "like"
    return f"{like} the training maps, p = {float(one['novelty_p']):.2g}"


def _state(one: xr.Dataset) -> str:
    theta = float(one["nearest_theta"])
    angle = "" if np.isnan(theta) else rf", $\theta$ = {theta:.2f}"
    setpoint = float(one["nearest_setpoint"])
    taken = "" if np.isnan(setpoint) else f"\nconstant current at {setpoint:.0f} mV"
    return (
        f"{irrep_label(LABELS[int(one['nearest_label'])])}, {float(one['nearest_gap']):.2f} meV"
        f"{angle}\n"
        rf"$\epsilon_0$ = {float(one['nearest_eps0']):.0f} meV, "
        f"{100 * float(one['nearest_distance']):.0f} % apart{taken}"
    )
