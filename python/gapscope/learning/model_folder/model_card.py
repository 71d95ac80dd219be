"""A model card: what an exported network is, how it came about, and what it is not for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gapscope.learning.data.moves import NUMBERS, moves_group
from gapscope.learning.network.config import RMS, STOKES
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.uncertainty.calibration import Calibration
from gapscope.problem.moves import ALONG_Z
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import quantity
from gapscope.problem.told import told
from gapscope.problem.unknown import Unknown


def model_card(
    name: str,
    config: RunConfig,
    history: Sequence[Mapping[str, float]],
    parameters: int,
    table: str | None,
    calibration: Calibration | None,
    emulators: bool,
) -> str:
    """Markdown of a model card.

    Parameters
    ----------
    name : the model's name.
    config, history : those of the run.
    parameters : number of weights of the network.
    table : Table I of the run as text, if it was evaluated.
    calibration : the run's, if it was calibrated.
    emulators : whether the model has them.
    """
    recipe = config.dataset["recipe"]
    sections = {
        "Use": f"    gapscope predict map.nc --model {name}",
        "Network": _rows(_network(config, parameters, emulators)),
        "Training maps": _rows(_maps(config, recipe)),
        "Training": _rows(_training(config, history)),
        "Results": _results(table),
        "Uncertainty": _uncertainty(calibration),
        "Intended use and limits": _limits(config, recipe, calibration),
        "Recipe of the training maps": f"```json\n{json.dumps(recipe, indent=1)}\n```",
        "Licence": "MIT, as gapscope.",
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# {name}\n\n{_what(config)}\n\n{body}\n"


def _what(config: RunConfig) -> str:
    problem = config.problem
    same = "; ".join(
        f"{_listed([member.candidate for member in one.members])} give the same maps"
        for one in problem.classes
        if len(one.members) > 1
    )
    read = [f"the irrep, one of {', '.join(problem.labels)}" + (f" ({same})" if same else "")]
    read += [f"the {_named(one)}" for one in problem.shown]
    return (
        f"Reads the pairing symmetry of {config.dataset['material']} out of a QPI map:"
        f" {_listed(read)}. Made by gapscope with simulated maps alone."
    )


def _named(unknown: Unknown) -> str:
    """An unknown in words, and the name of its column where that is another."""
    words = unknown.long_name
    return words if words == unknown.name else f"{words} {unknown.name}"


def _listed(words: Sequence[str]) -> str:
    """Words with commas and an "and" between."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _network(config: RunConfig, parameters: int, emulators: bool) -> dict[str, str]:
    network = config.training.network
    size = network.input_size
    energies = ", ".join(f"{w:g}" for w in config.energies)
    measured = config.training.measurement is not None
    moves = config.problem.moves
    image = "Re and Im rho(q)" if network.odd else "Re rho(q)"
    return {
        "backbone": f"{network.backbone}, aggregation layer of {network.width}, two heads",
        "parameters": f"{parameters:,}; matrices and kernels in float16, vectors in float32",
        "input": f"{image} of the central {size} x {size} sites, w = {energies} meV, asinh scale"
        + (" of its own mean amplitude" if measured else "")
        + (", one for all energies" if config.inputs.together else ""),
        "parameters of clean maps": "the network's, combined by inverse variance with"
        " Gaussian-process regression on the training maps"
        if emulators and not measured
        else "the network's",
        "prediction": f"averaged over the {NUMBERS[len(moves) - 1]} moves of {moves_group(moves)}"
        if len(moves) > 1
        else "of the map as it is",
    }


