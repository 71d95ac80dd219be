"""Give a model the companion that `gapscope calibrate` makes, without calibrating it again.

    python benchmarks/companion.py MODEL TRAINING CALIBRATION

MODEL is the folder of a calibrated run or model with surfaces, TRAINING a dataset of its training
maps (the first ones of the recipe are enough), CALIBRATION the one that it was calibrated with, or
its first maps. The shipped network's were the first 2000 training maps of the recipe nbse2-large,
and the recipe nbse2-calibration with a window of 64. It prints how well the calibration's scores
are found again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gapscope.dataset.load import DatasetReader
from gapscope.learning.model_folder.trained import load_trained
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.training.fit_calibration import learn_companion, scored
from gapscope.learning.uncertainty.companion import COMPANION


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("model", "training", "calibration"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    calibration = predictor.calibration
    if calibration is None:
        raise SystemExit(f"{options.model} has no calibration: gapscope calibrate")
    companion = learn_companion(predictor, options.training)
    if companion is None:
        raise SystemExit(f"{options.model} has no surfaces: train it without --no-surfaces")
    with DatasetReader(options.calibration) as reader:
        samples = predictor.samples(reader, "test")
        companion = scored(companion, samples)
        few = np.arange(min(50, len(samples)))
        again = predictor.novelty([samples.maps(few)], calibration.detector)
    apart = np.abs(again - calibration.novelty[few]).max()
    print(f"novelty scores of {len(few)} calibration maps are found again to {apart:.2g}")
    companion.write(options.model / COMPANION, load_trained(options.model).weights)


if __name__ == "__main__":
    main()
