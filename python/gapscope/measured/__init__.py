"""Measured STM data: maps and spectra of instruments' files, in nm and mV."""

from gapscope.measured.files import open
from gapscope.measured.readers.finished import finished_lines

__all__ = ["finished_lines", "open"]