def _maps(config: RunConfig, recipe: Mapping[str, Any]) -> dict[str, str]:
    splits = ", ".join(f"{count} {name}" for name, count in recipe["splits"].items())
    problem = config.problem
    ranges = {
        one.name: _with_unit(f"{one.low:.4g} to {one.high:.4g}", one.unit)
        for one in problem.unknowns
    }
    fixed = {
        name: _with_unit(f"{value:.4g}", quantity(name).unit)
        for name, value in problem.fixed.items()
    }
    method = ", ".join(f"{key} {value}" for key, value in recipe["method"].items())
    return {
        "data set": f"{config.dataset['name']}: {splits}",
        "identity": f"`{config.dataset['identity']}`",
        "material": f"{config.dataset['material']} ({recipe['material']})",
        **_impurity(problem, recipe.get("impurity", {})),
        **({} if config.others is None else {"other impurities": config.others.told}),
        **({} if "broadening" in {*ranges, *fixed} else {"broadening": _broadening(config)}),
        **_taken(recipe),
        "k points": method,
        **ranges,
        **fixed,
    }


def _with_unit(text: str, unit: str) -> str:
    return text if unit == "1" else f"{text} {unit}"


def _broadening(config: RunConfig) -> str:
    return f"{config.dataset['broadening']:g} meV"


def _impurity(problem: Problem, table: Mapping[str, Any]) -> dict[str, str]:
    """The scatterer as far as the recipe fixes it; what is unknown of it has rows of its own."""
    unknown = {one.name for one in problem.unknowns} | set(problem.fixed)
    parts = []
    if "potential" not in unknown:
        parts.append(f"scalar {table.get('scalar', 0.0):g} meV")
    if not {"moment", ALONG_Z} & unknown:
        parts.append(f"magnetic moment {table.get('moment', [0.0, 0.0, 0.0])} meV")
    weights = table.get("weights")
    parts += ["on one site" if weights is None else f"on orbitals with the weights {weights}"]
    return {"impurity": ", ".join(parts)}


