"""A page for a logbook on what was said of a map: pictures and words, the verdict first."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font
from numpy.typing import NDArray

from gapscope.errors import printable
from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import draw_image, draw_sites, irrep_label, signed_norm
from gapscope.plots.preparation import draw_scan
from gapscope.plots.style import DPI, styled
from gapscope.support.storage import REPORTS, require_output, write_whole

SIZE = (8.27, 11.69)
"""Inches of A4."""
MARGIN, WIDTH, HEIGHT = 36.0, 523.0, 770.0
"""Points of the margin, and of what is inside of it."""
ROW, MOST_ROW, ALL_ROWS = 150.0, 167.0, 470.0
"""Points of a row of pictures: the least and the most where there is room; and of all rows."""
COLUMNS = 3
FONT, TITLE, LINE = 7.0, 10.0, 1.3
"""Points of the largest words and of the title, and a line's height over its font's."""
LETTER = 0.603
"""Width of a letter over the size of its font, all letters being alike."""
LONGEST = 150
"""Letters of a line that are not broken."""
MONO = "DejaVu Sans Mono"
SETTINGS: dict[Any, Any] = {
    "pdf.fonttype": 42,
    "font.size": 6.5,
    "axes.titlesize": 7.0,
    "axes.labelsize": 6.5,
}


Image = NDArray[np.float64]


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Parameters
    ----------
    title : such as the map's name.
    verdict : sentences that stand above all else.
    blocks : lines under their headings; those of tables and commands are not to be broken.
    map : with raw (y_raw, x_raw) and prepared (y, x), where it was measured.
    window : drho (L, L) on lattice sites.
    lattice : of the sites.
    images : Re rho(q), (L, L), by their titles: the map's own, the simulated one, and what is left,
        and again at every further energy; each beside the image whose colours it has.
    first : what follows the titles of ``map`` and ``window``, which energy they are at.
    probabilities : of the classes, by their names.
    chosen : the classes of the prediction set.
    doubted : the probabilities are not to be trusted, and stand in parentheses.
    """

    title: str
    verdict: Sequence[str]
    blocks: Mapping[str, Sequence[str]]
    map: xr.Dataset
    window: Image
    lattice: Lattice
    images: Mapping[str, tuple[Image, Image]]
    first: str
    probabilities: Mapping[str, float]
    chosen: Sequence[str]
    doubted: bool


