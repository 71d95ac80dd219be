"""Parts of the results page: noise, conditions that training did not see, and the grid leak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
from gapscope.dataset.load import DatasetReader
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import cut
from gapscope.physics import LABELS
from gapscope.physics.lattice import Lattice, symmetric_window
from gapscope.plots.results import absolute_errors, noise_figure
from results_page import Page, shown, table
from results_states import asked, random_states, simulated, specification, truth_of, unseen_maps
from results_statistics import bootstrap, wilson
from results_table import COLUMNS, HEAD, INTERVALS, cells

RATIOS = (np.inf, 30.0, 10.0, 5.0, 3.0, 2.0, 1.0)
TABLED = 3.0
KINDS = {"Gaussian": "gaussian", "1/f": "pink"}
BROADENINGS = (0.05, 0.1, 0.2, 0.5)
STRENGTHS = (20.0, 50.0, 100.0, 200.0, -50.0)
FIELDS = (0.75, 0.5)
BLURS = (0.3, 0.5)
METHOD = gs.Converged(0.005)


def noisy(
    model: NoiseModel, maps: NDArray[np.floating], kind: str, ratio: float
) -> NDArray[np.float32]:
    """Maps with noise at a signal-to-noise ratio: std of drho over r != 0 over that of the noise.

    A map's noise is the same field at every ratio, and another one for each kind.
    """
    strength = {KINDS[kind]: 1 / ratio}
    number = list(KINDS).index(kind)
    return np.stack(
        [
            model.add(one, np.random.default_rng([number, row]), **strength)
            for row, one in enumerate(maps)
        ]
    )


def noise_predictions(page: Page) -> xr.Dataset:
    """Predictions for unseen maps with noise, over (noise, snr, sample)."""
    predictor = page.predictor
    with DatasetReader(page.data / page.largest) as reader:
        maps, truth = unseen_maps(reader, predictor.size, page.count(500, 10))
    model = NoiseModel.on(predictor.config.lattice, predictor.size)
    kinds = [
        xr.concat(
            [asked(predictor, noisy(model, maps, kind, ratio), truth) for ratio in RATIOS],
            xr.Variable("snr", np.array(RATIOS)),
            data_vars="all",
        )
        for kind in KINDS
    ]
    return xr.concat(kinds, xr.Variable("noise", list(KINDS)), data_vars="all")


def noise_scores(predictions: xr.Dataset) -> xr.Dataset:
    """hit, hit_low, hit_high in % and mean gap error in meV, over (noise, snr, class)."""
    truth = predictions["true_label"].values[0, 0]
    names = ("hit", "hit_low", "hit_high", "gap")
    values = np.empty((len(names), len(KINDS), len(RATIOS), len(LABELS)))
    for kind, ratio, index in np.ndindex(values.shape[1:]):
        one = predictions.isel(noise=kind, snr=ratio, sample=truth == index)
        rate = wilson(int((one["label"] == index).sum()), one.sizes["sample"])
        gap = absolute_errors(one, "gap").mean()
        values[:, kind, ratio, index] = 100 * rate.value, 100 * rate.low, 100 * rate.high, gap
    axes = ("noise", "snr", "class")
    coords = {"noise": list(KINDS), "snr": list(RATIOS), "class": list(LABELS)}
    return xr.Dataset({n: (axes, v) for n, v in zip(names, values, strict=True)}, coords)


def noise_part(page: Page) -> str:
    """Hit rates and errors against the signal-to-noise ratio."""
    predictions = page.for_reference("noise", noise_predictions)
    scores = noise_scores(predictions)
    count = predictions.sizes["sample"]
    rows = []
    for kind in KINDS:
        one = predictions.sel(noise=kind, snr=TABLED)
        truth = one["true_label"].values
        for index, label in enumerate(LABELS):
            rows.append([label, kind, *cells([one], truth == index)])
        rows.append(["**all**", kind, *cells([one], truth >= 0)])
    hits = [[kind] for kind in KINDS]
    for row in hits:
        for ratio in RATIOS:
            one = predictions.sel(noise=row[0], snr=ratio)
            row.append(f"{100 * float((one['label'] == one['true_label']).mean()):.0f}")
    return "\n\n".join(
        [
            "### Noise",
            "The signal-to-noise ratio is the standard deviation of drho over the hexagon without"
            f" r = 0, divided by that of the noise. `{page.reference}` on {count} maps of"
            f" `{page.largest}`. Hits in % of all maps:",
            table(("noise", *("none" if np.isinf(r) else f"SNR {r:g}" for r in RATIOS)), hits),
            f"At SNR {TABLED:g}:",
            table((HEAD[0], "noise", *HEAD[2:]), rows),
            page.figure(
                "noise",
                noise_figure(scores.isel(snr=np.isfinite(RATIOS))),
                "Hit rate with 95 % Wilson intervals and mean error of the gap against the"
                " signal-to-noise ratio",
            ),
        ]
    )


@dataclass(frozen=True)
class Condition:
    """How maps are made, or seen: broadening and v in meV, field as a part of the window, blur."""

    name: str
    broadening: float
    strength: float
    field: float = 1.0
    blur: float = 0.0


def conditions(broadening: float, strength: float) -> Iterator[Condition]:
    """The conditions of training, then one thing changed at a time."""
    yield Condition("as trained", broadening, strength)
    for value in BROADENINGS:
        if value != broadening:
            yield Condition(f"broadening {value:g} meV", value, strength)
    for value in STRENGTHS:
        if value != strength:
            yield Condition(f"impurity {value:g} meV", broadening, value)
    for value in FIELDS:
        yield Condition(f"field of view {value:g} of the window", broadening, strength, field=value)
    for value in BLURS:
        yield Condition(f"blur {value:g} a", broadening, strength, blur=value)


def small_field(maps: NDArray[np.floating], lattice: str, part: float) -> NDArray[np.floating]:
    """Maps (..., L, L) that are zero beyond a hexagon with a part of the window's width."""
    full = maps.shape[-1]
    size = 2 * round(part * full / 2)
    edge = (full - size) // 2
    return np.where(np.pad(symmetric_window(lattice, size), edge), maps, 0)


