"""What the network nbse2-open reads off maps of which nothing is known but the material.

    python benchmarks/laboratory.py RUN FOLDER [--states 1000] [--ratios none 10 3] [--one RUN]

RUN is a run or a model with the problem of the recipe nbse2-open. Maps of as many states of every
class are built in FOLDER from a seed that no training saw (a build goes on where it stopped), each
around its own impurity, with white noise of each signal-to-noise ratio, and read by the network;
with --one also by one that sees a single energy (nbse2-open-one).
``docs/laboratory.md`` is written from that.

The phase shows where two partners mix: |phi| is scored where |sin 2 theta| is at least VISIBLE.
The sign that a map tells is that of the chirality, sin 2 theta sin phi, against the moment J_z. It
is scored where |J_z| is at least MOMENT and |sin 2 theta sin phi| at least CHIRAL.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.build import build
from gapscope.dataset.recipe import Recipe, load_recipe
from gapscope.learning.evaluation.evaluate import evaluate
from gapscope.learning.evaluation.tables import aligned
from gapscope.learning.model_folder.run import RunFolder
from gapscope.support.resources import find_recipe
from gapscope.support.storage import write_whole

NAME = "nbse2-open"
SEED = 4711
VISIBLE, CHIRAL, MOMENT = 0.5, 0.2, 10.0
PAGE = Path("docs") / "laboratory.md"

HEAD = f"""# Maps of which nothing is known but the material

Written by `python benchmarks/laboratory.py`: every number comes from that command. The network
[{NAME}](../data/models/{NAME}/MODEL_CARD.md) reads maps of NbSe2 at -0.5, 0 and 0.5 meV, of an
impurity, a broadening, a filling and a band width that it is not told
([recipe](../data/recipes/{NAME}.toml)). The states are of a seed that no training saw. Noise is
white; a signal-to-noise ratio is the map's standard deviation over that of the noise, at each
energy.

These are answers of the network alone, which take a second. `gapscope predict --posterior` weighs
simulated maps, which takes a minute and leaves about a tenth of the errors of gap and phase:
[how right posteriors are](posterior-results.md).

Errors are means of absolute values over all maps of a class, hit or not. |phi| counts where
|sin 2 theta| >= {VISIBLE:g}; its sign is that of the chirality sin 2 theta sin phi against the
moment J_z, where |J_z| >= {MOMENT:g} meV and |sin 2 theta sin phi| >= {CHIRAL:g}.
"""
ONE = """
The network [nbse2-open-one](../data/models/nbse2-open-one/MODEL_CARD.md) sees 0.5 meV alone: it has
an eighth of VGG16's filters and learned from the same dataset.
"""

Array = NDArray[np.float64]


def folded(phi: Array) -> Array:
    """|phi| in 0 .. pi / 2, of phases that are known up to pi and a sign."""
    inside = np.abs(phi) % np.pi
    return np.minimum(inside, np.pi - inside)


def chirality(of: xr.Dataset, prefix: str = "") -> Array:
    """sin 2 theta sin phi times the sign of J_z."""
    theta, phi, moment = (
        of[prefix + name].values.astype(np.float64) for name in ("theta", "phi", "moment_z")
    )
    return np.asarray(np.sin(2 * theta) * np.sin(phi) * np.sign(moment))


def rows(predictions: xr.Dataset) -> list[list[str]]:
    """A line of text for every class, and one for all."""
    truth, label = predictions["true_label"].values, predictions["label"].values
    visible = np.abs(np.sin(2 * predictions["true_theta"].values)) >= VISIBLE
    true_chirality, read = chirality(predictions, "true_"), chirality(predictions)
    told = np.abs(predictions["true_moment_z"].values) >= MOMENT
    told &= np.abs(true_chirality) >= CHIRAL
    phase = np.abs(folded(predictions["phi"].values) - folded(predictions["true_phi"].values))

    def error(name: str, chosen: NDArray[np.bool_]) -> str:
        values = predictions[name].values - predictions[f"true_{name}"].values
        return f"{np.abs(values[chosen]).mean():.3g}"

    found = []
    for index, name in enumerate([*predictions.attrs["labels"], "all"]):
        own = truth == index if name != "all" else np.ones(len(truth), bool)
        has_phase = own & np.isfinite(predictions["true_phi"].values)
        line = [name, f"{own.sum()}", f"{100 * (label == truth)[own].mean():.1f}"]
        line += [error(one, own) for one in ("gap", "eps0", "hopping", "potential", "moment_z")]
        ratio = np.log(predictions["broadening"] / predictions["true_broadening"]).values
        line.append(f"{100 * np.abs(ratio[own]).mean():.2g}")
        some = has_phase & visible
        line.append(f"{phase[some].mean():.3f}" if some.any() else "/")
        some = has_phase & told
        right = np.sign(read[some]) == np.sign(true_chirality[some])
        line.append(f"{100 * right.mean():.1f}" if some.any() else "/")
        found.append(line)
    return found


def table(predictions: xr.Dataset) -> str:
    """The table of maps with one noise."""
    head = ["irrep", "maps", "hit (%)", "gap (meV)", "eps0 (meV)", "hopping", "v (meV)"]
    head += ["J_z (meV)", "broadening (%)", "|phi| (rad)", "sign (%)"]
    return "\n".join(aligned([head, *rows(predictions)]))


def sections(run: Path, data: Path, ratios: list[str], kind: str) -> str:
    """What the page says of one network; it is printed as it is found."""
    page = ""
    for ratio in ratios:
        noise = None if ratio == "none" else float(ratio)
        found = evaluate(run, data, signal_to_noise=noise)
        title = "without noise" if noise is None else f"signal-to-noise ratio {noise:g}"
        text = f"\n## {kind}, {title}\n\n```\n{table(found.predictions)}\n```\n"
        if found.uncertainty is not None:
            text += f"\n```\n{found.uncertainty}\n```\n"
        print(text, flush=True)
        page += text
    return page


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--states", type=int, default=1000, help="of every class")
    parser.add_argument("--ratios", nargs="+", default=["none", "10", "3"])
    parser.add_argument("--one", type=Path, help="a run that sees one of the energies")
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    recipe = load_recipe(find_recipe(NAME)).to_dict()
    count = given.states * len(recipe["candidates"])
    own = {"seed": SEED, "splits": {"train": 0, "validation": 0, "test": count}}
    data = build(
        Recipe.from_dict(recipe | own), given.folder / f"{NAME}-fresh", workers=given.workers
    )
    page = HEAD + (ONE if given.one else "")
    page += sections(given.run, data, given.ratios, "Three energies")
    if given.one:
        seen = ", ".join(f"{energy:g}" for energy in RunFolder(given.one).config().energies)
        page += sections(given.one, data, given.ratios, f"{seen} meV alone")
    write_whole(PAGE, page.encode())
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
