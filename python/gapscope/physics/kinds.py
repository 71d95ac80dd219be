"""What a function takes: numbers, and objects of the right kind."""

from __future__ import annotations

import math
from numbers import Real

from gapscope.errors import SpecificationError


def is_number(value: object) -> bool:
    """Whether a value is one real, finite number, as Python's or NumPy's, an array of one too."""
    if isinstance(value, bool):
        return False
    if not isinstance(value, Real):
        kind = getattr(getattr(value, "dtype", None), "kind", None)
        if getattr(value, "ndim", None) != 0 or kind not in ("f", "i", "u"):
            return False
    return math.isfinite(value)  # type: ignore[arg-type]


def require_kind(value: object, kind: type | tuple[type, ...], what: str, example: str) -> None:
    """Raise SpecificationError unless a value is of a kind.

    Parameters
    ----------
    what : the value's role, as the subject of the rule.
    example : code that makes one.
    """
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        names = " or ".join(f"{one.__module__.split('.')[0]}.{one.__name__}" for one in kinds)
        raise SpecificationError(
            f"{what} is a {names}.", f"{value!r:.200} ({type(value).__name__})", f"Give {example}."
        )
