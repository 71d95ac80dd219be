"""The page of the formats has a row for every reader, and says how each was checked."""

from __future__ import annotations

import re
from pathlib import Path

from gapscope.measured.files import FORMATS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"


def test_every_format_says_on_how_many_real_files_it_was_checked_and_beside_what() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text("utf-8"), re.M)
    told = {name for name, *_ in rows}
    assert {"WSxM (.stp, .top)" if one.name == "WSxM" else one.name for one in FORMATS} <= told
    assert all(files.strip() and beside.strip() for _, files, beside in rows)
