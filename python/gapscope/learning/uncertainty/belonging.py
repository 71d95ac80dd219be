"""Files that `gapscope calibrate` writes beside weights, and whose they are."""

from __future__ import annotations

from pathlib import Path

from gapscope.errors import CalibrationError


def require_weights(path: Path, owner: str, weights: str) -> None:
    """Raise CalibrationError unless a file is of the weights of this name (their SHA-256)."""
    if owner != weights:
        raise CalibrationError(
            "A calibration belongs to the weights that it was made with.",
            f"{path}, of weights {owner}, beside {weights}",
            "Run `gapscope calibrate` again.",
        )


def damaged(path: Path, error: Exception) -> CalibrationError:
    """The error of a file that cannot be read."""
    return CalibrationError(
        f"{path.name} is a file that `gapscope calibrate` wrote.",
        f"{path}: {type(error).__name__}: {error}",
        "Run `gapscope calibrate` again, or remove the file.",
    )
