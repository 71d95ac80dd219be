"""The caller's side of the kernel: call Julia, in a host process that looks after itself."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from gapscope.errors import SettingError
from gapscope.kernel.arrays import Output, prepared
from gapscope.kernel.process import HostInfo, HostProcess
from gapscope.kernel.protocol import checked_function
from gapscope.kernel.runtimes import RUNTIMES, choose, not_found

__all__ = ["Host", "HostInfo", "Output", "configure", "default_threads", "get_host", "shutdown"]

_DOWNLOAD = (
    "gapscope: juliacall has no Julia that is complete; juliapkg now fetches what is missing "
    "(up to several hundred MB), unless it is told to stay offline"
)


def default_threads() -> int:
    """Return the number of Julia threads: ``GAPSCOPE_THREADS``, else the cores of this process.

    Raises
    ------
    SettingError : ``GAPSCOPE_THREADS`` is not a positive integer.
    """
    wanted = os.environ.get("GAPSCOPE_THREADS")
    if wanted:
        if not wanted.isdecimal() or int(wanted) < 1:
            raise SettingError("GAPSCOPE_THREADS must be a positive integer", wanted)
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Host:
    """Julia in a process of its own, started at the first call and again after a death.

    Calls may come from any thread and are made one at a time. A forked child that inherits this
    object starts a process of its own.
    """

    def __init__(self, threads: int | None = None, runtime: str | None = None) -> None:
        self._threads: int | None = None
        self._runtime: str | None = None
        self._process: HostProcess | None = None
        self._lock = threading.Lock()
        self.configure(threads=threads, runtime=runtime)
        _hosts.add(self)

    def __enter__(self) -> Self:
        """Return the host; leaving the block ends it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the host."""
        self.end()

    def configure(self, *, threads: int | None = None, runtime: str | None = None) -> None:
        """Change the number of Julia's threads or the runtime; None leaves a setting alone.

        A change ends the running process; the next call starts one with the new settings.

        Raises
        ------
        SettingError : ``threads`` is not positive, or there is no such runtime.
        """
        if threads is not None and threads < 1:
            raise SettingError("The number of threads must be positive", threads)
        if runtime is not None and runtime not in RUNTIMES:
            raise SettingError("The runtime must be one of " + ", ".join(RUNTIMES), runtime)
        with self._lock:
            wanted = (threads or self._threads, runtime or self._runtime)
            if wanted != (self._threads, self._runtime):
                self._threads, self._runtime = wanted
                self._end()

    def call(self, function: str, *arguments: object) -> list[NDArray[Any]]:
        """Call a Julia function and return one array for every ``Output`` argument.

        A C-ordered array of shape (a, b) is an ``Array`` of size (b, a) in Julia.

        Raises
        ------
        KernelError : Julia raised an error; the host stays alive.
        HostDiedError : the host ended in the middle of the call.
        JuliaNotFoundError : there is no Julia to start.
        """
        checked_function(function)
        with prepared(arguments) as call:
            self._ask({"function": function, "arguments": call.items}, call.descriptors)
            return call.outputs()

    def evaluate(self, code: str) -> str:
        """Return the value of Julia code as text; raises what ``call`` raises."""
        return str(self._ask({"code": code}))

    def info(self) -> HostInfo:
        """Return what the host says of itself, starting it if need be."""
        with self._lock:
            return self._started().info

    def end(self) -> None:
        """End the host's process; a later call starts another."""
        with self._lock:
            self._end()

    def _ask(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> Any:
        with self._lock:
            process = self._started()
            try:
                return process.ask(message, descriptors)
            finally:
                if not process.idle:  # it died, or Ctrl-C came: its answer must not come later
                    process.kill()
                    self._process = None

    def _started(self) -> HostProcess:
        if self._process is None:
            choice, findings = choose(self._runtime, self._threads or default_threads())
            if choice is None:
                raise not_found(findings)
            if choice.executable is None:
                print(_DOWNLOAD, file=sys.stderr, flush=True)
            self._process = HostProcess(choice)
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def _leave(self) -> None:
        """End the process at the interpreter's exit, even in the middle of a thread's call."""
        if self._lock.acquire(blocking=False):
            self._end()
        elif self._process is not None:
            self._process.kill()

    def _forked(self) -> None:
        """Begin anew in a forked child: the process and a held lock belong to the parent."""
        self._lock = threading.Lock()
        if self._process is not None:
            self._process.forget()
            self._process = None


_hosts: weakref.WeakSet[Host] = weakref.WeakSet()
_host = Host()


def get_host(threads: int | None = None, runtime: str | None = None) -> Host:
    """Return the one host of this process, with the settings that are given changed."""
    _host.configure(threads=threads, runtime=runtime)
    return _host


def configure(*, threads: int | None = None, runtime: str | None = None) -> None:
    """Change settings of the one host of this process; see ``Host.configure``."""
    _host.configure(threads=threads, runtime=runtime)


def shutdown() -> None:
    """End every host of this process."""
    for host in list(_hosts):
        host.end()


def _leave() -> None:
    for host in list(_hosts):
        host._leave()


def _forked() -> None:
    for host in list(_hosts):
        host._forked()


atexit.register(_leave)
os.register_at_fork(after_in_child=_forked)
