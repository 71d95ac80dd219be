"""What Nanonis headers state of passes, sweeps, feedback and lock-in comes with the channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from gapscope.errors import MeasurementFileError
from gapscope.measured.channels import image_channels, image_of
from measured_files import (
    BIASES,
    POINTS,
    dat,
    dat_header,
    grid,
    multipass_sxm,
    segmented_3ds,
    sxm,
    three_ds,
    upright,
)
from reader_contract import check_contract


def opened(folder: Path, content: bytes, name: str = "file") -> xr.Dataset:
    (folder / name).write_bytes(content)
    found = measured.open(folder / name)
    check_contract(found)
    return found


TAGGED = ("[P1]_Z", "[P1]_LI_Demod_1_X", "[P2]_Z", "[P2]_LI_Demod_1_X")
WORDS = ("Z_P1", "P1_LI_Demod_1_X", "Z [P2]", "LI_Demod_1_X Pass 2")
REPEATED = ("Z", "LI_Demod_1_X", "Z", "LI_Demod_1_X")


@pytest.mark.parametrize("names", [TAGGED, WORDS, REPEATED])
def test_each_channel_of_a_multipass_scan_has_the_bias_of_its_pass_and_direction(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    """Header: 45 mV; pass 1 overrides forward only, pass 2 both, with other values."""
    found = opened(tmp_path, multipass_sxm(names))
    biases = [one.attrs["bias"] for one in found.values()]
    np.testing.assert_allclose(biases, [2.0, 45.0, 2.0, 45.0, -3.0, -4.0, -3.0, -4.0])
    assert [one.attrs["pass"] for one in found.values()] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert "bias" not in found.attrs
    assert "current" not in found.attrs
    assert found.attrs["scan_angle"] == -45.0
    second = list(found)[6]
    assert second in ("[P2]_LI_Demod_1_X", "LI_Demod_1_X Pass 2", "LI_Demod_1_X 2")
    np.testing.assert_array_equal(found[second], 4 * upright(0))
    assert float(image_of(found, second)["bias"]) == pytest.approx(-3.0)
    assert float(image_of(found, second, 7.0)["bias"]) == 7.0
    assert image_channels(found)[0] == list(found)[2]


def test_a_pass_that_plays_heights_back_holds_no_current(tmp_path: Path) -> None:
    found = opened(tmp_path, multipass_sxm(TAGGED))
    first, second = found["[P1]_Z"].attrs, found["[P2]_Z"].attrs
    assert first["current"] == pytest.approx(450.0)
    assert found["[P1]_Z_backward"].attrs["current"] == pytest.approx(30.0)
    assert second["feedback"] == "off"
    assert "current" not in second
    assert second["height_offset"] == pytest.approx(-0.2)


def test_what_all_passes_share_is_told_of_the_scan(tmp_path: Path) -> None:
    content = multipass_sxm(TAGGED).replace(b"TRUE", b"FALSE")
    found = opened(tmp_path, content)
    assert found.attrs["bias"] == pytest.approx(45.0)
    assert found.attrs["current"] == pytest.approx(450.0)
    assert {one.attrs["bias"] for one in found.values()} == {found.attrs["bias"]}


def test_a_row_for_each_pass_holds_in_both_directions(tmp_path: Path) -> None:
    lines = multipass_sxm(TAGGED).split(b"\n")
    kept = [
        one for one in lines if b"\t1\tTRUE\t-4E-3" not in one and b"\t1\tFALSE\t9E-3" not in one
    ]
    found = opened(tmp_path, b"\n".join(kept))
    biases = [one.attrs["bias"] for one in found.values()]
    np.testing.assert_allclose(biases, [2, 2, 2, 2, -3, -3, -3, -3])


def test_a_pass_without_its_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeasurementFileError, match="two rows for each pass"):
        opened(tmp_path, multipass_sxm(("[P1]_Z", "[P1]_I", "[P3]_Z", "[P3]_I")))


def test_channels_of_one_name_are_numbered_and_keep_their_values(tmp_path: Path) -> None:
    found = opened(tmp_path, sxm().replace(b"LIY/omega", b"Z"))
    assert list(found) == ["Z", "Z_backward", "Z 2", "Z 2_backward"]
    np.testing.assert_array_equal(found["Z 2_backward"], 2 * upright(1))
    assert "x channel" in opened(tmp_path, sxm().replace(b"LIY/omega", b"x"))


OFF = {
    "table": sxm().replace(b"log\t1\t", b"log\t0\t"),
    "table, module with a set point": sxm()
    .replace(
        b":COMMENT:", b":Z-Controller>Setpoint:\n1E-10\n:Z-Controller>Setpoint unit:\nA\n:COMMENT:"
    )
    .replace(b"log\t1\t", b"log\t0\t"),
    "module": sxm().replace(b":COMMENT:", b":Z-Controller>Controller status:\nOFF\n:COMMENT:"),
    "3ds": three_ds(
        more="Z-Controller>Setpoint=1E-10\r\nZ-Controller>Setpoint unit=A\r\n"
        "Z-Controller>Controller status=OFF"
    ),
    "dat": dat().replace(b"\tA\t\r\n", b"\tA\t\r\nZ-Controller>Controller status\tOFF\t\r\n"),
}


def test_a_set_point_may_have_a_prefix(tmp_path: Path) -> None:
    for words in (b"450.0 pA", b"0.450 nA"):
        content = sxm().replace(b"4.500E-10 A", words)
        assert opened(tmp_path, content).attrs["current"] == pytest.approx(450.0)


@pytest.mark.parametrize("case", OFF)
def test_a_set_point_without_feedback_is_no_current(case: str, tmp_path: Path) -> None:
    found = opened(tmp_path, OFF[case])
    assert found.attrs["feedback"] == "off"
    assert "current" not in found.attrs
    on = opened(tmp_path, OFF[case].replace(b"OFF", b"ON").replace(b"log\t0\t", b"log\t1\t"))
    assert on.attrs["current"] in (pytest.approx(450.0), pytest.approx(100.0), pytest.approx(50.0))
    assert "feedback" not in on.attrs


def test_the_harmonic_of_a_demodulator_is_what_the_header_sets(tmp_path: Path) -> None:
    content = three_ds(more="Lock-in>Harmonic D1=2\r\nLock-in>Harmonic D2=1").replace(
        b"Current (A);Current [bwd] (A)", b"LI Demod 1 X (A);LI Demod 2 X (A)"
    )
    found = opened(tmp_path, content)
    assert [found[name].attrs["harmonic"] for name in list(found)[:2]] == [2, 1]
    assert image_channels(found)[0] == "LI Demod 2 X"
    assert image_channels(opened(tmp_path, content.replace(b"Harmonic", b"Cinomrah")))[0] == (
        "LI Demod 1 X"
    )


SEGMENTS = ((-0.1, -0.02, 3), (-0.02, 0.02, 5), (0.02, 0.1, 3))
MEETING = np.array([-100, -60, -20, -10, 0, 10, 20, 60, 100.0])


def test_segments_that_share_their_ends_give_an_uneven_axis(tmp_path: Path) -> None:
    values = np.stack([upright(seed) for seed in range(9)], axis=-1)
    found = opened(tmp_path, segmented_3ds(values, SEGMENTS))
    np.testing.assert_allclose(found.bias, MEETING, atol=1e-9)
    np.testing.assert_array_equal(found.Current, values)
    assert float(image_of(found, "Current", 55.0)["bias"]) == pytest.approx(60.0)
    down = [(end, start, steps) for start, end, steps in SEGMENTS[::-1]]
    turned = opened(tmp_path, segmented_3ds(values, down))
    np.testing.assert_allclose(turned.bias, MEETING, atol=1e-9)
    np.testing.assert_array_equal(turned.Current, values[..., ::-1])


def test_segments_that_measure_their_common_ends_twice_are_joined_by_the_mean(
    tmp_path: Path,
) -> None:
    values = np.stack([upright(seed) for seed in range(11)], axis=-1)
    found = opened(tmp_path, segmented_3ds(values, SEGMENTS))
    np.testing.assert_allclose(found.bias, MEETING, atol=1e-9)
    np.testing.assert_allclose(found.Current[..., 2], (values[..., 2] + values[..., 3]) / 2)
    np.testing.assert_array_equal(found.Current[..., 3], values[..., 4])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "segments", [((-0.3, 0.1, 5), (0.0, 0.3, 4)), ((-0.3, 0.3, 7), (-0.05, 0.05, 3))]
)
def test_segments_that_overlap_are_put_in_order(
    tmp_path: Path, segments: tuple[tuple[float, float, int], ...], sign: int
) -> None:
    """Coarse and fine sweeps; what was measured twice is the mean."""
    swept = [np.linspace(sign * start, sign * end, n) for start, end, n in segments]
    held = np.concatenate(swept)
    values = upright()[..., None] + held
    values = values + 0.01 * (np.arange(len(held)) >= len(swept[0]))
    signed = [(sign * start, sign * end, n) for start, end, n in segments]
    found = opened(tmp_path, segmented_3ds(values, signed))
    bias = np.unique(held.round(9))
    np.testing.assert_allclose(found.bias, 1e3 * bias, atol=1e-9)
    inner = [np.isclose(one[:, None], bias).any(axis=0) for one in swept]
    later = np.where(inner[0] & inner[1], 0.005, np.where(inner[1], 0.01, 0.0))
    expected = upright()[..., None] + bias + later
    np.testing.assert_allclose(found["Current"], expected, rtol=1e-6, atol=1e-6)


def test_segments_apart_keep_all_their_points(tmp_path: Path) -> None:
    values = np.stack([upright(seed) for seed in range(6)], axis=-1)
    found = opened(tmp_path, segmented_3ds(values, ((-0.3, -0.1, 3), (0.1, 0.3, 3))))
    np.testing.assert_allclose(found.bias, [-300, -200, -100, 100, 200, 300], atol=1e-9)


WRONG_SWEEPS = {
    "points": (segmented_3ds(grid(), SEGMENTS), "as many points"),
    "ends": (segmented_3ds(grid(), ((-0.1, 0.1, 5),), (-0.2, 0.1)), "the same sweep"),
    "up and down": (segmented_3ds(grid(), ((-0.1, 0.1, 3), (0.1, 0.0, 3))), "rises or falls"),
    "half a step": (segmented_3ds(grid(), ((-0.1, 0.1, 2.5),)), "whole steps"),
    "many steps": (segmented_3ds(grid(), ((-0.1, 0.1, 1e9),)), "whole steps"),
    "linear": (
        three_ds(
            more="Bias Spectroscopy>Sweep Start (V)=-3E-1\r\nBias Spectroscopy>Sweep End (V)=3E-1"
        ),
        "the same sweep",
    ),
}


@pytest.mark.parametrize("case", WRONG_SWEEPS)
def test_a_sweep_of_which_header_and_points_disagree_is_refused(case: str, tmp_path: Path) -> None:
    content, rule = WRONG_SWEEPS[case]
    with pytest.raises(MeasurementFileError, match=rule):
        opened(tmp_path, content)


def test_a_linear_sweep_that_the_header_repeats_is_read(tmp_path: Path) -> None:
    more = "Bias Spectroscopy>Sweep Start (V)=-250E-3\r\nBias Spectroscopy>Sweep End (V)=250E-3"
    np.testing.assert_allclose(opened(tmp_path, three_ds(more=more)).bias[[0, -1]], [-250, 250])


def test_a_spectrum_stays_within_the_sweep_of_its_header(tmp_path: Path) -> None:
    for start, end in ((-0.1, 0.1), (0.1, -0.1), (-0.1, 0.3)):  # the last one was cut short
        found = opened(tmp_path, dat_header(dat(), start, end))
        np.testing.assert_allclose(found.bias, BIASES)
    with pytest.raises(MeasurementFileError, match="the same sweep"):
        opened(tmp_path, dat_header(dat(), -0.05, 0.05))


def test_a_spectrum_without_its_bias_takes_the_sweep_of_its_header(tmp_path: Path) -> None:
    bare = dat_header(dat(), -0.2, 0.2).replace(b"Bias calc (V)\t", b"")
    head, _, table = bare.partition(b"[filt]\r\n")
    rows = [line.partition(b"\t")[2] for line in table.splitlines()]
    found = opened(tmp_path, head + b"[filt]\r\n" + b"\r\n".join(rows) + b"\r\n")
    np.testing.assert_allclose(found.bias, np.linspace(-200, 200, POINTS))
    np.testing.assert_allclose(found.Current, BIASES**2)
    segments = b"Bias Spectroscopy>Sweep mode\tMLS\t\r\nBias Spectroscopy>MultiLine Settings: "
    segments += b"Segment Start (V), Segment End (V), Settling (s), Integration (s), Steps (xn)"
    segments += b"\t-1E-1,0E+0,1E-3,1E-3,2;0E+0,1E-2,1E-3,1E-3,4\t\r\n"
    several = head.replace(b"Cutoff", segments + b"Cutoff") + b"[filt]\r\n" + b"\r\n".join(rows)
    found = opened(tmp_path, several)
    np.testing.assert_allclose(found.bias, [-100, 0, 10 / 3, 20 / 3, 10], atol=1e-9)
    np.testing.assert_allclose(found.Current, BIASES**2)


@pytest.mark.parametrize(
    ("rows", "biases", "joined"),
    [
        (
            "-1E-1,0E+0,1E-3,1E-3,2;0E+0,1E-2,1E-3,1E-3,3",
            (-0.1, 0.0, 0.0, 0.005, 0.01),
            (1, 3, 8, 16),
        ),
        (
            "-1E-1,5E-3,1E-3,1E-3,2;0E+0,1E-2,1E-3,1E-3,3",
            (-0.1, 0.005, 0.0, 0.005, 0.01),
            (1, 4, 5, 16),
        ),
    ],
)
def test_a_spectrum_of_segments_that_meet_or_overlap_is_joined_by_the_mean(
    tmp_path: Path, rows: str, biases: tuple[float, ...], joined: tuple[int, ...]
) -> None:
    """With the bias in the table, twice where the segments meet, or without it."""
    segments = b"Bias Spectroscopy>Sweep mode\tMLS\t\r\nBias Spectroscopy>MultiLine Settings: "
    segments += b"Segment Start (V), Segment End (V), Settling (s), Integration (s), Steps (xn)"
    segments += f"\t{rows}\t\r\n".encode()
    head = dat().partition(b"Bias calc")[0].replace(b"Cutoff", segments + b"Cutoff", 1)
    current = (1, 2, 4, 8, 16)
    with_bias = "".join(f"{b}\t{i}\r\n" for b, i in zip(biases, current, strict=True))
    without = "".join(f"{i}\r\n" for i in current)
    for table in (f"Bias calc (V)\tCurrent (A)\r\n{with_bias}", f"Current (A)\r\n{without}"):
        found = opened(tmp_path, head + table.encode())
        np.testing.assert_allclose(found.bias, [-100, 0, 5, 10], atol=1e-9)
        np.testing.assert_allclose(found.Current, joined)
