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

import numpy as np

from gapscope.dataset.load import DatasetReader
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.training.fit_calibration import discriminator_of
from gapscope.learning.uncertainty.calibration import CALIBRATION


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("training", type=Path)
    parser.add_argument("calibration", type=Path)
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    calibration = predictor.calibration
    if calibration is None:
        raise SystemExit(f"{options.model} has no calibration: gapscope calibrate")
    with DatasetReader(options.calibration) as reader:
        split = str(calibration.about["split"])
        samples = predictor.samples(reader, split, predictor.config.noise)
        few = np.arange(min(50, len(samples)))
        again = predictor.novelty([samples.maps(few)], calibration.detector)
        found = discriminator_of(predictor, options.training, samples)
    apart = np.abs(again - calibration.novelty[few]).max()
    print(f"novelty scores of {len(few)} calibration maps are found again to {apart:.2g}")
    if found is None:
        raise SystemExit(f"{options.model} learned from maps without noise, or from few of them")
    replace(calibration, discriminator=found).write(options.model / CALIBRATION)


if __name__ == "__main__":
    main()
