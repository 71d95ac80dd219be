"""How well networks read simulated measurements, effect by effect, as Markdown.

    python benchmarks/measurements.py [--model NAME ...] [--states 10] [--cache FOLDER] [--quick]
                                      [--output docs/measurements.md]

States are drawn in the ranges of data/recipes/nbse2-measured-open.toml with a seed of their own, as
many of every class: impurity, broadening, filling, band width and phase are unknown. Each is
measured by ``simulate_spectra`` under every severity, at an angle of its own, prepared, sampled on
the lattice sites around the impurity and given to the networks at their energies: models of
data/models by name, or folders. What is prepared is kept in the cache by its settings and the code
that made it: an interrupted benchmark goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
import gapscope.inference.measured_maps as prediction
import gapscope.instrument as instrument
import gapscope.measured.preparation as preparation
from gapscope.dataset.recipe import load_recipe
from gapscope.errors import ConvergenceWarning, LatticeNotFoundError, PreparationError
from gapscope.inference.measured_energies import together
from gapscope.inference.measured_maps import predict_sites, sites_of
from gapscope.instrument.distortion import Distortion
from gapscope.instrument.image import Field
from gapscope.instrument.scan import simulate_spectra
from gapscope.instrument.scan_noise import ScanNoise
from gapscope.instrument.settings import IDEAL, Measurement, Setpoint
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.prediction.predictor import Predictor
from gapscope.measured import default
from gapscope.measured.preparation import Steps, prepare
from gapscope.measured.preparation.pipeline import prepare_alike
from gapscope.problem.sampling import Drawn, draw
from gapscope.problem.states import Sample, States
from gapscope.simulation.materials import material
from gapscope.simulation.provenance import versions
from gapscope.support.resources import (
    GRID_MODEL,
    MEASURED_MODEL,
    OPEN_MODEL,
    find_model,
    find_recipe,
)
from results_page import shown, table
from results_statistics import wilson

SEED = 20261201
SIZE = 64
USUAL = Measurement()
AFFINE = replace(USUAL.distortion, creep=(0.0, 0.0))
STRONG = Measurement(
    temperature=1.2,
    modulation=0.1,
    nodes=13,
    density=0.004,
    setpoint=None,
    distortion=Distortion((1.03, 0.97), 0.03, (0.6, -0.9), (0.2, 0.2)),
    noise=ScanNoise(0.4, 0.4, 0.4),
)
SEVERITIES: dict[str, Measurement | None] = {
    "theory, no measurement": None,
    "one impurity, 24 nm, 512 px": replace(IDEAL, field=Field(24.0, 24.0, 512, 512)),
    "one impurity, 20 nm, 256 px (below too)": IDEAL,
    "0.35 K, 0.05 meV rms": replace(IDEAL, temperature=0.35, modulation=0.05),
    "1.2 K, 0.1 meV rms": replace(IDEAL, temperature=1.2, modulation=0.1, nodes=13),
    "impurities, 0.1 % of sites": replace(IDEAL, density=USUAL.density),
    "impurities, 0.4 % of sites": replace(IDEAL, density=STRONG.density),
    "orbitals of 0.4 a": replace(IDEAL, orbital=0.4),
    "shear and drift": replace(IDEAL, distortion=AFFINE),
    "creep": replace(IDEAL, distortion=Distortion(creep=USUAL.distortion.creep)),
    "noise": replace(IDEAL, noise=USUAL.noise),
    "strong noise": replace(IDEAL, noise=STRONG.noise),
    "setpoint of 10 meV": replace(IDEAL, setpoint=Setpoint(10.0)),
    "setpoint of 5 meV": replace(IDEAL, setpoint=Setpoint(5.0)),
    "all realistic, constant height": replace(USUAL, setpoint=None),
    "all realistic, constant current": USUAL,
    "all strong, constant height": STRONG,
}
PREPARATIONS = {
    "predict": replace(default.USUAL, phase=default.PHASE),
    "affine": default.USUAL,
    "direct": replace(default.USUAL, drift=False),
    "atoms": Steps(),
}
"""predict: what `gapscope predict` does with maps without defects of the lattice; affine: without
the correction of slow distortions; direct: without resampling; atoms: Bragg peaks left in."""
PAGE = """# Simulated measurements, read by the networks

Written by `{command}`.

