"""One look for all figures."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from gapscope.errors import StorageError

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
    """Write a figure; the format follows from the file's ending.

    Raises
    ------
    StorageError : the folder is missing, or the ending is unknown.
    """
    try:
        figure.savefig(path, dpi=DPI)
    except (OSError, ValueError) as error:
        raise StorageError(
            "A figure is written to an existing folder as .png, .pdf or .svg.",
            f"{path}: {error}",
            "Choose another folder or ending.",
        ) from error
    return Path(path)
