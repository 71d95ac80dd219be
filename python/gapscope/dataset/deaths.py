"""Work that is asked for again where the kernel's host died under it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Hashable
from typing import TypeVar

from gapscope.errors import ClusterError, HostDiedError

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

RETRIES = 3
"""Times that the same work is asked for again."""
RULE = (
    "Scheduler, workers and kernel hosts live until all shards are finished, and can import"
    " gapscope."
)
REMEDY = (
    "Give the workers this version of gapscope and more memory (or the recipe a smaller "
    "shard_size), then build again: finished shards are kept."
)


class Deaths:
    """How often the host died under each piece of work."""

    def __init__(self) -> None:
        self._died: Counter[Hashable] = Counter()

    def endure(self, work: Hashable, error: HostDiedError) -> None:
        """Count a death; raise ClusterError where work has had one more than RETRIES."""
        self._died[work] += 1
        if self._died[work] > RETRIES:
            raise ClusterError(
                RULE, f"{self._died[work]} times: {error.received}", REMEDY
            ) from error
        logger.warning("Computed again, since its kernel host died: %s", work)


def outlived(compute: Callable[[], Result], work: str) -> Result:
    """What a function returns that asks the kernel, which starts a new host after a death.

    Raises
    ------
    ClusterError : its host died again and again.
    """
    deaths = Deaths()
    while True:
        try:
            return compute()
        except HostDiedError as error:
            deaths.endure(work, error)
