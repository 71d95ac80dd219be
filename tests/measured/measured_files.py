"""Small synthetic files of every format, with the values that reading them must give."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence

import h5py
import matplotlib.image
import numpy as np
import xarray as xr
from numpy.typing import NDArray

import mtrx_files
import scala_files
from createc_files import createc
from gxsm_files import Scan, gxsm
from matlab_files import mat5
from nanoscope_files import Image, nanoscope
from nid_files import Part, nid
from sm4_files import Sm4Page, sm4_file
from vert_files import vert
from wsxm_files import curve, stack, wsxm, wsxm_columns, wsxm_matrix

ROWS, COLUMNS, POINTS = 6, 8, 5
WIDTH, HEIGHT = 16.0, 9.0
GIVEN = {"width": WIDTH, "height": HEIGHT}


def upright(seed: int = 0) -> NDArray[np.float64]:
    """An image without symmetry, y upwards; single precision, as instruments store."""
    values = np.random.default_rng(seed).normal(size=(ROWS, COLUMNS)).astype(np.float32)
    return values.astype(np.float64)


def check_frame(found: xr.Dataset) -> None:
    np.testing.assert_allclose(found.x, np.arange(COLUMNS) * WIDTH / COLUMNS)
    np.testing.assert_allclose(found.y, np.arange(ROWS) * HEIGHT / ROWS)
    assert found.x.attrs["units"] == found.y.attrs["units"] == "nm"


def grid() -> NDArray[np.float64]:
    return np.stack([upright(seed) for seed in range(POINTS)], axis=-1)


def sxm(down: bool = True, direction: str = "both", order: str = "MSBFIRST") -> bytes:
    """Forward lines hold upright(0), backward ones upright(1); then a second channel."""
    header = [
        *(":NANONIS_VERSION:", "2", ":SCANIT_TYPE:", f"      FLOAT            {order}"),
        *(":REC_DATE:", " 22.10.2014", ":REC_TIME:", "15:19:04"),
        *(":REC_TEMP:", "      290.0000000000"),
        *(":SCAN_PIXELS:", f"       {COLUMNS}       {ROWS}"),
        *(":SCAN_RANGE:", f"   {WIDTH * 1e-9:E}    {HEIGHT * 1e-9:E}"),
        *(":SCAN_ANGLE:", "            4.500E+1", ":SCAN_DIR:", "down" if down else "up"),
        *(":BIAS:", "            4.500E-2"),
        *(":Z-CONTROLLER:", "\tName\ton\tSetpoint\tP-gain", "\tlog\t1\t4.500E-10 A\t1E-12 m"),
        *(":COMMENT:", "first line", "second line: with colons:"),
        *(":Temperature 1>Temperature 1 (K):", "4.25E+0"),
        *(":DATA_INFO:", "\tChannel\tName\tUnit\tDirection\tCalibration\tOffset"),
        f"\t14\tZ\tm\t{direction}\t1.8E-8\t0E+0",
        f"\t20\tLIY/omega\tA\t{direction}\t1E+0\t0E+0",
        *("", ":SCANIT_END:", "", ""),
    ]
    forward, backward = upright(0), upright(1)[:, ::-1]
    blocks = {"both": [forward, backward], "forward": [forward], "backward": [backward]}[direction]
    lines = np.stack([factor * block for factor in (1, 2) for block in blocks])
    lines = lines[:, ::-1] if down else lines
    data = lines.astype(">f4" if order == "MSBFIRST" else "<f4").tobytes()
    return "\n".join(header).encode() + b"\n\x1a\x04" + data


def three_ds(rows: int = ROWS, start: float = -0.25, stop: float = 0.25, more: str = "") -> bytes:
    """Z holds upright(9); Current holds grid(), its first index the first point of the sweep."""
    header = [
        f'Grid dim="{COLUMNS} x {rows}"',
        f"Grid settings=1E-8;2E-8;{WIDTH * 1e-9:E};{HEIGHT * 1e-9:E};3.0E+1",
        *("Filetype=Linear", 'Sweep Signal="Bias (V)"'),
        'Fixed parameters="Sweep Start;Sweep End"',
        'Experiment parameters="X (m);Y (m);Z (m)"',
        *("# Parameters (4 byte)=5", f"Experiment size (bytes)={8 * POINTS}", f"Points={POINTS}"),
        'Channels="Current (A);Current [bwd] (A)"',
        *('Start time="21.10.2014 16:48:06"', 'Comment="a = b; c"', more, ":HEADER_END:", ""),
    ]
    sweep = np.broadcast_to([start, stop, 0, 0], (ROWS, COLUMNS, 4))
    each = np.concatenate([sweep, upright(9)[..., None], grid(), -grid()], axis=-1)[:rows]
    return "\r\n".join(header).encode() + each.astype(">f4").tobytes()


PASSES = [
    *("Record-Ch", "Playback", "Playback-Offset", "BOL-delay_[cycles]", "Bias_override"),
    *("Bias_override_value", "Z_Setp_override", "Z_Setp_override_value", "Speed_factor"),
]


def multipass_sxm(names: tuple[str, ...]) -> bytes:
    """Four channels, factors 1 to 4 of upright(0) and, backward, upright(1); two passes."""
    rows = [
        ("-1", "FALSE", "0E+0", "40", "TRUE", "2E-3", "FALSE", "0E+0", "1.0"),
        ("-1", "FALSE", "0E+0", "1", "FALSE", "9E-3", "TRUE", "3E-11", "1.0"),
        ("-1", "TRUE", "-2E-10", "40", "TRUE", "-3E-3", "FALSE", "0E+0", "1.0"),
        ("-1", "TRUE", "-2E-10", "1", "TRUE", "-4E-3", "FALSE", "0E+0", "1.0"),
    ]
    table = "".join("\t" + "\t".join(row) + "\n" for row in [PASSES, *rows])
    single = sxm()
    head, _, _ = single.partition(b"\t14\tZ")
    head = head.replace(b":COMMENT:", b":Multipass-Config:\n" + table.encode() + b":COMMENT:")
    lines = "".join(f"\t{i}\t{name}\tm\tboth\t1E+0\t0E+0\n" for i, name in enumerate(names))
    blocks = [k * one for k in (1, 2, 3, 4) for one in (upright(0), upright(1)[:, ::-1])]
    data = np.stack(blocks)[:, ::-1].astype(">f4").tobytes()
    return head + lines.encode() + b"\n:SCANIT_END:\n\n\n\x1a\x04" + data


def segmented_3ds(
    values: NDArray[np.float64],
    segments: Sequence[tuple[float, float, float]],
    ends: tuple[float, float] | None = None,
) -> bytes:
    """A grid of one channel in a multi-segment sweep; start and end as its points have them."""
    points = values.shape[-1]
    rows = ";".join(f"{a:E},{b:E},15E-3,360E-3,{n:g},0E+0,0E+0" for a, b, n in segments)
    names = "Segment Start (V), Segment End (V), Settling (s), Integration (s), Steps (xn)"
    content = three_ds(more=f"{names}, Lockin, Init. Settling (s)={rows}").decode("latin-1")
    head = content.partition(":HEADER_END:\r\n")[0]
    head = head.replace("=Linear", "=MLS").replace(f"Points={POINTS}", f'Points="{points}"')
    head = head.replace(f"bytes)={8 * POINTS}", f"bytes)={4 * points}")
    head = head.replace("Current (A);Current [bwd] (A)", "Current (A)")
    start, stop = ends or (segments[0][0], segments[-1][1])
    sweep = np.broadcast_to([start, stop, 0, 0, 0], (ROWS, COLUMNS, 5))
    each = np.concatenate([sweep, values], axis=-1)
    return (head + ":HEADER_END:\r\n").encode() + each.astype(">f4").tobytes()


def dat_header(content: bytes, start: float, end: float) -> bytes:
    """A .dat whose header states a sweep, in V."""
    lines = "Bias Spectroscopy>Sweep {} (V)\t{}\t\r\n"
    told = lines.format("Start", start) + lines.format("End", end)
    return content.replace(b"Cutoff", told.encode() + b"Cutoff", 1)


BIASES = np.array([-100.0, -50.0, 0.0, 60.0, 100.0])


def dat() -> bytes:
    header = [
        *("Experiment\tbias spectroscopy\t", "Saved Date\t23.11.2022 19:29:49\t", "Date\t\t"),
        *("Cutoff frq\t0,01\t", "Comment01\twith\ttabs\t", "", "Bias>Bias (V)\t100E-3\t"),
        *("Z-Controller>Setpoint\t50E-12\t", "Z-Controller>Setpoint unit\tA\t"),
        "Temperature 1>Temperature 1 (K)\t4.93E+0\t",
        *("", "[DATA]", "Bias calc (V)\tCurrent (A)\tLI Demod 1 X [bwd] (A)\tZ (m) [filt]"),
    ]
    table = [f"{b * 1e-3:.7E}\t{b**2:.7E}\t{b:.7E}\t1E-9" for b in BIASES]
    return "\r\n".join([*header, *table, ""]).encode()


def rows_of_text(values: NDArray[np.float64], delimiter: str = "\t") -> str:
    return "\n".join(delimiter.join(map(repr, map(float, row))) for row in values) + "\n"


def spip(unit: str = "# z-unit = nA") -> bytes:
    header = [
        *("# File Format = ASCII", f"# x-pixels = {COLUMNS}", f"# y-pixels = {ROWS}"),
        *(f"# x-length = {WIDTH}", f"# y-length = {HEIGHT}", "# x-offset = -2.5"),
        *(unit, "", "Direction: trace", "# Start of Data:", ""),
    ]
    return ("\r\n".join(header) + rows_of_text(upright()[::-1])).encode()


def gsf(
    values: NDArray[np.float64], changes: dict[str, str] | None = None, title: str = "Z"
) -> bytes:
    """Gwyddion's simple field, the first row at the top; None of an entry leaves it out."""
    entries = {"XRes": f"{COLUMNS}", "YRes": f"{ROWS}", "XReal": "1.6e-08", "YReal": "9e-09"}
    entries |= {"XYUnits": "m", "ZUnits": "A", "Title": title, **(changes or {})}
    told = "".join(f"{key} = {value}\n" for key, value in entries.items() if value != "none")
    text = f"Gwyddion Simple Field 1.0\n{told}".encode()
    return text + bytes(4 - len(text) % 4) + values.astype("<f4").tobytes()


