"""Images without a scale of their own: NumPy arrays and grey PNG, first row at the top."""

from __future__ import annotations

import io

import matplotlib.image
import numpy as np
import PIL.Image
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import ReadOptions, check_content, check_pixels, library
from gapscope.measured.readers.recording import Channel, dataset, lengths

PNG = b"\x89PNG\r\n\x1a\n"
NPY = b"\x93NUMPY"
MAX_PIXELS = 2**23
"""Most pixels of a PNG: unlike other files, a small one may ask for many, each of 16 bytes."""


def recognises_npy(head: bytes, suffix: str) -> bool:
    """Whether a file begins as an .npy does."""
    return head.startswith(NPY)


def recognises_png(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a PNG does."""
    return head.startswith(PNG)


def read_npy(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The array of an .npy file, real and two-dimensional, as the variable ``image``.

    Raises
    ------
    MeasurementFileError : another array, data of another length than the header says, or no scale.
    """
    file = io.BytesIO(content)
    with library("numpy.lib.format"):
        version = np.lib.format.read_magic(file)
        header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = header(file)
    if len(shape) != 2 or dtype.kind not in "iuf" or dtype.subdtype is not None:
        raise MeasurementFileError(
            "An .npy file holds a real array with two dimensions.",
            f"{dtype} of shape {shape}"[:80],
            "Save one image of real numbers: numpy.save(path, array[0].real) of several.",
        )
    check_pixels(*shape)
    rest = content[file.tell() :]
    check_content(len(rest), shape[0] * shape[1] * dtype.itemsize, "bytes")
    values = np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")
    return _image("npy", "", values, given)


def read_png(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The grey values of a PNG from 0 to 1, as the variable ``image``.

    Raises
    ------
    MeasurementFileError : coloured or transparent, damaged, too large, or no scale.
    """
    with library("Pillow"), PIL.Image.open(io.BytesIO(content), formats=["PNG"]) as opened:
        columns, rows = opened.size  # as it will be decoded, whatever the file says elsewhere
    check_pixels(rows, columns, most=MAX_PIXELS)
    with library("Pillow"):
        pixels = matplotlib.image.imread(io.BytesIO(content), format="png")
    bands = np.moveaxis(pixels.reshape(*pixels.shape[:2], -1), -1, 0)
    coloured = not all(np.array_equal(bands[0], band) for band in bands[1:3])
    if coloured or not all(np.all(band == 1) for band in bands[3:]):
        raise MeasurementFileError(
            "A PNG of measured values is grey and opaque.",
            "colours" if coloured else "transparent pixels",
            "Export the numbers, or a grey image.",
        )
    grey = bands[0].copy()
    del pixels, bands
    return _image("png", "1", grey, given)


def _image(
    source_format: str, units: str, values: NDArray[np.number], given: ReadOptions
) -> xr.Dataset:
    rows, columns = values.shape
    width, height = given.sides(rows, columns)
    return dataset(
        source_format,
        [Channel("image", units, values[::-1])],
        lengths(columns, width / columns),
        lengths(rows, height / rows),
    )
