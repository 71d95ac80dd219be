"""Measured STM data: maps and spectra of instruments' files, in nm and mV."""

from gapscope.measured.files import open

__all__ = ["open"]
