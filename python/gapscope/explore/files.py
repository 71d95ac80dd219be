"""The drop area, its settings, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import xarray as xr

from gapscope.errors import GapscopeError, MeasurementFileError
from gapscope.explore.style import STYLE
from gapscope.explore.upload import biases, channels, require_size, topographs
from gapscope.measured.readers.limits import MAX_BYTES

THE_SAME = "the map itself"


class Dropper(pn.widgets.FileDropper):
    """Panel's drop area; counts the bytes that come, which Panel leaves to the browser."""

    refused: Callable[[GapscopeError], None]

    def _process_event(self, event: Any) -> None:
        data = event.data
        if "chunk" in data:
            parts = [] if data["chunk"] == 1 else self._file_buffer.get(data["name"])
            if parts is None:  # the rest of a file that was refused
                return
            try:
                require_size(sum(map(len, parts)) + len(data["data"]))
            except MeasurementFileError as error:
                self._file_buffer.pop(data["name"], None)
                self.refused(error)
                return
        super()._process_event(event)


class Files:
    """Widgets of a measured file.

    Parameters
    ----------
    constant : lattice constant of the material in Angstrom, where the widget stands first.
    energy : of the network, in meV: of a grid of spectra the map nearest to it stands first.
    dropped : called with name and bytes of a file, and again when its scale is changed.
    chosen : called when the channel, the bias or the lattice constant is, or the wave's mask.
    refused : called with the error of a file that is too large.
    """

    def __init__(
        self,
        constant: float,
        energy: float,
        dropped: Callable[[str, bytes], None],
        chosen: Callable[[], None],
        refused: Callable[[GapscopeError], None],
    ) -> None:
        self._dropped, self._chosen = dropped, chosen
        self._filling, self._constant, self._energy = False, constant, energy
        dropper: Any = Dropper  # whose parameters Panel makes up at run time
        self.drop = dropper(
            max_file_size=f"{MAX_BYTES // 10**6}MB",
            previews=[],
            width=250,
            height=96,
            margin=(0, 10),
        )
        self.drop.refused = refused
        self.channel = pn.widgets.Select(name="channel", options=[], width=150)
        self.topograph = pn.widgets.Select(
            name="lattice from", options=[THE_SAME], width=130, visible=False
        )
        self.bias = pn.widgets.Select(name="bias (mV)", options=[], width=100, visible=False)
        self.constant = pn.widgets.FloatInput(
            name="lattice constant (Å)", value=constant, start=1.0, end=20.0, step=0.01, width=120
        )
        self.width, self.height = (
            pn.widgets.FloatInput(name=f"{side} (nm)", value=None, start=0.0, width=84)
            for side in ("width", "height")
        )
        self.mask_wave = pn.widgets.Checkbox(
            name="take the density wave out", value=False, margin=(18, 10), width=220
        )
        self.drop.param.watch(self._read, "value")
        for side in (self.width, self.height):
            side.param.watch(self._rescale, "value")
        for choice in (self.channel, self.topograph, self.bias, self.constant, self.mask_wave):
            choice.param.watch(self._choose, "value")

    def row(self) -> pn.FlexBox:
        """All of them, side by side where there is room."""
        scale = pn.pane.HTML(
            '<p class="note">width: only for a file without a scale of its own;'
            " height: where its pixels are not square</p>",
            width=140,
            margin=(12, 0),
            stylesheets=[STYLE],
        )
        return pn.FlexBox(
            self.drop,
            self.channel,
            self.topograph,
            self.bias,
            self.constant,
            self.width,
            self.height,
            scale,
            self.mask_wave,
        )

    def fill(self, dataset: xr.Dataset) -> None:
        """Offer the channels of a file."""
        self._filling = True
        try:
            names = channels(dataset)
            self.channel.param.update(options=names, value=names[0])
            self._fit(dataset)
        finally:
            self._filling = False

    def fit(self, dataset: xr.Dataset) -> None:
        """Offer what goes with the channel chosen: biases of a grid of spectra, topographs."""
        self._filling = True
        try:
            self._fit(dataset)
        finally:
            self._filling = False

    @property
    def lattice_constant(self) -> float:
        """The material's lattice constant in Angstrom; the first one where the field is empty."""
        value = self.constant.value
        return self._constant if value is None else float(value)

    @property
    def lattice_from(self) -> str | None:
        """The channel in which the lattice is looked for; None: the map itself."""
        return None if self.topograph.value == THE_SAME else str(self.topograph.value)

    def _fit(self, dataset: xr.Dataset) -> None:
        others = [THE_SAME, *topographs(dataset, self.channel.value)]
        kept = self.topograph.value if self.topograph.value in others else THE_SAME
        self.topograph.param.update(options=others, value=kept, visible=len(others) > 1)
        values = biases(dataset, self.channel.value)
        if values != list(self.bias.options):
            nearest = min(values, key=lambda bias: abs(bias - self._energy)) if values else None
            self.bias.param.update(options=values, value=nearest)
        self.bias.visible = bool(values)

    def _read(self, event: object) -> None:
        if not self.drop.value:
            return
        # Panel keeps files that another one has replaced, and decodes what the browser calls text.
        name, content = list(self.drop.value.items())[-1]
        for other in list(self.drop.value)[:-1]:
            del self.drop.value[other]
        self._dropped(name, content.encode() if isinstance(content, str) else content)

    def _rescale(self, event: object) -> None:
        # The height alone is no scale: wait for the width.
        if self.width.value is not None or self.height.value is None:
            self._read(event)

    def _choose(self, event: object) -> None:
        if not self._filling:
            self._chosen()