States in the ranges of the training maps, of which nothing is known but the material, are
measured by `gapscope.instrument` at -0.5, 0 and 0.5 meV, one effect at a time and all together,
prepared as `gapscope predict` does it, and read by the shipped networks: `nbse2-open` has learned
from clean maps of one impurity with noise, `nbse2-measured` from measured ones, both at these
energies; `nbse2-measured-one` sees that at 0.5 meV alone
([decision 12](decisions/0012-measured-networks.md)).
"""
HEAD = ("all", "sets", "in set", "gap", "in interval", "unlike", "sites", "failed")


class World:
    """The states that are measured: those of the problem that the networks are asked."""

    def __init__(self) -> None:
        self.recipe = load_recipe(find_recipe("nbse2-measured-open"))
        self.material = material(self.recipe.material)
        self.problem = RunFolder(find_model(GRID_MODEL)).config().problem
        self._states = States(self.problem, self.recipe.draft(self.material))

    def drawn(self, sample: int) -> Drawn:
        """The numbers of a sample; classes come in turn."""
        return draw(self.problem, SEED, sample)

    def sample(self, sample: int) -> Sample:
        """Its superconductor, impurity and broadening."""
        drawn = self.drawn(sample)
        return self._states.sample(drawn.label, drawn.values, drawn.member)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", help="name or folder; may be repeated")
    parser.add_argument("--states", type=int, default=10, help="of every class")
    parser.add_argument("--cache", type=Path, default=Path(".cache/measurements"))
    parser.add_argument("--preparation", choices=PREPARATIONS, default="predict")
    parser.add_argument("--scale", choices=("known", "unknown"), default="unknown")
    parser.add_argument("--severity", action="append", choices=SEVERITIES)
    parser.add_argument("--quick", action="store_true", help="two states of every class")
    parser.add_argument("--output", type=Path, help="page to write, besides printing it")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    world = World()
    labels = world.problem.labels
    count = (2 if options.quick else options.states) * len(labels)
    models = {
        name: Predictor.load(find_model(name))
        for name in options.model or [OPEN_MODEL, GRID_MODEL, MEASURED_MODEL]
    }
    rows: dict[str, list[list[str]]] = {name: [] for name in models}
    for severity in options.severity or SEVERITIES:
        measurement, steps = SEVERITIES[severity], PREPARATIONS[options.preparation]
        maps = [prepared_map(world, n, measurement, steps, options.cache) for n in range(count)]
        gaps = np.array([world.drawn(n).values["gap"] for n in range(count)])
        for name, predictor in models.items():
            rows[name].append([severity, *scores(maps, gaps, predictor, options.scale == "known")])
            print("|", " | ".join([name, *rows[name][-1]]), "|", flush=True)
    parts = [PAGE.format(command=command(options))]
    for name, made in rows.items():
        parts.append(
            f"## {name}\n\nHits in % with 95 % Wilson intervals, {count // len(labels)} states per"
            f" class; preparation `{options.preparation}`, scale of the maps {options.scale}; sets:"
            " mean number of irreps in a 90 % prediction set; in set: share in % of those that hold"
            " the truth; gap: mean absolute error in meV of maps whose irrep is hit; in interval:"
            " share in % of their gaps within the 90 % interval; unlike: share in % judged unlike"
            " the training maps, for which sets and intervals promise nothing; sites: median"
            " window; failed: maps without a lattice, which count as misses.\n"
        )
        parts.append(table(("measurement", *labels, *HEAD), made) + "\n")
    made_with = ", ".join(f"{name} {version}" for name, version in versions().items())
    parts.append(f"Made with {made_with}.\n")
    text = "\n".join(parts)
    print(f"\n{text}", flush=True)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")


def command(options: argparse.Namespace) -> str:
    """What writes the page again, but for where files lie."""
    words = ["python", "benchmarks/measurements.py"]
    for name in ("model", "severity"):
        for value in getattr(options, name) or ():
            words += [f"--{name}", value]
    words += ["--quick"] if options.quick else ["--states", str(options.states)]
    words += ["--preparation", options.preparation, "--scale", options.scale]
    return shlex.join([*words, "--output", "docs/measurements.md"])


def prepared_map(
    world: World, sample: int, measurement: Measurement | None, steps: Steps, cache: Path
) -> xr.Dataset:
    """drho on the sites around the impurity at the recipe's energies, in 1/meV, from the cache
    where it was made before.

    Attributes: true_label (number of the class), failed (empty, or why there is no map).
    """
    settings = None if measurement is None else asdict(measurement)
    asked = [world.recipe.deciding(), world.problem.to_dict()]
    key = json.dumps([settings, asdict(steps), *asked, SEED, SIZE, code()])
    path = cache / hashlib.sha256(key.encode()).hexdigest()[:16] / f"{sample:05d}.nc"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        gs.write_netcdf(made_map(world, sample, measurement, steps), path)
    return xr.load_dataset(path, engine="h5netcdf")


def made_map(
    world: World, sample: int, measurement: Measurement | None, steps: Steps
) -> xr.Dataset:
    """The same, simulated, measured and prepared."""
    one, energies = world.sample(sample), world.recipe.energies
    truth = {"true_label": world.drawn(sample).label, "failed": ""}
    if measurement is None:
        numerics = replace(world.recipe.numerics(), window=SIZE, broadening=one.broadening)
        maps = gs.simulate(one.specification, numerics)["ldos_change"]
        about = {"lattice": "triangular", **truth}
        return maps.assign_coords(bias=("energy", list(energies))).to_dataset().assign_attrs(about)
    angle = float(np.random.default_rng([SEED, sample]).uniform(-25, 25))
    field = replace(measurement.field, angle=angle)
    own = replace(measurement, field=field, broadening=one.broadening)
    scan = simulate_spectra(one.specification, own, energies, seed=sample)
    try:
        found = sampled(scan, world.material.lattice.constant, steps)
    except (LatticeNotFoundError, PreparationError) as error:
        return xr.Dataset(attrs={**truth, "failed": str(error)})
    maps = found["ldos_change"] * scan.attrs["conductance_unit"]
    return maps.to_dataset(name="ldos_change").assign_attrs(found.attrs | truth)


def sampled(scan: xr.Dataset, lattice_constant: float, steps: Steps) -> xr.Dataset:
    """The prepared conductance on the lattice sites around the impurity on r = 0."""
    images = [scan["conductance"].isel(bias=n) for n in range(scan.sizes["bias"])]
    first = prepare(images[0], lattice_constant, steps)
    prepared = [first, *(prepare_alike(first, image) for image in images[1:])]
    centre = (float(scan.impurity_x[0]), float(scan.impurity_y[0]))
    sites = [sites_of(one, SIZE, centre) for one in prepared]
    return together(sites, prepared, scan["bias"].values.tolist())


def at_energies(sites: xr.Dataset, energies: Sequence[float]) -> xr.Dataset:
    """Maps on sites at a network's energies, as it takes them."""
    chosen = sites.sel(energy=list(energies), method="nearest")
    return chosen.isel(energy=0) if len(energies) == 1 else chosen


