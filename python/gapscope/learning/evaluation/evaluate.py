"""Evaluation of a run on a dataset's split: predictions beside the truth, and the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from gapscope.dataset.load import DatasetReader
from gapscope.errors import SettingError
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.evaluation.coverage import coverage_text
from gapscope.learning.evaluation.metrics import Row, accuracy, table
from gapscope.learning.evaluation.tables import table_text
from gapscope.learning.prediction.loaded import load_predictor
from gapscope.learning.prediction.predictor import beside_truth
from gapscope.learning.uncertainty.calibration import LEVEL
from gapscope.physics.kinds import is_number
from gapscope.problem.paper import predicted_problem
from gapscope.support.netcdf import write_netcdf
from gapscope.support.storage import make_folder, write_whole


@dataclass(frozen=True)
class Evaluation:
    """Predictions with their truth (true_label and true_NAME of each unknown), and Table I."""

    predictions: xr.Dataset
    rows: tuple[Row, ...]

    @property
    def accuracy(self) -> float:
        """Fraction of all samples whose irrep was hit."""
        return accuracy(self.predictions)

    @property
    def text(self) -> str:
        """The table, ready to print."""
        return table_text(self.rows, predicted_problem(self.predictions.attrs))

    @property
    def uncertainty(self) -> str | None:
        """How often sets and intervals hold the truth, ready to print; None uncalibrated."""
        return coverage_text(self.predictions) if "irrep_set" in self.predictions else None

    def write(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``predictions.nc``, ``table.txt`` and, if calibrated, ``coverage.txt``.

        Raises
        ------
        StorageError : the system refused.
        """
        folder = Path(folder)
        data = folder / "predictions.nc"
        texts = {folder / "table.txt": self.text, folder / "coverage.txt": self.uncertainty}
        known = {path: text for path, text in texts.items() if text is not None}
        make_folder(folder)
        write_netcdf(self.predictions, data)
        for path, text in known.items():
            write_whole(path, f"{text}\n".encode())
        return (data, *known)


def evaluate(
    run: str | Path,
    dataset: str | Path,
    split: str = "test",
    *,
    symmetry: bool = True,
    level: float = LEVEL,
    signal_to_noise: float | None = None,
) -> Evaluation:
    """Predict a split of a dataset and compare with the truth.

    Parameter errors are over all samples of the true class, whether it was hit or not, as in the
    paper; unknowns are the head's answers whatever the predicted class. A network for measured maps
    is given each map as its measurement leaves it, the same at every evaluation. Sets, intervals
    and novelty are there as :class:`gapscope.learning.prediction.predictor.Predictor` says.

    Parameters
    ----------
    run : folder of a run or of an exported model.
    dataset, split : the maps.
    symmetry, level : see :class:`gapscope.learning.prediction.predictor.Predictor`.
    signal_to_noise : of white noise that clean maps get, the standard deviation of each map over
        that of its noise, the same noise at every evaluation; None: no noise.

    Raises
    ------
    SettingError : noise for a network for measured maps, or a ratio that is not positive.
    RunError : no trained run, or one that does not fit the dataset's lattice, energies, window.
    CalibrationError : a damaged calibration, or a level that it does not reach.
    DatasetError, CorruptShardError, SchemaVersionError : see
        :class:`gapscope.dataset.load.DatasetReader`.
    """
    noise = None if signal_to_noise is None else _white(signal_to_noise)
    predictor = load_predictor(run, symmetry=symmetry, level=level)
    if noise is not None and predictor.config.training.measurement is not None:
        raise SettingError(
            "A network for measured maps is given maps with the noise of its measurement.",
            f"signal_to_noise = {signal_to_noise:g}",
            "Leave it out.",
        )
    with DatasetReader(dataset) as reader:
        predictions = beside_truth(predictor, predictor.samples(reader, split, noise))
    predictions.attrs |= {"run": str(run), "dataset": str(dataset), "split": split}
    return Evaluation(predictions, table(predictions))


def _white(signal_to_noise: float) -> SiteNoise:
    if not (is_number(signal_to_noise) and signal_to_noise > 0):
        raise SettingError(
            "A signal-to-noise ratio is a positive number.", signal_to_noise, "Leave it out, or 10."
        )
    return SiteNoise(gaussian=1 / signal_to_noise, pink=0.0, drawn=False)
