"""What a written picture shows, pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

from gapscope.plots.style import DPI, save_figure

TOLERANCE = 0.02
"""A difference of colours, between 0 and 1."""


def ink(path: Path) -> NDArray[np.bool_]:
    """Which pixels of a PNG differ from its corner's, the paper."""
    pixels = imread(path)[..., :3]
    return (np.abs(pixels - pixels[0, 0]) > TOLERANCE).any(axis=-1)


def written(figure: Figure, path: Path) -> Path:
    """The figure in a PNG of its size, with something drawn inside every pair of axes.

    What axes hold is tested by the figure's own tests; this one shows that it reaches the file.
    """
    save_figure(figure, path)
    shown = ink(path)
    width, height = (round(DPI * inches) for inches in figure.get_size_inches())
    assert abs(np.array(shown.shape) - (height, width)).max() <= 1
    assert figure.axes
    for number, axis in enumerate(figure.axes):
        x0, x1, y0, y1 = (axis.get_position().get_points().T * [[width], [height]]).ravel()
        # A margin leaves the frame out.
        inside = shown[int(height - y1) + 5 : int(height - y0) - 4, int(x0) + 5 : int(x1) - 4]
        assert inside.any(), f"nothing is drawn in axes {number}, {axis.get_title()!r}"
    return path


def said(figure: Figure) -> list[tuple[str, str, str]]:
    """Title, label of x and label of y, of each pair of axes."""
    return [(axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) for axis in figure.axes]
