"""One host process: started, asked, ended, and its death explained."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gapscope import errors
from gapscope.errors import GapscopeError, HostDiedError
from gapscope.kernel import protocol
from gapscope.kernel.runtimes import Choice

_ENDS_WITHIN = 5.0  # seconds for Julia's exit hooks
_LAST_WORDS = 20  # lines
_NOISE = "error: decoding address ranges"  # LLVM 9 about libraries newer than itself


@dataclass(frozen=True)
class HostInfo:
    """What a running host says of itself; ``fftw`` is the library it loaded."""

    runtime: str
    julia: str
    threads: int
    fftw: str
    kernel: str
    pid: int


class HostProcess:
    """A running host. ``idle`` is false while, or for ever after, an answer did not arrive."""

    def __init__(self, choice: Choice) -> None:
        self.idle = False
        self._connection, theirs = socket.socketpair()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the process)
        numbers = [str(theirs.fileno()), str(os.getpid())]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "gapscope.kernel.host", *numbers],
                env=choice.environment,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the caller, who decides
            )
        try:
            start = {"runtime": choice.runtime, "arguments": dict(choice.arguments)}
            self.info = HostInfo(**self.ask(start))
        except BaseException:
            self.kill()
            raise

    def ask(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> Any:
        """Return the value that the host answers, or raise the error that it answers.

        Raises
        ------
        HostDiedError : no answer came.
        """
        self.idle = False
        try:
            protocol.send(self._connection, message, descriptors)
            answer, _ = protocol.receive(self._connection)
        except (EOFError, ConnectionError):
            raise self._obituary() from None
        self.idle = True
        if "error" not in answer:
            return answer["value"]
        kind: type[GapscopeError] = getattr(errors, answer["error"])
        raise kind(answer["rule"], answer["received"], answer["remedy"])

    def end(self) -> None:
        """Let the host finish: it ends when its connection does."""
        with contextlib.suppress(OSError):  # it may have died by itself
            self._connection.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._close()

    def kill(self) -> None:
        """End the host at once, whatever it is doing."""
        self._process.kill()
        self._close()

    def forget(self) -> None:
        """Let go of a host that belongs to the process this one was forked from."""
        self._process.returncode = 0  # not this process's child: nothing to wait for
        self._close()

    def _close(self) -> None:
        self._process.wait()
        self._connection.close()
        self._output.close()

    def _obituary(self) -> HostDiedError:
        """Return the error that says how the host ended, with the last it printed."""
        try:
            code = self._process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._output.seek(0)
        text = self._output.read().decode(errors="replace")
        lines = [line for line in text.splitlines() if not line.startswith(_NOISE)]
        words = "\n".join(lines[-_LAST_WORDS:]) or "(it printed nothing)"
        memory = "Memory may have run out. " if code == -signal.SIGKILL else ""
        return HostDiedError(
            "The kernel host must live until it has answered",
            f"{how}; its last words:\n{words}",
            f"{memory}The next call starts a fresh host.",
        )
