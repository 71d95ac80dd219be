"""Errors of preparing measured maps."""

from __future__ import annotations

from gapscope.errors import GapscopeError


class PreparationError(GapscopeError, ValueError):
    """A measured map, or a setting of its preparation, is not what a step can work with."""


class LatticeNotFoundError(PreparationError):
    """The Fourier transform of a map shows no Bragg peaks of the lattice."""