def blurred(maps: NDArray[np.floating], lattice: str, width: float) -> NDArray[np.floating]:
    """Maps (..., L, L) averaged over sites with weights exp(-r^2 / 2 width^2), width in a."""
    reach = range(-3, 4)
    shifts = np.array([(m, n) for m in reach for n in reach])
    distance = np.linalg.norm(shifts @ Lattice(lattice, 1.0).vectors, axis=-1)
    weights = np.exp(-(distance**2) / (2 * width**2))
    moved = (
        weight * np.roll(maps, tuple(shift), axis=(-2, -1))
        for weight, shift in zip(weights / weights.sum(), shifts.tolist(), strict=True)
    )
    return np.asarray(sum(moved))


def condition_predictions(page: Page, condition: Condition) -> xr.Dataset:
    """Predictions for freshly simulated maps under a condition; the states are always the same."""
    recipe, predictor = page.recipe, page.predictor
    states = random_states(recipe, page.count(200, 5))
    impurity = gs.Impurity.scalar(condition.strength)
    numerics = gs.Numerics(recipe.energies, condition.broadening, recipe.window, METHOD)
    maps, _ = simulated(
        [specification(recipe, s, impurity) for s in states], numerics, recipe.window
    )
    lattice = predictor.config.lattice
    sharp = blurred(maps, lattice, condition.blur) if condition.blur else maps
    seen = small_field(cut(sharp, predictor.size), lattice, condition.field)
    return asked(predictor, seen, truth_of(states))


def condition_row(condition: Condition, predictions: xr.Dataset) -> list[str]:
    """Hits of all maps and of each class, errors over all maps, and what looked unlike training."""
    hit = (predictions["label"] == predictions["true_label"]).values
    truth = predictions["true_label"].values
    row = [condition.name, shown(wilson(hit.sum(), len(hit)), 0, 100)]
    row += [f"{100 * hit[truth == index].mean():.0f}" for index in range(len(LABELS))]
    for name, (digits, scale) in COLUMNS.items():
        row.append(shown(bootstrap(absolute_errors(predictions, name)), digits, scale))
    if "unlike_training" in predictions:
        row.append(f"{100 * float(predictions['unlike_training'].mean()):.0f}")
    return row


def conditions_part(page: Page) -> str:
    """Maps of other samples and other instruments than training saw."""
    recipe = page.recipe
    rows = []
    for condition in conditions(recipe.broadening, recipe.impurity.scalar):
        predictions = page.for_reference(
            f"condition {condition.name}", condition_predictions, condition
        )
        rows.append(condition_row(condition, predictions))
        count = predictions.sizes["sample"]
    head = ["maps", "hit (%)", *LABELS, *HEAD[3:]]
    head += ["unlike training (%)"] * (len(rows[0]) > len(head))
    return "\n\n".join(
        [
            "### Other samples, other instruments",
            f"The same {count} new states, simulated under conditions that training did not see"
            f" (trained: broadening {recipe.broadening:g} meV, impurity"
            f" {recipe.impurity.scalar:g} meV). A smaller field of view is filled up with zeros;"
            " blur is a Gaussian's standard deviation in lattice constants. Hits by irrep in %.",
            table(head, rows),
        ]
    )


def robustness_part(page: Page) -> str:
    """What noise and foreign conditions do to the reference network."""
    return "\n\n".join(["## Robustness", noise_part(page), conditions_part(page), INTERVALS])
