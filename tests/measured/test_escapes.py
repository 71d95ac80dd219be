"""Names, units and texts with terminal escapes come out of every reader as visible text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from gapscope import measured
from gapscope.errors import MeasurementFileError
from gapscope.measured.channels import image_of
from measured_files import (
    FORMATS,
    dat,
    grid,
    gwy,
    gwyddion_text,
    hdf5,
    ibw,
    spip,
    sxm,
    three_ds,
    upright,
)
from reader_contract import check_contract
from sm4_files import Sm4Page, sm4_file
from usid_files import Main, usid

ESC = "\x1b[31m\u202e"
SHOWN = r"\x1b[31m\u202e"
ESCAPES = (b"\x1b[7m", b"\xc2\x9b7m", b"\x9b7m\x07", b"\xe2\x80\xae.", b"\r\x1b]0")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
WORDS = 8
ELSEWHERE = ("plain.h5", "packed.nc", "several.nc")
"""Read in a process of its own, which takes time."""
MORE = {
    **{name: one for name, one in FORMATS.items() if name not in ELSEWHERE},
    "grid.usid.h5": (lambda: usid({"a/raw": Main(grid())}), {}),
}


def named(file: h5py.File) -> None:
    file.move("scan/dIdV", f"scan/{ESC}I")
    file[f"scan/{ESC}I"].attrs["units"] = ESC


FILES: dict[str, bytes] = {
    "scan.sxm": sxm().replace(b"LIY/omega\tA", f"{ESC}I\t{ESC}".encode()),
    "grid.3ds": three_ds().replace(b"Current (A)", f"{ESC}I ({ESC})".encode()),
    "point.dat": dat().replace(b"Current (A)", f"{ESC}I ({ESC})".encode()),
    "spip.txt": spip(f"# z-unit = {ESC}"),
    "export.txt": gwyddion_text(("Channel", "Width", "Height", "Value units"), "16 nm", "9 nm")
    .replace("Strom", f"{ESC}I")
    .replace(": A\n", f": {ESC}\n")
    .encode(),
    "scan.h5": hdf5(named),
    "scan.sm4": sm4_file(
        Sm4Page(upright(), label=f"{ESC}I", units=("m", "m", ESC)),
        Sm4Page(upright(), label=f"{ESC}S", kind=1),
    ),
    "stack.gwy": gwy().replace(b"/1/data/title\0sZ\0", b"/1/data/title\0s\x9b\0"),
    "wave.ibw": ibw(np.stack([upright().T] * 2, axis=-1), labels=(f"{ESC}I", "Z")),
}


@pytest.mark.parametrize("name", FILES)
def test_escapes_of_a_measured_file_are_shown_as_text(name: str, tmp_path: Path) -> None:
    if name.endswith(".ibw"):
        pytest.importorskip("igor2")
    path = tmp_path / f"\x1b[7m{name}"
    path.write_bytes(FILES[name])
    found = measured.open(path)
    check_contract(found)
    assert found.attrs["file"] == f"\\x1b[7m{name}"
    if name == "stack.gwy":
        return
    if name != "spip.txt":
        assert any(SHOWN + "I" in str(channel) for channel in found)
    if name != "wave.ibw":
        assert any(one.attrs["units"] == SHOWN for one in found.values())
    with pytest.raises(MeasurementFileError) as caught:
        image_of(found, ESC)
    assert "\x1b" not in str(caught.value)


def test_escapes_in_what_is_refused_are_shown_as_text(tmp_path: Path) -> None:
    for name, content in FILES.items():
        path = tmp_path / f"\x1b[7m{name}"
        for damaged in (content[: len(content) // 2], content.replace(b"m", b"\x1b", 3)):
            path.write_bytes(damaged)
            told = refusal(path)
            assert "\x1b" not in told


@pytest.mark.parametrize("name", MORE)
def test_escapes_in_any_word_of_any_format_are_shown_as_text(name: str, tmp_path: Path) -> None:
    """Every reader, also where it tells what a word is that it cannot read."""
    make, given = MORE[name]
    content = make()
    places = [one.start() for one in re.finditer(rb"[A-Za-z]{4}", content)]
    most = 1 if name.endswith(".h5") else WORDS
    path = tmp_path / name
    for i, at in enumerate(places[:: max(1, len(places) // most)][:most]):
        path.write_bytes(content[:at] + ESCAPES[i % len(ESCAPES)] + content[at + 4 :])
        assert UNSEEN.search(refusal(path, given)) is None


def refusal(path: Path, given: Mapping[str, Any] | None = None) -> str:
    """What is said of a file that is refused, empty of one that is read."""
    try:
        check_contract(measured.open(path, **(given or {})))
    except MeasurementFileError as error:
        return f"{error} {error.rule} {error.received} {error.remedy}"
    return ""
