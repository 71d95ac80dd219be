"""The part of the page that shows a simulated state."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
import xarray as xr
from bokeh.models import ColumnDataSource
from bokeh.models.annotations import Span

from gapscope.explore.figures import FERMI, INK, MARK, Lines, Picture, palette, plain
from gapscope.explore.momentum import SpectralImage
from gapscope.explore.raster import image_raster, logarithmic, sites_raster
from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import brillouin_zone
from gapscope.plots.overview import SPECTRAL_COLOURS, spectral_limits
from gapscope.plots.style import MAP_COLOURS

SIZE = (326, 326)
MILLI = 1e3
Q_AXES, K_AXES, R_AXES = (("qx (1/Å)", "qy (1/Å)"), ("kx (1/Å)", "ky (1/Å)"), ("x (Å)", "y (Å)"))
UNIT = "1/meV"
DENSITY = "density of states"
"""Name of the figure, in the document too."""


def lattice_of(maps: xr.Dataset) -> Lattice:
    """The lattice of a map as ``simulate`` writes it."""
    return Lattice(maps.attrs["lattice"], maps.attrs["lattice_constant"])


class Zone:
    """The first Brillouin zone in a figure; the browser is sent it when the lattice changes."""

    def __init__(self, figure: Any) -> None:
        self._lines = Lines.on(figure, line_color=INK, line_width=1.1)
        self._lattice: Lattice | None = None

    def show(self, lattice: Lattice) -> None:
        """That of a lattice."""
        if lattice != self._lattice:
            self._lattice = lattice
            zone = brillouin_zone(lattice)
            self._lines.show([np.vstack([zone, zone[:1]])])


class ImagePicture:
    """rho(q) with the first Brillouin zone."""

    def __init__(self, title: str, size: tuple[int, int]) -> None:
        self.title = title
        self.picture = Picture.make(title, size, Q_AXES, palette(MAP_COLOURS))
        self._zone = Zone(self.picture.figure)

    def show(
        self, image: np.ndarray[Any, np.dtype[np.float64]], lattice: Lattice, detail: str, unit: str
    ) -> None:
        """A real image (L, L) and its unit."""
        self.picture.show(image_raster(image, lattice), f"{self.title}{detail}", unit)
        self._zone.show(lattice)


class Simulation:
    """Four pictures of a state."""

    def __init__(self) -> None:
        self.image = ImagePicture("Re ρ(q)", SIZE)
        self.sites = Picture.make("δρ(r)", SIZE, R_AXES, palette(MAP_COLOURS))
        self.spectral = Picture.make("A(k)", SIZE, K_AXES, palette(SPECTRAL_COLOURS, clear=True))
        made = self.spectral.figure
        self._fermi = Lines.on(made, line_color=FERMI, line_width=4.0, line_alpha=0.35)
        self._zone = Zone(made)
        # The Fermi surface lies under A(k): it is seen where the gap has taken A away.
        made.renderers = [made.renderers[1], made.renderers[0], made.renderers[2]]
        self.dos: Any = plain("", SIZE, "ω (meV)", "density of states (10⁻³/meV per site)")
        self.dos.name = DENSITY
        self._dos = ColumnDataSource({"x": [0.0, 1.0], "y": [0.0, 1.0]})
        self.dos.line("x", "y", source=self._dos, line_color=INK, line_width=1.5)
        self._mark = Span(location=0.0, dimension="height", line_color=MARK, line_width=1.5)
        self.dos.add_layout(self._mark)
        self.dos.y_range.start = 0
        self.dos.x_range.range_padding = 0

    def rows(self) -> list[pn.Row]:
        """The four, each in a row of its own: hidden itself, a figure would lose its size."""
        made = (self.image.picture.figure, self.sites.figure, self.spectral.figure, self.dos)
        return [pn.Row(pn.pane.Bokeh(one, margin=0)) for one in made]

    def show_maps(self, maps: xr.Dataset) -> None:
        """rho(q) and drho(r) of the one energy of a dataset of ``simulate``."""
        lattice = lattice_of(maps)
        detail = f",  ω = {float(maps.energy[0]):g} meV"
        self.image.show(maps["qpi_re"].values[0], lattice, detail, UNIT)
        raster = sites_raster(maps["ldos_change"].values[0], lattice)
        self.sites.show(raster, f"δρ(r){detail}", UNIT)

    def show_spectral(self, image: SpectralImage, energy: float, lattice: Lattice) -> None:
        """A(k) with the Fermi surface."""
        low, high = spectral_limits(image.values)
        raster = logarithmic(image.values, image.reach, low, high)
        title = f"A(k),  ω = {energy:g} meV, Fermi surface in orange"
        self.spectral.show(raster, title, UNIT)
        self._zone.show(lattice)
        self._fermi.show(image.fermi_surface)

    def show_density(self, dos: xr.DataArray, energy: float) -> None:
        """The density of states with the chosen energy marked."""
        self._dos.data = {"x": dos.energy.values, "y": MILLI * dos.values}
        self._mark.location = energy
        self.dos.title.text = f"{DENSITY}, clean;  k-grid {dos.attrs['kgrid']}"
