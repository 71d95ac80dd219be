"""Figure of gaps on the Fermi surface, one panel for each partner of each basis function."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.bonds import Bonds
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.fermi_surface import FermiSurface
from gapscope.physics.gaps.magnitude import singular_values
from gapscope.physics.gaps.on_fermi_surface import GapOnFermiSurface
from gapscope.physics.lattice import Lattice
from gapscope.plots.pixels import nearest
from gapscope.plots.style import MAP_COLOURS, styled

MOST_PANELS = 120
ACROSS = 5
UNSIGNED, OFF_LEVEL = "viridis", "Greys"
ALL = 0.999
"""Part of the Fermi surface from which all of it is without a gap to first order."""


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

    Red and blue are the gap with its sign, where it has one; green to yellow its magnitude; both in
    units of the largest on the Fermi surface, which each title tells. Where a gap opens nothing to
    first order, the largest singular value of Delta(k) is shown in grey, and said so.
    """
    panels = [(one, n, on) for one, values in gaps for n, on in enumerate(values, start=1)]
    require_panels(len(panels))
    across = max(min(ACROSS, len(panels)), 2)
    down = max(-(-len(panels) // across), 1)
    zone = lattice.brillouin_zone
    momenta = into_zone(lattice.momentum(surface.momenta), lattice)
    height = 2.5 * down + 1.3
    with styled():
        figure = Figure(figsize=(2.3 * across, height))
        axes = figure.subplots(down, across, squeeze=False).ravel()
        figure.subplots_adjust(0.01, 0.9 / height, 0.99, 1 - 0.75 / height, 0.05, 0.25)
        for axis in axes:
            axis.set_axis_off()
        for axis, (function, partner, gap) in zip(axes, panels, strict=False):
            values, top, colours = _shown(function.partners[partner - 1], gap, surface)
            gapless = "pairs off the Fermi level" if surface.states else "no Fermi surface"
            text = gapless if gap.ungapped >= ALL or not surface.states else f"largest {top:.3g}"
            _panel(axis, momenta, zone, values / (top or 1.0), colours)
            axis.set_title(f"{panel_title(function, partner)}\n{text}", fontsize=8)
        for left, colours, low, label in (
            (0.06, MAP_COLOURS, -1, "gap with its sign / largest"),
            (0.56, UNSIGNED, 0, "magnitude / largest"),
        ):
            place = figure.add_axes((left, 0.45 / height, 0.38, 0.12 / height))
            scale = ScalarMappable(Normalize(low, 1), colours)
            figure.colorbar(scale, cax=place, orientation="horizontal").set_label(label, size=8)
            place.tick_params(labelsize=7)
        figure.suptitle(title, y=1 - 0.15 / height, va="top")
    return figure


def _shown(
    partner: Bonds, gap: GapOnFermiSurface, surface: FermiSurface
) -> tuple[NDArray[np.float64], float, str]:
    """What a panel shows, the largest of it, and its map of colours."""
    if gap.ungapped >= ALL:
        values = singular_values(partner.at(surface.momenta))
        return values, float(values.max(initial=0.0)), OFF_LEVEL
    if np.isnan(gap.signed).any():
        return gap.least, gap.maximum, UNSIGNED
    return gap.signed, gap.maximum, MAP_COLOURS


def panel_title(function: BasisFunction, partner: int) -> str:
    """Irrep, channel and shell of a panel; the partner where there are two."""
    text = function.title
    return text + (f", partner {partner}" if function.irrep.dimension > 1 else "")


def into_zone(momenta: NDArray[np.float64], lattice: Lattice) -> NDArray[np.float64]:
    """Cartesian momenta moved by reciprocal lattice vectors into the first Brillouin zone."""
    return momenta - lattice.momentum(nearest(momenta, lattice.reciprocal))


def _panel(
    axis: Axes,
    momenta: NDArray[np.float64],
    zone: NDArray[np.float64],
    values: NDArray[np.float64],
    colours: str,
) -> None:
    axis.scatter(
        momenta[:, 0],
        momenta[:, 1],
        c=values,
        s=3.0,
        linewidths=0,
        cmap=colours,
        vmin=-1.0 if colours == MAP_COLOURS else 0.0,
        vmax=1.0,
    )
    closed = np.vstack([zone, zone[:1]])
    axis.plot(*closed.T, color="black", linewidth=0.8)
    axis.set_aspect("equal")
