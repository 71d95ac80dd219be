"""Two ways to run Julia behind one interface, and the choice between them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gapscope.errors import JuliaNotFoundError, SettingError
from gapscope.kernel.environment import julia_environment, threads_setting
from gapscope.kernel.install.find import Finding, find_julia, find_juliacall
from gapscope.kernel.install.image import find_image
from gapscope.support.resources import share_folder

RUNTIMES = ("auto", "juliacall", "libjulia")

INSTALL = (
    "Run `gapscope julia install`, or install Julia (juliaup, or your system's package) so that "
    "`julia` is on PATH, or set GAPSCOPE_JULIA to a Julia executable or its folder."
)


class Runtime(Protocol):
    """What the host asks of Julia."""

    name: str

    def evaluate(self, code: str) -> str:
        """Return the value of Julia code as text; raise ``KernelError`` with Julia's message."""

    def close(self) -> None:
        """End Julia."""


@dataclass(frozen=True)
class Choice:
    """The runtime to use, its Julia, what its start needs, and the environment to start it in."""

    runtime: str
    executable: str | None  # None: juliapkg has yet to install it
    environment: Mapping[str, str]
    arguments: Mapping[str, str] = field(default_factory=dict)


def choose(runtime: str | None, threads: int) -> tuple[Choice | None, list[Finding]]:
    """Choose the runtime that will work, without network; return it and what was looked for.

    ``runtime`` is one of ``RUNTIMES``; the environment variable ``GAPSCOPE_RUNTIME`` stands in
    for None. Under ``auto`` a Julia named by ``GAPSCOPE_JULIA`` is taken before juliacall's.

    Raises
    ------
    SettingError : no such runtime.
    """
    wanted = runtime or os.environ.get("GAPSCOPE_RUNTIME") or "auto"
    if wanted not in RUNTIMES:
        raise SettingError("The runtime must be one of " + ", ".join(RUNTIMES), wanted)
    findings = []
    named = wanted == "auto" and bool(os.environ.get("GAPSCOPE_JULIA"))
    if wanted != "libjulia" and not named:
        project, finding = find_juliacall()
        findings.append(finding)
        if project is not None:
            place = {
                "PYTHON_JULIACALL_EXE": project.executable,
                "PYTHON_JULIACALL_PROJECT": project.project,
            }
            environment = _juliacall_environment(threads, project.version) | place
            return Choice("juliacall", project.executable, environment), findings
        if wanted == "juliacall":  # asked for by name: juliapkg may install what is missing
            return Choice("juliacall", None, _juliacall_environment(threads, None)), findings
    julia, looked_for = find_julia()
    findings.extend(looked_for)
    if julia is None:
        return None, findings
    environment = julia_environment()
    environment["JULIA_NUM_THREADS"] = threads_setting(threads, julia.version)
    # Julia names precompiled files by this: two installations must not overwrite each other's
    environment["JULIA_PROJECT"] = str(share_folder())
    if julia.library_path:
        environment["LD_LIBRARY_PATH"] = julia.library_path
    image = str(find_image(julia) or julia.sysimage)
    start = {"libjulia": julia.libjulia, "bindir": julia.bindir, "sysimage": image}
    return Choice("libjulia", julia.executable, environment, start), findings


def not_found(findings: list[Finding]) -> JuliaNotFoundError:
    """Return the error that says everything that was looked for."""
    seen = "".join(f"\n  {finding.name}: {finding.detail}" for finding in findings)
    return JuliaNotFoundError("gapscope needs Julia; looked for" + seen, remedy=INSTALL)


def _juliacall_environment(threads: int, version: str | None) -> dict[str, str]:
    wanted = threads_setting(threads, version)
    return julia_environment() | {
        "JULIA_NUM_THREADS": wanted,
        "PYTHON_JULIACALL_THREADS": wanted,
        "PYTHON_JULIACALL_HANDLE_SIGNALS": "yes",  # threads need it, see design notes
        "PYTHON_JULIACALL_STARTUP_FILE": "no",
        "PYTHON_JULIACALL_AUTOLOAD_IPYTHON_EXTENSION": "no",
    }
