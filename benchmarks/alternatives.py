"""Give a model for measured maps the scores of alternatives that `gapscope calibrate` makes,
without calibrating it again.

    python benchmarks/alternatives.py MODEL CALIBRATION [--maps 350]

MODEL is the folder of a calibrated run or model for measured maps, CALIBRATION the dataset that it
was calibrated with, whose first maps are used. The shipped network's were the first of the split
test of the recipe nbse2-measured. It prints how well the calibration's scores are found again.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from gapscope.dataset.load import DatasetReader
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.training.fit_calibration import alternative_scores
from gapscope.learning.uncertainty.calibration import CALIBRATION


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("calibration", type=Path)
    parser.add_argument("--maps", type=int, default=350)
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    calibration = predictor.calibration
    if calibration is None:
        raise SystemExit(f"{options.model} has no calibration: gapscope calibrate")
    with DatasetReader(options.calibration) as reader:
        samples = predictor.samples(reader, str(calibration.about["split"]))
        samples = samples.first(options.maps)
        few = np.arange(min(50, len(samples)))
        again = predictor.novelty([samples.maps(few)], calibration.detector)
        scores = alternative_scores(predictor, samples)
    apart = np.abs(again - calibration.novelty[few]).max()
    print(f"novelty scores of {len(few)} calibration maps are found again to {apart:.2g}")
    replace(calibration, alternatives=scores).write(options.model / CALIBRATION)


if __name__ == "__main__":
    main()
