"""Every error a user can cause. Each says the rule, the value received and the remedy."""

from __future__ import annotations

import unicodedata

LAYOUT = "\n\t"


def printable(text: str, keep: str = "") -> str:
    r"""The text with its control characters written as escapes: ``\x1b`` for ESC.

    Letters of all scripts and spaces stay. Escape sequences that colour or retitle a terminal, line
    breaks, and marks that turn the direction of writing or have no width become visible.

    Parameters
    ----------
    keep : characters that stay all the same, such as line breaks.
    """
    if text.isprintable():
        return text
    return "".join(
        one
        if one.isprintable() or one in keep or unicodedata.category(one) == "Zs"
        else one.encode("unicode_escape").decode()
        for one in text
    )


class GapscopeError(Exception):
    """Base of all errors raised on purpose by gapscope.

    Parameters
    ----------
    rule : what must hold.
    received : the value that broke the rule; shown by ``repr`` unless it is a string.
    remedy : what the user can do about it.

    All three may quote a stranger's file, so that control characters in them become escapes.
    """

    def __init__(self, rule: str, received: object = None, remedy: str = "") -> None:
        self.rule = printable(rule, LAYOUT)
        self.received = printable(received, LAYOUT) if isinstance(received, str) else received
        self.remedy = printable(remedy, LAYOUT)
        lines = [self.rule]
        if self.received is not None:
            shown = self.received if isinstance(self.received, str) else repr(self.received)
            lines.append(f"Received: {shown}")
        if self.remedy:
            lines.append(f"Remedy: {self.remedy}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes (Dask workers) without losing the three parts."""
        received = self.received
        if received is not None and not isinstance(received, str):
            received = repr(received)
        return type(self), (self.rule, received, self.remedy)


class SpecificationError(GapscopeError, ValueError):
    """The physics asked for is not defined: irrep, angles, bonds, impurity, material."""


class MaterialFileError(SpecificationError):
    """A material file (TOML or Wannier90) cannot be read as a Hamiltonian."""


class NumericsError(GapscopeError, ValueError):
    """Energies, broadening, window or k-grid are outside what can be computed."""


class KernelError(GapscopeError, RuntimeError):
    """Julia raised an error inside the kernel; the message is Julia's own."""


class JuliaNotFoundError(GapscopeError, RuntimeError):
    """No usable Julia runtime; the message lists what was looked for."""


class HostDiedError(KernelError):
    """The kernel host process ended in the middle of a call."""


class RecipeError(GapscopeError, ValueError):
    """A dataset recipe breaks a rule of its schema."""


class DatasetError(GapscopeError, RuntimeError):
    """A dataset on disk is incomplete or not what its manifest says."""


class CorruptShardError(DatasetError):
    """A shard file is unreadable, or its content does not match its checksum."""


class SchemaVersionError(DatasetError):
    """A file was written by a newer schema than this version of gapscope knows."""


class StorageError(GapscopeError, RuntimeError):
    """Writing failed (a full disk, missing permission); finished files are untouched."""


class MapFileError(GapscopeError, ValueError):
    """A file does not hold a QPI map in the layout that ``simulate`` writes."""


class MeasurementFileError(GapscopeError, ValueError):
    """A measured file cannot be read as maps or spectra with a scale."""


class RunError(GapscopeError, RuntimeError):
    """A run or model folder is missing, incomplete, damaged, or does not fit the data."""


class CalibrationError(GapscopeError, ValueError):
    """A calibration cannot be made, is damaged, or does not reach the level asked for."""


class SettingError(GapscopeError, ValueError):
    """A setting or an environment variable has a value that is not allowed."""


class ClusterError(GapscopeError, RuntimeError):
    """The Dask scheduler cannot be reached, or its workers die or cannot run gapscope."""


class TrainingError(GapscopeError, ValueError):
    """A training option is outside what a network can be trained with."""


class ConvergenceError(GapscopeError, RuntimeError):
    """The accuracy that was asked for was not reached within the budget."""


class ConvergenceWarning(UserWarning):
    """A map is less accurate than was asked for, or than its broadening needs."""


class MaterialWarning(UserWarning):
    """What a material is made of, or what is asked of it, does not seem to be what was meant."""


class PreparationError(GapscopeError, ValueError):
    """A measured map, or a setting of its preparation, is not what a step can work with."""


class LatticeNotFoundError(PreparationError):
    """The Fourier transform of a map shows no Bragg peaks of the lattice."""
