"""How often maps of a dataset, changed in some way, are called unlike training, network by network.

    python benchmarks/verdicts.py MODEL DATASET [MODEL DATASET ...] [--maps 60] [--like 1000]
                          [--noise 0.1] [--cache FILE] [--output docs/verdicts.md]

MODEL is a calibrated run or model, DATASET one of the kind that it was trained on, with a window of
at least the network's, whose test split it has not seen; a network for measured maps is asked about
measurements of them. For each kind of change: the area under the ROC curve of 1 - p against all
maps as they are, and the share that is flagged. --cache is a JSON file that keeps what an earlier
command found, model by model; --output writes the table as a page, on which models that are not
named stay as they stand there.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import betabinom

from gapscope.dataset.load import DatasetReader
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import lacks
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.prediction.predictor import BATCH, Predictor
from gapscope.physics.lattice import Lattice, window_coordinates

Maps = NDArray[np.float32]
Found = dict[str, Any]
PAGE = """# Maps unlike training, kind by kind

Written by `python benchmarks/verdicts.py`: how often maps of the kind that a network was trained
on, changed somehow, are called unlike training at a level of 0.01 (in %), and, before it, the area
under the ROC curve against maps as they are. A slash stands for a symmetry of the lattice.

{networks}

```
{table}
```

What is like the training maps by construction: with a scalar impurity, maps of most classes are
even in r and upside down the same. Networks for measured maps know no amplitude; maps of half the
window with zeros around it are maps of a small field of view, which they have learned from, and
they see the part of a map that is even in r alone. Their impurities have both signs: the negative
of a map may be the map of another one. A map stretched by 5 % is hard to tell from one
of another state. A map whose rows or columns repeat others to the last digit was padded, tiled or
enlarged, whatever else it looks like. MODEL@0.1 stands for maps with white noise of a tenth of
their contrast, a signal-to-noise ratio of 10; last digits repeat no more then. The networks
nbse2-open and nbse2-open-one have learned impurities of both signs from 10 to 300 meV with moments:
half or twice an amplitude is mostly that of another impurity, a tenth often, and a map upside down
mostly that of another moment. The negative of a map is told from the maps of all of them, of one
energy less often: it is proportional to v for weak impurities alone. With noise on top, zeros
around half the window leave most of what they look at.

