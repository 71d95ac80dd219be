"""Pictures as large as the window has room for: the browser sets their size, also when it changes.

From 1320 pixels on two pictures stand beside each other, between the columns of sliders and of
text; below that one. style.css has the same bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.document import Document
from bokeh.events import DocumentReady
from bokeh.models import CustomJS

BESIDE = 236 + 312 + 2 * 121
"""Pixels of a row of two pictures that are not their frames."""
AROUND = 130
"""Pixels beside the frame of one picture, in a window that is not wider."""
LEAST = 180

FIT = """
const fit = () => {
  const width = document.documentElement.clientWidth
  for (const [i, figure] of figures.entries()) {
    const room = between[i] && window.innerWidth >= 1320 ? (width - beside) / 2 : width - around
    const frame = Math.floor(Math.max(least, Math.min(wide[i], room)))
    if (figure.frame_width === frame) continue
    figure.frame_height = Math.round(high[i] * Math.max(frame / wide[i], 0.5))
    figure.frame_width = frame
  }
}
fit()
window.addEventListener("resize", fit)
"""


def fit(document: Document, between: Sequence[Any], others: Sequence[Any]) -> None:
    """Let the browser fit figures to its window: those ``between`` the columns, and others."""
    figures = [*between, *others]
    given = {
        "figures": figures,
        "between": [True] * len(between) + [False] * len(others),
        "wide": [one.frame_width for one in figures],
        "high": [one.frame_height for one in figures],
        "beside": BESIDE,
        "around": AROUND,
        "least": LEAST,
    }
    document.js_on_event(DocumentReady, CustomJS(args=given, code=FIT))
