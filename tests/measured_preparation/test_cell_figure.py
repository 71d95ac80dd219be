"""The figure of a part of a scan, which does not begin at y = 0."""

from __future__ import annotations

import numpy as np
from matplotlib.text import Annotation

from gapscope.measured.preparation import Steps, prepare
from gapscope.plots.preparation import preparation_figure
from lattice_maps import NBS2, lattice_map


def test_lattice_vectors_are_drawn_within_the_map() -> None:
    image = lattice_map(noise=0.1).isel(y=slice(60, None))
    prepared = prepare(image, NBS2, Steps(drift=False))
    axis = preparation_figure(prepared).axes[3]
    arrows = [text for text in axis.texts if isinstance(text, Annotation) and text.arrow_patch]
    assert len(arrows) >= 2
    for arrow in arrows:
        (x, y), (from_x, from_y) = arrow.xy, arrow.xyann
        assert 0 <= min(x, from_x) <= max(x, from_x) <= 7.62
        if arrow.get_text() == "":
            assert 3.6 <= min(y, from_y) <= max(y, from_y) <= 7.62
    assert np.isclose(axis.get_ylim(), (3.57, 7.65)).all()