p is counted from n calibration maps, and at most 0.01 for at most 1 % of all maps on average over
calibration sets: of one set, the share follows a beta distribution, and of so many maps as above a
binomial one. The ranges above hold 95 % of both together; a network above its range needs more
calibration maps. A rule that keeps to 1 % for 95 % of all
calibration sets would call a map unlike where no calibration map of 300 has as large a score, and
one of 300 of an earlier nbs2 had a larger one than most maps in other units.
"""
FACTORS = (0.0, 1e-12, 1e-3, 0.1, 0.5, 0.9, 1.1, 2.0, 10.0, 1e3, -1.0)
SHIFTS = ((1, 0), (1, 1), (2, 0), (3, 0))
TURNS = (5, 15, 30, 90)
STRETCHES = (0.9, 0.95, 1.05, 1.1)
REVERSED = np.diag([-1.0, 1.0])


def resampled(maps: Maps, matrix: NDArray[np.float64]) -> Maps:
    """Maps with the value at the sites M r on the site r, interpolated linearly; zero outside."""
    size = maps.shape[-1]
    r = window_coordinates(size)
    places = np.tensordot(matrix, np.stack(np.meshgrid(r, r, indexing="ij")), 1) + size // 2
    places = places.round(9)
    return np.array([[ndimage.map_coordinates(e, places, order=1) for e in m] for m in maps])


def on_sites(cartesian: NDArray[np.float64], lattice: Lattice) -> NDArray[np.float64]:
    """A Cartesian matrix on (r1, r2)."""
    basis = lattice.vectors.T
    return np.asarray(np.linalg.solve(basis, cartesian @ basis))


def rotation(degrees: float) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def padded(maps: Maps, kept: int, mode: str) -> Maps:
    """The central sites, the rest filled up."""
    cut = (maps.shape[-1] - kept) // 2
    inside = maps[..., cut : cut + kept, cut : cut + kept]
    return np.pad(inside, ((0, 0), (0, 0), (cut, cut), (cut, cut)), mode=mode)  # type: ignore[call-overload]


def tiled(maps: Maps) -> Maps:
    """The quarter around r = 0, four times."""
    cut = maps.shape[-1] // 4
    return np.tile(maps[..., cut:-cut, cut:-cut], (2, 2))


def changes(lattice: Lattice) -> dict[str, Callable[[Maps], Maps] | None]:
    """Names and functions; None for a symmetry of the lattice."""
    found: dict[str, Callable[[Maps], Maps] | None] = {"as they are": lambda m: m}
    for factor in FACTORS:
        found[f"times {factor:g}"] = lambda m, f=factor: f * m
    for shift in SHIFTS:
        found[f"moved by {shift} sites"] = lambda m, s=shift: np.roll(m, s, (-2, -1))
    for degrees in TURNS:
        matrix = on_sites(rotation(degrees), lattice)
        whole = np.allclose(matrix, matrix.round(), atol=1e-6)
        found[f"turned by {degrees} degrees"] = (
            None if whole else lambda m, t=matrix: resampled(m, t)
        )
    for factor in STRETCHES:
        found[f"lattice constant times {factor:g}"] = lambda m, f=factor: resampled(
            m, f * np.eye(2)
        )
    mirror = lattice.vectors.T @ REVERSED @ np.linalg.inv(lattice.vectors.T)
    found["axis r1 reversed"] = (
        None
        if np.allclose(mirror @ mirror.T, np.eye(2), atol=1e-6)
        else lambda m: np.roll(m[..., ::-1, :], 1, -2)
    )
    found["turned upside down"] = lambda m: np.roll(m[..., ::-1, ::-1], (1, 1), (-2, -1))
    for mode in ("constant", "edge", "reflect", "wrap"):
        found[f"half the window, padded: {mode}"] = lambda m, o=mode: padded(m, m.shape[-1] // 2, o)
    found["half the window, tiled"] = tiled
    found["half the window, twice as coarse"] = lambda m: np.kron(
        m[..., m.shape[-1] // 4 : -(m.shape[-1] // 4), m.shape[-1] // 4 : -(m.shape[-1] // 4)],
        np.ones((2, 2)),
    )
    return found


def auroc(like: NDArray[np.float64], unlike: NDArray[np.float64]) -> float:
    """Probability that p is smaller for the second kind; ties count half."""
    apart = unlike[:, None] - like
    return float((apart < 0).mean() + (apart == 0).mean() / 2)


def verdicts(
    predictor: Predictor, name: str, dataset: Path, counts: tuple[int | None, int], noise: float
) -> Found:
    """AUROC and share of flagged maps by kind; "refused" where no map has a contrast.

    ``counts`` of maps as they are, None for all, and of changed ones.
    """
    all_like, number = counts
    if predictor.calibration is None:
        raise SystemExit(f"{name} has no calibration: gapscope calibrate")
    white, model = (
        SiteNoise(noise, 0.0, drawn=False),
        NoiseModel.on(predictor.lattice, predictor.size),
    )
    with DatasetReader(dataset) as reader:
        samples = predictor.samples(reader, "test")
        samples = samples if all_like is None else samples.first(all_like)
        everything = samples.maps(np.arange(len(samples)))
        found: Found = {"dataset": reader.recipe["name"], "seed": reader.recipe["seed"]}
    like = None
    judges = round(1 / predictor.calibration.floor) - 1
    chosen = np.ceil(predictor.novelty_level * (judges + 1)) - 1
    luck = betabinom(len(everything), chosen, judges + 1 - chosen)
    found["judges"] = judges
    found["range"] = [int(n) / len(everything) for n in luck.ppf([0.025, 0.975])]
    found |= {"number": len(everything), "changed": min(number, len(everything)), "kinds": {}}
    for kind, change in changes(predictor.lattice).items():
        if change is None:
            continue
        maps = (everything if like is None else everything[:number]).astype(np.float64)
        changed = change(maps).astype(np.float32)
        changed = white.added(model, changed, np.random.default_rng(0))
        if all(lacks(one[None], predictor.lattice) for one in changed):
            found["kinds"][kind] = "refused"
            continue
        batches = (changed[i : i + BATCH] for i in range(0, len(maps), BATCH))
        p = np.concatenate([predictor.novelty_p(one) for one in batches])
        like = p if like is None else like
        flagged = float(np.mean(p < predictor.novelty_level))
        found["kinds"][kind] = [auroc(like, p), flagged]
        print(f"{name:<20}{kind:<34}{auroc(like, p):>8.3f}{flagged:>9.1%}", flush=True)
    return found


def table(found: dict[str, Found]) -> str:
    """Kinds by networks."""
    width = 2 + max(16, *map(len, found))
    lines = [f"{'maps':<33}" + "".join(f"{name:>{width}}" for name in found)]
    for kind in dict.fromkeys(kind for one in found.values() for kind in one["kinds"]):
        cells = []
        for one in found.values():
            cell = one["kinds"].get(kind, "/")
            cells.append(cell if isinstance(cell, str) else f"{cell[0]:.3f} {100 * cell[1]:5.1f}%")
        lines.append(f"{kind:<33}" + "".join(f"{cell:>{width}}" for cell in cells))
    return "\n".join(lines)


LINE = re.compile(
    r"- (?P<model>\S+): (?P<number>\d+) maps as they are and (?P<changed>\d+) of them changed, of"
    r" `(?P<dataset>\S+)` \(seed (?P<seed>\d+)\); (?P<judges>\d+) calibration maps: of those as"
    r" they are, (?P<low>\S+)% to (?P<high>\S+)% come out unlike\."
)
CELL = re.compile(r"\d+\.\d+ +\d+\.\d%|\S+")


def on_page(text: str) -> dict[str, Found]:
    """What a page says of each network."""
    found: dict[str, Found] = {}
    for line in LINE.finditer(text):
        own: Found = line.groupdict()
        model = own.pop("model")
        low, high = (float(own.pop(end)) / 100 for end in ("low", "high"))
        counts = {name: int(own[name]) for name in ("number", "changed", "seed", "judges")}
        found[model] = own | counts | {"range": [low, high], "kinds": {}}
    for line in text.split("```")[1].strip("\n").splitlines()[1:]:
        for model, cell in zip(found, CELL.findall(line[33:]), strict=True):
            value = cell
            if cell.endswith("%"):
                area, share = cell[:-1].split()
                value = [float(area), float(share) / 100]
            found[model]["kinds"][line[:33].strip()] = value
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path, nargs="+", metavar="MODEL DATASET")
    parser.add_argument("--maps", type=int, default=60)
    parser.add_argument("--like", type=int)
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--output", type=Path, help="Markdown page for the table.")
    options = parser.parse_args()
    if len(options.pairs) % 2:
        parser.error("each MODEL is followed by its DATASET")
    found: dict[str, Found] = {}
    if options.cache is not None and options.cache.is_file():
        found = json.loads(options.cache.read_text(encoding="utf-8"))
    for model, dataset in zip(options.pairs[::2], options.pairs[1::2], strict=True):
        if model.name not in found:
            predictor = Predictor.load(model)
            silent = 0.0 if predictor.config.noise is None else options.noise
            for noise in dict.fromkeys((0.0, silent)):
                name = f"{model.name}@{noise:g}" if noise else model.name
                found[name] = verdicts(
                    predictor, name, dataset, (options.like, options.maps), noise
                )
            if options.cache is not None:
                options.cache.write_text(json.dumps(found), encoding="utf-8")
    print(table(found))
    if options.output is not None:
        if options.output.is_file():
            found = on_page(options.output.read_text(encoding="utf-8")) | found
        networks = "\n".join(
            f"- {name}: {one['number']} maps as they are and {one['changed']} of them changed, of"
            f" `{one['dataset']}` (seed {one['seed']}); {one['judges']} calibration maps: of those"
            f" as they are, {one['range'][0]:.1%} to {one['range'][1]:.1%} come out unlike."
            for name, one in found.items()
        )
        text = PAGE.format(table=table(found), networks=networks)
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
