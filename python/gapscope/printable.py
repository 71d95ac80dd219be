"""Text from files of strangers, made harmless before a terminal or a page shows it."""

from __future__ import annotations

import unicodedata


def printable(text: str, keep: str = "") -> str:
    r"""The text with its control characters written as escapes: ``\x1b`` for ESC.

    Letters of all scripts and spaces stay. Escape sequences that colour or retitle a terminal, line
    breaks, and marks that turn the direction of writing or have no width become visible.

    Parameters
    ----------
    keep : characters that stay all the same, such as line breaks.
    """
    if text.isprintable():
        return text
    return "".join(
        one
        if one.isprintable() or one in keep or unicodedata.category(one) == "Zs"
        else one.encode("unicode_escape").decode()
        for one in text
    )
