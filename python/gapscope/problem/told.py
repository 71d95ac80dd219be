"""What no map of a problem tells, in words: for builds, and cards of datasets and networks."""

from __future__ import annotations

from collections.abc import Iterator

from gapscope.problem.problem import Problem

SAME = 1e-6
"""Share of its size to which two maps are the same."""
NORMS = 1e-9
"""Share of one to which the norms of two gaps are the same."""


def told(problem: Problem) -> Iterator[str]:
    """Text: which candidates are one class, and how; on what their maps do not depend."""
    for one in problem.classes:
        for member in one.members:
            if member.held:
                values = ", ".join(f"{name} = {v:g}" for name, v in member.held.items())
                yield (
                    f"No map of {member.candidate} depends on {', '.join(member.held)} (to"
                    f" {SAME:g}): {values} in all of them"
                )
        first, *others = one.members
        for other in others:
            how = []
            if abs(other.factor - 1) > NORMS:
                how.append(f"with a gap {other.factor:.6g} times as large")
            if (other.sign, other.offset) != (1, 0.0):
                sign = "-" if other.sign < 0 else ""
                offset = f" + {other.offset:.4g}" if other.offset else ""
                how.append(f"with theta = {sign}theta{offset}")
            ways = f" {' and '.join(how)}" if how else ""
            yield (
                f"{other.candidate}{ways} has the maps of {first.candidate} (to {SAME:g}): one"
                f" class, {one.label}, of which {first.candidate} names gap and angles"
            )
