"""Whole numbers as people write them."""

from __future__ import annotations

from typing import Any

import click


class WholeNumber(click.ParamType[int]):
    """A whole number, also as 1e6 or 2.048e3."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; click's usage error for anything else."""
        try:
            number = float(value)
            if number.is_integer() and abs(number) < 2**53:
                return int(number)
        except (TypeError, ValueError, OverflowError):
            pass
        return self.fail(f"{value!r} is not a whole number, such as 2048 or 1e6.", param, ctx)
