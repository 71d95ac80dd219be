"""A thread that computes: latest wins, coarse before converged, nothing stale."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from gapscope.errors import GapscopeError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """A part of a request.

    Attributes
    ----------
    name : name of its result.
    run : gives the result.
    rest : seconds since the request before which it does not start; for a joined stage, seconds for
        which the worker leaves the processor to others, unless it is asked for something.
    joined : it runs with the stage before it, though a request has come in between; of several in a
        row then one, first that which was left out the last time.
    """

    name: str
    run: Callable[[], Any]
    rest: float = 0.0
    joined: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a stage gave: its result, or the error, after which the request is over."""

    name: str
    value: Any = None
    error: Exception | None = None


@dataclass
class _Request:
    made: float
    stages: list[Stage]
    deliver: Callable[[Outcome], None]
    due: float = field(init=False)

    def __post_init__(self) -> None:
        self.plan()

    def plan(self) -> None:
        """When the next stage may start."""
        self.due = self.made + self.stages[0].rest


class Worker:
    """Runs requests, one stage at a time, on a thread of its own.

    A request replaces the one of the same key: of that no stage starts any more. What its running
    stage gives, and the ones joined to it, is still delivered, or a slider that keeps moving would
    never show anything.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._requests: dict[object, _Request] = {}
        self._left_out: dict[object, str] = {}
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="gapscope-explore", daemon=True)
        self._thread.start()

    def request(
        self, key: object, stages: Sequence[Stage], deliver: Callable[[Outcome], None]
    ) -> None:
        """Run stages in turn and hand each outcome to ``deliver``, on the worker's thread."""
        with self._condition:
            self._requests[key] = _Request(time.monotonic(), list(stages), deliver)
            self._condition.notify()

    def run(self, job: Callable[[], Any]) -> Future[Any]:
        """The future result of a job that no other replaces; cancelled before, it is not run."""
        future: Future[Any] = Future()

        def begin() -> Any:
            return job() if future.set_running_or_notify_cancel() else None

        def deliver(outcome: Outcome) -> None:
            if future.cancelled():
                return
            if outcome.error is not None:
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome.value)

        self.request(future, [Stage("job", begin)], deliver)
        return future

    def forget(self, key: object) -> None:
        """Drop what is left of a request."""
        with self._condition:
            self._requests.pop(key, None)
            self._left_out.pop(key, None)

    def end(self) -> None:
        """Finish the running stage and stop; jobs that did not start are cancelled."""
        with self._condition:
            self._ended = True
            self._condition.notify()
        self._thread.join()
        for key in self._requests:
            if isinstance(key, Future):
                key.cancel()

    def _work(self) -> None:
        while (found := self._next()) is not None:
            key, request = found
            while self._step(key, request):
                with self._condition:
                    if self._requests.get(key) is request:
                        self._condition.wait(request.stages[0].rest)

    def _step(self, key: object, request: _Request) -> bool:
        """Run the next stage of a request; whether the one after it is joined to it."""
        stage = request.stages.pop(0)
        outcome = _run(stage)
        over = outcome.error is not None or not request.stages
        with self._condition:
            latest = self._requests.get(key)
            if latest is request:
                if over:
                    del self._requests[key]
                else:
                    request.plan()
        if latest is not None:
            _deliver(request, outcome)
        return latest is not None and not over and self._goes_on(key, request, stage, latest)

    def _goes_on(self, key: object, request: _Request, ran: Stage, latest: _Request) -> bool:
        """Whether a joined stage follows the one that ran; the first of several has its turn."""
        joined = list(itertools.takewhile(lambda one: one.joined, request.stages))
        with self._condition:
            if joined and ran.joined and latest is not request:
                if key in self._requests:
                    self._left_out[key] = joined[0].name
                return False
            if not ran.joined:
                first = self._left_out.pop(key, None)
                request.stages[: len(joined)] = sorted(joined, key=lambda one: one.name != first)
        return bool(joined)

    def _next(self) -> tuple[object, _Request] | None:
        """The request that is due first; waits for one. None at the end."""
        with self._condition:
            while not self._ended:
                if not self._requests:
                    self._condition.wait()
                    continue
                key, request = min(self._requests.items(), key=lambda item: item[1].due)
                left = request.due - time.monotonic()
                if left <= 0:
                    return key, request
                self._condition.wait(left)
            return None


def _run(stage: Stage) -> Outcome:
    try:
        return Outcome(stage.name, stage.run())
    except GapscopeError as error:
        return Outcome(stage.name, error=error)
    except Exception as error:
        log.exception("stage %s", stage.name)
        return Outcome(stage.name, error=error)


def _deliver(request: _Request, outcome: Outcome) -> None:
    try:
        request.deliver(outcome)
    except Exception:
        # A visitor may have gone; the others need this thread.
        log.exception("nobody took the outcome of stage %s", outcome.name)