def report_figure(page: Page) -> Figure:
    """The page as a figure of the size A4."""
    above = _wrapped([drawable(line) for line in page.verdict], LONGEST * 2 // 3)
    below = _below(page)
    rows = 1 + -(-len(page.images) // COLUMNS)
    least, most = (min(rows * row, ALL_ROWS) for row in (ROW, MOST_ROW))
    font, bold = _fonts(above, below, least)
    with styled(), rc_context(SETTINGS):
        figure = Figure(figsize=SIZE, layout="constrained")
        head = 2 * TITLE + LINE * bold * len(above) + 6
        words = LINE * font * len(below)
        panels = float(np.clip(HEIGHT - head - words - 8, least, most))
        heights = [MARGIN + head, panels, HEIGHT + MARGIN - head - panels]
        columns = [MARGIN, WIDTH, MARGIN]
        grid = figure.add_gridspec(3, 3, width_ratios=columns, height_ratios=heights)
        axes = figure.add_subfigure(grid[1, 1]).subplots(rows, COLUMNS)
        _draw(figure, list(axes.ravel()), page)
        left, top = MARGIN / (72 * SIZE[0]), 1 - MARGIN / (72 * SIZE[1])
        point = 1 / (72 * SIZE[1])
        _text(figure, left, top, [drawable(page.title)], min(TITLE, _fitting(page.title)), "bold")
        _text(figure, left, top - 2 * TITLE * point, above, bold, "bold")
        _text(figure, left, top - (head + panels + 8) * point, below, font, "normal")
    return figure


def save_report(pages: Sequence[Page], path: str | Path, title: str, creator: str) -> Path:
    """Write pages as PDF, whole or not at all; alike, byte by byte, whenever they are written.

    Raises
    ------
    StorageError : see :func:`gapscope.support.storage.require_output`, or the disk is full.
    """
    require_output(path, REPORTS)
    file = io.BytesIO()
    about = {"Title": drawable(title), "Creator": creator, "CreationDate": None}
    with rc_context(SETTINGS), PdfPages(file, metadata=about) as pdf:
        for page in pages:
            pdf.savefig(report_figure(page), dpi=DPI)
    return write_whole(path, file.getvalue())


def drawable(text: str) -> str:
    """The text with escapes for what has no width or what the page's font does not have."""
    known = _letters()
    return "".join(
        one if ord(one) in known else one.encode("unicode_escape").decode()
        for one in printable(text)
    )


@cache
def _letters() -> frozenset[int]:
    return frozenset(FT2Font(findfont(MONO)).get_charmap())


def _below(page: Page) -> list[str]:
    lines: list[str] = []
    for heading, block in page.blocks.items():
        lines += ["", heading.upper()] if lines else [heading.upper()]
        lines += _wrapped([drawable(line) for line in block], LONGEST)
    return lines


def _wrapped(lines: Sequence[str], width: int) -> list[str]:
    """Lines no longer than that; those that fit keep their spaces."""
    broken: list[str] = []
    for line in lines:
        fits = len(line) <= width
        broken += [line] if fits else textwrap.wrap(line, width, break_on_hyphens=False)
    return broken


def _fitting(text: str) -> float:
    return WIDTH / (LETTER * max(len(drawable(text)), 1))


def _fonts(above: Sequence[str], below: Sequence[str], panels: float) -> tuple[float, float]:
    """Sizes of the words and of the verdict, with which nothing leaves the page."""
    font = min([FONT, *(_fitting(line) for line in below)])
    bold = min([FONT + 1, *(_fitting(line) for line in above)])
    room = HEIGHT - panels - 2 * TITLE - 20
    shrink = min(1.0, room / (LINE * (font * len(below) + bold * len(above))))
    return shrink * font, shrink * bold


def _text(
    figure: Figure, x: float, top: float, lines: Sequence[str], size: float, weight: str
) -> None:
    figure.text(
        x,
        top,
        "\n".join(lines),
        size=size,
        weight=weight,
        family=MONO,
        va="top",
        ha="left",
        linespacing=LINE * 0.86,
        parse_math=False,
        in_layout=False,
    )


def _draw(figure: Figure, axes: list[Axes], page: Page) -> None:
    """Before and after, the classes; the map's image, the simulated one, what is left."""
    if "raw" in page.map:
        raw = page.map["raw"].rename(y_raw="y", x_raw="x")
        draw_scan(figure, axes[0], raw, f"map as measured{page.first}")
        draw_scan(figure, axes[1], page.map["prepared"], f"prepared{page.first}")
    else:
        draw_sites(figure, axes[0], page.window, page.lattice, colour_bar=False)
        axes[0].set_title(rf"$\delta\rho(\mathbf{{r}})$ on lattice sites{page.first}")
        axes[1].remove()
    _draw_classes(axes[2], page)
    for axis, (title, (image, scale)) in zip(axes[3:], page.images.items(), strict=False):
        norm, _ = signed_norm(scale)
        draw_image(figure, axis, image, page.lattice, colour_bar=False, norm=norm)
        axis.set_title(title)
    for axis in axes[3 + len(page.images) :]:
        axis.remove()


def _draw_classes(axis: Axes, page: Page) -> None:
    names = list(page.probabilities)
    values = list(page.probabilities.values())
    marked = [name in page.chosen and not page.doubted for name in names]
    colours = ["tab:blue" if one else "0.75" for one in marked]
    axis.barh(range(len(names)), values, color=colours)
    axis.set_yticks(range(len(names)), [irrep_label(name) for name in names])
    for place, value in enumerate(values):
        inside = value > 0.5
        axis.text(
            value - 0.02 if inside else value + 0.02,
            place,
            f"({value:.3f})" if page.doubted else f"{value:.3f}",
            va="center",
            ha="right" if inside else "left",
            color="white" if inside and marked[place] else "black",
        )
    title = "classes; do not trust them" if page.doubted else "classes; blue: in the set"
    axis.set(xlim=(0, 1), xlabel="probability", title=title, box_aspect=1)
    axis.invert_yaxis()
