"""A refusal comes before anything heavy is loaded: TensorFlow, Dask, Panel, Julia."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gapscope.cli
from gapscope.cli.learning import BACKBONES, PRECISIONS
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import load_recipe
from gapscope.simulation.materials import material
from gapscope.support.resources import find_recipe

HEAVY = {"tensorflow", "keras", "dask", "distributed", "juliacall", "panel", "bokeh"}
HARMLESS = {"uname"}
"""What Python's own ``platform`` starts."""
STATE = "--irrep A1g --gap 1 --theta 0"
MAP = f"{STATE} --impurity 50 -o m.nc"
CASES = {
    "simulate --irrep E_gg --gap 1 --impurity 50 -o m.nc": "Did you mean Eg?",
    f"simulate {STATE} -o m.nc": "needs a strength",
    f"simulate {MAP} --gap -1": "gap",
    f"simulate {MAP} --material nothere.toml": "nothere.toml",
    f"simulate {MAP} --material broken.toml": "broken.toml",
    f"simulate {MAP} --window 7": "even number",
    f"simulate {MAP} --broadening 0": "positive energy",
    f"simulate {MAP} --energy nan": "finite",
    f"simulate {MAP} --accuracy 7": "between 1e-5 and 0.5",
    f"simulate {MAP} --method grid": "Give kgrid",
    f"simulate {MAP} --method grid --kgrid 100": "window <= kgrid",
    f"simulate {MAP} --orbital-weights 1,1": "weight",
    f"simulate {MAP} --figure a.xyz": ".png",
    f"simulate {STATE} --orbital-weights 1 -o m.nc": "belong to --impurity",
    f"simulate {STATE} --impurity-file nothere.toml -o m.nc": "nothere.toml",
    f"simulate {MAP} --fermi-energy 1": "belongs to a Wannier90 _hr.dat",
    f"simulate --green nothere.nc {MAP}": "Leave out --irrep, --gap, --theta, or --green",
    "simulate --green nothere.nc --impurity 50 -o m.nc": "nothere.nc",
    f"green {STATE} --material nothere -o g.nc": "nothere",
    f"green {STATE} --window 7 -o g.nc": "even number",
    f"green {STATE} --reach -1 -o g.nc": "needs 0",
    f"continuum {MAP} --tip-height nan": "finite height",
    f"continuum {MAP} --tip-height 3 --wannier nothere.xsf": "nothere.xsf",
    f"continuum {MAP} --tip-height 3 --wannier w.xsf --wannier w.xsf": "2 files for 1 orbitals",
    f"continuum {MAP} --tip-height 3 --gaussian -1": "positive number in Angstrom",
    f"continuum {MAP} --tip-height 3 --pixels 0": "1 to 64 pixels",
    f"continuum {STATE} -o m.nc --tip-height 3": "needs a strength",
    "continuum --green nothere.nc --impurity 50 --tip-height 3 -o m.nc": "nothere.nc",
    f"dos {STATE} -o m.nc --material nothere": "nothere",
    f"dos {STATE} -o m.nc --broadening 0": "positive energy",
    f"dos {STATE} -o m.nc --kgrid -1": "positive whole number",
    f"dos {STATE} -o m.nc --points 0": "Energies",
    f"spectrum {STATE} -o m.nc --material nothere": "nothere",
    f"spectrum {STATE} -o m.nc --path Gamma,Q": "Gamma",
    f"spectrum {STATE} -o m.nc --broadening 0": "positive energy",
    f"converge {STATE} --impurity 50 --material nothere": "nothere",
    f"converge {STATE} --impurity 50 --window 7": "even number",
    f"converge {STATE}": "needs a strength",
    "symmetry nothere.toml": "nothere.toml",
    "symmetry nbse2 --tolerance 0": "positive energy",
    "symmetry nbse2 --json no/such/folder.json": "no/such",
    "gaps nothere.toml --shells 1": "nothere.toml",
    "gaps nbse2 --shells 99": "Shells of neighbours",
    "gaps nbse2 --shells 1 --channels p": "A channel is s",
    "gaps nbse2 --shells 1 --irrep B1g": "irreps of D3h",
    "gaps nbse2 --shells 1 --figure a.xyz": ".png",
    "files nothere.sxm": "A measured file exists",
    "files garbage.sxm --json": "garbage.sxm",
    "prepare nothere.sxm -o m.nc": "A measured file exists",
    "prepare garbage.sxm -o m.nc": "garbage.sxm",
    "prepare garbage.sxm -o m.nc --lines x": "--lines x",
    "prepare garbage.sxm -o m.nc --material nothere": "nothere",
    "prepare garbage.sxm -o m.nc --lattice-constant -1": "positive length",
    "dataset recipe nothere --gap 1 2 -o r.toml": "nothere",
    "dataset recipe bi2212 --gap 2 1 -o r.toml": "rises from above zero",
    "dataset recipe bi2212 --gap 1 2 -o r.txt": ".toml",
    "dataset build nothere.toml -o d": "nothere.toml",
    "dataset build broken.toml -o d": "field required",
    "dataset build demo -o d --workers 0": "at least one worker",
    "dataset build demo -o d --workers 2 --scheduler tcp://a:1": "two out",
    "dataset build demo -o other": "another folder",
    "dataset status nothere": "manifest.json",
    "dataset verify nothere": "manifest.json",
    "dataset card nothere": "manifest.json",
    "dataset inspect nothere --figure a.png": "manifest.json",
    "train nothere -o r": "manifest.json",
    "train other -o r --also nothere": "manifest.json",
    "train other -o r --start nothere": "config.json",
    "train other -o r --backbone vgg99": "'vgg16-half'",
    "train other -o r --precision bad": "'float32'",
    "train other -o r --learning-rate 0": "x>0",
    "train other -o r --ema-momentum 1": "0<x<1",
    **{f"train other -o r --{n} 0": "x>=" for n in ("epochs", "batch-size")},
    "train other -o r --input-size 0": "2<=x<=1024",
    "train other -o r --width 5000": "1<=x<=4096",
    "train other -o r --seed -1": "0<=x",
    **{
        f"train other -o r --{name} -1": "x>=0"
        for name in ("weight-decay", "irrep-weight", "gaussian-noise", "pink-noise")
    },
    "calibrate nothere other": "config.json",
    "calibrate run nothere": "manifest.json",
    "calibrate run other --training nothere": "manifest.json",
    "calibrate run other --split train": "'validation'",
    "evaluate nothere other": "or the folder of a run",
    "evaluate run nothere": "manifest.json",
    "evaluate run other --split bad": "'validation'",
    "evaluate run other --level 2": "0<x<1",
    "export nothere -o m": "config.json",
    "predict nothere.nc": "nothere.nc",
    "predict empty.nc": "0 bytes",
    "predict garbage.nc": "A map file is netCDF4/HDF5",
    "predict garbage.nc also.nc": "garbage.nc: MapFileError",
    "design nothere.nc": "nothere.nc",
    "design garbage.nc": "A map file is netCDF4/HDF5",
    "design garbage.nc -o next.txt": "next.txt",
    "predict garbage.sxm": "garbage.sxm",
    "predict garbage.sxm --material nothere": "nothere",
    "predict garbage.sxm --refine": "--refine",
    "predict garbage.nc --model nothere": "nbse2-vgg16",
    "predict garbage.nc --model empty": "config.json",
    "predict garbage.nc --level 2": "0<x<1",
    "predict garbage.nc --level nan": "nan is no finite number",
    "predict garbage.nc --posterior p.nc --noise inf": "inf is no finite number",
    "explore --no-browser --model nothere": "nbse2-vgg16",
    "explore --no-browser --measured-model empty": "config.json",
    "explore --no-browser --port 99999": "1 to 65535",
    "explore --no-browser --address 0.0.0.0": "stands for all",
}
WITHOUT_INPUT = {"doctor", "julia", "dataset"}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each command did; Julia is hidden, so that a host would be looked for in vain."""
    folder = tmp_path_factory.mktemp("refusals")
    for name in ("garbage.sxm", "garbage.nc", "also.nc"):
        (folder / name).write_bytes(10 * b"garbage\n")
    (folder / "empty.nc").touch()
    (folder / "broken.toml").write_text("schema = 1\n")
    for name in ("empty", "run", "other"):
        (folder / name).mkdir()
    (folder / "run" / "config.json").write_text("{}")
    recipe = load_recipe(find_recipe("nbse2-fresh"))
    nbse2 = material(recipe.material)
    Manifest.start(recipe, nbse2, recipe.define(nbse2)).write(folder / "other")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("refused_commands.py"))],
        input=json.dumps([command.split() for command in CASES]),
        env=os.environ | {"GAPSCOPE_JULIA": "/hidden", "GAPSCOPE_RUNTIME": "libjulia"},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    left = {path.name for path in folder.iterdir()}
    assert not left & {"m.nc", "d", "r", "m", "a.png"}
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("command", CASES)
def test_a_refusal_loads_nothing_heavy_and_starts_nothing(
    command: str, outcomes: dict[str, dict[str, Any]]
) -> None:
    outcome = outcomes[command]
    assert outcome["code"] in (1, 2), outcome["said"]
    assert CASES[command] in outcome["said"]
    assert "Traceback" not in outcome["said"]
    assert HEAVY.isdisjoint(outcome["modules"]), HEAVY & set(outcome["modules"])
    assert set(outcome["started"]) <= HARMLESS


def test_every_command_is_refused_something() -> None:
    commands = set(gapscope.cli.main.commands) - WITHOUT_INPUT
    assert {command.split()[0] for command in CASES} - WITHOUT_INPUT == commands
    subcommands = set(gapscope.cli.main.commands["dataset"].commands)  # type: ignore[attr-defined]
    assert {c.split()[1] for c in CASES if c.startswith("dataset ")} == subcommands


def test_the_command_line_offers_what_training_knows() -> None:
    from gapscope.learning.network import backbone, precision

    assert [name for name in backbone.BACKBONES if name != "tiny"] == list(BACKBONES)
    assert ("auto", *precision.PRECISIONS) == PRECISIONS
