"""Names that a misspelt one may mean."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

ALIKE = 0.75
"""Similarity from which a name is a misspelt one: E1g is (of Eg), B1g is not (of A1g)."""


def near_names(name: str, names: Sequence[str]) -> list[str]:
    """Those that begin with a name, or else those that are like it; case does not count."""
    lower = {one.lower(): one for one in names}
    begun = [one for key, one in lower.items() if name and key.startswith(name.lower())]
    alike = difflib.get_close_matches(name.lower(), lower, len(lower), ALIKE)
    return begun or [one for key, one in lower.items() if key in alike]


def did_you_mean(near: Sequence[str]) -> str:
    """The question, "" where nothing is near."""
    return f"Did you mean {' or '.join(near)}?" if near else ""
