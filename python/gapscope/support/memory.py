"""How much memory there is, and the refusal of what does not fit into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from gapscope.errors import NumericsError

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")
GIGABYTE = 1e9
REMEDIES = 2
Choice = tuple[str, Callable[[], float]]
"""What one might do instead, and the bytes that it then takes."""


def available_memory() -> float:
    """Bytes that this process and its children may still take, by the machine and by its container.

    A control group (version 1 or 2) leaves its limit less what is in use, files that the system
    keeps cached not counted.
    """
    return min([float(psutil.virtual_memory().available), *_groups(CGROUPS, OWN_GROUP)])


def _groups(root: Path, own: Path) -> Iterable[float]:
    try:
        lines = [line.split(":", 2) for line in own.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return
    for _, controllers, path in (line for line in lines if len(line) == 3):
        if controllers == "":
            names = ("memory.max", "memory.current", "inactive_file")
            top = root
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            top = root / "memory"
        else:
            continue
        # The limit of every group above counts, too; within a container the path may not be there.
        folder = top / path.lstrip("/")
        while folder.is_relative_to(top):
            left = _left(folder, *names)
            if left is not None:
                yield left
            folder = folder.parent


def _left(folder: Path, limit: str, used: str, cached: str) -> float | None:
    try:
        most = (folder / limit).read_text().strip()
        if most == "max":
            return None
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        now = int((folder / used).read_text()) - int(stat.get(cached, 0))
        return max(0.0, float(int(most) - now))
    except (OSError, ValueError):
        return None


def require_memory(what: str, needed: float, instead: Iterable[Choice]) -> None:
    """Raise unless the bytes that are needed are available.

    Parameters
    ----------
    what : the request in words.
    instead : remedies; those that fit into memory are named with what they take.

    Raises
    ------
    NumericsError : it does not fit, with both numbers.
    """
    available = available_memory()
    if needed <= available:
        return
    told: list[str] = []
    for words, taken in instead:
        if len(told) < REMEDIES and (size := taken()) <= available:
            told.append(f"{words} takes {gigabytes(size)}")
    raise NumericsError(
        "A computation fits into the memory that is available, or it is not begun.",
        f"{what}, which takes about {gigabytes(needed)}; {gigabytes(available)} available",
        ("; ".join(told) + "." if told else "Use a machine with more memory, or free some."),
    )


def gigabytes(size: float) -> str:
    """A size in words, such as 12 GB or 0.3 GB."""
    return f"{size / GIGABYTE:,.0f} GB" if size > 100 * GIGABYTE else f"{size / GIGABYTE:.3g} GB"
