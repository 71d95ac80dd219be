"""What a preparation has found and made, as lines for people and as a dataset for a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gapscope.errors import MapFileError, SchemaVersionError
from gapscope.measured.preparation.found import FoundLattice, Measured, plus_minus
from gapscope.measured.preparation.other_hand import hand_in_words
from gapscope.measured.preparation.prepared import Prepared
from gapscope.measured.preparation.waves import WavePeak
from gapscope.support.netcdf import UNREADABLE, load_netcdf

PREPARED_SCHEMA = 1
STRAINED = 1.1
"""Anisotropy that drift seldom reaches."""
UNEVEN = 0.005
"""Spread of the lattice vectors' lengths: by it, an atom at the edge of a window of 64 sites is a
sixth of a lattice constant from its site."""


def report(prepared: Prepared) -> str:
    """Lattice and density wave with their errors, a line each."""
    lattice, corrected = prepared.lattice, prepared.final_lattice
    lines = [
        f"lattice constant    {lattice.constant:.4f} Å as scanned, material "
        f"{lattice.material_constant:.3f} Å",
        f"{_names(lattice):20}{_several(lattice.lengths)} Å",
        f"angle of a1 and a2  {lattice.opening:.2f} degrees; of a1 and x {lattice.orientation:.2f}",
        f"anisotropy          {lattice.anisotropy:.4f}",
        f"in its quarters     {_quarters(lattice)}",
        f"steps               {', '.join(prepared.images)}",
        f"after them          {corrected.constant:.4f} Å, anisotropy {corrected.anisotropy:.4f}",
    ]
    lines[4:4] = rivals_in_words(lattice)
    if lattice.anisotropy.value > STRAINED:
        lines.append(
            "                    Such a distortion is rare. Is the material's lattice "
            f"{lattice.perfect.name}, and are these its peaks?"
        )
    lines += hand_in_words(lattice)
    left = _left(corrected)
    remedy = "Leave" if prepared.steps.phase else "Correct it with --phase 5, or leave"
    if prepared.steps.drift and left > UNEVEN:
        lines.append(
            f"                    The map is still distorted by {left:.1%}, unevenly: creep, or "
            f"drift that changes. {remedy} the part of the scan out where it is worst."
        )
    if prepared.wave is not None:
        lines.extend(_line(peak) for peak in prepared.wave.peaks)
    return "\n".join(lines)


def rivals_in_words(lattice: FoundLattice) -> list[str]:
    """The other lattices that the map might show, a line each; the errors know of them."""
    lines = []
    for rival in lattice.rivals:
        other = lattice.instead(rival)
        (a, b), (c, d) = rival.superlattice
        cells = a * d - b * c
        rest = f", the rest being its superlattice of {cells} cells" if cells > 1 else ""
        unseen = "" if rival.seen else "; its own peaks do not stand out"
        lines.append(
            f"ambiguous           or {float(other.constant.value):.4f} Å, a1 and x"
            f" {float(other.orientation.value):.2f} degrees, anisotropy"
            f" {float(other.anisotropy.value):.4f}, with probability {rival.probability:.2f}"
            f"{rest}{unseen}"
        )
    return lines


def found_in_words(attributes: Mapping[str, Any]) -> list[str]:
    """The lattice and the wave, a line each, by the attributes of :func:`prepared_dataset`."""
    if "lattice_constant_found" not in attributes:
        return ["not told: the map came on lattice sites"]

    def told(name: str, digits: int) -> str:
        value, error = (float(attributes[f"{name}{kind}"]) for kind in ("", "_error"))
        return plus_minus(value, error, digits)

    lines = [
        f"lattice constant    {told('lattice_constant_found', 4)} Å as scanned, material "
        f"{float(attributes['material_constant']):.3f} Å",
        f"angle of a1 and a2  {told('lattice_opening', 2)} degrees; of a1 and x "
        f"{told('lattice_orientation', 2)}",
        f"anisotropy          {told('lattice_anisotropy', 4)}",
        f"steps               {', '.join(map(str, np.atleast_1d(attributes['steps'])))}",
    ]
    parts = ("constants", "orientations", "anisotropies", "probabilities")
    rivals = [np.atleast_1d(attributes.get(f"rival_{part}", ())) for part in parts]
    for constant, orientation, anisotropy, probability in zip(*rivals, strict=True):
        lines.append(
            f"ambiguous           or {constant:.4f} Å, a1 and x {orientation:.2f} degrees,"
            f" anisotropy {anisotropy:.4f}, with probability {probability:.2f}"
        )
    if attributes.get("wave_found"):
        kind = "commensurate" if attributes.get("wave_commensurate") else "incommensurate"
        lines.append(f"density wave        found, {kind}")
    return lines


def _names(lattice: FoundLattice) -> str:
    """Names of the vectors whose lengths are told."""
    names = {(1, 0): "a1", (0, 1): "a2"}
    return ", ".join(names.get((m, n), "a2 - a1") for m, n in lattice.kind.shortest.tolist())


def _several(measured: Measured) -> str:
    return ", ".join(
        f"{value:.4f} ± {error:.4f}"
        for value, error in zip(measured.value, measured.error, strict=True)
    )


def _quarters(lattice: FoundLattice) -> str:
    """Where the errors come from."""
    if len(lattice.quarters) < 2:
        return "too few periods or too much noise to look; the errors are those of the noise"
    lengths = np.array([quarter.lengths.value for quarter in lattice.quarters])
    ranges = zip(lengths.min(axis=0), lengths.max(axis=0), strict=True)
    return ", ".join(f"{low:.4f} to {high:.4f}" for low, high in ranges) + " Å"


def _left(lattice: FoundLattice) -> float:
    """By how much a corrected lattice departs from the material's: on the whole, or in places."""
    anisotropy, lengths = lattice.anisotropy, lattice.lengths
    on_the_whole = float(anisotropy.value - 1 - 3 * anisotropy.noise)
    return max(on_the_whole, float(np.max(lengths.spread / lengths.value)))


