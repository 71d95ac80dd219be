"""A sheet of maps from a dataset, some of each class."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from gapscope.dataset.load import DatasetReader
from gapscope.physics.fourier import qpi_image
from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import draw_image, irrep_label
from gapscope.plots.style import styled


def sheet(reader: DatasetReader, per_class: int) -> Figure:
    """Re rho(q) at the first energy of the first maps of every class, a row for each class."""
    chosen = reader.examples(per_class)
    lattice = Lattice(reader.lattice, reader.lattice_constant)
    with styled():
        figure = Figure(figsize=(2.5 * per_class, 2.7 * len(chosen)), layout="constrained")
        axes = figure.subplots(len(chosen), per_class, squeeze=False)
        for row, ids in zip(axes, chosen.values(), strict=True):
            for axis in row[len(ids) :]:
                axis.set_axis_off()
            for axis, sample in zip(row, ids.tolist(), strict=False):
                image = qpi_image(reader.image(sample)[0], reader.lattice).real
                draw_image(figure, axis, image, lattice, colour_bar=False)
                axis.set(xticks=[], yticks=[], xlabel="", ylabel="")
                axis.set_title(_title(reader, sample), fontsize=8)
        figure.suptitle(rf"Re $\rho(\mathbf{{q}})$, $\omega$ = {reader.energies[0]:g} meV")
    return figure


def _title(reader: DatasetReader, sample: int) -> str:
    p = {name: values[sample] for name, values in reader.parameters.items()}
    theta = "" if np.isnan(p["theta"]) else rf", $\theta$ = {p['theta']:.2f}"
    return (
        rf"{irrep_label(reader.irreps[p['irrep']])}, $\Delta$ = {p['printed_gap']:.2f}{theta},"
        rf" $\epsilon_0$ = {p['eps0']:.0f}"
    )
