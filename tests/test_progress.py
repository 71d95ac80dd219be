"""A long computation says how long; a short one, or one that nobody watches, says nothing."""

from __future__ import annotations

import pytest

from gapscope.cli.whole import WholeNumber
from gapscope.support import progress
from gapscope.support.progress import in_chunks, in_words, stages


class Clock:
    """A clock that work moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def run(
    clock: Clock, seconds: float, count: int = 40, expected: float = 0.0, first: float = 0.0
) -> list[list[int]]:
    """Chunks of ``count`` energies, each of which takes so long; the first call takes more."""
    made = []
    groups = [[n] for n in range(count)]
    for chunk in in_chunks(groups, "energy/energies", lambda: expected, "or not at all"):
        clock.now += seconds * len(chunk) + (first if not made else 0.0)
        made.append(chunk)
    return made


def test_every_energy_is_computed_once(clock: Clock) -> None:
    for seconds in (1e-4, 0.3, 50.0):
        assert [n for chunk in run(clock, seconds) for n in chunk] == list(range(40))


def test_quick_energies_are_computed_together_and_slow_ones_alone(clock: Clock) -> None:
    assert max(map(len, run(clock, 1e-3, 400))) > 100
    assert max(map(len, run(clock, 5.0))) == 1


def test_a_long_computation_says_how_long(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    run(clock, 30.0)
    assert capsys.readouterr().err == "about 19 minutes for 38 energies; or not at all\n"
    run(clock, 30.0, 1, expected=30.0)
    assert capsys.readouterr().err == "about 30 s for 1 energy; or not at all\n"


def test_stages_of_a_study_say_what_they_take_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(stages([40.0, 10.0, 10.0], "map/maps")) == [0, 1, 2]
    assert capsys.readouterr().err == "about 60 s for 3 maps\n"
    assert list(stages([1.0, 1.0], "map/maps")) == [0, 1]
    assert capsys.readouterr().err == ""


def test_a_short_one_says_nothing_though_its_first_call_compiles(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    run(clock, 0.01, first=9.0)
    assert capsys.readouterr().err == ""


def test_times_are_said_in_their_own_units() -> None:
    times = {0.5: "0.5 s", 42.4: "42 s", 240: "4 minutes", 5400: "90 minutes", 1e5: "28 hours"}
    assert {seconds: in_words(seconds) for seconds in times} == times
    assert in_words(1e6) == "12 days"


def test_whole_numbers_may_have_exponents() -> None:
    whole = WholeNumber()
    for text in ("1e6", "1000000", "1000000.0"):
        assert whole.convert(text, None, None) == 1_000_000
    for text in ("1.5", "inf", "nan", "many"):
        with pytest.raises(Exception, match="not a whole number"):
            whole.convert(text, None, None)
