"""A page for a logbook: what it says, and that all of it is on the page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure

from gapscope.cli.report import _percent
from gapscope.errors import StorageError
from gapscope.physics.lattice import Lattice
from gapscope.plots.report import MARGIN, Page, drawable, report_figure, save_report

IMAGE = np.random.default_rng(1).standard_normal((8, 8))
PAGE = Page(
    title="map.nc",
    verdict=["Like the training maps (p = 0.25): Eg with probability 0.900."],
    blocks={"Network": ["unknown   network", "gap       0.9 [0.8, 1.0]"], "Command": ["gapscope"]},
    map=xr.Dataset(),
    window=IMAGE,
    lattice=Lattice("triangular", 3.44),
    images={"seen": (IMAGE, IMAGE), "simulated": (IMAGE, IMAGE), "residual": (0 * IMAGE, IMAGE)},
    first="",
    probabilities={"A1g": 0.1, "Eg": 0.9},
    chosen=["Eg"],
    doubted=False,
)
HOSTILE = "\x1b[31m$x^2$_\\frac{\u202e\u4e2d\ud83d.nc"


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def off_the_page(figure: Figure) -> list[str]:
    """What is written across a margin, or over pictures."""
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    margin = 0.9 * MARGIN * figure.dpi / 72
    boxes = [text.get_window_extent() for text in figure.texts]
    panels = [axis.get_tightbbox() for axis in figure.subfigs[0].axes]
    return [
        text.get_text()[:60]
        for text, box in zip(figure.texts, boxes, strict=True)
        if box.x0 < margin
        or box.y0 < margin
        or box.x1 > width - margin
        or box.y1 > height - margin
        or any(panel is not None and box.overlaps(panel) for panel in panels)
    ]


LONG = [f"{n} " + 30 * "word " for n in range(40)]


@pytest.mark.parametrize(
    "page",
    [
        PAGE,
        replace(PAGE, verdict=LONG[:12]),
        replace(PAGE, blocks={"Command": ["gapscope predict " + 3000 * "x"], "Network": LONG}),
        replace(PAGE, title=60 * "long"),
        replace(PAGE, title=HOSTILE, verdict=[HOSTILE], blocks={"Command": [HOSTILE]}),
    ],
    ids=["usual", "verdict", "command", "title", "hostile"],
)
@pytest.mark.filterwarnings("error")
def test_all_words_are_on_the_page_beside_the_pictures(page: Page) -> None:
    figure = report_figure(page)
    assert off_the_page(figure) == []
    said = re.sub(r"\s", "", words(figure))
    for line in (
        page.title,
        *page.verdict,
        *(one for block in page.blocks.values() for one in block),
    ):
        assert re.sub(r"\s", "", drawable(line)) in said


def test_odd_characters_are_escaped_and_no_formula_is_made() -> None:
    assert drawable(HOSTILE) == "\\x1b[31m$x^2$_\\frac{\\u202e\\u4e2d\\ud83d.nc"
    assert drawable("3.14 ± 0.02 Å") == "3.14 ± 0.02 Å"
    figure = report_figure(replace(PAGE, title=HOSTILE))
    assert not any(text.get_parse_math() for text in figure.texts)


def test_numbers_that_are_not_to_be_trusted_are_set_apart() -> None:
    def bars(page: Page) -> list[str]:
        (axis,) = (
            one for one in report_figure(page).subfigs[0].axes if one.get_xlabel() == "probability"
        )
        return [text.get_text() for text in axis.texts]

    assert bars(PAGE) == ["0.100", "0.900"]
    assert bars(replace(PAGE, doubted=True)) == ["(0.100)", "(0.900)"]


def test_the_file_has_a_page_each_a_title_and_is_the_same_again(tmp_path: Path) -> None:
    files = [tmp_path / "one.pdf", tmp_path / "two.pdf"]
    with rc_context({"pdf.compression": 0}):
        for file in files:
            save_report([PAGE, replace(PAGE, title="b.nc")], file, "two maps", "gapscope")
    content = files[0].read_bytes()
    assert content == files[1].read_bytes()
    assert len(re.findall(rb"/Type /Page\b", content)) == 2
    assert b"/Title (two maps)" in content
    assert b"CreationDate" not in content
    assert b"/FontFile2" in content  # TrueType outlines
    with pytest.raises(StorageError, match=r"\.pdf"):
        save_report([PAGE], tmp_path / "page.png", "", "")


def test_a_residual_is_told_in_per_cent_of_the_map() -> None:
    assert [_percent(share) for share in (0.00123, 0.053, 0.53)] == ["0.12 %", "5.3 %", "53 %"]
