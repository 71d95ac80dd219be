"""Networks that stay in memory: to load one takes seconds, and so do its first answers."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from gapscope.learning.prediction.predictor import Predictor

KEPT = 2
"""Networks; the surfaces of one that has learned clean maps take up to 1 GB."""
File = tuple[str, int, int, int, int]


def load_predictor(folder: str | Path, **levels: float | bool) -> Predictor:
    """A network with options of :meth:`Predictor.load`, which is called unless it was one of the
    last KEPT and no file of its folder has changed since; raises as that does."""
    return _loaded(str(folder), tuple(sorted(levels.items())), _files(folder))


@lru_cache(maxsize=KEPT)
def _loaded(
    folder: str, levels: tuple[tuple[str, float | bool], ...], _: frozenset[File]
) -> Predictor:
    return Predictor.load(folder, **dict(levels))  # type: ignore[arg-type]


def _files(folder: str | Path) -> frozenset[File]:
    """What tells which files a folder holds, and in which state; nothing where it is none."""
    try:
        with os.scandir(folder) as entries:
            states = [(entry.name, entry.stat()) for entry in entries]
    except OSError:
        return frozenset()
    return frozenset((name, s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns) for name, s in states)
