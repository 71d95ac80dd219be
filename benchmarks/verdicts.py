"""How often maps of a dataset, changed in some way, are called unlike training.

    python benchmarks/verdicts.py MODEL DATASET [--maps 100] [--output PAGE]

MODEL is a calibrated run or model, DATASET one of the kind that it was trained on, with a window of
at least the network's, whose test split it has not seen. For each kind of change: the area under
the ROC curve of 1 - p against all maps as they are, and the share that is flagged. --output
writes the table as a page.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gapscope.dataset.load import DatasetReader
from gapscope.learning.data.samples import Samples
from gapscope.learning.prediction.predictor import BATCH, Predictor

Maps = NDArray[np.float32]
PAGE = """# Maps unlike training, kind by kind

Written by `python benchmarks/verdicts.py` for the network {model} and {number} maps of `{dataset}`
(seed {seed}): how often maps of the training kind, changed somehow, are called unlike training at
a level of {level:g}, and the area under the ROC curve against maps as they are. With a scalar
impurity the maps of A1g, A2g and Eg are even in r: turned upside down they are the same maps, and
are not flagged.

```
{table}
```
"""
FACTORS = (1e-12, 1e-3, 0.1, 0.5, 0.9, 1.1, 2.0, 10.0, 1e3, -1.0)
SHIFTS = ((1, 0), (1, 1), (2, 0), (3, 0))


def turned(maps: Maps, degrees: float) -> Maps:
    """Maps turned in the plane about r = 0, interpolated linearly; zero outside."""
    size = maps.shape[-1]
    r = np.arange(size) - size // 2
    r1, r2 = np.meshgrid(r, r, indexing="ij")
    x, y = r1 + r2 / 2, r2 * np.sqrt(3) / 2
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    b = (s * x + c * y) * 2 / np.sqrt(3)
    places = [c * x - s * y - b / 2 + size // 2, b + size // 2]
    return np.array([[ndimage.map_coordinates(m[0], places, order=1)] for m in maps])


def padded(maps: Maps, kept: int, mode: str) -> Maps:
    """The central sites, the rest filled up."""
    cut = (maps.shape[-1] - kept) // 2
    inside = maps[..., cut : cut + kept, cut : cut + kept]
    return np.pad(inside, ((0, 0), (0, 0), (cut, cut), (cut, cut)), mode=mode)  # type: ignore[call-overload]


def changes() -> dict[str, Callable[[Maps], Maps]]:
    """Names and functions."""
    found: dict[str, Callable[[Maps], Maps]] = {"as they are": lambda m: m}
    for factor in FACTORS:
        found[f"times {factor:g}"] = lambda m, f=factor: f * m
    for shift in SHIFTS:
        found[f"moved by {shift} sites"] = lambda m, s=shift: np.roll(m, s, (-2, -1))
    for degrees in (5, 15, 30, 90):
        found[f"turned by {degrees} degrees"] = lambda m, d=degrees: turned(m, d)
    found["axis r1 reversed"] = lambda m: np.roll(m[..., ::-1, :], 1, -2)
    found["turned upside down"] = lambda m: np.roll(m[..., ::-1, ::-1], (1, 1), (-2, -1))
    for mode in ("constant", "edge", "reflect", "wrap"):
        found[f"half the window, padded: {mode}"] = lambda m, o=mode: padded(m, 32, o)
    found["half the window, twice as coarse"] = lambda m: np.kron(
        m[..., 16:48, 16:48], np.ones((2, 2))
    )
    return found


def auroc(like: NDArray[np.float64], unlike: NDArray[np.float64]) -> float:
    """Probability that p is smaller for the second kind; ties count half."""
    apart = unlike[:, None] - like
    return float((apart < 0).mean() + (apart == 0).mean() / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--maps", type=int, default=100)
    parser.add_argument("--output", type=Path, help="Markdown page for the table.")
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    with DatasetReader(options.dataset) as reader:
        samples = Samples.of(reader, "test", predictor.size)
        everything = samples.maps(np.arange(len(samples)))
        about = {
            name: reader.recipe[recipe] for name, recipe in (("dataset", "name"), ("seed", "seed"))
        }
    like = None
    lines = [f"{'maps':<34}{'number':>7}{'AUROC':>8}{'unlike':>9}"]
    print(lines[0])
    for name, change in changes().items():
        maps = everything if like is None else everything[: options.maps]
        batches = (change(maps[i : i + BATCH]) for i in range(0, len(maps), BATCH))
        p = np.concatenate([predictor.novelty_p(one.astype(np.float32)) for one in batches])
        like = p if like is None else like
        flagged = np.mean(p < predictor.novelty_level)
        lines.append(f"{name:<34}{len(p):>7}{auroc(like, p):>8.3f}{flagged:>9.1%}")
        print(lines[-1], flush=True)
    if options.output is not None:
        table = "\n".join(lines)
        text = PAGE.format(
            table=table,
            number=len(everything),
            model=options.model.name,
            level=predictor.novelty_level,
            **about,
        )
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
