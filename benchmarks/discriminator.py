"""Give a model of noisy or measured maps what tells changed ones, which `gapscope calibrate` makes,
without calibrating it again.

    python benchmarks/discriminator.py MODEL TRAINING CALIBRATION

MODEL is the folder of a calibrated run or model, TRAINING and CALIBRATION the datasets that it was
trained and calibrated with. It prints how well the calibration's scores are found again.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from gapscope.dataset.load import DatasetReader
from gapscope.learning.data.samples import Samples
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.training.fit_calibration import discriminator_of
from gapscope.learning.uncertainty.calibration import CALIBRATION, Calibration

ASKED = 50
"""Calibration maps whose scores are found again."""


def calibrated(folder: Path) -> tuple[Predictor, Calibration]:
    """A model and its calibration."""
    predictor = Predictor.load(folder)
    if predictor.calibration is None:
        raise SystemExit(f"{folder} has no calibration: gapscope calibrate")
    return predictor, predictor.calibration


def compare(predictor: Predictor, calibration: Calibration, samples: Samples) -> None:
    """Print how well the calibration's scores of its first maps are found again."""
    few = np.arange(min(ASKED, len(samples)))
    again = predictor.novelty([samples.maps(few)], calibration.detector)
    apart = np.abs(again - calibration.novelty[few]).max()
    print(f"novelty scores of {len(few)} calibration maps are found again to {apart:.2g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("training", type=Path)
    parser.add_argument("calibration", type=Path)
    options = parser.parse_args()
    predictor, calibration = calibrated(options.model)
    with DatasetReader(options.calibration) as reader:
        split = str(calibration.about["split"])
        samples = predictor.samples(reader, split, predictor.config.noise)
        compare(predictor, calibration, samples)
        found = discriminator_of(predictor, options.training, samples)
    if found is None:
        raise SystemExit(f"{options.model} learned from clean maps, or from few")
    replace(calibration, discriminator=found).write(options.model / CALIBRATION)


if __name__ == "__main__":
    main()
