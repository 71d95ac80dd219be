"""What a long computation tells while it works: the time that it will take, and a bar.

Nothing is told unless it is asked for, nor of what takes a few seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from tqdm import tqdm

LONG = 5.0
"""Seconds from which on a computation is long."""
CHUNK = 1.0
"""Seconds between two movements of the bar, where one energy takes less."""


def in_words(seconds: float) -> str:
    """A time such as 40 s, 4 minutes or 3 hours."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.8 * size:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds)} s"


def stages(seconds: Sequence[float], unit: str) -> Iterator[int]:
    """Numbers of computations of unequal length, in order; telling happens in between.

    Parameters
    ----------
    seconds : expected of each.
    unit : what is counted, in the singular and the plural with a slash.
    """
    if sum(seconds) > LONG:
        _tell(sum(seconds), len(seconds), unit)
    with _bar(len(seconds), unit) as bar:
        for number in range(len(seconds)):
            yield number
            bar.update(1)


def counting(count: int, unit: str) -> tqdm[NoReturn]:
    """A bar for about so many computations, moved by its ``update(1)``; shown on a terminal."""
    return _bar(count, unit)


def _tell(seconds: float, count: int, unit: str, instead: str = "") -> None:
    one, many = unit.split("/")
    words = f"about {in_words(seconds)} for {count} {one if count == 1 else many}"
    tqdm.write(words + (f"; {instead}" if instead else ""), file=sys.stderr)


def _bar(count: int, unit: str) -> tqdm[NoReturn]:
    one = unit.split("/")[0]
    return tqdm(total=count, unit=one, delay=LONG / 2, disable=None, leave=False)


def _two_digits(number: float) -> str:
    return f"{number:.2g}" if number < 99.5 else f"{number:.0f}"


def in_chunks(
    groups: Sequence[Sequence[int]],
    unit: str,
    expected: Callable[[], float],
    instead: str = "",
) -> Iterator[list[int]]:
    """Numbers of energies (or momenta) for one call after the other; telling happens in between.

    Parameters
    ----------
    groups : numbers of what is computed together.
    unit : what the numbers count, in the singular and the plural with a slash.
    expected : seconds of all groups before the first is computed; 0 for few.
    instead : what might be done instead of waiting, for the line about the time.
    """
    count = sum(map(len, groups))
    told = False

    def tell(seconds: float, left: int) -> bool:
        _tell(seconds, left, unit, instead)
        return True

    if (seconds := expected()) > LONG:
        told = tell(seconds, count)
    with _bar(count, unit) as bar:
        done, at_once, waiting, spent = 0, 1, list(groups), 0.0
        while waiting:
            now, waiting = waiting[:at_once], waiting[at_once:]
            start = time.monotonic()
            yield [number for group in now for number in group]
            took = time.monotonic() - start
            done, spent = done + sum(map(len, now)), spent + took
            bar.update(sum(map(len, now)))
            # The first call may have compiled what it needed.
            if not told and len(waiting) < len(groups) - 1:
                left = took / sum(map(len, now)) * (count - done)
                told = left > LONG and tell(left, count - done)
            at_once = max(1, min(2 * at_once, int(CHUNK / max(took, 1e-6) * len(now))))
