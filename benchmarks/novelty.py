"""Which maps a calibrated network calls unlike its training maps.

    python benchmarks/novelty.py MODEL DATASET [--maps 150]

MODEL is the folder of a calibrated run or an exported model; DATASET one of the kind it was trained
on (nbse2), whose test split it has seen neither in training nor in calibration. The first maps of
that split are the like ones; their states are simulated again with another band, impurity, gap,
broadening, energy or k-grid, or noise is added to the maps. The area under the ROC curve is the
probability that an unlike map has a larger score than a like one; flagged are those that
``predict`` calls unlike. A measured folder of STM images and NbS2's Wannier90 Hamiltonian is used
where GAPSCOPE_MEASURED names one, else ../shared/measured if it is there.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import gapscope as gs
from gapscope.dataset.load import DatasetReader
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import cut
from gapscope.learning.data.samples import Samples
from gapscope.learning.prediction.predictor import BATCH, Predictor
from gapscope.learning.uncertainty.calibration import NOVELTY_LEVEL
from gapscope.learning.uncertainty.conformal import p_values
from gapscope.simulation.maps import simulate_batch

Maps = NDArray[np.float32]
Change = Callable[[gs.Specification], gs.Specification]
ROOT = Path(__file__).resolve().parents[1]
MEASURED = Path(os.environ.get("GAPSCOPE_MEASURED", ROOT.parent / "shared" / "measured"))
TOPOGRAPHS = ("figure_2a", "figure_2b", "figure_2g", "figure_3a")
CROPS = 25  # of each topograph
NBS2_MAPS = 20
RESAMPLES = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--maps", type=int, default=150)
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    if predictor.calibration is None:
        raise SystemExit(f"{options.model} has no calibration: gapscope calibrate")
    detector, known = predictor.calibration.detector, np.sort(predictor.calibration.novelty)

    def scores(maps: Maps) -> NDArray[np.float64]:
        batches = (maps[first : first + BATCH] for first in range(0, len(maps), BATCH))
        return predictor.novelty(batches, detector)

    with DatasetReader(options.dataset) as reader:
        samples = Samples.of(reader, "test", predictor.size)
        rows = np.arange(min(options.maps, len(samples)))
        like = samples.maps(rows)
        states = [state(reader, i) for i in samples.ids[rows]]
        accuracy = reader.recipe["method"].get("accuracy", gs.Converged.accuracy)
        numerics = gs.Numerics(
            reader.energies.tolist(),
            float(reader.recipe["broadening"]),
            reader.window,
            gs.Converged(accuracy),
        )
    print(f"{len(rows)} like maps; {len(known)} calibration maps; level {NOVELTY_LEVEL:g}")
    print(f"{'maps':<46}{'number':>7}{'AUROC':>9}{'95 % interval':>18}{'flagged':>9}")
    against = scores(like)
    for name, maps in (
        ("like the training maps", like),
        *noisy(like, predictor),
        *simulated(states, numerics, predictor),
        *measured(states, numerics, predictor, like),
    ):
        found = scores(maps)
        low, high = interval(against, found)
        flagged = np.mean(p_values(known, found) < NOVELTY_LEVEL)
        print(
            f"{name:<46}{len(maps):>7}{auroc(against, found):>9.3f}"
            f"{f'[{low:.3f}, {high:.3f}]':>18}{flagged:>9.0%}",
            flush=True,
        )


def state(reader: DatasetReader, sample: int) -> gs.Specification:
    """What a sample of the dataset is a map of."""
    values = {name: column[sample] for name, column in reader.parameters.items()}
    theta = None if np.isnan(values["theta"]) else float(values["theta"])
    irrep = reader.candidates[values["candidate"]]
    pairing = gs.Pairing(irrep, float(values["own_gap"]), theta=theta)
    impurity = gs.Impurity.scalar(reader.recipe["impurity"]["scalar"])
    band = gs.material(reader.recipe["material"])
    return gs.Specification(band, pairing, impurity, float(values["eps0"]))


def noisy(like: Maps, predictor: Predictor) -> Iterator[tuple[str, Maps]]:
    """The maps with white and with 1/f noise of a fraction of their contrast."""
    model = NoiseModel.on(predictor.config.lattice, predictor.size)
    for ratio in (3, 10, 30):
        rng = np.random.default_rng(ratio)
        yield (
            f"white noise, signal-to-noise ratio {ratio}",
            model.add(like, rng, gaussian=1 / ratio),
        )
        yield f"1/f noise, signal-to-noise ratio {ratio}", model.add(like, rng, pink=1 / ratio)


def simulated(
    states: list[gs.Specification], numerics: gs.Numerics, predictor: Predictor
) -> Iterator[tuple[str, Maps]]:
    """The states again with one thing changed."""
    printed = gs.material("nbse2-t6-as-printed")
    changes: dict[str, Change] = {
        "the same, simulated again": lambda s: s,
        "band with t6 as printed": lambda s: replace(s, material=printed),
        "band with t1 larger by 10 %": lambda s: replace(s, material=stretched(s.material, 1.1)),
        "impurity of 60 meV": lambda s: replace(s, impurity=gs.Impurity.scalar(60.0)),
        "gap of 3 meV": lambda s: replace(s, pairing=replace(s.pairing, gap=3.0)),
        "eps0 of 150 meV": lambda s: replace(s, eps0=150.0),
    }
    for name, change in changes.items():
        yield name, simulate([change(s) for s in states], predictor, numerics)
    broad = replace(numerics, broadening=2 * numerics.broadening)
    yield "broadening doubled", simulate(states, predictor, broad)
    for kgrid in (1024, 2048, 4096):
        coarse = replace(numerics, method=gs.Grid(kgrid))
        yield f"k-grid of {kgrid} x {kgrid}", simulate(states, predictor, coarse)


def stretched(material: gs.Material, factor: float) -> gs.Material:
    """The material with another hopping t1; the spin-orbit coupling stays."""
    bonds = material.bonds
    nearest = np.isin(np.abs(bonds.vectors).sum(axis=1), (1, 2)) & (
        (bonds.vectors**2).sum(axis=1) + bonds.vectors.prod(axis=1) == 1
    )
    matrices = bonds.matrices.copy()
    spin_average = matrices[nearest].trace(axis1=1, axis2=2)[:, None, None] / 2 * np.eye(2)
    matrices[nearest] += (factor - 1) * spin_average
    return replace(material, bonds=gs.Bonds(bonds.vectors, matrices))


def measured(
    states: list[gs.Specification], numerics: gs.Numerics, predictor: Predictor, like: Maps
) -> Iterator[tuple[str, Maps]]:
    """NbS2 and crops of STM topographs; nothing where they are absent."""
    folder = MEASURED / "nbs2"
    if not folder.is_dir():
        print(f"{folder.name} is absent")
        return
    nbs2 = gs.material(str(folder / "NbS2_hr.dat"), fermi_energy=-3.9, lattice_constant=3.33)
    others = [replace(s, material=nbs2) for s in states[:NBS2_MAPS]]
    grid = replace(numerics, method=gs.Grid(2048))  # method converged takes minutes a map here
    yield "NbS2, k-grid of 2048 x 2048", simulate(others, predictor, grid)
    rng = np.random.default_rng(1)
    contrast = NoiseModel.on(predictor.config.lattice, predictor.size).contrast(like).ravel()
    crops = [
        crop * rng.choice(contrast)
        for name in TOPOGRAPHS
        for crop in cropped(folder / f"{name}.txt", predictor.size, rng)
    ]
    yield "STM topographs of NbS2, cropped and scaled", np.array(crops, np.float32)[:, None]


def cropped(path: Path, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Random crops of an image on size x size pixels, pairs averaged, of mean 0 and variance 1."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    image = np.array([row for row in rows if len(row) > 2 * size], dtype=np.float64)
    for _ in range(CROPS):
        y, x = (rng.integers(side - 2 * size + 1) for side in image.shape)
        fine = image[y : y + 2 * size, x : x + 2 * size]
        crop = fine.reshape(size, 2, size, 2).mean(axis=(1, 3))
        yield (crop - crop.mean()) / crop.std()


def simulate(states: list[gs.Specification], predictor: Predictor, numerics: gs.Numerics) -> Maps:
    """Maps (n, energies, size, size) in 1/meV, cut to the network's window."""
    return cut(simulate_batch(states, numerics).ldos_change, predictor.size)


def auroc(like: NDArray[np.float64], unlike: NDArray[np.float64]) -> float:
    """Probability that a score of the second kind is larger; ties count half."""
    ordered = np.sort(like)
    below = np.searchsorted(ordered, unlike, "left") + np.searchsorted(ordered, unlike, "right")
    return float(below.mean() / (2 * len(like)))


def interval(like: NDArray[np.float64], unlike: NDArray[np.float64]) -> tuple[float, float]:
    """95 % bootstrap interval of the area."""
    rng = np.random.default_rng(0)
    areas = [
        auroc(rng.choice(like, len(like)), rng.choice(unlike, len(unlike)))
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(areas, (0.025, 0.975))
    return float(low), float(high)


if __name__ == "__main__":
    main()
