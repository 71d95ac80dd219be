"""Where the files that are not Python live: the Julia package, materials, recipes."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).parent


def share_folder() -> Path:
    """Return the folder with ``Project.toml``, ``julia/`` and ``data/``.

    An installed wheel carries it as ``gapscope/_share``; in a checkout it is the root.
    """
    packed = _PACKAGE / "_share"
    return packed if packed.is_dir() else _PACKAGE.parents[1]


def cache_folder() -> Path:
    """Return the folder for what can be fetched or computed again.

    The environment variable ``GAPSCOPE_CACHE`` overrides the system's place for caches.
    """
    chosen = os.environ.get("GAPSCOPE_CACHE")
    return Path(chosen).absolute() if chosen else Path(platformdirs.user_cache_dir("gapscope"))
