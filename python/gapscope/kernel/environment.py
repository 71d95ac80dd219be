"""The environment in which every Julia of gapscope runs: the host's, and all that look for it."""

from __future__ import annotations

import os
import re
import site
from pathlib import Path

from gapscope.support.resources import cache_folder

_INTERACTIVE_THREAD_SINCE = (1, 12)


def version_tuple(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, ``"1.11.2-rc1"`` being ``(1, 11, 2)``."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def threads_setting(threads: int, version: str | None) -> str:
    """Return how a Julia of this version is asked for that many threads and no other.

    From 1.12 a plain number adds an interactive thread, on which the main task would run. Older
    ones refuse the 0 as an option (``--threads``), as juliacall passes it on.
    """
    if version is not None and version_tuple(version) >= _INTERACTIVE_THREAD_SINCE:
        return f"{threads},0"
    return str(threads)


def python_environment() -> dict[str, str]:
    """Return the environment in which a child Python imports this very ``gapscope``."""
    package_parent = str(Path(__file__).parents[2])
    known = os.environ.get("PYTHONPATH", "")
    paths = [path for path in known.split(os.pathsep) if path]
    if package_parent not in (*paths, *site.getsitepackages()):
        paths.append(package_parent)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def julia_environment() -> dict[str, str]:
    """Return ``python_environment()`` with the Julia that it holds being the kernel's alone.

    A user's project and number of threads do not reach it; its depot can be written.
    """
    environment = python_environment()
    for name in ("JULIA_PROJECT", "JULIA_LOAD_PATH", "JULIA_NUM_THREADS"):
        environment.pop(name, None)
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")  # the threads are Julia's
    users = Path.home() / ".julia"
    if "JULIA_DEPOT_PATH" not in environment and not _writable(users):
        # the empty entry stands for Julia's own depots; from 1.11 the user's is none of them
        places = (str(cache_folder() / "depot"), str(users), "")
        environment["JULIA_DEPOT_PATH"] = os.pathsep.join(places)
    return environment


def _writable(folder: Path) -> bool:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return os.access(existing, os.W_OK)
