"""Give a model of Green's functions what tells changed maps, which `gapscope calibrate` makes,
without calibrating it again.

    python benchmarks/discriminator.py MODEL TRAINING CALIBRATION

MODEL is the folder of a calibrated run or model, TRAINING and CALIBRATION the datasets that it was
trained and calibrated with. It prints how well the calibration's scores are found again.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from alternatives import calibrated, compare
from gapscope.dataset.load import DatasetReader
from gapscope.learning.training.fit_calibration import discriminator_of
from gapscope.learning.uncertainty.calibration import CALIBRATION


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
        raise SystemExit(f"{options.model} learned from maps without noise, or from few of them")
    replace(calibration, discriminator=found).write(options.model / CALIBRATION)


if __name__ == "__main__":
    main()
