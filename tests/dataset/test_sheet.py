"""The sheet of a dataset's maps says what it shows."""

from __future__ import annotations

from pathlib import Path

from gapscope.dataset.load import DatasetReader
from gapscope.plots.dataset import sheet
from gapscope.plots.maps import SCALE_LABEL


def test_a_sheet_has_units_and_one_scale_for_all_its_maps(finished: Path) -> None:
    with DatasetReader(finished) as reader:
        figure = sheet(reader, 2)
        parameters, irreps, chosen = reader.parameters, reader.candidates, reader.examples(2)
    shown = [axis for axis in figure.axes if axis.get_title()]
    samples = [sample for ids in chosen.values() for sample in ids.tolist()]
    assert len(shown) == len(samples) == 10
    assert len({axis.collections[0].norm.vmax for axis in shown}) == 1
    (bar,) = (axis for axis in figure.axes if axis not in shown)
    assert bar.get_ylabel() == SCALE_LABEL
    assert "A2u" in {irreps[parameters["irrep"][s]] for s in samples}
    for axis, sample in zip(shown, samples, strict=True):
        title, irrep = axis.get_title(), irreps[parameters["irrep"][sample]]
        assert rf"$\Delta$ = {parameters['printed_gap'][sample]:.2f} meV" in title
        assert f"{parameters['eps0'][sample]:.0f} meV" in title
        assert ("rad" in title) == (irrep not in ("A1u", "A2u"))
        as_class = f"({parameters['gap'][sample]:.2f} as $A_{{12u}}$)"
        assert (as_class in title) == (irrep == "A2u")


def test_a_sheet_has_no_empty_columns(finished: Path) -> None:
    with DatasetReader(finished) as reader:
        most = max(len(ids) for ids in reader.examples(1000).values())
        figure = sheet(reader, 1000)
    columns = {
        round(axis.get_subplotspec().colspan.start) for axis in figure.axes if axis.get_title()
    }
    assert columns == set(range(most))
    assert figure.axes[0].get_subplotspec().get_gridspec().ncols == most
