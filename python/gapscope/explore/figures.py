"""Pictures of the page, in Bokeh: made once, then given new pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    FixedTicker,
    LinearColorMapper,
    Range1d,
)
from bokeh.models.annotations import ColorBar, Label
from bokeh.plotting import figure
from matplotlib import colormaps
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from gapscope.explore.raster import COLOURS, Raster

FONT = "Inter, Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
INK, FAINT = "#1f2933", "#9aa5b1"
FERMI, MARK, WAVE, ATOM = "#e8590c", "#d6336c", "#f08c00", "#22b8cf"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Real = NDArray[np.float64]
_NO_PIXELS: dict[str, Any] = {"image": [], "x": [], "y": [], "dw": [], "dh": []}


def palette(name: str, *, clear: bool = False) -> list[str]:
    """256 colours of a Matplotlib colour map; with ``clear`` they begin transparent."""
    colours = colormaps[name](np.linspace(0, 1, COLOURS))
    if clear:
        colours[:, 3] = np.clip(np.linspace(0, 2, COLOURS), 0, 1)
    return [to_hex(colour, keep_alpha=clear) for colour in colours]


def plain(title: str, size: tuple[int, int], x: str, y: str, **options: Any) -> Any:
    """An empty figure in the page's look; ``size`` is that of the frame in pixels."""
    made: Any = figure(
        title=title,
        frame_width=size[0],
        frame_height=size[1],
        x_axis_label=x,
        y_axis_label=y,
        tools="pan,wheel_zoom,reset",
        toolbar_location=None,
        **options,
    )
    made.title.text_font, made.title.text_font_size = FONT, "13px"
    made.title.text_font_style, made.title.text_color = "normal", INK
    for axis in (*made.xaxis, *made.yaxis):
        axis.axis_label_text_font = axis.major_label_text_font = FONT
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size, axis.major_label_text_font_size = "11px", "10px"
        axis.axis_label_text_color = axis.major_label_text_color = "#52606d"
        axis.axis_line_color = axis.major_tick_line_color = FAINT
        axis.minor_tick_line_color = None
        axis.major_tick_in, axis.major_tick_out = 0, 4
        axis.ticker = BasicTicker(desired_num_ticks=5)
        axis.axis_label_standoff = 4
    made.grid.grid_line_color = None
    made.outline_line_color = FAINT
    # Room for any tick labels, so that pictures below each other are aligned.
    made.min_border_left, made.min_border_right = 56, 54
    return made


def word(made: Any, text: str) -> Any:
    """A word in the middle of an empty figure."""
    label = Label(
        x=made.frame_width / 2,
        y=made.frame_height / 2,
        x_units="screen",
        y_units="screen",
        text=text,
        text_align="center",
        text_baseline="middle",
        text_font=FONT,
        text_font_size="12px",
        text_color="#52606d",
    )
    made.add_layout(label)
    return label


def tick_labels(ticks: Sequence[tuple[float, float]]) -> dict[float | str, Any]:
    """Labels of a colour bar: two figures, as powers of ten where all are."""
    if decades(ticks):
        return {p: f"10{str(round(math.log10(v))).translate(RAISED)}" for p, v in ticks}
    labels = {p: f"{v:.2g}" if abs(v) < 100 else f"{v:.0f}" for p, v in ticks}
    return {p: label.replace("-", "−") for p, label in labels.items()}


def decades(ticks: Sequence[tuple[float, float]]) -> bool:
    """Whether ticks are powers of ten, as on a logarithmic scale."""
    return all(value > 0 and f"{value:e}".startswith("1.000000e") for _, value in ticks)


def thousands(values: Sequence[float]) -> int:
    """The exponent, a multiple of 3, that leaves the largest of some values between 1 and 1000."""
    largest = max(map(abs, values), default=0.0)
    return 3 * math.floor(math.log10(largest) / 3) if largest > 0 else 0


def with_power(unit: str, power: int) -> str:
    """A unit after a power of ten."""
    if not power:
        return unit or "no unit"
    factor = f"10{str(power).translate(RAISED)}"
    return factor + unit.removeprefix("1") if unit.startswith("1/") else f"{factor} {unit}"


