"""The part of the page that shows a measured file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import panel as pn
import xarray as xr
from bokeh.events import Tap

from gapscope.explore.figures import ATOM, MARK, WAVE, Picture, Rings, palette, plain
from gapscope.explore.prepared_map import Placed, Transform, facts
from gapscope.explore.raster import Raster, linear, thinned, thinned_peaks
from gapscope.explore.simulated_view import Q_AXES, UNIT, ImagePicture, lattice_of
from gapscope.explore.words import error_html, facts_html, note_html
from gapscope.plots.preparation import SCAN_COLOURS, TRANSFORM_COLOURS

SIZE = (250, 250)
NM_AXES = ("x (nm)", "y (nm)")
CHOOSE = "Is the impurity elsewhere? Tap it in the map as measured."
DECADES = 3.5
"""Decades of |rho(q)| that are told apart."""
CURVES = ("#1f2933", "#364fc7", "#0b7285", "#2b8a3e", "#e67700", "#c92a2a", "#862e9c")


class Measurement:
    """Six fields: raw and prepared map, transform; rho(q), the simulation's, what was found.

    Parameters
    ----------
    tapped : called with (x, y) in nm of the scan where somebody taps the raw map.
    """

    def __init__(self, tapped: Callable[[float, float], None]) -> None:
        self.raw = Picture.make("as measured", SIZE, NM_AXES, palette(SCAN_COLOURS))
        self.prepared = Picture.make("prepared", SIZE, NM_AXES, palette(SCAN_COLOURS))
        self.raw.figure.on_event(Tap, lambda event: tapped(event.x, event.y))
        self._atoms = [Rings.on(one.figure, ATOM) for one in (self.raw, self.prepared)]
        self.transform = Picture.make("|ρ(q)|", SIZE, Q_AXES, palette(TRANSFORM_COLOURS))
        made = self.transform.figure
        self._bragg = Rings.on(made, MARK, "Bragg peaks")
        self._wave = Rings.on(made, WAVE, "density wave")
        made.legend.label_text_font_size = "10px"
        made.legend.background_fill_alpha = 0.85
        made.legend.border_line_color = None
        made.legend.padding, made.legend.margin, made.legend.spacing = 3, 4, 0
        made.legend.visible = False
        self.image = ImagePicture("measured Re ρ(q)", SIZE)
        self.simulated = ImagePicture("simulated Re ρ(q)", SIZE)
        self.spectra = plain("", (2 * SIZE[0], SIZE[1]), "bias (mV)", "")
        self.found = pn.pane.HTML(
            note_html("Drop a file: nothing is kept of it, and nothing sent.")
        )
        self._arrange(maps=False, curves=False)

    @property
    def figures(self) -> list[Any]:
        """All figures."""
        top = (self.raw.figure, self.prepared.figure, self.transform.figure, self.spectra)
        return [*top, self.image.picture.figure, self.simulated.picture.figure]

    def grid(self) -> pn.FlexBox:
        """The fields, three by two where there is room."""
        text = pn.Column(
            pn.pane.HTML("<h2>Found in the map</h2>"), self.found, width=334, margin=(0, 0, 0, 20)
        )
        return pn.FlexBox(*(pn.pane.Bokeh(one, margin=0) for one in self.figures), text)

    def clear(self, words: str) -> None:
        """No measured map; words say why."""
        self._arrange(maps=False, curves=False)
        self.found.object = note_html(words)

    def show_simulated(self, maps: xr.Dataset) -> None:
        """rho(q) of the sliders' state."""
        detail = f",  ω = {float(maps.energy[0]):g} meV"
        self.simulated.show(maps["qpi_re"].values[0], lattice_of(maps), detail, UNIT)

    def show_map(self, raster: Raster, maps: xr.Dataset) -> None:
        """rho(q) of a simulated map from a file, at the first of its energies."""
        detail = f",  ω = {float(maps.energy[0]):g} meV"
        self.image.show_raster(raster, lattice_of(maps), detail, UNIT, "Re ρ(q) of the file")
        self._arrange(maps=False, curves=False)
        self.image.picture.figure.visible = True
        energies = ", ".join(f"{energy:g}" for energy in maps.energy.values)
        self.found.object = note_html(f"A simulated map, ω = {energies} meV: nothing to prepare.")

    def show_raw(self, image: xr.DataArray, transform: Transform) -> None:
        """A map and its transform; what was prepared of another one goes."""
        self._arrange(maps=True, curves=False)
        for rings in self._atoms:
            rings.show(np.empty((0, 2)))
        at = f" at {float(image['bias']):g} mV" if "bias" in image.coords else ""
        _show_scan(self.raw, image, f"as measured{at}")
        self._show_transform(transform, "its transform |ρ(q)|")
        self.found.object = note_html("looking for the lattice …")

    def show_prepared(self, placed: Placed) -> None:
        """What came of the preparation, with its image on lattice sites."""
        prepared = placed.prepared
        _show_scan(self.prepared, prepared.final, "prepared")
        self._show_transform(placed.transform, "its transform |ρ(q)|")
        for rings, atom in zip(self._atoms, (placed.in_scan, placed.in_final), strict=True):
            rings.show(np.array([atom]))
        lattice = prepared.final_lattice.perfect
        unit = str(prepared.final.attrs.get("units", ""))
        self.image.show(placed.sites["qpi_re"].values, lattice, "", unit)
        self._arrange(maps=True, prepared=True, curves=False)
        self.found.object = facts_html(facts(placed)) + note_html(CHOOSE)

    def show_spectra(self, dataset: xr.Dataset, channel: str) -> None:
        """Spectra without positions: all channels of the file over the bias."""
        self._arrange(maps=False, curves=True)
        self.spectra.renderers = []
        names = [str(name) for name in dataset.data_vars if "bias" in dataset[name].dims]
        for colour, name in zip(
            CURVES, [channel, *(n for n in names if n != channel)], strict=False
        ):
            values = np.atleast_2d(dataset[name].values)
            for row in values[:20]:
                self.spectra.line(dataset["bias"].values, row, line_color=colour, line_alpha=0.9)
        self.spectra.title.text = f"{len(names)} spectra, {channel} in black"
        self.spectra.yaxis.axis_label = (
            f"{channel} ({dataset[channel].attrs['units'] or 'no unit'})"
        )

    def show_error(self, error: Exception) -> None:
        """What is wrong with the file, or that no lattice was found in it."""
        self.found.object = error_html(error)

    def _arrange(self, *, maps: bool, prepared: bool = False, curves: bool) -> None:
        self.raw.figure.visible = self.transform.figure.visible = maps
        self.prepared.figure.visible = self.image.picture.figure.visible = prepared
        self.spectra.visible = curves

    def _show_transform(self, transform: Transform, title: str) -> None:
        values, reach = thinned_peaks(transform.values, transform.reach)
        raster = linear(values, reach, -DECADES, 0.0)
        ticks = tuple((255 * (d + DECADES) / DECADES, 10.0**d) for d in (-3, -2, -1, 0))
        self.transform.show(replace(raster, ticks=ticks), title, "of the largest")
        self._bragg.show(transform.bragg)
        self._wave.show(transform.wave)
        self.transform.figure.legend.visible = bool(len(transform.bragg))


def _show_scan(picture: Picture, image: xr.DataArray, title: str) -> None:
    """A map, coordinates in nm from its lower left corner."""
    values: np.ndarray[Any, np.dtype[np.float64]] = thinned(image.values)
    low, high = np.nanquantile(values, [0.005, 0.995])
    reach = tuple(
        0.5 * float(image[name].values[-1] + image[name].values[1] - 2 * image[name].values[0])
        for name in ("x", "y")
    )
    corner = (float(image.x.values[0]), float(image.y.values[0]))
    raster = linear(values, (reach[0], reach[1]), float(low), float(high))
    picture.show(raster, title, str(image.attrs.get("units", "")), corner=corner)
