"""What pydantic complains of in a recipe, as an error of gapscope."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from gapscope.errors import GapscopeError, RecipeError


def recipe_error(error: ValidationError, where: str) -> RecipeError:
    """Pydantic's complaints as one RecipeError; a rule of ours keeps its own words."""
    details = error.errors(include_url=False)
    for detail in details:
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, GapscopeError):
            return RecipeError(f"{where}: {cause.rule}", cause.received, cause.remedy)
    received = "; ".join(
        f"no {_key(detail)}"
        if detail["type"] == "missing"
        else f"{_key(detail)} = {detail['input']!r}"
        for detail in details
    )
    rules = dict.fromkeys(_rules(details))
    return RecipeError(f"{where}: {'; '.join(rules)}.", received, "Mend these entries.")


def _rules(details: list[Any]) -> Iterator[str]:
    for detail in details:
        name = _key(detail)
        if detail["type"] == "extra_forbidden":
            yield f"{name} is not a key of a recipe"
        else:
            yield f"{name}: {detail['msg'][0].lower()}{detail['msg'][1:]}"


def _key(detail: Any) -> str:
    """The dotted key of a complaint, without the tag that pydantic puts after ``method``."""
    parts = [str(part) for part in detail["loc"]]
    if parts[0] == "method":
        del parts[1:2]
    return ".".join(parts)