def scores(
    maps: Sequence[xr.Dataset], gaps: NDArray[np.float64], predictor: Predictor, known: bool
) -> list[str]:
    """The cells of one row; gaps in meV."""
    truth = np.array([one.attrs["true_label"] for one in maps])
    seen = [n for n, one in enumerate(maps) if not one.attrs["failed"]]
    hit = np.zeros(len(maps), dtype=bool)
    cells = dict.fromkeys(("sets", "in set", "gap", "in interval", "unlike", "sites"), "/")
    if seen:
        chosen = [at_energies(maps[n], predictor.config.energies) for n in seen]
        answers = predict_sites(chosen, predictor, unit=1.0 if known else None)
        right = answers["label"].values == truth[seen]
        hit[seen] = right
        cells["sites"] = f"{np.median([one.sizes['r1'] for one in chosen]):.0f}"
        true, found = gaps[seen][right], answers.isel(sample=right)
        if right.any():
            cells["gap"] = f"{np.abs(found['gap'].values - true).mean():.3f}"
        if "irrep_set" in answers:
            sets = answers["irrep_set"].values
            cells["sets"] = f"{sets.sum(axis=1).mean():.2f}"
            cells["in set"] = percent(sets[np.arange(len(seen)), truth[seen]])
            cells["unlike"] = percent(answers["unlike_training"].values)
            within = (found["gap_low"].values <= true) & (true <= found["gap_high"].values)
            cells["in interval"] = percent(within)
    rates = [hit[truth == label] for label in range(len(predictor.problem.labels))] + [hit]
    hits = [shown(wilson(int(rate.sum()), len(rate)), 0, 100) for rate in rates]
    return [*hits, *cells.values(), str(len(maps) - len(seen))]


def percent(holds: NDArray[np.bool_]) -> str:
    """Share in %; a slash where there is none."""
    return f"{100 * holds.mean():.0f}" if len(holds) else "/"


def code() -> str:
    """Digest of the code that measures, prepares and samples."""
    folders = [Path(module.__file__ or "").parent for module in (instrument, preparation)]
    files = [source for folder in folders for source in sorted(folder.glob("*.py"))]
    files += [Path(prediction.__file__ or ""), Path(__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


if __name__ == "__main__":
    main()
