"""``make demo``: maps, dataset, network, table and figures, in one folder.

    python -m gapscope.cli.demo FOLDER

Every step goes through the public functions and keeps what an earlier run finished. Exit status 1
unless the network hits at least half of the held-out maps (chance: one in five).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from gapscope.dataset.build import build
from gapscope.dataset.load import DatasetReader
from gapscope.inference.predict import predict
from gapscope.physics import Impurity, Pairing, Specification
from gapscope.plots.dataset import sheet
from gapscope.plots.maps import map_figure
from gapscope.plots.style import save_figure
from gapscope.simulation.maps import simulate
from gapscope.simulation.materials import material
from gapscope.simulation.numerics import Numerics
from gapscope.support.netcdf import write_netcdf
from gapscope.support.resources import SHIPPED_MODEL, find_recipe

STATES = {
    "A1g": Pairing("A1g", 1.0, theta=0.5),
    "A1u": Pairing("A1u", 1.0),
    "A2g": Pairing("A2g", 1.0, theta=0.5),
    "Eg": Pairing("Eg", 1.0, theta=0.3),
    "Eu": Pairing("Eu", 1.0, theta=0.3),
}
EPOCHS = 10
REQUIRED_ACCURACY = 0.5


def main(folder: Path) -> int:
    """Run the demo; returns the exit status."""
    # Dask's worker processes import this module too, and need no TensorFlow.
    from gapscope.learning.evaluation.evaluate import evaluate
    from gapscope.learning.evaluation.listing import prediction_text, refinement_text
    from gapscope.learning.network.config import TrainingConfig
    from gapscope.learning.training.train import train
    from gapscope.plots.learning import evaluation_figures

    start = time.monotonic()
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    written = []

    _say(start, "maps of five states of NbSe2")
    nbse2, numerics = material("nbse2"), Numerics([0.0], broadening=0.1, window=128)
    files = []
    for name, pairing in STATES.items():
        maps = simulate(Specification(nbse2, pairing, Impurity.scalar(50.0), eps0=20.0), numerics)
        files.append(write_netcdf(maps, folder / f"{name}.nc"))
        written.append(save_figure(map_figure(maps), figures / f"map-{name}.png"))

    _say(start, "dataset")
    data = build(find_recipe("demo"), folder / "dataset")
    with DatasetReader(data) as reader:
        written.append(save_figure(sheet(reader, per_class=4), figures / "dataset.png"))

    _say(start, "network")
    run = train(data, folder / "run", TrainingConfig(epochs=EPOCHS))

    _say(start, "held-out maps")
    result = evaluate(run.path, data)
    result.write(folder / "evaluation")
    for name, figure in evaluation_figures(result.predictions).items():
        written.append(save_figure(figure, figures / f"{name}.png"))

    _say(start, "the maps of the first step, refined from the shipped network's answers")
    shipped = predict(files, refine=True)

    names = list(STATES)
    print("\nThe maps of the first step, as the demo's network sees them:")
    print(prediction_text(predict(files, run.path), names))
    print(f"\nas the shipped network {SHIPPED_MODEL} sees them:")
    print(prediction_text(shipped, names))
    print("\nand as simulated maps explain them, from there on (true gap 1 meV, eps0 20 meV):")
    print(refinement_text(shipped, names))
    print(f"\nAccuracy on held-out maps: {result.accuracy:.0%} (chance 20 %)\n\n{result.text}\n")
    for path in written:
        print(path)
    _say(start, "done")
    if result.accuracy < REQUIRED_ACCURACY:
        print(
            f"The demo's network must reach {REQUIRED_ACCURACY:.0%} on held-out maps.",
            file=sys.stderr,
        )
        return 1
    return 0


def _say(start: float, what: str) -> None:
    print(f"[{time.monotonic() - start:5.0f} s] {what}", flush=True)


if __name__ == "__main__":
    # Dask's worker processes import this module again: everything starts behind this line.
    raise SystemExit(main(Path(sys.argv[1])))
