"""The command ``gapscope``. Heavy libraries are imported by the command that needs them."""

from __future__ import annotations

from gapscope.cli.main import main

__all__ = ["main"]
