"""A sheet of maps from a dataset, some of each class."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from gapscope.dataset.load import DatasetReader
from gapscope.physics.fourier import qpi_image
from gapscope.plots.maps import draw_image, irrep_label, map_colour_bar, signed_norm
from gapscope.plots.style import styled


def sheet(reader: DatasetReader, per_class: int) -> Figure:
    """Re rho(q) at the first energy of the first maps of every class, a row for each class.

    All maps share one scale of colours, so that strong and weak ones look it.
    """
    chosen = reader.examples(per_class)
    lattice = reader.crystal_lattice
    images = {
        sample: qpi_image(reader.image(sample)[0], lattice).real
        for ids in chosen.values()
        for sample in ids.tolist()
    }
    norm, _ = signed_norm(np.array(list(images.values())))
    with styled():
        columns = max(len(own) for own in chosen.values())
        size = (2.5 * columns + 1.0, 2.8 * len(chosen))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(len(chosen), columns, squeeze=False)
        for row, ids in zip(axes, chosen.values(), strict=True):
            for axis in row[len(ids) :]:
                axis.set_axis_off()
            for axis, sample in zip(row, ids.tolist(), strict=False):
                draw_image(figure, axis, images[sample], lattice, colour_bar=False, norm=norm)
                axis.set(xticks=[], yticks=[], xlabel="", ylabel="")
                axis.set_title(_title(reader, sample), fontsize=8)
        map_colour_bar(figure, axes.ravel().tolist(), norm)
        figure.suptitle(
            rf"Re $\rho(\mathbf{{q}})$, $\omega$ = {reader.energies[0]:g} meV,"
            "\nover the first Brillouin zone (black)"
        )
    return figure


def _title(reader: DatasetReader, sample: int) -> str:
    """The candidate with its own gap, its class's in brackets where they differ, and the rest."""
    problem = reader.problem
    p = {name: float(values[sample]) for name, values in reader.parameters.items()}
    one = problem.classes[int(p["label"])]
    candidate = reader.candidates[int(p["candidate"])]
    words = [irrep_label(candidate)]
    for unknown in problem.shown:
        value, digits = p[unknown.name], max(unknown.digits - 1, 0)
        if np.isnan(value):
            continue
        unit = "" if unknown.unit == "1" else f" {unknown.unit}"
        own = p["own_gap"] if unknown.name == "gap" else value
        told = "" if own == value else f" ({value:.{digits}f} as {irrep_label(one.label)})"
        words.append(f"${unknown.symbol}$ = {own:.{digits}f}{unit}{told}")
    lines = [words[:2], *(words[first : first + 2] for first in range(2, len(words), 2))]
    return "\n".join(", ".join(line) for line in lines)
