"""Dask workers for a build: processes of this machine, or a cluster that already runs."""

from __future__ import annotations

import logging
import signal
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from multiprocessing import resource_tracker
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from urllib.parse import urlsplit

import dask
from distributed import (
    Client,
    Future,
    KilledWorker,
    LocalCluster,
    WorkerPlugin,
)
from distributed.comm.core import CommClosedError

from gapscope.dataset.deaths import REMEDY, RULE, Deaths
from gapscope.dataset.preflight import check_workers
from gapscope.errors import ClusterError, HostDiedError

Item = TypeVar("Item", bound=Hashable)
Result = TypeVar("Result")

logger = logging.getLogger(__name__)

POLL = 1.0  # seconds between looks at the workers while no result comes
PATIENCE = 30.0  # seconds for a scheduler's answer, and for workers to end
STARTING = 120.0  # seconds for a worker to be there: it may have to import all from a cold disk

_GUARD = 'In a script, build under if __name__ == "__main__":, since workers import it. Else: '


class WorkersLostError(ClusterError):
    """All workers have gone; others may do."""


@contextmanager
def connect(workers: int | None, scheduler: str | None) -> Iterator[Client]:
    """A Dask client with at least one worker; local workers (one, where their number is not given)
    are processes and end with it.

    Raises
    ------
    ClusterError : the scheduler does not answer, or no worker joins it.
    WorkersLostError : local workers died before they were there.
    """
    check_workers(workers, scheduler)
    if scheduler is not None:
        with _client(scheduler, PATIENCE) as client:
            yield client
        return
    with (
        _local_cluster(workers or 1) as cluster,
        _client(cluster.scheduler_address, STARTING) as client,
    ):
        client.register_plugin(DeafToInterrupts())
        yield client


@contextmanager
def _local_cluster(count: int) -> Iterator[LocalCluster]:
    # A cluster that is interrupted while it starts cannot be closed. Its workers, being children,
    # keep the mask: Ctrl-C reaches all processes of a terminal, and they end with the client.
    resource_tracker.ensure_running()  # started later, it would take the mask away
    unmasked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with dask.config.set({"distributed.comm.timeouts.connect": STARTING}):
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                death_timeout=STARTING,
            )
    except (RuntimeError, OSError, AssertionError) as error:
        # An assertion of its own fails where a worker took too long, as on a busy machine.
        signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
        raise WorkersLostError(RULE, f"workers did not start: {error}", _GUARD + REMEDY) from error
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
        yield cluster
    finally:
        try:
            cluster.close(timeout=PATIENCE)
        except (OSError, RuntimeError, TimeoutError, AssertionError) as error:
            # One was killed while it ended, when its work was done.
            logger.warning("The workers did not end by themselves: %s", error)


class DeafToInterrupts(WorkerPlugin):
    """Ctrl-C reaches all processes of a terminal; the client obeys, and its workers end with it."""

    def setup(self, worker: object) -> None:
        """Ignore the signal in the worker's process."""
        del worker
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def neighbours(client: Client) -> int:
    """The largest number of workers that share one machine."""
    hosts = Counter(urlsplit(address).hostname for address in _addresses(client))
    return max(hosts.values(), default=1)


def run(
    client: Client, function: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[tuple[Item, Result]]:
    """Items and their results as they are finished.

    Dask asks again for what was lost with a worker; here an item is asked for again whose kernel
    host died, a few times (:mod:`gapscope.dataset.deaths`). While there is no worker, one is waited
    for, but not for ever.

    Raises
    ------
    WorkersLostError : no worker is left, or the scheduler has gone.
    ClusterError : an item's workers or hosts died again and again, or cannot import gapscope.
    GapscopeError : what the function raised.
    """
    waiting: dict[Future[Any], Item] = {}
    done: SimpleQueue[Future[Any]] = SimpleQueue()
    deaths = Deaths()

    def ask(wanted: Sequence[Item]) -> None:
        for future, item in zip(client.map(function, wanted, pure=False), wanted, strict=True):
            waiting[future] = item
            future.add_done_callback(done.put)

    ask(items)
    seen = time.monotonic()
    while waiting:
        try:
            future = done.get(timeout=POLL)
        except Empty:
            seen = time.monotonic() if _addresses(client) else seen
            if time.monotonic() - seen > STARTING:
                raise WorkersLostError(RULE, "no worker is left", REMEDY) from None
            continue
        seen = time.monotonic()
        item = waiting[future]
        try:
            result = _result(future)
        except TimeoutError:  # lost with a worker that died since: Dask computes it again
            if future.status == "error":  # the function's own
                raise
            future.add_done_callback(done.put)
            continue
        except HostDiedError as error:
            deaths.endure(item, error)
            del waiting[future]
            ask([item])
            continue
        del waiting[future]
        yield item, result


def _result(future: Future[Any]) -> Any:
    """What a task returned or raised; troubles of the cluster become ClusterError."""
    try:
        return future.result(timeout=POLL)
    except (CancelledError, CommClosedError) as error:
        raise WorkersLostError(RULE, f"{type(error).__name__}: {error}", REMEDY) from error
    except (KilledWorker, ImportError) as error:
        raise ClusterError(RULE, f"{type(error).__name__}: {error}", REMEDY) from error


def _addresses(client: Client) -> list[str]:
    """Addresses of the workers that there are."""
    try:
        return list(client.nthreads(callback_timeout=PATIENCE))
    except (OSError, TimeoutError) as error:
        raise WorkersLostError(RULE, f"no answer of the scheduler: {error}", REMEDY) from error


@contextmanager
def _client(address: str, patience: float) -> Iterator[Client]:
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise _unreachable(address, error) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=patience)
        except TimeoutError as error:
            raise _unreachable(address, error) from error
        yield client


def _unreachable(address: str, error: Exception) -> ClusterError:
    return ClusterError(
        "A Dask scheduler answers at its address and has at least one worker.",
        f"{address}: {error}",
        "Start `dask scheduler` and `dask worker ADDRESS` first, and give tcp://HOST:PORT.",
    )