def _taken(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Which currents and energy resolutions a measurement may be made of."""
    rows = {}
    if recipe.get("setpoints"):
        rows["constant current"] = f"set points of {_biases(recipe)}"
    if recipe.get("resolutions"):
        pairs = (f"{t:g} K with {m:g} meV rms" for t, m in recipe["resolutions"])
        rows["energy resolution"] = f"perfect to that of {', '.join(pairs)} modulation"
    return rows


def _biases(recipe: Mapping[str, Any]) -> str:
    return ", ".join(f"{bias:g}" for bias in recipe["setpoints"]) + " meV"


def _training(config: RunConfig, history: Sequence[Mapping[str, float]]) -> dict[str, str]:
    training = config.training
    measurement = training.measurement
    noise = (
        f"noise up to {training.gaussian_noise:g} (white) and {training.pink_noise:g} (1/f) of the "
        "contrast"
        if measurement is None
        else "measurements drawn anew for every map and epoch: "
        + ", ".join(
            f"{name} {'none' if value is None else f'{value:g}'}"
            for name, value in asdict(measurement).items()
        )
    )
    group = moves_group(config.problem.moves)
    best = min(history, key=lambda entry: entry["val_loss"], default=None)
    rows = {
        "epochs": f"{len(history)} of {training.epochs}, batches of {training.batch_size}",
        "optimizer": f"AdamW, learning rate {training.learning_rate:g}, weight decay "
        f"{training.weight_decay:g}, gradient norm {training.clip_norm:g}, "
        f"average of weights {training.ema_momentum or 'none'}",
        "loss": f"w_IR {training.irrep_weight:g}, w_param {training.parameter_weight:g}"
        + ("; root mean squares of errors" if training.objective == RMS else "")
        + ("; Stokes parameters" if training.network.targets == STOKES else ""),
        "augmentation": f"{group} {'yes' if training.symmetry else 'no'}; {noise}",
        "precision, seed": f"{config.precision}, {training.seed}",
        "versions": ", ".join(f"{name} {value}" for name, value in config.versions.items()),
    }
    if best is not None:
        hits = f", accuracy {best['val_irrep_hit']:.1%}" if "val_irrep_hit" in best else ""
        rows["kept"] = f"epoch {best['epoch']}: validation loss {best['val_loss']:.4g}{hits}"
    return rows


def _results(table: str | None) -> str:
    if table is None:
        return "Not evaluated. `gapscope evaluate` makes the table of the paper."
    return f"```\n{table.rstrip()}\n```"


def _uncertainty(calibration: Calibration | None) -> str:
    if calibration is None:
        return "Not calibrated: probabilities are the network's own, and there are no intervals."
    about = calibration.about
    companion = ""
    if calibration.companion is not None:
        companion = " Amplitude and the part odd in r are judged, too (`companion.npz`)."
    elif calibration.discriminator is not None:
        companion = " Changed maps are told from maps as they are (`discriminator.npz`)."
    return (
        f"Calibrated with {len(calibration)} maps of {about['name']} ({about['split']}), identity "
        f"`{about['identity']}`: temperature {calibration.temperature:.3f}; intervals and sets by "
        "split-conformal prediction, per predicted irrep. They hold for maps like those, and "
        f"`unlike_training` says where a map is not.{companion}"
    )


def _limits(config: RunConfig, recipe: Mapping[str, Any], calibration: Calibration | None) -> str:
    if config.training.measurement is None:
        of = "around one impurity as above, at the energies"
        other = "several impurities, or k-grids that do not resolve the broadening"
        if config.others is not None:
            of = "around an impurity as above on r = 0, and others as above, at the energies"
            other = "more impurities, or k-grids that do not resolve the broadening"
        real = (
            "Learned from simulated maps: a measured one has noise, drift, the tip's transfer "
            "function and other defects, and no claim about a material may rest on it alone."
        )
    else:
        of = "centred on one of some impurities as above, at the energies"
        other = (
            f"constant-current maps of set points far from {_biases(recipe)}"
            if recipe.get("setpoints")
            else "constant-current maps, whose feedback takes much of the signal away"
        )
        real = (
            "Learned from simulated measurements: the tip's transfer function and other kinds of "
            "defects are not among them, and no claim about a material may rest on it alone."
        )
    return "\n".join(
        f"* {line}"
        for line in (
            f"For maps of {config.dataset['material']} {of}, broadening and ranges above; not for "
            f"other materials or impurities, {other}.",
            "Outside the ranges it answers all the same. Look at `unlike_training` first; a map "
            "may still be foreign in ways that leave no mark in its image.",
            real,
            *_hidden(config, calibration),
            *(
                f"{line}. Another impurity or other energies may tell more."
                for line in told(config.problem)
            ),
            *(_repeats(config.problem, one) for one in config.problem.shown if one.circular),
            f"Simulated with {recipe['method']['name']} maps of {recipe['window']} sites per side.",
        )
    )


def _hidden(config: RunConfig, calibration: Calibration | None) -> list[str]:
    """What the verdict of a network that has learned from noise does not see."""
    if config.noise is None:
        return []
    asks = " `gapscope predict --posterior` asks whether any map of the model explains it."
    if config.others is not None:
        asks = " A map of which no impurity stands on r = 0 is hardly told."
    if calibration is not None and calibration.discriminator is not None:
        kinds = ", ".join(calibration.discriminator.kinds)
        return [
            f"Its verdict tells maps with the training's noise from changed ones ({kinds}). One "
            f"that is foreign in another way, by no more than noise, is not called unlike.{asks}"
        ]
    return [
        "Its verdict is of maps with the training's noise: one that is foreign by no more than "
        f"that, moved off its impurity, turned, or of another sign, is not called unlike.{asks}"
    ]


def _repeats(problem: Problem, unknown: Unknown) -> str:
    """After what an angle repeats, and who has none."""
    turns = unknown.period / math.pi
    period = {1.0: "pi", 2.0: "2 pi"}.get(round(turns, 9), f"{unknown.period:.6g} {unknown.unit}")
    has = problem.has(unknown.name)
    without = [label for label, own in zip(problem.labels, has, strict=True) if not own]
    verb = "has" if len(without) == 1 else "have"
    return f"{unknown.name} is known modulo {period}" + (
        f"; {_listed(without)} {verb} none." if without else "."
    )


def _rows(rows: Mapping[str, str]) -> str:
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])
