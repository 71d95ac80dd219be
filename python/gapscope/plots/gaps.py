"""Figure of gaps on the Fermi surface, one panel for each partner of each basis function."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.fermi_surface import FermiSurface
from gapscope.physics.gaps.magnitude import singular_values
from gapscope.physics.gaps.on_fermi_surface import GapOnFermiSurface
from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import brillouin_zone
from gapscope.plots.style import MAP_COLOURS, styled

MOST_PANELS = 120
ACROSS = 5
UNSIGNED = "viridis"


def require_panels(panels: int) -> None:
    """Raise SpecificationError where a figure would have too many panels."""
    if panels > MOST_PANELS:
        raise SpecificationError(
            f"A figure of gaps has at most {MOST_PANELS} panels, one for each partner.",
            f"{panels} partners",
            "Give fewer --shells or --channels, or one --irrep.",
        )


def gap_figure(
    gaps: Sequence[tuple[BasisFunction, Sequence[GapOnFermiSurface]]],
    surface: FermiSurface,
    lattice: Lattice,
    title: str,
) -> Figure:
    """Every partner's gap as the colour of the Fermi surface, in the first Brillouin zone.

    Red and blue are the gap with its sign, where it has one; green to yellow its magnitude. Where a
    gap opens nothing to first order, the largest singular value of Delta(k) is shown, and said so.
    """
    panels = [(one, n, on) for one, values in gaps for n, on in enumerate(values, start=1)]
    require_panels(len(panels))
    across = min(ACROSS, len(panels))
    down = -(-len(panels) // across)
    zone = brillouin_zone(lattice) * lattice.constant
    momenta = into_zone(lattice.momentum(surface.momenta), lattice)
    with styled():
        figure = Figure(figsize=(2.7 * across + 0.3, 2.25 * down + 0.6), layout="constrained")
        axes = figure.subplots(down, across, squeeze=False).ravel()
        for axis, (function, partner, gap) in zip(axes, panels, strict=False):
            text = panel_title(function, partner)
            if gap.ungapped > 0.999:
                text += "\npairs off the Fermi level"
                values = singular_values(function.partners[partner - 1].at(surface.momenta))
                top, signed = float(values.max(initial=0.0)), False
            else:
                signed = not np.isnan(gap.signed).any()
                values, top = gap.signed if signed else gap.least, gap.maximum
            _panel(figure, axis, momenta, zone, values, top, signed)
            axis.set_title(text, fontsize=8)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        figure.suptitle(title)
    return figure


def panel_title(function: BasisFunction, partner: int) -> str:
    """Irrep, channel and shell of a panel; the partner where there are two."""
    text = function.title
    return text + (f", partner {partner}" if function.irrep.dimension > 1 else "")


def into_zone(momenta: NDArray[np.float64], lattice: Lattice) -> NDArray[np.float64]:
    """Cartesian momenta moved by reciprocal lattice vectors into the first Brillouin zone."""
    steps = np.array([(i, j) for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2)])
    # Of the 25 nearest cells of a basis whose vectors may be long: reduced first.
    reduced = lattice.reduced(momenta)
    places = lattice.momentum((reduced - np.rint(reduced))[:, None, :] + steps)
    nearest = np.linalg.norm(places, axis=-1).argmin(axis=1)
    return np.asarray(places[np.arange(len(places)), nearest])


def _panel(
    figure: Figure,
    axis: Axes,
    momenta: NDArray[np.float64],
    zone: NDArray[np.float64],
    values: NDArray[np.float64],
    top: float,
    signed: bool,
) -> None:
    top = top or 1.0
    dots = axis.scatter(
        momenta[:, 0],
        momenta[:, 1],
        c=values,
        s=3.0,
        linewidths=0,
        cmap=MAP_COLOURS if signed else UNSIGNED,
        vmin=-top if signed else 0.0,
        vmax=top,
    )
    closed = np.vstack([zone, zone[:1]])
    axis.plot(*closed.T, color="black", linewidth=0.8)
    axis.set_aspect("equal")
    axis.set_axis_off()
    figure.colorbar(dots, ax=axis, shrink=0.75, pad=0.02).ax.tick_params(labelsize=7)
