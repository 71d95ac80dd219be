"""Dask workers for a build: processes of this machine, or a cluster that already runs."""

from __future__ import annotations

import logging
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dask.system import CPU_COUNT
from distributed import (
    Client,
    Future,
    KilledWorker,
    LocalCluster,
    WorkerPlugin,
    as_completed,
)
from distributed.comm.core import CommClosedError

from gapscope.errors import ClusterError, SettingError

Item = TypeVar("Item")
Result = TypeVar("Result")

CORES_PER_WORKER = 4
PATIENCE = 30.0  # seconds


def check_workers(workers: int | None, scheduler: str | None) -> None:
    """Raise SettingError unless the numbers of workers and the scheduler go together."""
    if workers is not None and scheduler is not None:
        raise SettingError(
            "A running cluster brings its own workers.",
            f"workers = {workers}, scheduler = {scheduler}",
            "Leave one of the two out.",
        )
    if workers is not None and (isinstance(workers, bool) or workers < 1):
        raise SettingError("A build has at least one worker.", workers, "Give a whole number.")


@contextmanager
def connect(workers: int | None, scheduler: str | None) -> Iterator[Client]:
    """A Dask client with at least one worker; local workers are processes and end with it.

    Raises
    ------
    ClusterError : the scheduler does not answer, or no worker joins it.
    """
    check_workers(workers, scheduler)
    if scheduler is not None:
        with _client(scheduler) as client:
            yield client
        return
    count = workers or max(1, CPU_COUNT // CORES_PER_WORKER)
    with (
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        _client(cluster.scheduler_address) as client,
    ):
        client.register_plugin(DeafToInterrupts())
        yield client


class DeafToInterrupts(WorkerPlugin):
    """Ctrl-C reaches all processes of a terminal; the client obeys, and its workers end with it."""

    def setup(self, worker: object) -> None:
        """Ignore the signal in the worker's process."""
        del worker
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def neighbours(client: Client) -> int:
    """The largest number of workers that share one machine."""
    return max(Counter(urlsplit(address).hostname for address in client.nthreads()).values())


def ask_all(client: Client, function: Callable[[], Result]) -> list[Result]:
    """Results of a function on every worker; raises as :func:`run` does."""
    futures = [
        client.submit(function, workers=[address], allow_other_workers=True, pure=False)
        for address in client.nthreads()
    ]
    return [result for _, result in _finished(client, dict.fromkeys(futures))]


def run(
    client: Client, function: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[tuple[Item, Result]]:
    """Items and their results as they are finished, then the first failure if there is one.

    Raises
    ------
    ClusterError : an item's workers died again and again, or cannot import gapscope.
    GapscopeError : what the function raised.
    """
    futures = client.map(function, items, pure=False)
    return _finished(client, dict(zip(futures, items, strict=True)))


def _finished(client: Client, futures: dict[Future[Any], Item]) -> Iterator[tuple[Item, Any]]:
    failed: Future[Any] | None = None
    for batch in as_completed(futures, loop=client.loop).batches():
        for future in batch:
            if future.status in ("error", "cancelled"):
                failed = failed or future
            else:  # finished, or lost with a worker that died since: then it is computed again
                yield futures[future], _result(future)
        if failed is not None:
            _result(failed)


def _result(future: Future[Any]) -> Any:
    """What a task returned or raised; troubles of the cluster become ClusterError."""
    try:
        return future.result()
    except (KilledWorker, ImportError, CancelledError, CommClosedError) as error:
        raise ClusterError(
            "Scheduler and workers live until all shards are finished, and can import gapscope.",
            f"{type(error).__name__}: {error}",
            "Give the workers this version of gapscope and more memory (or the recipe a smaller "
            "shard_size), then build again: finished shards are kept.",
        ) from error


@contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise _unreachable(address, error) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise _unreachable(address, error) from error
        yield client


def _unreachable(address: str, error: Exception) -> ClusterError:
    return ClusterError(
        "A Dask scheduler answers at its address and has at least one worker.",
        f"{address}: {error}",
        "Start `dask scheduler` and `dask worker ADDRESS` first, and give tcp://HOST:PORT.",
    )
