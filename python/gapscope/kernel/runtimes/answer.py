"""The Julia side of evaluation, and how its answer is read."""

from __future__ import annotations

from pathlib import Path

from gapscope.errors import KernelError

EVALUATE = Path(__file__).with_name("evaluate.jl").read_text(encoding="utf-8")


def value_of(answer: str) -> str:
    """Return the value in an answer of ``GapscopeEvaluate.evaluate``; raise its error."""
    if answer.startswith("="):
        return answer[1:]
    raise KernelError(answer[1:])
