"""What gapscope finds on this machine, for `gapscope doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

from gapscope.errors import GapscopeError
from gapscope.kernel.client import Host, default_threads
from gapscope.kernel.install.find import Finding, find_julia
from gapscope.kernel.install.image import find_image, is_of_use
from gapscope.kernel.runtimes import choose
from gapscope.support.resources import cache_folder, keras_backend, share_folder

_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16", "svebf16"}


def findings() -> list[Finding]:
    """Look for all that gapscope needs and try what was found.

    The finding named ``kernel`` says whether simulations run here.
    """
    python = f"{platform.python_version()}, {sys.executable}"
    return [
        Finding("Python", True, python),
        Finding("cache folder", True, str(cache_folder())),
        Finding("Julia package", (share_folder() / "Project.toml").is_file(), str(share_folder())),
        *_runtime(),
        *_kernel(),
        _keras(),
        Finding("bfloat16", cpu_has_bfloat16(), "by the CPU's own instructions"),
    ]


def simulations_run(found: list[Finding]) -> bool:
    """Return whether, of these findings, the kernel's is good."""
    return any(finding.name == "kernel" and finding.ok for finding in found)


def _runtime() -> list[Finding]:
    try:
        choice, looked_for = choose(None, default_threads())
    except GapscopeError as error:
        return [Finding("runtime", False, str(error))]
    name = "none" if choice is None else choice.runtime
    wanted = os.environ.get("GAPSCOPE_RUNTIME") or "auto"
    return [*looked_for, Finding("runtime", choice is not None, f"{wanted} takes {name}")]


def _kernel() -> list[Finding]:
    try:
        with Host() as host:
            info = host.info()
    except GapscopeError as error:
        return [Finding("kernel", False, str(error))]
    return [
        Finding("kernel", True, f"GapScope {info.kernel} on Julia {info.julia}, {info.runtime}"),
        *_compiled(info.runtime),
        Finding("threads", True, f"{info.threads}"),
        Finding("libfftw3", True, info.fftw),
    ]


def _compiled(runtime: str) -> list[Finding]:
    """Say whether each start compiles the kernel anew, where that depends on an image."""
    julia, _ = find_julia()
    if runtime != "libjulia" or julia is None or not is_of_use(julia):
        return []
    image = find_image(julia)
    missing = "at every start, for ten seconds and more; `gapscope julia install` does it once"
    return [Finding("kernel compiled", image is not None, str(image or missing))]


def _keras() -> Finding:
    """Say which Keras and which backend there are, without the seconds their import takes."""
    backend = keras_backend()
    try:
        versions = [
            f"{package} {importlib.metadata.version(package)}" for package in ("keras", backend)
        ]
    except importlib.metadata.PackageNotFoundError as error:
        return Finding("Keras", False, f"{error} is not installed, networks need it")
    return Finding("Keras", True, " with backend ".join(versions))


def cpu_has_bfloat16() -> bool:
    """Return whether the CPU multiplies bfloat16 numbers by instructions of its own."""
    if sys.platform == "darwin":
        asked = subprocess.run(
            ["sysctl", "-n", "hw.optional.arm.FEAT_BF16"], capture_output=True, text=True
        )
        return asked.stdout.strip() == "1"
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    return not _BFLOAT16_FLAGS.isdisjoint(flags)
