"""gapscope."""
