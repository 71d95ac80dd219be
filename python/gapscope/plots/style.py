"""One look for all figures."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from gapscope.support.storage import FIGURES, require_output, write_whole

MAP_COLOURS = "RdBu_r"
DPI = 160
SETTINGS: dict[Any, float] = {
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "figure.titlesize": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def styled() -> AbstractContextManager[None]:
    """Context in which figures get the common look."""
    return mpl.rc_context(SETTINGS)


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure, whole or not at all; the format follows from the name's ending.

    Raises
    ------
    StorageError : see :func:`gapscope.support.storage.require_output`, or the disk is full.
    """
    require_output(path, FIGURES)
    image = io.BytesIO()
    # A device or a pipe has no ending.
    kind = Path(path).suffix.lower().removeprefix(".")
    figure.savefig(image, dpi=DPI, format=kind if f".{kind}" in FIGURES else "png")
    return write_whole(path, image.getvalue())
