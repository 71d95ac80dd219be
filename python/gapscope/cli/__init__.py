"""The command ``gapscope``. Heavy libraries are imported by the command that needs them."""

from __future__ import annotations

import os
import sys

from gapscope.cli.main import main

__all__ = ["main", "run"]

_WITHOUT_DASK = {"simulate", "green", "continuum", "converge", "dos", "spectrum", "prepare"}


def run() -> None:
    """Run the command that a process was started for."""
    if _WITHOUT_DASK.intersection(sys.argv[1:2]):
        # xarray would import Dask with its first array: a second of CPU time, for nothing here
        sys.modules["dask"] = None  # type: ignore[assignment]
    # Figures are files here. A notebook's shell names a backend that this Python may not have, and
    # Matplotlib refuses to be imported then.
    os.environ.pop("MPLBACKEND", None)
    main()
