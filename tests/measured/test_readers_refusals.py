"""Files that are damaged, hostile, or of another kind end in MeasurementFileError, soon."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gapscope import measured
from measured_files import (
    GIVEN,
    dat,
    gwy,
    gwy_field,
    gwy_item,
    gwy_object,
    hdf5,
    matrix,
    npy,
    png,
    spectra,
    spip,
    sxm,
    three_ds,
    upright,
)
from refusals import refused


def ihdr(columns: int, rows: int) -> bytes:
    """The chunk of a PNG that says how large it is: grey, 8 bits."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


NAN_GRID = three_ds()[: -4 * 10] + np.full(10, np.inf, ">f4").tobytes()


CASES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is not empty"),
    "garbage": (bytes(range(256)) * 100, "is one of Nanonis"),
    "pickle": (b"\x80\x04\x95\x0b\x00", "is one of Nanonis"),
    "classic netCDF": (b"CDF\x01\x00\x00\x00\x00", "is one of Nanonis"),
    "prose": (b"hello,\nworld\n", "has a name for each column|rows of numbers|loadtxt"),
    "only a magic": (b":NANONIS_VERSION:", "ends with :SCANIT_END:"),
    "sxm, cut": (sxm()[:-10], "as much data as its header says"),
    "sxm, longer": (sxm() + bytes(400), "as much data as its header says"),
    "sxm, no data": (sxm().replace(b"\x1a\x04", b"\x1a\x05"), "as much data"),
    "sxm, terabytes": (sxm().replace(b"8       6", b"16000 160000"), "pixels a side"),
    "sxm, negative": (sxm().replace(b"8       6", b"-8 -6"), "pixels a side"),
    "sxm, infinite": (sxm().replace(b"8       6", b"inf inf"), "two numbers|finite number"),
    "sxm, NaN range": (sxm().replace(b"1.600000E-08", b"nan"), "finite number"),
    "sxm, kilometres": (sxm().replace(b"1.600000E-08", b"1.6E+3"), "nm long"),
    "sxm, one range": (sxm().replace(b"1.600000E-08", b""), "two numbers"),
    "sxm, integers": (sxm().replace(b"FLOAT  ", b"INT32  "), "SCANIT_TYPE"),
    "sxm, no direction": (sxm().replace(b"\ndown", b"\nleft"), "down or up"),
    "sxm, many channels": (
        sxm().replace(b"\t20\tLIY", b"\t14\tZ\tm\tboth\n" * 200_000 + b"\t20\tLIY"),
        "1 to 1000 channels",
    ),
    "sxm, odd channel": (sxm().replace(b"\tboth", b"\tBOTH"), "DATA_INFO"),
    "sxm, no channels": (sxm().replace(b"DATA_INFO", b"DATA_OFNI"), "DATA_INFO"),
    "sxm, NaN bias": (sxm().replace(b"4.500E-2", b"NaN"), "BIAS as a finite number"),
    "sxm, endless bias": (sxm().replace(b"4.500E-2", b"4.5E+307"), "settings .* are finite"),
    "3ds, endless angle": (three_ds().replace(b"3.0E+1", b"3.0E+999"), "as a finite number"),
    "dat, endless set point": (dat().replace(b"50E-12", b"5E+300"), "settings .* are finite"),
    "sxm, infinite value": (sxm()[:-4] + b"\x7f\x80\x00\x00", "finite, or NaN"),
    "sxm, nothing measured": (
        sxm()[: -4 * 4 * 48] + np.full(4 * 48, np.nan, ">f4").tobytes(),
        "a channel with measured values",
    ),
    "3ds, stopped": (three_ds()[:-60], "as much data as its header says"),
    "3ds, terabytes": (three_ds().replace(b"8 x 6", b"16000 x 16000"), "Experiment size"),
    "3ds, wider": (three_ds().replace(b"8 x 6", b"99999 x 6"), "at most 16384"),
    "3ds, one number": (three_ds().replace(b"8 x 6", b"8"), "columns x rows"),
    "3ds, points": (three_ds().replace(b"Points=5", b"Points=50"), "Experiment size"),
    "3ds, no points": (three_ds().replace(b"Points=5", b"Points=0"), "positive whole number"),
    "3ds, segments": (three_ds().replace(b"=Linear", b"=MLS"), "lists its segments"),
    "3ds, no channels": (
        three_ds().replace(b"Channels", b"Slennahc"),
        "a linear or a multi-segment",
    ),
    "3ds, heights": (three_ds().replace(b"Bias (V)", b"Z (m)"), "against the bias"),
    "3ds, still": (three_ds(start=0.1, stop=0.1), "rises or falls"),
    "3ds, frame": (three_ds().replace(b"Grid settings=", b"Grid settings=0;"), "centre, width"),
    "3ds, other sweeps": (
        three_ds()[: -4 * 15] + np.full(15, 7, ">f4").tobytes(),
        "have the same sweep",
    ),
    "3ds, infinite": (NAN_GRID, "finite, or NaN"),
    "dat, no table": (dat()[: dat().index(b"Bias calc")], "table of channels follows"),
    "dat, cut line": (dat()[:-10] + b"\r\n1", "loadtxt"),
    "dat, against time": (dat().replace(b"Bias calc (V)", b"Time (s)"), "first the bias"),
    "dat, against counts": (dat().replace(b"Bias calc (V)", b"Bias (1)"), "against the bias"),
    "dat, no header": (dat().replace(b"[DATA]", b"[ATAD]"), "ends with"),
    "spip, no data line": (spip().replace(b"Start of", b"End of"), "ends with '# Start"),
    "spip, cut": (spip()[: len(spip()) // 2], "as much data|loadtxt"),
    "spip, cut line": (spip()[:-30], "loadtxt"),
    "spip, columns": (spip().replace(b"x-pixels = 8", b"x-pixels = 9"), "of 9 columns"),
    "spip, terabytes": (spip().replace(b"x-pixels = 8", b"x-pixels = 8000000"), "pixels a side"),
    "spip, half a pixel": (spip().replace(b"x-pixels = 8", b"x-pixels = 8.5"), "whole number"),
    "spip, no length": (spip().replace(b"x-length", b"htgnel-x"), "x-length as a finite"),
    "spip, Fourier": (spip("# z-unit = sqrt(nA)"), "real space"),
    "spectra, not monotonic": (spectra().replace(b"60.0,", b"-60.0,", 1), "rises or falls"),
    "spectra, no unit": (spectra().replace(b"(mV)", b""), "against the bias"),
    "spectra, thousands": (
        b"".join([b"bias (mV)", *(b",%d" % i for i in range(2000)), b"\n1", b",1" * 2000]),
        "at most 1000 channels",
    ),
    "h5, cut": (hdf5()[:-100], "h5py can read"),
    "h5, no image": (hdf5(lambda f: f.pop("scan")), "over two lengths"),
    "h5, uneven": (hdf5(lambda f: f["x"].__setitem__(0, -1.0)), "uniform"),
    "h5, one scale": (hdf5(lambda f: f["x"].attrs.__setitem__("units", "s")), "or neither"),
    "gwy, cut": (gwy()[:-30], "reader of .gwy files can read"),
    "gwy, two sizes": (gwy(gwy_item("/5/data", "o", gwy_field(upright()[:2]))), "one size"),
    "gwy, endless string": (b"GWYPGwyContainer\0\7\0\0\0a\0sxxxx", "reader of .gwy files"),
    "gwy, size": (b"GWYPGwyContainer\0\xff\xff\xff\xffa\0", "reader of .gwy files"),
    "gwy, strings": (
        b"GWYPGwyContainer\0\x0c\0\0\0a\0S\xff\xff\xff\xffa\0b\0\0",
        "reader of .gwy files",
    ),
    "gwy, items": (
        b"GWYP" + gwy_object("GwyContainer", b"a\0b\0" * 100_001),
        "more than 100000 items",
    ),
    "gwy, array": (
        b"GWYP" + gwy_object("A", gwy_item("x", "D", b"\2\0\0\0" + bytes(8))) + bytes(99),
        "array of 2 values",
    ),
    "gwy, type": (gwy(gwy_item("/9", "x", b"1")), "unknown type"),
    "gwy, momentum": (gwy().replace(b"unitstr\0sm\0", b"unitstr\0ss\0"), "real space"),
    "gwy, no frame": (gwy().replace(b"xreal\0", b"laerx\0"), "each of its type"),
    "gwy, rows of rows": (gwy().replace(b"yres\0i", b"yres\0I"), "each of its type"),
    "gwy, characters": (
        gwy().replace(b"data\0D0\0\0\0", b"data\0C\x80\1\0\0"),
        "each of its type",
    ),
    "gwy, pixels": (gwy().replace(b"xres\0i\x08", b"xres\0i\x09"), "as much data"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_read_is_refused(case: str, tmp_path: Path) -> None:
    content, rule = CASES[case]
    path = tmp_path / "given.file"
    path.write_bytes(content)
    error = refused(path, rule)
    assert str(error).startswith("given.file: ")


GIVEN_CASES: dict[str, tuple[bytes, str]] = {
    "matrix, ragged": (matrix() + b"1 2 3\n", "loadtxt"),
    "matrix, words": (matrix() + b"a b c d e f g h\n", "loadtxt"),
    "matrix, infinite": (matrix() + b"1e999 1 1 1 1 1 1 1\n", "finite, or NaN"),
    "matrix, NaN": (b"nan nan\nnan nan\n", "measured values"),
    "matrix, one row": (b"1 2 3\n", "pixels a side"),
    "matrix, nothing": (b"# only a comment\n\n", "rows of numbers"),
    "a column too long": (b"1\n" * (2**17 + 1), "lines and"),
    "ten million columns": (b"0 " * 10**7, "bytes a line"),
    "many columns": (b"0 " * 20_000 + b"\n" + b"0 " * 20_000, "pixels a side"),
    "npy, objects": (npy(np.array([[{}, 1], [2, 3]], dtype=object)), "real array"),
    "npy, complex": (npy(upright() * 1j), "real array"),
    "npy, three dimensions": (npy(upright()[None]), "real array"),
    "npy, cut": (npy()[:-1], "as much data"),
    "npy, terabytes": (npy().replace(b"(6, 8)", b"(9999, 9999999999)"), "pixels a side|numpy"),
    "npy, wrapped": (
        npy().replace(b"(6, 8), }" + b" " * 20, b"(4294967296, 4294967296), }  "),
        "pixels a side",
    ),
    "npy, code": (npy().replace(b"(6, 8)", b"f(6,8)"), "numpy.lib.format can read"),
    "npy, version": (npy().replace(b"NUMPY\1", b"NUMPY\x09"), "numpy.lib.format can read"),
    "png, cut": (png()[:-40], "Pillow can read"),
    "png, header": (png()[:20], "Pillow can read"),
    "png, two headers": (
        png()[:33] + ihdr(13000, 13000) + png()[33:],
        "at most 8388608 values|Pillow can read",
    ),
    "png, terabytes": (
        png()[:8] + ihdr(16383, 16383) + png()[33:],
        "at most 8388608 values|Pillow can read",
    ),
    "png, many": (png()[:8] + ihdr(9000, 9000) + png()[33:], "at most 8388608 values"),
    "png, coloured": (png(np.dstack([upright() % 1, upright(1) % 1, upright(2) % 1])), "grey"),
    "png, transparent": (png(np.dstack([*[upright() % 1] * 3, upright(1) % 1])), "grey and opaque"),
    "sxm with a scale": (sxm(), "tells its own scale"),
    "3ds with a scale": (three_ds(), "tells its own scale"),
    "dat with a scale": (dat(), "tells its own scale"),
    "spip with a scale": (spip(), "tells its own scale"),
    "spectra with a scale": (spectra(), "tells its own scale"),
    "h5 with a scale": (hdf5(), "tells its own scale"),
    "gwy with a scale": (gwy(), "tells its own scale"),
}


@pytest.mark.parametrize("case", GIVEN_CASES)
def test_a_file_that_cannot_be_read_with_a_scale_is_refused(case: str, tmp_path: Path) -> None:
    content, rule = GIVEN_CASES[case]
    path = tmp_path / "given.file"
    path.write_bytes(content)
    refused(path, rule, **GIVEN)


@pytest.mark.parametrize("content", [matrix, npy, png], ids=["text", "npy", "png"])
def test_an_image_without_a_scale_is_refused(content: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "bare"
    path.write_bytes(content())
    refused(path, "opened with its width in nm")
    refused(path, "given by the width", height=5.0)
    square, given = (measured.open(path, width=8.0, **more) for more in ({}, {"height": 6.0}))
    assert square.identical(given)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        refused(path, "nm long", width=bad, height=5.0)
