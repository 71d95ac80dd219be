"""A limit on a block's work, not on the time that passes while the machine does other things."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CPU_SECONDS = 60.0
"""Hundreds of times what the slowest file takes: only what runs away gets there."""


class RanAwayError(AssertionError):
    """The block took more than its share of the processor."""


@contextmanager
def bounded(seconds: float = CPU_SECONDS) -> Iterator[None]:
    """Raise RanAwayError inside the block once this process has worked for so long in it."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise RanAwayError(f"more than {seconds} s of CPU time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
