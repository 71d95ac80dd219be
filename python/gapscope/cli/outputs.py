"""What a command is going to write is checked before it computes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gapscope.errors import SettingError
from gapscope.support.storage import FIGURES, NETCDF, REPORTS, require_output

TYPED = "gapscope.typed"
"""Where a command's context holds the arguments as they were typed."""


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


def require_report(report: Path | None, figure: Path | None, inputs: Sequence[Path]) -> None:
    """Raise unless a report can be written, neither over an input nor over the figure.

    Raises
    ------
    StorageError, SettingError : see :func:`gapscope.support.storage.require_output`.
    """
    if report is None:
        return
    require_output(report, REPORTS, inputs)
    if figure is not None and figure.resolve() == report.resolve():
        raise SettingError(
            "A figure and a report are two files.", str(report), "Give one of them another name."
        )
