"""Symbols of unknowns, which are written in TeX, as plain text and as HTML."""

from __future__ import annotations

import re
from html import unescape

_ROMAN = re.compile(r"\\mathrm\{(\w+)\}")
_LETTER = re.compile(r"\\([A-Za-z]+)")
_BELOW = re.compile(r"_(?:\{([^{}]*)\}|(\w))")
_SHAPES = {"varphi": "phi", "varepsilon": "epsilon"}
"""TeX's names of the letters that HTML calls so."""
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def symbol_text(tex: str) -> str:
    """A symbol in one line: ε₀, Δ, V_mod."""

    def below(found: re.Match[str]) -> str:
        index = found[1] or found[2]
        return index.translate(_SUBSCRIPTS) if index.isdigit() else f"_{index}"

    return _BELOW.sub(below, _plain(tex))


def symbol_html(tex: str) -> str:
    """A symbol with its indices below the line."""
    return _BELOW.sub(lambda found: f"<sub>{found[1] or found[2]}</sub>", _plain(tex))


def _plain(tex: str) -> str:
    """Greek letters as characters, without commands."""
    words = _ROMAN.sub(r"{\1}", tex)
    return _LETTER.sub(lambda f: unescape(f"&{_SHAPES.get(f[1], f[1])};"), words)
