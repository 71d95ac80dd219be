"""What there is on this machine: Julia, juliacall's Julia, libfftw3. Nothing here installs."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gapscope.errors import JuliaNotFoundError
from gapscope.kernel.environment import julia_environment, version_tuple
from gapscope.kernel.install.remembered import remembered, stamp_of
from gapscope.support.resources import cache_folder

OLDEST_JULIA = (1, 5, 0)
OLDEST_FOR_JULIACALL = (1, 10, 3)
# Environment variables by which a user chooses juliapkg's place
_CHOOSE = ("PYTHON_JULIA", "JULIA_DEPOT_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "HOME")

_ANSWER_WITHIN = 60.0  # seconds; a juliaup launcher may look for updates first

_DESCRIBE = r"""
import Libdl
library = first(filter(path -> occursin(r"^libjulia\.", basename(path)), Libdl.dllist()))
image = unsafe_string(Base.JLOptions().image_file)
foreach(println, (VERSION, Sys.BINDIR, abspath(library), abspath(image),
                  get(ENV, "LD_LIBRARY_PATH", "")))
"""

_HAS_PYTHONCALL = 'println(VERSION); println(something(Base.find_package("PythonCall"), ""))'

_ASK_JULIAPKG = """
import contextlib, sys
from juliapkg import deps, state
with contextlib.redirect_stdout(sys.stderr):
    if state.STATE["offline"]:
        deps.resolve()
    known = deps.can_skip_resolve()
print(*([known["executable"], state.STATE["project"]] if known else []), sep="\\n")
"""
_WHERE_JULIAPKG_WRITES = 'from juliapkg import state; print(state.STATE["meta"])'


class Finding(NamedTuple):
    """One thing that was looked for: its name, whether it is usable, what was seen."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Julia:
    """An installed Julia, with all that embedding it needs."""

    executable: str
    version: str
    bindir: str
    libjulia: str
    sysimage: str
    library_path: str


@dataclass(frozen=True)
class JuliaProject:
    """A Julia executable and the project in which it finds PythonCall."""

    executable: str
    project: str
    version: str