def _line(peak: WavePeak) -> str:
    start = "density wave        ({:.3f}, {:.3f}): ".format(*peak.expected)
    if not peak.found:
        return start + "not found"
    start += f"found at ({_several(peak.position)})"
    return start if peak.commensurate else f"{start}, {peak.distance:.3f} |b1| beside it"


def prepared_dataset(prepared: Prepared, sites: xr.Dataset) -> xr.Dataset:
    """The map before and after, and its image on lattice sites, for a file.

    Parameters
    ----------
    sites : made of it by ``network_input``.

    Returns
    -------
    xarray.Dataset with raw (y_raw, x_raw), prepared (y, x) and all of ``sites``; attributes say
    what lattice was found, in Angstrom and degrees, which ones it might be instead
    (``rival_...``), and which steps were done.
    """
    lattice = prepared.lattice
    raw = prepared.images["raw"].reset_coords(drop=True).rename(y="y_raw", x="x_raw")
    found = {
        f"{name}{kind}": float(getattr(one, part))
        for name, one in (
            ("lattice_constant_found", lattice.constant),
            ("lattice_orientation", lattice.orientation),
            ("lattice_opening", lattice.opening),
            ("lattice_anisotropy", lattice.anisotropy),
        )
        for kind, part in (("", "value"), ("_error", "error"))
    }
    others = [(lattice.instead(rival), rival.probability) for rival in lattice.rivals]
    made = sites.assign(raw=raw, prepared=prepared.final.reset_coords(drop=True))
    wave = prepared.wave
    return made.assign_attrs(
        prepared_schema=PREPARED_SCHEMA,
        channel=str(prepared.images["raw"].name or ""),
        steps=list(prepared.images),
        material_constant=lattice.material_constant,
        lattice_ambiguous=int(lattice.ambiguous),
        rival_constants=np.array([float(one.constant.value) for one, _ in others]),
        rival_orientations=np.array([float(one.orientation.value) for one, _ in others]),
        rival_anisotropies=np.array([float(one.anisotropy.value) for one, _ in others]),
        rival_probabilities=np.array([probability for _, probability in others]),
        wave_found=int(wave is not None and wave.found),
        wave_commensurate=int(wave is not None and wave.commensurate),
        wave_momenta=np.empty(0) if wave is None else lattice.reduced(wave.momenta).ravel(),
        **found,
    )


def read_prepared(path: str | Path) -> xr.Dataset:
    """What :func:`prepared_dataset` made, from a file.

    Raises
    ------
    MapFileError : not such a file.
    SchemaVersionError : written by a newer version.
    """
    try:
        dataset = load_netcdf(path)
        schema, values = int(dataset.attrs["prepared_schema"]), dataset["ldos_change"]
        if values.dims != ("r1", "r2") or len({*values.shape}) != 1 or values.shape[0] % 2:
            raise ValueError(f"ldos_change {dict(values.sizes)}")
    except UNREADABLE as error:
        raise MapFileError(
            "A prepared map is netCDF4/HDF5 as written by gapscope prepare.",
            f"{path}: {error}",
            "Check the path, or prepare the measured file again.",
        ) from error
    if schema > PREPARED_SCHEMA:
        raise SchemaVersionError(
            f"This version reads prepared maps of schema {PREPARED_SCHEMA}.",
            f"{path}: {schema}",
            "Update gapscope.",
        )
    return dataset
