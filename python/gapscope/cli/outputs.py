"""What a command is going to write is checked before it computes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gapscope.support.storage import FIGURES, NETCDF, require_output


def require_outputs(
    output: Path | None, figure: Path | None = None, inputs: Sequence[Path] = ()
) -> None:
    """Raise unless a netCDF result and a figure can be written, neither of them over an input.

    Raises
    ------
    StorageError, SettingError : see :func:`gapscope.support.storage.require_output`.
    """
    for path, endings in ((output, NETCDF), (figure, FIGURES)):
        if path is not None:
            require_output(path, endings, inputs)
