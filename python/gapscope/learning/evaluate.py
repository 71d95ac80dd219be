"""Evaluation of a run on a dataset's split: predictions beside the truth, and the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from gapscope.dataset.load import DatasetReader
from gapscope.errors import RunError, StorageError
from gapscope.learning.metrics import Row, hit_rate, table
from gapscope.learning.predictor import UNITS, Predictor
from gapscope.learning.report import table_text
from gapscope.learning.samples import Samples
from gapscope.mapfile import write_netcdf

ENERGY_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Evaluation:
    """Predictions with their truth (true_label, true_theta, true_eps0, true_gap), and Table I."""

    predictions: xr.Dataset
    rows: tuple[Row, ...]

    @property
    def hit_rate(self) -> float:
        """Fraction of all samples whose irrep was hit."""
        return hit_rate(self.predictions)

    @property
    def text(self) -> str:
        """The table, ready to print."""
        return table_text(self.rows)

    def write(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``predictions.nc`` and ``table.txt``; raises StorageError."""
        folder = Path(folder)
        data, text = folder / "predictions.nc", folder / "table.txt"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_netcdf(self.predictions, data)
            text.write_text(self.text + "\n", encoding="utf-8")
        except OSError as error:
            raise StorageError(
                "The results of an evaluation can be written.",
                f"{folder}: {error.strerror or error}",
                "Make room, or choose another folder.",
            ) from error
        return data, text


def evaluate(run: str | Path, dataset: str | Path, split: str = "test") -> Evaluation:
    """Predict a split of a dataset and compare with the truth.

    Parameter errors are over all samples of the true class, whether it was hit or not, as in the
    paper; theta is the head's answer whatever the predicted class.

    Raises
    ------
    RunError : no trained run, or one that does not fit the dataset's lattice, energies, window.
    DatasetError, CorruptShardError, SchemaVersionError : see
        :class:`gapscope.dataset.load.DatasetReader`.
    """
    predictor = Predictor.load(run)
    with DatasetReader(dataset) as reader:
        _require_fit(predictor, reader)
        samples = Samples.of(reader, split, predictor.size)
        predictions = predictor(samples.maps(rows) for rows in samples.chunks())
        predictions = predictions.assign_coords(sample=samples.ids)
    predictions["true_label"] = ("sample", samples.label.astype(np.int8))
    for name, units in UNITS.items():
        predictions[f"true_{name}"] = ("sample", getattr(samples, name), {"units": units})
    predictions.attrs |= {"run": str(run), "dataset": str(dataset), "split": split}
    return Evaluation(predictions, table(predictions))


def _require_fit(predictor: Predictor, reader: DatasetReader) -> None:
    config = predictor.config
    same_energies = len(config.energies) == len(reader.energies) and np.allclose(
        config.energies, reader.energies, rtol=0, atol=ENERGY_TOLERANCE
    )
    if reader.lattice != config.lattice or reader.window < predictor.size or not same_energies:
        raise RunError(
            f"This run needs maps on the {config.lattice} lattice, of at least {predictor.size} "
            f"sites per side, at w = {list(config.energies)} meV.",
            f"{reader.lattice}, {reader.window} sites, w = {reader.energies.tolist()} meV",
            "Evaluate it on a dataset of that kind, or train a network on this one.",
        )