def gwyddion_text(words: Sequence[str], width: str, height: str) -> str:
    """Gwyddion's text export; words for channel, width, height and unit."""
    said = zip(words, ("Strom", width, height, "A"), strict=True)
    return "".join(f"# {word}: {text}\n" for word, text in said) + rows_of_text(upright()[::-1])


def xyz(lines: NDArray[np.integer]) -> str:
    """Columns x, y and z, some lines of the image in some order."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    places = [x * WIDTH / COLUMNS - 3.0, y * HEIGHT / ROWS + 2.0, upright()]
    return rows_of_text(np.stack([one.reshape(-1) for one in places], axis=-1)[lines])


def matrix() -> bytes:
    return ("# a comment\n% another\n" + rows_of_text(upright()[::-1], " ")).encode()


def spectra() -> bytes:
    lines = [f"{b},{b**2},{3 * b}" for b in BIASES[::-1]]
    return "\n".join(["bias (mV),dI/dV_1 (nS),dI/dV_2", *lines, ""]).encode()


def npy(values: NDArray[np.generic] | None = None) -> bytes:
    file = io.BytesIO()
    np.save(file, upright()[::-1] if values is None else values, allow_pickle=True)
    return file.getvalue()


def png(values: NDArray[np.float64] | None = None) -> bytes:
    """Grey levels of 8 bits from 0 to 1, as three bands; or other bands."""
    file = io.BytesIO()
    values = np.dstack([grey()[::-1]] * 3) if values is None else values
    levels = np.round(255 * values).astype(np.uint8)
    matplotlib.image.imsave(file, levels, format="png")
    return file.getvalue()


def grey() -> NDArray[np.float64]:
    levels = np.random.default_rng(3).integers(0, 256, size=(ROWS, COLUMNS))
    return np.asarray(levels / 255)


def hdf5(change: Callable[[h5py.File], object] | None = None, **storage: object) -> bytes:
    """A netCDF-4-like file: y downwards in nm, x in m, packed values with a gap."""
    file = io.BytesIO()
    with h5py.File(file, "w") as whole:
        packed = np.round(upright()[::-1] * 1000).astype(np.int16)
        packed[0, 0] = -32768
        found = whole.create_dataset("scan/dIdV", data=packed, **storage)
        found.attrs.update({"units": "nS", "scale_factor": 1e-3, "_FillValue": np.int16(-32768)})
        y = np.arange(ROWS)[::-1] * (HEIGHT / ROWS) + 100.0
        x = np.arange(COLUMNS) * (WIDTH / COLUMNS) * 1e-9
        for axis, name, values, unit in ((0, "y", y, "nm"), (1, "x", x, "m")):
            whole[name] = values
            whole[name].attrs["units"] = unit
            whole[name].make_scale(name)
            found.dims[axis].attach_scale(whole[name])
        if change is not None:
            change(whole)
    return file.getvalue()


def with_grid(file: h5py.File) -> None:
    """Spectra over (bias, y, x) beside the image of an HDF5 file."""
    file["bias"] = BIASES
    file["bias"].attrs["units"] = "mV"
    file["bias"].make_scale("bias")
    file["spectra"] = np.moveaxis(grid()[::-1], -1, 0)
    for axis, name in enumerate(("bias", "y", "x")):
        file["spectra"].dims[axis].attach_scale(file[name])


def gwy_item(name: str, kind: str, value: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + value


def gwy_object(name: str, *items: bytes) -> bytes:
    body = b"".join(items)
    return name.encode() + b"\0" + struct.pack("<I", len(body)) + body


def gwy_unit(name: str, unit: str) -> bytes:
    text = gwy_item("unitstr", "s", unit.encode() + b"\0")
    return gwy_item(name, "o", gwy_object("GwySIUnit", text))


def gwy_field(values: NDArray[np.float64], unit: str = "m", scale: float = 1.0) -> bytes:
    rows, columns = values.shape
    return gwy_object(
        "GwyDataField",
        gwy_item("xres", "i", struct.pack("<i", columns)),
        gwy_item("yres", "i", struct.pack("<i", rows)),
        gwy_item("xreal", "d", struct.pack("<d", WIDTH * 1e-9 * scale)),
        gwy_item("yreal", "d", struct.pack("<d", HEIGHT * 1e-9 * scale)),
        *(gwy_unit("si_unit_xy", unit), gwy_unit("si_unit_z", "A")),
        gwy_item("data", "D", struct.pack("<I", values.size) + values.astype("<f8").tobytes()),
    )


def gwyo() -> bytes:
    """A .gwy of Gwyddion 1: GLib's number of each type before its name, words in Latin-1, and
    values in m although the units are told with a prefix."""
    field = gwy_field(upright()[::-1], "nm")
    field = field.replace(b"unitstr\0snm\0", b"unitstr\0s\xb5m\0")
    items = {
        (64, b"/0/base/palette"): b"Gold\0",
        (80, b"/0/data"): field,
        (64, b"/0/data/title"): b"Z\0",
        (20, b"/0/data/visible"): b"\1",
        (24, b"/0/base/range-type"): struct.pack("<i", 2),
        (60, b"/0/base/max"): struct.pack("<d", 1.5),
    }
    body = b"".join(
        struct.pack("<I", kind) + name + b"\0" + value for (kind, name), value in items.items()
    )
    return b"GWYOGwyContainer\0" + struct.pack("<I", len(body)) + body


def gwy(*more: bytes, unit: str = "m", scale: float = 1.0) -> bytes:
    """Two channels of one title, with the items of other types that Gwyddion writes."""
    words = gwy_item("strings", "S", struct.pack("<I", 2) + b"a\0b\0")
    return b"GWYP" + gwy_object(
        "GwyContainer",
        gwy_item("/0/data", "o", gwy_field(upright()[::-1], unit, scale)),
        gwy_item("/0/data/title", "s", b"Z\0"),
        gwy_item("/0/data/visible", "b", b"\1"),
        gwy_item("/1/data", "o", gwy_field(upright(1)[::-1], unit, scale)),
        gwy_item("/1/data/title", "s", b"Z\0"),
        gwy_item("/0/data/log", "o", gwy_object("GwyStringList", words)),
        gwy_item("/c", "c", b"x"),
        gwy_item("/q", "q", struct.pack("<q", 5)),
        *more,
    )


def ibw(
    values: NDArray[np.float64] | None = None,
    units: tuple[str, ...] = ("m", "m", "", ""),
    labels: tuple[str, ...] = (),
    steps: tuple[float, ...] = (WIDTH / COLUMNS * 1e-9, HEIGHT / ROWS * 1e-9, 0.1, 0.0),
    note: str = "",
    encoding: str = "utf-8",
) -> bytes:
    """A wave of version 5 (Igor Technical Note 3), double precision; values over (x, y, ...).

    Units of more than three bytes stand behind the note.
    """
    values = upright().T if values is None else values
    sides = [*values.shape, 0, 0, 0][:4]
    text = b"".join(label.encode().ljust(32, b"\0") for label in ("", *labels)) if labels else b""
    written = [unit.encode(encoding) for unit in units]
    long = [unit if len(unit) > 3 else b"" for unit in written]
    header = struct.pack("<IIIihh6xh", 0, 0, 0, values.size, 4, 0, 1)
    header += b"current".ljust(32, b"\0") + struct.pack("<ii4i", 0, 0, *sides)
    header += struct.pack("<4d4d", *steps, 0, 0, -0.2, 0)
    header += b"A\0\0\0" + b"".join(
        (b"" if unit in long else unit).ljust(4, b"\0") for unit in written
    )
    header = header.ljust(320, b"\0")
    data = np.asarray(values, dtype="<f8").tobytes(order="F")
    parts = (0, len(note), 0, *map(len, long), *(0, 0, len(text), 0))
    head = struct.pack("<hh15i", 5, 0, 320 + len(data), *parts, 0, 0, 0)
    return head + header + data + note.encode() + b"".join(long) + text


def sm4() -> bytes:
    """A forward and a backward image, from the top and the right."""
    forward, backward = upright()[::-1, ::-1], upright(1)[::-1, ::-1]
    return sm4_file(Sm4Page(forward), Sm4Page(backward, left=True))


def mtrx(name: str = "a--1_1.Z_mtrx") -> bytes:
    """A data file with its parameter file behind it, as the reader gets them."""
    image = np.stack([upright(), upright(1)[:, ::-1]], axis=1)
    parameters = mtrx_files.experiment(mtrx_files.channels("Z", "m"), mtrx_files.written(name))
    return mtrx_files.data_file(image) + parameters


CREATEC = np.stack([upright(seed)[::-1] for seed in range(4)])
VERT = np.stack([[*BIASES, *BIASES[::-1]], *(np.arange(10.0) * k for k in (1, 2, 3))], axis=-1)
IV = np.stack([BIASES, BIASES**2, BIASES[::-1], 3 * BIASES], axis=-1)
NID = np.round(2**12 * upright()).astype(np.int64)
SCALA = scala_files.Part(np.round(99 * grid()).astype(np.int64), "sf0", "I(V)", unit="nA")

FORMATS: dict[str, tuple[Callable[[], bytes], dict[str, float]]] = {
    "scan.sxm": (sxm, {}),
    "grid.3ds": (three_ds, {}),
    "point.dat": (dat, {}),
    "spip.txt": (spip, {}),
    "matrix.txt": (matrix, GIVEN),
    "export.txt": (
        lambda: gwyddion_text(("Kanal", "Breite", "Höhe", "Unit"), "16,0 nm", "9,0 nm").encode(),
        {},
    ),
    "field.gsf": (lambda: gsf(upright()[::-1]), {}),
    "columns.txt": (lambda: xyz(np.arange(ROWS * COLUMNS)).encode(), {"width": WIDTH}),
    "spectra.csv": (spectra, {}),
    "array.npy": (npy, GIVEN),
    "image.png": (png, GIVEN),
    "plain.h5": (hdf5, {}),
    "packed.nc": (lambda: hdf5(compression="gzip", shuffle=True, fletcher32=True), {}),
    "several.nc": (lambda: hdf5(with_grid), {}),
    "stack.gwy": (gwy, {}),
    "old.gwy": (gwyo, {}),
    "wave.ibw": (ibw, {}),
    "image.mat": (lambda: mat5({"z": upright()[::-1]}, packed=False), GIVEN),
    "scan.sm4": (sm4, {}),
    "a--1_1.Z_mtrx": (mtrx, {}),
    "wsxm.stp": (lambda: wsxm(upright()), {}),
    "wsxm.txt": (lambda: wsxm_matrix(upright()), {}),
    "wsxm.xyz": (lambda: wsxm_columns(upright()), {}),
    "gxsm.nc": (lambda: gxsm(Scan(upright()[::-1])), {}),
    "createc.dat": (lambda: createc(CREATEC, header=1200), {}),
    "scan.spm": (lambda: nanoscope(Image(NID), Image(NID, "Error", bytes_each=4)), {}),
    "scan.par": (lambda: scala_files.scala(scala_files.Part(NID), SCALA), {}),
    "scan.nid": (lambda: nid(Part(NID), Part(NID, "Tip Current", "Scan backward", 16)), {}),
    "curve.cur": (lambda: curve(IV), {}),
    "stack.gsi": (lambda: stack(grid(), upright(), [f"{v:g} mV" for v in BIASES]), {}),
    "point.VERT": (lambda: vert(VERT, header=600), {}),
    "passes.sxm": (lambda: multipass_sxm(("[P1]_Z", "[P1]_I", "[P2]_Z", "[P2]_I")), {}),
    "segments.3ds": (lambda: segmented_3ds(grid(), ((-0.1, 0.0, 2), (0.0, 0.1, 4))), {}),
    "sweep.dat": (lambda: dat_header(dat(), -0.1, 0.1), {}),
    "layers.ibw": (
        lambda: ibw(
            np.stack([upright().T, upright(1).T], axis=-1),
            labels=("Height (nm)", "I"),
            note="IUnit: A\r",
            units=("Angstrom", "Å", "", ""),
            steps=(20.0, 15.0, 0.1, 0.0),
        ),
        {},
    ),
}
"""A file of each format, and what the caller has to give for it."""
