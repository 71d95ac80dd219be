"""The part of the page that shows a simulated state."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
import xarray as xr
from bokeh.models import ColumnDataSource
from bokeh.models.annotations import Span

from gapscope.explore.figures import FERMI, INK, MARK, Lines, Picture, palette, plain, word
from gapscope.explore.momentum import SpectralImage
from gapscope.explore.raster import (
    Raster,
    image_raster,
    logarithmic,
    map_rasters,
)
from gapscope.explore.state import Quality
from gapscope.explore.style import STYLE
from gapscope.explore.words import note_html
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
COMPUTING = "computing …"
NO_IMPURITY = "no impurity: nothing to interfere"


def lattice_of(maps: xr.Dataset) -> Lattice:
    """The lattice of a map as ``simulate`` writes it."""
    return Lattice.from_dict(maps.attrs)


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
        self.show_raster(image_raster(image, lattice), lattice, detail, unit)

    def show_raster(
        self, raster: Raster, lattice: Lattice, detail: str, unit: str, title: str = ""
    ) -> None:
        """An image that is coloured already; ``title`` stands in place of the picture's own."""
        self.picture.show(raster, f"{title or self.title}{detail}", unit)
        self._zone.show(lattice)


class Simulation:
    """Four pictures of a state, each with a line that says how well it is computed."""

    def __init__(self) -> None:
        self.image = ImagePicture("Re ρ(q)", SIZE)
        self.sites = Picture.make("δρ(r)", SIZE, R_AXES, palette(MAP_COLOURS))
        self.spectral = Picture.make("A(k)", SIZE, K_AXES, palette(SPECTRAL_COLOURS, clear=True))
        made = self.spectral.figure
        # Dots, so that A(k) is seen between them where the gap has not taken it away.
        self._fermi = Lines.on(made, line_color=FERMI, line_width=2.0, line_dash=(2, 3))
        self._zone = Zone(made)
        self.dos: Any = plain("", SIZE, "ω (meV)", "density of states (10⁻³/meV per cell)")
        self.dos.name = DENSITY
        self._dos = ColumnDataSource({"x": [], "y": []})
        self._no_dos = word(self.dos, COMPUTING)
        self.dos.line("x", "y", source=self._dos, line_color=INK, line_width=1.5)
        self._mark = Span(
            location=0.0, dimension="height", line_color=MARK, line_width=1.5, visible=False
        )
        self.dos.add_layout(self._mark)
        self.dos.y_range.start = 0
        self.dos.x_range.range_padding = 0
        for picture in (self.image.picture, self.sites, self.spectral):
            picture.empty(picture.figure.title.text, COMPUTING)
        self._of_image, self._of_sites, self._of_spectral, self._of_dos = (
            pn.pane.HTML(note_html(""), height=18, margin=(0, 0, 0, 56), stylesheets=[STYLE])
            for _ in range(4)
        )

    @property
    def figures(self) -> list[Any]:
        """The four figures."""
        return [self.image.picture.figure, self.sites.figure, self.spectral.figure, self.dos]

    def rows(self) -> list[pn.Column]:
        """The four, each in a column of its own: hidden itself, a figure would lose its size."""
        statuses = (self._of_image, self._of_sites, self._of_spectral, self._of_dos)
        return [
            pn.Column(pn.pane.Bokeh(one, margin=0), status)
            for one, status in zip(self.figures, statuses, strict=True)
        ]

    def no_maps(self) -> None:
        """Without an impurity there is no map."""
        self.image.picture.empty(self.image.title, NO_IMPURITY)
        self.sites.empty("δρ(r)", NO_IMPURITY)
        self._of_image.object = self._of_sites.object = note_html("")

    def show_maps(self, maps: xr.Dataset, quality: Quality) -> None:
        """rho(q) and drho(r) of the one energy of a dataset of ``simulate``."""
        status = f"map {quality.word}, {_estimate(maps.relative_error[0])}"
        self._of_image.object = self._of_sites.object = note_html(status)
        lattice = lattice_of(maps)
        detail = f",  ω = {float(maps.energy[0]):g} meV"
        image, sites = map_rasters(maps.isel(energy=0), lattice)
        self.image.show_raster(image, lattice, detail, UNIT)
        self.sites.show(sites, f"δρ(r){detail}", UNIT)

    def show_spectral(
        self, image: SpectralImage, energy: float, lattice: Lattice, quality: Quality
    ) -> None:
        """A(k) with the Fermi surface."""
        self._of_spectral.object = note_html(
            f"A(k) {quality.word}, {quality.pixels}² pixels; Fermi surface dotted"
        )
        low, high = spectral_limits(image.values)
        raster = logarithmic(image.values, image.reach, low, high)
        self.spectral.show(raster, f"A(k),  ω = {energy:g} meV", UNIT)
        self._zone.show(lattice)
        self._fermi.show(image.fermi_surface)

    def show_density(self, dos: xr.DataArray, energy: float, quality: Quality) -> None:
        """The density of states with the chosen energy marked."""
        self._no_dos.text, self._mark.visible = "", True
        how = (
            f"a k-grid of {dos.attrs['kgrid']}"
            if quality.kgrid
            else _estimate(dos.relative_error.max())
        )
        self._of_dos.object = note_html(f"{DENSITY} {quality.word}, {how}")
        self._dos.data = {"x": dos.energy.values, "y": MILLI * dos.values}
        self._mark.location = energy
        self.dos.title.text = f"{DENSITY}, clean"


def _estimate(error: Any) -> str:
    return f"estimated error {float(error):.1g}"