@dataclass(eq=False)
class Picture:
    """An image with its colour bar."""

    figure: Any
    source: ColumnDataSource
    bar: Any
    word: Any

    @classmethod
    def make(
        cls, title: str, size: tuple[int, int], axes: tuple[str, str], colours: list[str]
    ) -> Picture:
        """Empty; its source is found in the document by the title given here."""
        made = plain(
            title, size, *axes, x_range=Range1d(start=-1, end=1), y_range=Range1d(start=-1, end=1)
        )
        source = ColumnDataSource(_NO_PIXELS, name=title)
        mapper = LinearColorMapper(palette=colours, low=0, high=COLOURS - 1)
        made.image("image", x="x", y="y", dw="dw", dh="dh", source=source, color_mapper=mapper)
        bar = ColorBar(
            color_mapper=mapper,
            ticker=FixedTicker(ticks=[]),
            width=8,
            padding=4,
            label_standoff=5,
            border_line_color=None,
            major_label_text_font=FONT,
            major_label_text_font_size="10px",
            major_label_text_color="#52606d",
            major_tick_line_color=INK,
            bar_line_color=FAINT,
            visible=False,
        )
        made.add_layout(bar, "right")
        return cls(made, source, bar, word(made, ""))

    def empty(self, title: str, text: str) -> None:
        """No pixels and no colour bar, but a word that says why."""
        self.source.data = dict(_NO_PIXELS)
        self.bar.visible = False
        self.figure.title.text, self.word.text = title, text

    def show(
        self,
        raster: Raster,
        title: str,
        unit: str,
        corner: tuple[float, float] | None = None,
    ) -> None:
        """New pixels; the picture is centred on 0 unless its lower left ``corner`` is given.

        The values' unit is put behind the title, with a power of 1000 that suits the colour bar.
        """
        self.word.text, self.bar.visible = "", True
        x, y = raster.reach
        left, low = (-x, -y) if corner is None else corner
        self.source.data = {
            "image": [raster.colours],
            "x": [left],
            "y": [low],
            "dw": [2 * x],
            "dh": [2 * y],
        }
        # The shorter side of a picture that is not square leaves a margin.
        half = max(x, y)
        for axis, middle in ((self.figure.x_range, left + x), (self.figure.y_range, low + y)):
            axis.update(start=middle - half, end=middle + half)
        power = 0 if decades(raster.ticks) else thousands([value for _, value in raster.ticks])
        ticks = [(position, value / 10.0**power) for position, value in raster.ticks]
        self.figure.title.text = f"{title}  ({with_power(unit, power)})"
        self.bar.ticker.ticks = [position for position, _ in ticks]
        self.bar.major_label_overrides = tick_labels(ticks)


@dataclass(eq=False)
class Lines:
    """Lines over a picture."""

    source: ColumnDataSource

    @classmethod
    def on(cls, made: Any, **look: Any) -> Lines:
        """No lines yet."""
        source = ColumnDataSource({"xs": [], "ys": []})
        made.multi_line("xs", "ys", source=source, **look)
        return cls(source)

    def show(self, lines: Sequence[Real]) -> None:
        """Lines (n, 2)."""
        self.source.data = {"xs": [one[:, 0] for one in lines], "ys": [one[:, 1] for one in lines]}


@dataclass(eq=False)
class Rings:
    """Rings around places."""

    source: ColumnDataSource
    entry: Any
    """Their entry of the legend; None where they have no label."""

    @classmethod
    def on(cls, made: Any, colour: str, label: str = "") -> Rings:
        """No rings yet."""
        named = {"legend_label": label} if label else {}
        source = ColumnDataSource({"x": [], "y": []})
        made.scatter(
            "x",
            "y",
            source=source,
            size=13,
            marker="circle",
            fill_color=None,
            line_color=colour,
            line_width=1.6,
            **named,
        )
        return cls(source, made.legend.items[-1] if label else None)

    def show(self, points: Real) -> None:
        """Points (n, 2); without any, the legend does not name them."""
        if self.entry is not None:
            self.entry.visible = bool(len(points))
        self.source.data = {"x": points[:, 0], "y": points[:, 1]}
