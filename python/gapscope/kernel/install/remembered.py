"""What was found out about this machine by starting another program, kept in the cache folder.

An answer holds as long as the stamp under which it was given does. It spares time and nothing
else: where the file cannot be read or written, the program is asked again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from gapscope.support.resources import cache_folder

_LARGEST = 100_000  # bytes; a few answers take one or two thousand


def remembered(question: str, stamp: list[str], ask: Callable[[], list[str]]) -> list[str]:
    """Return the answer given before to a question under this stamp, else ask and keep it."""
    file = cache_folder() / "found.json"
    known = _read(file)
    kept = known.get(question)
    if isinstance(kept, dict) and kept.get("stamp") == stamp:
        return [str(line) for line in kept["answer"]]
    answer = ask()
    known[question] = {"stamp": stamp, "answer": answer}
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        fresh.write_text(json.dumps(known), encoding="utf-8")
        fresh.replace(file)
    return answer


def stamp_of(file: Path) -> list[str]:
    """Return what changes when a file does: where it really lies, its size and its time."""
    real = file.resolve()
    status = real.stat()
    return [str(real), str(status.st_size), str(status.st_mtime_ns)]


def _read(file: Path) -> dict[str, dict[str, list[str]]]:
    with contextlib.suppress(OSError, ValueError):
        if file.stat().st_size <= _LARGEST:
            known = json.loads(file.read_text(encoding="utf-8"))
            if isinstance(known, dict):
                return known
    return {}
