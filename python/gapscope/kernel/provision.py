"""Obtain Julia where there is none yet: `python -m gapscope.kernel.provision`.

In this order: what is installed; juliapkg's Julia, where Julia's servers answer soon; Debian's
packages in the cache folder. Whatever it was, it counts only once the kernel has run in it. For
a Julia that keeps no machine code of packages, the kernel is first compiled into an image.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from gapscope.errors import GapscopeError, JuliaNotFoundError, StorageError
from gapscope.kernel.client import Host, HostInfo
from gapscope.kernel.environment import julia_environment
from gapscope.kernel.install import debian
from gapscope.kernel.install.find import debian_folder, find_julia
from gapscope.kernel.install.image import build_image, is_wanted
from gapscope.kernel.runtimes import choose, not_found
from gapscope.support.resources import cache_lock, share_folder

_SERVERS_ANSWER_WITHIN = 30  # seconds, the look-up of their names included

# The clock starts when Python and juliapkg have; its signal ends a look-up of names too.
_ASK_SERVERS = f"""
import signal
from juliapkg.install_julia import all_julia_versions
signal.alarm({_SERVERS_ANSWER_WITHIN})
all_julia_versions()
"""
_INSTALL = "import juliapkg; juliapkg.resolve()"


def obtain(report: Callable[[str], None] = print) -> HostInfo:
    """Make sure that the kernel runs on this machine and return what its host says.

    Raises
    ------
    JuliaNotFoundError : no Julia was found and none could be obtained; says what was tried.
    StorageError : the cache folder cannot be written, or is full.
    """
    try:
        return _run_kernel(report)
    except JuliaNotFoundError as error:
        report(error.rule)
        return _from_sources(report)


def _from_sources(report: Callable[[str], None]) -> HostInfo:
    with cache_lock("provision.lock"):
        tried = []
        for name, source in (("juliapkg", _from_juliapkg), ("Debian", _from_debian)):
            try:
                source(report)
                return _run_kernel(report)
            except JuliaNotFoundError as error:
                report(f"{name}: {error}")
                tried.append(f"{name}: {error.rule}, but {error.received}")
    raise JuliaNotFoundError(
        "gapscope needs Julia, and none could be obtained:\n  " + "\n  ".join(tried),
        remedy="Install Julia (juliaup, or your system's package) so that `julia` is on PATH, or "
        "set GAPSCOPE_JULIA to a Julia executable or its folder.",
    )


def _run_kernel(report: Callable[[str], None]) -> HostInfo:
    """Compile the kernel ahead where that is of use, and run it: compiled, it starts at once."""
    failure = _compile_ahead(report)
    with Host() as host:
        host.evaluate("GC.gc(); 1 + 1")
        info = host.info()
    if failure is not None:
        report(f"each start will compile the kernel, for ten seconds and more: {failure}")
    return info


def _compile_ahead(report: Callable[[str], None]) -> GapscopeError | None:
    """Make the image that spares each host's start the compilation; return why it cannot be made.

    Hosts start without it, too.
    """
    choice, _ = choose(None, 1)
    julia, _ = find_julia()
    if choice is None or choice.runtime != "libjulia" or julia is None or not is_wanted(julia):
        return None
    try:
        build_image(julia, choice.environment, report)
    except GapscopeError as error:
        return error
    return None


def _from_juliapkg(report: Callable[[str], None]) -> None:
    """Let juliapkg install Julia and PythonCall."""
    for name, value in (("GAPSCOPE_RUNTIME", "libjulia"), ("PYTHON_JULIAPKG_OFFLINE", "yes")):
        if os.environ.get(name) == value:
            raise JuliaNotFoundError("juliapkg must be allowed", f"{name}={value}")
    report("asking Julia's servers")
    python = [sys.executable, "-P", "-c"]
    try:
        subprocess.run(
            [*python, _ASK_SERVERS],
            env=julia_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["no answer"]
        raise JuliaNotFoundError(
            f"Julia's servers must answer within {_SERVERS_ANSWER_WITHIN} seconds", said[-1]
        ) from None
    report("juliapkg installs Julia and PythonCall")
    try:
        subprocess.run([*python, _INSTALL], env=julia_environment(), check=True)
    except subprocess.CalledProcessError as error:
        raise JuliaNotFoundError("juliapkg must succeed", f"exit code {error.returncode}") from None


def _from_debian(report: Callable[[str], None]) -> None:
    """Unpack Debian's packages into the cache folder."""
    for name in ("GAPSCOPE_JULIA", "GAPSCOPE_RUNTIME"):
        chosen = os.environ.get(name, "")
        if chosen not in ("", "auto", "libjulia"):
            raise JuliaNotFoundError(
                "Debian's Julia is for the runtime libjulia", f"{name}={chosen}"
            )
    report(
        "taking Julia 1.5.3 from Debian's packages instead; for a newer one, set GAPSCOPE_JULIA to "
        "a Julia that you have installed"
    )
    try:
        debian.unpack(debian_folder(), report)
    except OSError as error:
        raise StorageError(
            "Julia must be written to the cache folder",
            str(error),
            "Free some space (500 MB), or set GAPSCOPE_CACHE to another folder.",
        ) from None


def run_script(arguments: Sequence[str], info: HostInfo) -> int:
    """Run a Julia script in the Julia package, with the kernel's Julia, image and libfftw3.

    Parameters
    ----------
    arguments : the script, after further options of Julia.

    Returns the script's exit code.
    """
    choice, findings = choose(None, info.threads)
    if choice is None or choice.executable is None:
        raise not_found(findings)
    options = [f"--project={share_folder()}", "--startup-file=no"]
    if "sysimage" in choice.arguments:
        options.append(f"--sysimage={choice.arguments['sysimage']}")
    return subprocess.run(
        [choice.executable, *options, *arguments],
        env={**choice.environment, "GAPSCOPE_LIBFFTW3": info.fftw},
        check=False,
    ).returncode


def main() -> None:
    """Obtain Julia, or say why that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m gapscope.kernel.provision")
    parser.add_argument(
        "--run",
        nargs=argparse.REMAINDER,
        metavar="SCRIPT",
        help="then run this Julia script in it; options of Julia stand before the script",
    )
    script = parser.parse_args().run
    try:
        info = obtain()
        said = f"{info.runtime}, {info.threads} threads, {info.fftw}"
        print(f"Julia {info.julia} runs ({said})", flush=True)
        sys.exit(run_script(script, info) if script else 0)
    except GapscopeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
