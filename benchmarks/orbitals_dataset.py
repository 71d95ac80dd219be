"""CPU seconds of a dataset of Sr2RuO4: three orbitals at 0.1 meV, and what 5500 maps would take.

    python benchmarks/orbitals_dataset.py [--maps 50] [--workers 2]

A recipe as `gapscope dataset suggest` writes it, with a broadening of 0.1 meV, windows of 128 and
one energy. CPU seconds are those of this process and its workers, imports and compilation
included; these are measured by a dataset of few maps and taken off.
"""

from __future__ import annotations

import argparse
import re
import resource
import tempfile
from dataclasses import replace
from pathlib import Path

from gapscope.dataset.build import build
from gapscope.dataset.recipe import load_recipe
from gapscope.dataset.suggest import suggest_recipe
from gapscope.physics.material_writer import material_toml
from gapscope.physics.orbitals import Orbital
from orbitals import t2g

WANTED = 5500


def write_recipe(folder: Path, maps: int) -> Path:
    """A recipe of some maps of every split together, and its material beside it."""
    basis = tuple(map(Orbital, ("dxz", "dyz", "dxy")))
    matter = replace(t2g(), basis=basis)
    (folder / "t2g.toml").write_text(material_toml(matter))
    text = suggest_recipe(matter, "t2g.toml", (0.5, 1.5), channels=("s",), maps=maps).text
    for name, value in (("window", "128"), ("broadening", "0.1"), ("energies", "[1.0]")):
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def cpu() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def spent_on(maps: int, workers: int) -> tuple[int, float]:
    """Maps that were computed, and CPU seconds."""
    with tempfile.TemporaryDirectory() as name:
        recipe = write_recipe(Path(name), maps)
        before = cpu()
        build(recipe, Path(name) / "dataset", workers=workers, progress=False)
        return load_recipe(recipe).samples, cpu() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    few, least = spent_on(1, options.workers)
    count, spent = spent_on(options.maps, options.workers)
    each = (spent - least) / (count - few)
    print(f"{few} maps {least:.0f} CPU s, {count} maps {spent:.0f} CPU s: {each:.2f} s a map")
    hours = (least + each * WANTED) / 3600
    print(f"{WANTED} maps: {hours:.1f} CPU hours, {hours / 2:.1f} hours on two cores")


if __name__ == "__main__":
    main()
