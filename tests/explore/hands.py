"""A worker by hand, for tests that say when an answer comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gapscope.explore.worker import Outcome, Stage


class Hand:
    """A worker whose stages run when the test says so, also of requests that were replaced."""

    def __init__(self) -> None:
        self.requests: dict[str, dict[str, Callable[[], None]]] = {}

    def request(
        self, key: tuple[str, str], stages: Sequence[Stage], deliver: Callable[[Outcome], None]
    ) -> None:
        self.requests[key[1]] = {
            stage.name: lambda stage=stage: deliver(Outcome(stage.name, stage.run()))
            for stage in stages
        }
        self.fail = lambda name, error: deliver(Outcome(name, error=error))

    def forget(self, key: tuple[str, str]) -> None:
        self.requests.pop(key[1], None)
