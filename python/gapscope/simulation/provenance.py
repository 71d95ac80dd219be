"""Which versions computed a result."""

from __future__ import annotations

from importlib.metadata import version

from gapscope.kernel.client import get_host


def versions() -> dict[str, str]:
    """Versions of gapscope and of the Julia that computes, for the attributes of results."""
    host = get_host().info()
    return {
        "gapscope_version": version("gapscope"),
        "kernel_version": host.kernel,
        "julia_version": host.julia,
        "julia_runtime": host.runtime,
    }
