"""Figure of a measured map's preparation: before and after, with the peaks that were found."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gapscope.measured.preparation import FoundLattice, Prepared
from gapscope.plots.maps import draw_image
from gapscope.plots.style import styled

SCAN_COLOURS = "YlOrBr_r"
TRANSFORM_COLOURS = "Greys"
BRAGG, WAVE = "tab:blue", "tab:orange"
OUTLINE = [withStroke(linewidth=3.0, foreground="black")]
REACH = 1.5
"""Half width of a transform, in units of the longest of the vectors that the lattice was found by:
b1 + b2 and b1 - b2 of a square lattice are inside."""
PER_ANGSTROM = 0.1
"""1/nm in 1/Angstrom."""


def preparation_figure(
    prepared: Prepared, title: str | None = None, sites: xr.Dataset | None = None
) -> Figure:
    """Raw and levelled map, their transform with its peaks, the same corrected, the final image.

    Parameters
    ----------
    prepared : result of :func:`gapscope.measured.preparation.prepare`.
    title : over the figure; none where not given.
    sites : its image on lattice sites; that of ``prepared.network_input()`` where not given.
    """
    corrected = [name for name in prepared.images if name in ("drift", "phase", "masked")]
    with styled():
        figure = Figure(figsize=(11.4, 7.2), layout="compressed")
        top, bottom = figure.subplots(2, 3)
        draw_scan(figure, top[0], prepared.images["raw"], "raw")
        draw_scan(figure, top[1], prepared.levelled, _levelled_title(prepared))
        _draw_peaks(top[2], prepared, prepared.levelled, prepared.lattice)
        draw_scan(figure, bottom[0], prepared.final, _final_title(corrected))
        _draw_cell(bottom[0], prepared)
        _draw_peaks(bottom[1], prepared, prepared.final, prepared.final_lattice)
        image = prepared.network_input() if sites is None else sites
        lattice = prepared.final_lattice.perfect
        draw_image(figure, bottom[2], image["qpi_re"].values, lattice, colour_bar=False)
        size, symmetry = image.sizes["r1"], prepared.steps.symmetry
        bottom[2].set_title(
            rf"Re $\rho(\mathbf{{q}})$ of {size} x {size} lattice sites"
            + (f", {symmetry[0]}$_{{{symmetry[1:]}}}$" if symmetry else "")
        )
        for axis in (*top, *bottom):
            axis.spines[:].set_visible(True)
        handles, labels = top[2].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower right", ncols=2)
        if title is not None:
            figure.suptitle(title)
    return figure


def draw_scan(figure: Figure, axis: Axes, image: xr.DataArray, title: str) -> None:
    """A map in real space, coordinates in nm, colours between its 0.5 % and 99.5 % quantiles."""
    low, high = np.quantile(image.values, [0.005, 0.995])
    mesh = axis.pcolormesh(
        image.x,
        image.y,
        image.values,
        cmap=SCAN_COLOURS,
        vmin=low,
        vmax=high,
        shading="nearest",
        rasterized=True,
    )
    axis.set(xlabel="x (nm)", ylabel="y (nm)", aspect="equal", title=title)
    bar = figure.colorbar(mesh, cax=axis.inset_axes((1.03, 0.0, 0.05, 1.0)))
    bar.locator = MaxNLocator(5)
    bar.set_label(units_label(image))
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.yaxis.set_major_locator(MaxNLocator(5))


def units_label(image: xr.DataArray) -> str:
    """What stands beside the colours: units, the name of a number, "arb. units" of the unknown."""
    units = str(image.attrs.get("units", ""))
    return str(image.name or "") if units == "1" else units or "arb. units"


def draw_transform(axis: Axes, transform: xr.DataArray, reach: float) -> None:
    """|rho(q)| on a logarithmic scale out to a momentum in 1/nm; axes in 1/Angstrom."""
    shown = transform.sel(qx=slice(-reach, reach), qy=slice(-reach, reach))
    amplitude: NDArray[np.float64] = np.abs(shown.values)
    low, high = np.quantile(amplitude, [0.5, 0.9995])
    high = max(high, float(np.finfo(float).tiny))
    axis.pcolormesh(
        PER_ANGSTROM * shown.qx,
        PER_ANGSTROM * shown.qy,
        np.maximum(amplitude, 1e-12 * high),
        cmap=TRANSFORM_COLOURS,
        norm=LogNorm(vmin=max(low, 1e-6 * high), vmax=high),
        shading="nearest",
        rasterized=True,
    )
    axis.set(xlabel=r"$q_x$ (1/Å)", ylabel=r"$q_y$ (1/Å)", aspect="equal")


def _draw_peaks(axis: Axes, prepared: Prepared, image: xr.DataArray, lattice: FoundLattice) -> None:
    """The transform, rings around the Bragg peaks and the wave's, the lattice in words."""
    reach = REACH * float(np.linalg.norm([peak.momentum for peak in lattice.peaks], axis=1).max())
    one = lattice.momentum(prepared.bragg)
    bragg = np.concatenate([one, -one])
    bragg = bragg[(np.abs(bragg) < reach).all(axis=1)]
    step = prepared.transform(_name(prepared, image))
    draw_transform(axis, step, reach)
    _ring(axis, bragg, BRAGG, "Bragg")
    if prepared.wave is not None and len(prepared.wave.momenta):
        wave = lattice.momentum(prepared.lattice.reduced(prepared.wave.momenta))
        _ring(axis, np.concatenate([wave, -wave]), WAVE, "density wave")
    axis.set_xlim(-PER_ANGSTROM * reach, PER_ANGSTROM * reach)
    axis.set_ylim(-PER_ANGSTROM * reach, PER_ANGSTROM * reach)
    doubt = " (ambiguous)" if lattice.ambiguous else ""
    axis.set_title(
        rf"$a$ = {float(lattice.constant.value):.3f} Å{doubt}, anisotropy "
        f"{100 * (float(lattice.anisotropy.value) - 1):.1f} %"
    )