def _ask(command: list[str]) -> list[str]:
    """Return the lines a command prints in the environment of the host.

    Raises
    ------
    JuliaNotFoundError : it fails.
    """
    try:
        done = subprocess.run(
            command,
            env=julia_environment(),
            capture_output=True,
            text=True,
            timeout=_ANSWER_WITHIN,
            stdin=subprocess.DEVNULL,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
        raise JuliaNotFoundError("Julia must run", f"{command[0]}: {lines[-1]}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JuliaNotFoundError("Julia must run", f"{command[0]}: {error}") from None
    return done.stdout.splitlines()


def describe(executable: str) -> Julia:
    """Ask a Julia executable for its version and the files that embedding it needs.

    Raises
    ------
    JuliaNotFoundError : it does not run, or is older than ``OLDEST_JULIA``.
    """
    command = [executable, "--startup-file=no", "--history-file=no", "-e", _DESCRIBE]
    lines = _described(executable, command) or _ask(command)
    version, bindir, libjulia, sysimage, library_path = lines
    if version_tuple(version) < OLDEST_JULIA:
        raise JuliaNotFoundError("Julia must be 1.5 or newer", f"{executable} is {version}")
    return Julia(executable, version, bindir, libjulia, sysimage, library_path)


def _described(executable: str, command: list[str]) -> list[str]:
    """Return the remembered answer of a Julia; none of a launcher, as what it starts may change."""
    real = Path(executable).resolve()
    if not real.is_file():
        return []
    stamp = [*stamp_of(real), os.environ.get("LD_LIBRARY_PATH", "")]
    lines = remembered(executable, stamp, lambda: _ask(command))
    launched_by_us = debian_folder().resolve() in real.parents
    return lines if launched_by_us or Path(lines[1]).resolve() == real.parent else []


def debian_folder() -> Path:
    """Return where ``provision`` unpacks Debian's packages."""
    return cache_folder() / "julia-debian"


def _candidates() -> Iterator[tuple[str, str | None]]:
    """Yield where Julia is looked for, with the executable found there."""
    chosen = os.environ.get("GAPSCOPE_JULIA")
    if chosen:
        inside = Path(chosen) / "bin" / "julia"
        yield "GAPSCOPE_JULIA", str(inside) if inside.is_file() else chosen
        return
    yield "GAPSCOPE_JULIA", None
    yield "julia on PATH", shutil.which("julia")
    unpacked = debian_folder() / "julia"
    yield f"julia in {unpacked.parent}", str(unpacked) if unpacked.is_file() else None


def find_julia() -> tuple[Julia | None, list[Finding]]:
    """Look for an installed Julia that can be embedded; return it and what was seen.

    Where ``GAPSCOPE_JULIA`` is set, it alone is looked at.
    """
    findings = []
    for name, executable in _candidates():
        if executable is None:
            findings.append(Finding(name, False, "not set" if name.isupper() else "not found"))
            continue
        try:
            julia = describe(executable)
        except JuliaNotFoundError as error:
            findings.append(Finding(name, False, f"{error.rule}, but {error.received}"))
            continue
        findings.append(Finding(name, True, f"Julia {julia.version}, {executable}"))
        return julia, findings
    return None, findings


def _juliacall_project() -> tuple[str, str]:
    """Return the (executable, project) that juliacall would use without the network."""
    executable = os.environ.get("PYTHON_JULIACALL_EXE")
    project = os.environ.get("PYTHON_JULIACALL_PROJECT")
    if executable and project:
        return executable, project
    if executable or project:
        raise JuliaNotFoundError(
            "PYTHON_JULIACALL_EXE and PYTHON_JULIACALL_PROJECT must be set together",
            f"EXE={executable}, PROJECT={project}",
        )
    for module in ("juliacall", "juliapkg"):
        if importlib.util.find_spec(module) is None:
            raise JuliaNotFoundError("juliacall must be installed", f"no module {module}")
    python = [sys.executable, "-P", "-c"]
    chosen = [f"{key}={os.environ[key]}" for key in sorted(os.environ) if key.startswith(_CHOOSE)]
    (written,) = remembered(
        f"juliapkg of {sys.executable}", chosen, lambda: _ask([*python, _WHERE_JULIAPKG_WRITES])
    )
    known = []
    if Path(written).exists() or os.environ.get("PYTHON_JULIAPKG_OFFLINE") == "yes":
        known = [line for line in _ask([*python, _ASK_JULIAPKG]) if line]
    if len(known) < 2:
        raise JuliaNotFoundError("juliapkg must have installed Julia", "it has not yet")
    return known[-2], known[-1]


def find_juliacall() -> tuple[JuliaProject | None, Finding]:
    """Look, without network, for a Julia that juliacall can use; return it and what was seen."""
    try:
        executable, project = _juliacall_project()
        flags = [f"--project={project}", "--startup-file=no", "--history-file=no"]
        version, pythoncall = _ask([executable, *flags, "-e", _HAS_PYTHONCALL])
    except JuliaNotFoundError as error:
        return None, Finding("juliacall", False, f"{error.rule}, but {error.received}")
    where = f"Julia {version}, {executable}, project {project}"
    if version_tuple(version) < OLDEST_FOR_JULIACALL:
        return None, Finding("juliacall", False, f"needs Julia 1.10.3 or newer: {where}")
    if not pythoncall:
        return None, Finding("juliacall", False, f"PythonCall is not installed: {where}")
    return JuliaProject(executable, project, version), Finding("juliacall", True, where)


def libfftw3_candidates() -> Iterator[str]:
    """Yield names and paths under which libfftw3 may be loaded, the system's own first."""
    yield "libfftw3.3.dylib" if sys.platform == "darwin" else "libfftw3.so.3"
    known_to_system = ctypes.util.find_library("fftw3")
    if known_to_system:
        yield known_to_system
    yield from map(str, sorted(debian_folder().glob("usr/lib/*/libfftw3.so.3")))
    pyfftw = importlib.util.find_spec("pyfftw")
    if pyfftw is not None and pyfftw.origin is not None:
        package = Path(pyfftw.origin).parent
        yield from map(str, sorted(package.with_name("pyfftw.libs").glob("libfftw3-*.so*")))
        yield from map(str, sorted(package.glob(".dylibs/libfftw3.*.dylib")))


def find_libfftw3() -> str:
    """Return a name or path of libfftw3 that loads into this process.

    Raises
    ------
    JuliaNotFoundError : none does.
    """
    tried = []
    for candidate in libfftw3_candidates():
        try:
            ctypes.CDLL(candidate)
        except OSError:
            tried.append(candidate)
            continue
        return candidate
    raise JuliaNotFoundError(
        "The Julia kernel must find FFTW's double-precision library, libfftw3",
        "looked for " + ", ".join(tried),
        "Install the system's package (libfftw3-double3, fftw) or `pip install pyfftw`.",
    )
