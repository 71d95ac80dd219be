"""The limit on work ends what runs away, and nothing else."""

from __future__ import annotations

import signal
import time

import pytest

from runaway import RanAwayError, bounded


def test_what_runs_away_is_ended_and_what_waits_is_not() -> None:
    def run_away() -> None:
        while True:
            pass

    before = signal.getsignal(signal.SIGPROF)
    with pytest.raises(RanAwayError, match=r"0\.1 s of CPU"), bounded(0.1):
        run_away()
    with bounded(0.1):
        time.sleep(0.3)
    assert signal.getsignal(signal.SIGPROF) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
