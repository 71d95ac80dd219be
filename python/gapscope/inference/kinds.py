"""What kind of map is given, told without loading what reads it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gapscope.errors import GapscopeError, MapFileError
from gapscope.support.resources import (
    GRID_MODEL,
    MEASURED_MODEL,
    OPEN_ENERGIES,
)

if TYPE_CHECKING:
    from gapscope.inference.measured_files import Scan
    from gapscope.learning.network.run_config import RunConfig

Kind = Literal["map", "prepared", "measured"]
"""As ``gapscope simulate`` writes it, as ``gapscope prepare`` does, or as an instrument does."""
FARTHEST = 0.25
"""meV: a grid's map that is farther from an energy is not taken for it unasked."""


def kind_of(file: Path) -> Kind:
    """The kind of a file.

    What is not there, or calls itself .nc and is not netCDF, is a map: a damaged one.
    """
    import h5py

    if not file.is_file():
        return "map"
    try:
        with h5py.File(file) as opened:
            if "prepared_schema" in opened.attrs:
                return "prepared"
            return "map" if "ldos_change" in opened or "qpi_re" in opened else "measured"
    except OSError:
        return "map" if file.suffix == ".nc" and not _classic(file) else "measured"


def usual_measured_model(maps: Sequence[Any], scan: Scan) -> str:
    """The shipped network for measured maps: that of several energies where all maps have them.

    Parameters
    ----------
    maps : files, preparations or datasets on lattice sites.
    scan : how files are read; a bias or an image that it names is one map.
    """
    return GRID_MODEL if all(_has_energies(one, scan) for one in maps) else MEASURED_MODEL


def _has_energies(one: Any, scan: Scan) -> bool:
    """Whether a measured map has OPEN_ENERGIES, each at a bias of its own."""
    import numpy as np

    from gapscope.inference.measured_files import opened_file
    from gapscope.measured.channels import image_channels
    from gapscope.measured.readers.recording import GRID

    biases = np.empty(0)
    if hasattr(one, "data_vars"):
        biases = np.ravel(one["energy"].values) if "energy" in one.coords else biases
    elif isinstance(one, str | Path) and kind_of(Path(one)) == "measured" and scan.bias is None:
        # What is wrong with a file, its reading says.
        with contextlib.suppress(GapscopeError):
            opened = opened_file(Path(one), scan)
            names = image_channels(opened) if scan.channel is None else [scan.channel]
            if any(name in opened and opened[name].dims == GRID for name in names):
                biases = opened["bias"].values
    if not len(biases):
        return False
    apart = np.abs(np.subtract.outer(np.array(OPEN_ENERGIES), biases))
    own = len(set(apart.argmin(axis=1).tolist())) == len(OPEN_ENERGIES)
    return own and bool((apart.min(axis=1) <= FARTHEST).all())


def require_one_kind(kinds: Mapping[str, Kind]) -> None:
    """Raise MapFileError where simulated maps are given beside measured ones.

    Parameters
    ----------
    kinds : by name of the map.
    """
    simulated = [name for name, kind in kinds.items() if kind == "map"]
    if simulated and len(simulated) < len(kinds):
        raise MapFileError(
            "Simulated and measured maps are predicted by one command each.",
            f"read as simulated: {', '.join(simulated)}",
            "Give the others to a second command.",
        )


def require_options(kinds: Mapping[str, Kind], of_measured: Sequence[str], refine: str) -> None:
    """Raise MapFileError where options do not go with maps of one kind.

    Parameters
    ----------
    kinds : by name of the map.
    of_measured : names of options for measured files that are given.
    refine : name of the option to refine, "" where it is not given.
    """
    names, simulated = list(kinds), "map" in kinds.values()
    if simulated and of_measured:
        raise MapFileError(
            f"{', '.join(of_measured)} is for measured files.",
            f"{', '.join(names)}, simulated",
            "Leave it out.",
        )
    if refine and not simulated:
        raise MapFileError(
            f"{refine} compares the amplitudes of maps, in 1/meV.",
            f"{names[0]}, measured",
            "Leave it out; the nearest simulated maps are listed.",
        )


def _classic(file: Path) -> bool:
    """Whether a file is netCDF-3, which ``gapscope simulate`` does not write."""
    with contextlib.suppress(OSError), file.open("rb") as opened:
        return opened.read(3) == b"CDF"
    return False


def require_one_impurity(config: RunConfig) -> None:
    """Raise MapFileError for a network that has learned from maps of several impurities."""
    if config.others is not None:
        raise MapFileError(
            "Maps are compared with simulated ones around one impurity, on r = 0.",
            "a network of maps with [others], whose number, places and strengths nobody knows",
            "Leave the comparison out (--refine, --posterior, --report), or use a network without"
            " [others] for a map that shows one impurity alone.",
        )
