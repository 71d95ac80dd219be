"""Figure of measured images beside simulated ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gapscope.physics.fourier import qpi_image
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
    """Re rho(q) of every measured map, and of simulated ones: the network's answer and the nearest
    training maps; a row each.

    Of a map at several energies there is a row for each of these.

    Parameters
    ----------
    measured : the map on lattice sites, qpi_re (q1, q2), or ldos_change (energy, r1, r2).
    predictions : predictions with the variables nearest_*, one sample per map; their attribute
        energy (meV) has the energies, if they are several.
    nearest : their maps, qpi_re (sample, rank, q1, q2) or (sample, rank, energy, q1, q2).
    names : names of the measured maps.
    """
    ranks, problem = predictions.sizes["rank"], predicted_problem(predictions.attrs)
    energies = np.ravel(predictions.attrs.get("energy", [np.nan]))
    rows = len(names) * len(energies)
    lines = max(
        _state(predictions.isel(sample=sample, rank=rank), problem).count("\n") + 1
        for sample in range(len(names))
        for rank in range(ranks)
    )
    height = 3.0 * rows + 0.2 * lines * len(names) + 0.2
    with styled():
        figure = Figure(figsize=(2.9 * (ranks + 1), height), layout="constrained")
        axes = figure.subplots(rows, ranks + 1, squeeze=False)
        for sample, (own, name) in enumerate(zip(measured, names, strict=True)):
            one = predictions.isel(sample=sample)
            lattice = Lattice.from_dict(own.attrs)
            simulated = nearest["qpi_re"].isel(sample=sample)
            images = [_images(own, lattice)]
            images += [_each(simulated.isel(rank=rank).values) for rank in range(ranks)]
            titles = [f"{name}\n{_verdict(one)}"]
            titles += [_state(one.isel(rank=rank), problem) for rank in range(ranks)]
            for i, energy in enumerate(energies):
                row = axes[sample * len(energies) + i]
                for axis, image, title in zip(row, images, titles, strict=True):
                    draw_image(figure, axis, image[i], lattice, colour_bar=False)
                    axis.set_title(title if i == 0 else "")
                    axis.set_ylabel(axis.get_ylabel() if axis is row[0] else "")
                if len(energies) > 1:
                    row[0].set_title(f"{row[0].get_title()}\n{energy:g} meV".strip())
    return figure


def _images(own: xr.Dataset, lattice: Lattice) -> NDArray[np.float64]:
    """Re rho(q), (energies, L, L), of a map on lattice sites."""
    if "qpi_re" in own:
        return _each(own["qpi_re"].values)
    return _each(np.asarray(qpi_image(own["ldos_change"].values, lattice).real))


def _each(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Images (energies, L, L) of those at one energy or at several."""
    return images.reshape(-1, *images.shape[-2:])


def _verdict(one: xr.Dataset) -> str:
    if "unlike_training" not in one:
        return "network not calibrated"
    like = "unlike" if bool(one["unlike_training"]) else "like"
    return f"{like} the training maps, p = {float(one['novelty_p']):.2g}"


def _state(one: xr.Dataset, problem: Problem) -> str:
    """Class, unknowns and distance of a nearest map, in lines of two."""
    words = [irrep_label(problem.labels[int(one["nearest_label"])])]
    for unknown in problem.shown:
        value = float(one[f"nearest_{unknown.name}"])
        if not np.isnan(value):
            unit = "" if unknown.unit in ("1", "rad") else f" {unknown.unit}"
            digits = max(unknown.digits - 1, 0)
            words.append(f"${unknown.symbol}$ = {value:.{digits}f}{unit}")
    distance = float(one["nearest_distance"])
    words.append("as answered" if np.isnan(distance) else f"{100 * distance:.0f} % apart")
    lines = [", ".join(words[first : first + 2]) for first in range(0, len(words), 2)]
    setpoint = float(one["nearest_setpoint"])
    if not np.isnan(setpoint):
        lines.append(f"constant current at {setpoint:.0f} mV")
    return "\n".join(lines)
