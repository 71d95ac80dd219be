"""The worker: latest wins, stages in turn, errors are answers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import replace

import pytest

from gapscope.errors import SettingError
from gapscope.explore.worker import Outcome, Stage, Worker

LONG = 600.0
"""Seconds for what is expected, whatever else runs; and a rest that nothing outlasts."""


class Answers:
    """Collects outcomes; ``wait`` until there are so many."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.came = threading.Condition()

    def __call__(self, outcome: Outcome) -> None:
        with self.came:
            self.outcomes.append(outcome)
            self.came.notify_all()

    def wait(self, count: int) -> list[object]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.outcomes) >= count, LONG)
            return [outcome.value for outcome in self.outcomes]


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.mark.parametrize("more", [[], [Stage("b", lambda: "its second stage")]])
def test_of_many_requests_only_the_running_and_the_last_are_computed(
    worker: Worker, gate: threading.Event, more: list[Stage]
) -> None:
    answers, begun = Answers(), threading.Event()

    def first() -> str:
        begun.set()
        assert gate.wait(LONG)
        return "first"

    worker.request("map", [Stage("a", first), *more], answers)
    assert begun.wait(LONG)
    for n in range(5):
        worker.request("map", [Stage("a", lambda n=n: n)], answers)
    gate.set()
    assert worker.run(lambda: "after").result(LONG) == "after"
    assert answers.wait(2) == ["first", 4]


def test_stages_come_in_turn_and_after_a_rest(worker: Worker) -> None:
    answers, times, start = Answers(), list[float](), time.monotonic()
    stages = [
        Stage("coarse", lambda: times.append(time.monotonic())),
        Stage("converged", lambda: times.append(time.monotonic()), rest=0.3),
    ]
    worker.request("map", stages, answers)
    answers.wait(2)
    assert [outcome.name for outcome in answers.outcomes] == ["coarse", "converged"]
    assert times[1] - start >= 0.3  # the rest counts from the request


def test_a_move_during_the_rest_takes_the_place_of_what_would_have_followed(worker: Worker) -> None:
    answers = Answers()
    worker.request("map", [Stage("a", lambda: 1), Stage("b", lambda: 2, rest=LONG)], answers)
    answers.wait(1)
    worker.request("map", [Stage("a", lambda: 3), Stage("b", lambda: 4, rest=0.1)], answers)
    assert answers.wait(3) == [1, 3, 4]


def test_one_joined_stage_runs_though_a_move_came_in_between_and_next_the_other(
    worker: Worker, gate: threading.Event
) -> None:
    answers, begun = Answers(), threading.Event()

    def first() -> str:
        begun.set()
        assert gate.wait(LONG)
        return "map"

    stages = [
        Stage("coarse", first),
        Stage("spectral", lambda: "its spectral function", joined=True),
        Stage("density", lambda: "its density", joined=True),
        Stage("maps", lambda: "never"),
    ]
    worker.request("map", stages, answers)
    assert begun.wait(LONG)
    begun.clear()
    gate.clear()
    worker.request("map", [replace(one) for one in stages], answers)
    gate.set()
    assert answers.wait(6) == [
        *("map", "its spectral function"),
        *("map", "its density", "its spectral function", "never"),
    ]


def test_a_rest_before_a_joined_stage_ends_when_something_is_asked(worker: Worker) -> None:
    answers, times = Answers(), list[float]()

    def tell() -> None:
        times.append(time.monotonic())

    stages = [Stage("a", tell), Stage("b", tell, rest=0.3, joined=True)]
    worker.request("map", stages, answers)
    answers.wait(2)
    assert times[1] - times[0] >= 0.3
    worker.request("map", [Stage("a", tell), Stage("b", tell, rest=LONG, joined=True)], answers)
    answers.wait(3)
    time.sleep(0.05)
    assert worker.run(lambda: "asked").result(LONG / 2) == "asked"
    assert len(answers.wait(4)) == 4


def test_joined_stages_end_with_who_has_gone_and_with_an_error(
    worker: Worker, gate: threading.Event
) -> None:
    begun, ran = threading.Event(), list[str]()

    def slow() -> None:
        begun.set()
        assert gate.wait(LONG)

    def fail() -> None:
        raise ZeroDivisionError

    joined = Stage("b", lambda: ran.append("joined"), joined=True)
    worker.request("gone", [Stage("a", slow), joined], Answers())
    assert begun.wait(LONG)
    worker.forget("gone")
    gate.set()
    worker.request("failed", [Stage("a", fail), joined], Answers())
    worker.run(lambda: None).result(LONG)
    assert ran == []


def test_requests_of_other_keys_are_not_replaced(worker: Worker, gate: threading.Event) -> None:
    answers = Answers()
    worker.request("gate", [Stage("wait", lambda: gate.wait(LONG))], answers)
    worker.request("map", [Stage("a", lambda: "map")], answers)
    worker.request("file", [Stage("a", lambda: "file")], answers)
    gate.set()
    assert answers.wait(3) == [True, "map", "file"]


@pytest.mark.parametrize("error", [SettingError("a rule", 1, "a remedy"), ZeroDivisionError()])
def test_an_error_ends_its_request_and_not_the_worker(worker: Worker, error: Exception) -> None:
    answers = Answers()

    def fail() -> None:
        raise error

    worker.request("map", [Stage("a", fail), Stage("b", lambda: "never")], answers)
    future: Future[object] = worker.run(fail)
    assert future.exception(LONG) is error
    assert worker.run(lambda: "alive").result(LONG) == "alive"
    assert [outcome.error for outcome in answers.outcomes] == [error]


def test_an_outcome_that_nobody_takes_is_logged_and_ends_only_itself(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(outcome: Outcome) -> None:
        raise AttributeError("a document that was destroyed")

    worker.request("map", [Stage("verdict", lambda: 1)], gone)
    assert worker.run(lambda: "alive").result(LONG) == "alive"
    assert "stage verdict" in caplog.text
    assert "a document that was destroyed" in caplog.text


def test_a_cancelled_job_is_neither_run_nor_delivered(
    worker: Worker, gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    ran = list[str]()
    worker.request("gate", [Stage("wait", lambda: gate.wait(LONG))], Answers())
    future = worker.run(lambda: ran.append("cancelled"))
    assert future.cancel()
    gate.set()
    assert worker.run(lambda: "alive").result(LONG) == "alive"
    assert ran == []
    assert caplog.records == []


def test_a_job_that_runs_is_not_cancelled(worker: Worker, gate: threading.Event) -> None:
    begun = threading.Event()

    def slow() -> str:
        begun.set()
        assert gate.wait(LONG)
        return "done"

    future = worker.run(slow)
    assert begun.wait(LONG)
    assert not future.cancel()
    gate.set()
    assert future.result(LONG) == "done"


def test_nothing_is_delivered_to_who_has_gone(worker: Worker, gate: threading.Event) -> None:
    answers, begun = Answers(), threading.Event()

    def slow() -> None:
        begun.set()
        assert gate.wait(LONG)

    worker.request("map", [Stage("a", slow), Stage("b", lambda: None)], answers)
    assert begun.wait(LONG)
    worker.forget("map")
    gate.set()
    worker.run(lambda: None).result(LONG)
    assert answers.outcomes == []


def test_jobs_that_did_not_start_are_cancelled_at_the_end(gate: threading.Event) -> None:
    worker = Worker()
    worker.request("gate", [Stage("wait", lambda: gate.wait(LONG))], Answers())
    future = worker.run(lambda: "never")
    threading.Timer(0.2, gate.set).start()
    worker.end()
    assert future.cancelled()
