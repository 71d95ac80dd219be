"""The process that owns Julia: `python -m gapscope.kernel.host`, started by ``client``.

Julia runs on the main thread and nowhere else. The host ends when its owner closes the
connection, and also when the owner dies while a forked child still holds the connection open.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import sys
import threading
import time
import tomllib
from typing import Any

from gapscope.errors import GapscopeError
from gapscope.kernel.install.find import find_libfftw3
from gapscope.kernel.protocol import ELEMENTS, array_expression, literal, mapped, receive, send
from gapscope.kernel.runtimes import Runtime
from gapscope.kernel.runtimes.juliacall import JuliaCall
from gapscope.kernel.runtimes.libjulia import LibJulia
from gapscope.support.resources import cache_lock, share_folder

_LOOK_FOR_OWNER_EVERY = 0.5  # seconds

# juliapkg installs FFTW_jll beside PythonCall; a project of the user's own may lack it.
_FFTW_JLL = """
if Base.find_package("FFTW_jll") === nothing
    ""
else
    @eval Main import FFTW_jll
    Base.invokelatest(() -> Main.FFTW_jll.libfftw3_path)
end
"""


def main() -> None:
    """Serve one owner until it is gone."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
    with contextlib.suppress(EOFError, ConnectionError):
        message, _ = receive(connection)
        try:
            runtime = _start(message["runtime"], message["arguments"])
            introduction = _load_kernel(runtime)
        except GapscopeError as error:
            send(connection, _refusal(error))
            return
        send(connection, {"value": introduction})
        with contextlib.closing(runtime):
            while True:
                send(connection, _answer(runtime, *receive(connection)))


def _end_with(owner: int) -> None:
    """End this process when it is no longer its owner's child.

    (Linux's death signal would already come when the thread that started the host ends.)
    """
    while os.getppid() == owner:
        time.sleep(_LOOK_FOR_OWNER_EVERY)
    os._exit(1)


def _start(runtime: str, arguments: dict[str, str]) -> Runtime:
    return JuliaCall() if runtime == "juliacall" else LibJulia(**arguments)


def _load_kernel(runtime: Runtime) -> dict[str, Any]:
    """Load GapScope and libfftw3 into Julia and return what the owner should know."""
    root = share_folder()
    with cache_lock("precompile.lock"):  # two Julias must not write one precompiled file
        runtime.evaluate(f"push!(LOAD_PATH, {literal(str(root))}); using GapScope")
    fftw = runtime.evaluate(_FFTW_JLL) if runtime.name == "juliacall" else ""
    if not fftw:
        fftw = runtime.evaluate(f"import Libdl; Libdl.dlpath({literal(find_libfftw3())})")
    runtime.evaluate(f"GapScope.FFTW.load({literal(fftw)}); GapScope.Host.warm_up()")
    project = tomllib.loads((root / "Project.toml").read_text(encoding="utf-8"))
    return {
        "runtime": runtime.name,
        "julia": runtime.evaluate("VERSION"),
        "threads": int(runtime.evaluate("Threads.nthreads()")),
        "fftw": fftw,
        "kernel": project["version"],
        "pid": os.getpid(),
    }


def _answer(runtime: Runtime, message: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """Evaluate what the owner asks for; Julia's errors become part of the answer."""
    try:
        if "code" in message:
            return {"value": runtime.evaluate(message["code"])}
        return {"value": _call(runtime, message["function"], message["arguments"], descriptors)}
    except GapscopeError as error:
        return _refusal(error)


def _call(runtime: Runtime, function: str, arguments: list[Any], descriptors: list[int]) -> str:
    """Call a Julia function; its array arguments live in the memory behind the descriptors."""
    with contextlib.ExitStack() as memory:
        waiting = iter(descriptors)
        expressions = []
        for argument in arguments:
            if isinstance(argument, str):
                expressions.append(argument)
                continue
            element, shape = argument["element"], argument["shape"]
            size = ELEMENTS[element][1] * math.prod(shape)
            address = memory.enter_context(mapped(next(waiting), size))
            expressions.append(array_expression(element, address, shape))
        return runtime.evaluate(f"({function}({', '.join(expressions)}); nothing)")


def _refusal(error: GapscopeError) -> dict[str, Any]:
    received = None if error.received is None else str(error.received)
    return {
        "error": type(error).__name__,
        "rule": error.rule,
        "received": received,
        "remedy": error.remedy,
    }


if __name__ == "__main__":
    main()