def _ring(axis: Axes, momenta: NDArray[np.float64], colour: str, label: str) -> None:
    x, y = PER_ANGSTROM * momenta.T
    axis.plot(x, y, "o", markersize=11, fillstyle="none", color=colour, label=label)


def _draw_cell(axis: Axes, prepared: Prepared) -> None:
    """The lattice vectors of the corrected map, ten cells long, from near its lower left corner."""
    image = prepared.final
    low, high = (np.array([float(image.x[end]), float(image.y[end])]) for end in (0, -1))
    field = high - low
    a1, a2 = prepared.final_lattice.vectors
    cells = max(1, min(10, int(0.35 * field.min() / np.linalg.norm(a1))))
    back = np.minimum(0, cells * np.minimum(a1, a2))
    # Room for a name beyond a tip that lies at the left or at the bottom.
    corner = low + np.where(back < -0.1 * field, 0.13, 0.06) * field - back
    for vector, name in ((a1, "1"), (a2, "2")):
        tip = corner + cells * vector
        axis.annotate(
            "",
            tip,
            corner,
            arrowprops={
                "arrowstyle": "-|>",
                "color": "white",
                "linewidth": 1.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "path_effects": OUTLINE,
            },
        )
        count = "" if cells == 1 else f"{cells}\u2009"
        axis.annotate(
            rf"${count}\mathbf{{a}}_{name}$",
            tip,
            xytext=13 * vector / np.linalg.norm(vector),
            textcoords="offset points",
            color="white",
            path_effects=OUTLINE,
            ha="center",
            va="center",
        )


def _name(prepared: Prepared, image: xr.DataArray) -> str:
    return next(name for name, one in prepared.images.items() if one is image)


def _levelled_title(prepared: Prepared) -> str:
    done = [name for name in ("plane", "lines", "line_noise") if name in prepared.images]
    words = {"plane": "plane", "lines": "lines", "line_noise": "line noise"}
    return "less " + ", ".join(words[name] for name in done) if done else "as measured"


def _final_title(done: list[str]) -> str:
    words = {"drift": "drift corrected", "phase": "phase corrected", "masked": "peaks masked"}
    return ", ".join(words[name] for name in done) if done else "final"
