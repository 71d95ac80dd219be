"""One way to open a measured file: its format is told by its content, then by its ending."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError, printable
from gapscope.measured.readers import (
    arrays,
    createc,
    createc_vert,
    gwyddion,
    gwyddion_simple,
    gwyddion_text,
    gxsm,
    hdf5,
    igor,
    matlab,
    matrix,
    nanonis_grid,
    nanonis_scan,
    nanonis_spectrum,
    nanoscope,
    nanosurf,
    rhk,
    scala,
    spip,
    text,
    wsxm,
    wsxm_spectra,
    wsxm_text,
)
from gapscope.measured.readers.finished import finished_lines
from gapscope.measured.readers.limits import MAX_BYTES, ReadOptions

HEAD = 2**16
NETCDF = "xarray.load_dataset(path, engine='scipy').to_netcdf(copy, engine='h5netcdf')"
KNOWN = {
    b"ONTMATRX0101": "Open a data file beside it, NAME--RUN_CYCLE.CHANNEL_mtrx.",
    b"CDF": f"Save it as netCDF-4: {NETCDF}",
    **dict.fromkeys((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ"), "Unpack it first."),
    **dict.fromkeys((b"\xff\xfe", b"\xfe\xff"), "Save the text in UTF-8."),
    text.POINTER: "It is a pointer of Git LFS, not the file: git lfs pull fetches that.",
    **dict.fromkeys(text.PAGES, "It is a web page: download the file itself."),
    b"FLAT0100": "Open the data file _mtrx of which it was made, or export it as Gwyddion's .gwy.",
}
"""Remedies for files that are not read, by their beginnings."""
MATLAB_4 = (
    "It is of MATLAB 4: scipy.io.savemat(copy, scipy.io.loadmat(path)); or load it in MATLAB, and"
    " save(copy, '-v7')."
)

SPECGRID = (
    "Public readers of Createc's grids of spectra differ in their layout: save the map and the"
    " biases that yours reads, scipy.io.savemat('copy.mat', {'map': map, 'bias': bias}), and name"
    " the map and its axes: --variable map --axes 'y, x, bias=bias mV' --width NM."
)


@dataclass(frozen=True)
class Format:
    """A file format: whether a file with this beginning and ending is one, and its reader.

    ``has_variables`` says whether one of a file's variables can be chosen by its name, ``has_axes``
    whether the caller says what its axes are. ``beside`` finds the files without which one cannot
    be read; their contents follow its own.
    """

    name: str
    recognises: Callable[[bytes, str], bool]
    read: Callable[[bytes, ReadOptions], xr.Dataset]
    has_variables: bool = False
    has_axes: bool = False
    beside: Callable[[Path], Iterable[Path]] | None = None


FORMATS = (
    Format("Nanonis .sxm", nanonis_scan.recognises, nanonis_scan.read),
    Format("Nanonis .3ds", nanonis_grid.recognises, nanonis_grid.read),
    Format("Nanonis .dat", nanonis_spectrum.recognises, nanonis_spectrum.read),
    Format("Createc .dat", createc.recognises, createc.read),
    Format("Createc .VERT", createc_vert.recognises, createc_vert.read),
    Format("WSxM", wsxm.recognises, wsxm.read),
    Format("WSxM .cur", wsxm_spectra.recognises_curve, wsxm_spectra.read_wsxm_curve),
    Format("WSxM .gsi", wsxm_spectra.recognises_stack, wsxm_spectra.read_wsxm_stack),
    Format("WSxM text", wsxm_text.recognises, wsxm_text.read),
    Format("Nanosurf .nid", nanosurf.recognises, nanosurf.read, has_variables=True),
    Format("Bruker NanoScope", nanoscope.recognises, nanoscope.read, has_variables=True),
    Format(
        "Omicron SCALA .par", scala.recognises, scala.read, has_variables=True, beside=scala.beside
    ),
    Format("SPIP ASCII", spip.recognises, spip.read),
    Format("Gwyddion text", gwyddion_text.recognises, gwyddion_text.read, has_variables=True),
    Format("Gwyddion .gsf", gwyddion_simple.recognises, gwyddion_simple.read),
    Format("Omicron Matrix _mtrx", matrix.recognises, matrix.read, beside=matrix.beside),
    Format("GXSM netCDF", gxsm.recognises, gxsm.read),
    Format("MATLAB .mat", matlab.recognises, matlab.read, has_variables=True, has_axes=True),
    Format("netCDF-4/HDF5", hdf5.recognises, hdf5.read, has_variables=True),
    Format("RHK .sm4", rhk.recognises, rhk.read, has_variables=True),
    Format("Gwyddion .gwy", gwyddion.recognises, gwyddion.read, has_variables=True),
    Format("Igor .ibw", igor.recognises, igor.read),
    Format("NumPy .npy", arrays.recognises_npy, arrays.read_npy),
    Format("PNG", arrays.recognises_png, arrays.read_png),
    Format("text", text.recognises, text.read),
)


def open(
    path: str | Path,
    *,
    width: float | None = None,
    height: float | None = None,
    variable: str | None = None,
    axes: str | None = None,
    finished: bool = False,
) -> xr.Dataset:
    """The channels of a measured file, in memory.

    Images lie over (y, x), y upwards, from the lower left corner of the scan at 0, in nm; the pixel
    i covers i to i + 1 times its size. Grids of spectra lie over (y, x, bias), line cuts over
    (curve, bias), single spectra over (bias), the bias increasing, in mV. Channels keep the file's
    names and units; NAME_backward is the backward sweep of NAME, with x to the right as well. What
    was not measured is NaN.

    Files: Nanonis .sxm, .3ds, .dat; RHK .sm4; Omicron and Scienta Matrix _mtrx, with the parameter
    files of their experiment beside them; Omicron SCALA .par, with its data files beside it;
    Createc .dat and .VERT; GXSM; WSxM images, curves, .gsi and texts; Nanosurf .nid; Bruker
    NanoScope; SPIP ASCII; netCDF-4 and HDF5, all variables over the same y and x, in any order with
    a bias; Gwyddion .gwy, .gsf and its text export; Igor .ibw; and without a scale of their own,
    first row at the top: .npy, grey PNG, text, and MATLAB .mat, whose axes are named, too.

    Parameters
    ----------
    path : the file.
    width, height : sides of the image in nm, for a file that does not tell them; the height only
        where pixels are not square.
    variable : name of the variable of an HDF5 file, of the channel of a Gwyddion, Nanosurf,
        NanoScope or SCALA file, of the page of an RHK file, or of the array of a MATLAB file, to
        read alone; of MATLAB several with commas between, on the same pixels.
    axes : what the dimensions of an array of a MATLAB file are, in their order, those of length one
        apart: ``y, x, bias=energies V``. A bias takes its values from a variable or a range,
        ``bias=-100:100 mV``; so may x and y, both or neither, ``x=r nm``. Without, the width is
        given, and the first row is the top one, the last one with ``y up``.
    finished : keep only the finished lines of a scan that was stopped, see
        :func:`gapscope.measured.finished_lines`, and read a .3ds that lacks its last points; y is
        that of the whole scan, so it need not begin at 0.

    Returns
    -------
    Dataset with attributes source_format, file, and where the file tells them bias (mV), current
    (set point that the feedback holds, pA), feedback ("off" where it is), scan_angle (degrees,
    counterclockwise), temperature (K), recorded (ISO 8601); left_out, what else the file holds,
    which ``variable`` opens; unfinished_lines, how many were left out; segments, start and end of
    each part of a multi-segment sweep. Channels have units and long_name, the file's name of them,
    and where the file tells it of each, harmonic (of the lock-in), and the pass, bias, current,
    feedback and height_offset (nm) of a multipass scan; the dataset has what all passes share.

    Raises
    ------
    MeasurementFileError : no such file, not of these formats, damaged, cut off, too large, without
        a scale, or of a kind that has no maps or spectra; no finished line.
    """
    path = Path(path)
    given = ReadOptions(width, height, variable, axes, finished, path.name)
    try:
        content, kind = _content(path)
        if variable is not None and not kind.has_variables:
            named = ", ".join(one.name for one in FORMATS if one.has_variables)
            raise MeasurementFileError(
                f"A variable is chosen from a file of these formats: {named}.",
                f"{kind.name}, variable={variable!r}",
                "Leave variable out.",
            )
        if axes is not None and not kind.has_axes:
            raise MeasurementFileError(
                "Axes are named for an array of a MATLAB file.",
                f"{kind.name}, axes={axes!r}",
                "Leave axes out.",
            )
        # What is not finite is refused by the readers, so numpy need not warn of it.
        with np.errstate(all="ignore"):
            found = kind.read(content, given)
        if finished:
            found = finished_lines(found)
    except MeasurementFileError as error:
        raise MeasurementFileError(
            f"{path.name[:80]}: {error.rule}", error.received, error.remedy
        ) from error
    return found.assign_attrs(file=printable(path.name))


def _content(path: Path) -> tuple[bytes, Format]:
    try:
        if not path.exists():
            raise MeasurementFileError(
                "A measured file exists.", f"{path}, which does not", "Check the path."
            )
        if not path.is_file():
            folder = f"Name the files in it: {path / '*'}" if path.is_dir() else "Check the path."
            raise MeasurementFileError("The path is not a regular file.", str(path), folder)
        size = path.stat().st_size
        if size == 0:
            raise MeasurementFileError(
                "A measured file is not empty.", "0 bytes", "Copy it again from the instrument."
            )
        if size > MAX_BYTES:
            raise MeasurementFileError(
                f"A measured file has at most {MAX_BYTES} bytes.", size, "Export a part of it."
            )
        with path.open("rb") as file:
            head = file.read(HEAD)
            kind = _kind(head, path.suffix.lower())
            content = head + file.read(max(size - len(head), 0))
        for other in kind.beside(path) if kind.beside is not None else ():
            size += other.stat().st_size
            if size > MAX_BYTES:
                raise MeasurementFileError(
                    f"A measured file and those beside it have at most {MAX_BYTES} bytes.",
                    f"{size} with {other.name}",
                    "Use the files of a shorter experiment.",
                )
            content += other.read_bytes()
        return content, kind
    except (OSError, ValueError) as error:
        if isinstance(error, MeasurementFileError):
            raise
        raise MeasurementFileError(
            "A measured file is readable.",
            f"{path}: {error}",
            "Check the path and its permissions.",
        ) from error


def _kind(head: bytes, suffix: str) -> Format:
    for kind in FORMATS:
        if kind.recognises(head, suffix):
            return kind
    usual = MATLAB_4 if matlab.is_version_4(head, suffix) else "Export it as one of these."
    if re.fullmatch(r"\.[ts][fb]\d{1,2}", suffix):
        usual = f"Of a scan of Omicron SCALA, open the .par beside it. {usual}"
    if suffix == ".specgrid":
        usual = SPECGRID
    remedy = next((remedy for start, remedy in KNOWN.items() if head.startswith(start)), usual)
    raise MeasurementFileError(
        f"A measured file is one of {', '.join(kind.name for kind in FORMATS)}.",
        f"ending {suffix!r}, beginning with {head[:16]!r}",
        remedy,
    )
