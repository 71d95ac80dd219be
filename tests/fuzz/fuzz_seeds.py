"""Seeds of the fuzzer: the synthetic files of the tests, with variants of each format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gapscope.measured.files import HEAD, _kind
from measured_files import (
    BIASES,
    COLUMNS,
    CREATEC,
    FORMATS,
    NID,
    POINTS,
    ROWS,
    VERT,
    Image,
    Part,
    Scan,
    createc,
    dat,
    grid,
    gsf,
    gwy,
    gwy_field,
    gwy_item,
    gxsm,
    hdf5,
    ibw,
    mat5,
    mtrx_files,
    nanoscope,
    nid,
    npy,
    png,
    rows_of_text,
    scala_files,
    spip,
    stack,
    sxm,
    three_ds,
    upright,
    vert,
    wsxm,
)
from reader_contract import slug
from sm4_files import Sm4Page, grid_places, sm4_file
from usid_files import Main, usid

SWEEPS = Sm4Page(
    grid().reshape(-1, POINTS),
    units=("V", " ", "A"),
    steps=(-0.1, 1.0),
    start=0.2,
    kind=1,
    line=7,
)
VOLTS = {"Dim0Unit": "V", "Dim0Range": "-0.2", "Dim0Min": "0.1", "LineDim0Points": "8"}


def variants() -> dict[str, bytes]:
    """Other files that the readers take, by a name with the ending of their format."""
    volume = np.swapaxes(grid(), 0, 1)
    map_page = replace(SWEEPS, grid=(COLUMNS, ROWS), places=grid_places(COLUMNS, ROWS, 5e-10))
    curve = mtrx_files.data_file([*grid()[0, 0], *grid()[1, 1]])
    named = mtrx_files.channels("I(V)", "A"), mtrx_files.written("a--1_1.I(V)_mtrx")
    cells = np.array([1j, upright().T], dtype=object)
    bare = hdf5(lambda file: file.create_dataset("bare", data=upright()))
    return {
        "up.sxm": sxm(down=False, direction="backward", order="LSBFIRST"),
        "cut.3ds": three_ds(rows=1, start=0.25, stop=-0.25),
        "short.dat": dat()[:-60],
        "counts.txt": spip("# Bit2nm = 0.5"),
        "commas.txt": rows_of_text(upright(), ", ").encode(),
        "small.npy": npy(np.asfortranarray(upright()[:2, :2]).astype(np.int16)),
        "grey.png": png(upright() % 1),
        "bare.h5": bare,
        "grid.usid.h5": usid({"a/raw": Main(grid()), "b/topo": Main(upright())}),
        "bare.gsf": gsf(upright(), {"XYUnits": "none"}),
        "more.gwy": gwy(gwy_item("/7/data", "o", gwy_field(upright()[:3, :4]))),
        "grid.mat": mat5({"s": {"map": grid()[::-1], "e": BIASES * 1e-3}}, packed=False),
        "cells.mat": mat5({"c": cells, "x": np.arange(8.0), "y": np.arange(6)}),
        "volume.ibw": ibw(volume, labels=("a", "b", "c", "d", "e")),
        "grid.ibw": ibw(volume, units=("m", "m", "V", "")),
        "curves.sm4": sm4_file(replace(SWEEPS, values=SWEEPS.values[:3])),
        "a--1_1.I(V)_mtrx": curve + mtrx_files.experiment(*named),
        "floats.dat": createc(CREATEC, kind="[Paramet32]", header=900),
        "integers.dat": createc(np.round(CREATEC), kind="[Parameter]", header=900),
        "layers.nc": gxsm(Scan(np.moveaxis(grid(), -1, 0), values=BIASES * 1e-3, version=2)),
        "one.VERT": vert(np.insert(VERT[:5], 2, 7.0, axis=1), {"VertSpecBack": "0"}, header=600),
        "spectra.nid": nid(
            Part(NID, "Tip Current", "Spec forward", entries=VOLTS), Part(NID[:1], bits=8)
        ),
        "sizes.spm": nanoscope(
            Image(NID[:5], "A", "V (1 mV/LSB) 200 mV"), Image(NID, entries={"Scan Size": "1 1 nm"})
        ),
        "dual.par": scala_files.scala(
            scala_files.Part(NID, direction="Backward"), changes={"Dual mode": "On"}
        ),
        "counts.gsi": stack(
            np.round(grid()[..., :2]), upright(), ["0.1 V", "0.2 V"], {"Image Data Type": "short"}
        ),
        "counts.top": wsxm(np.round(99 * upright()), {"Image Data Type": "short"}),
        "map.sm4": sm4_file(Sm4Page(upright(), angle=0.0), map_page),
    }


def seeds(reader: str) -> dict[str, bytes]:
    """The files that a reader takes by name; all of them for ``open``."""
    made = {**{name: make() for name, (make, _) in FORMATS.items()}, **variants()}
    return {
        name: content
        for name, content in made.items()
        if reader in ("open", slug(_kind(content[:HEAD], Path(name).suffix)))
    }
