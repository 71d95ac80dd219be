"""Part of the results page: what simulated maps make of the network's answers."""

from __future__ import annotations

import time

import numpy as np
import xarray as xr

from gapscope.dataset.load import DatasetReader
from gapscope.inference.refine import Conditions, refine_predictions
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.evaluation.paper_table import MEV_PER_EV
from gapscope.physics import LABELS
from gapscope.problem.paper import predicted_problem
from results_page import Page, table
from results_robustness import noisy
from results_states import asked, unseen_maps

RATIOS = (np.inf, 10.0, 3.0)
NAMES = {"gap": (5, 1.0), "theta": (5, 1.0), "eps0": (6, 1 / MEV_PER_EV)}
"""Digits and units of the mean absolute errors."""


def refined_of(page: Page, ratio: float) -> xr.Dataset:
    """Predictions for unseen maps under white noise, refined, beside their truth."""
    predictor = page.predictor
    with DatasetReader(page.data / page.largest) as reader:
        maps, truth = unseen_maps(reader, predictor.size, page.count(100, 5))
    maps = noisy(NoiseModel.on(predictor.config.lattice, predictor.size), maps, "Gaussian", ratio)
    conditions = Conditions.of(predictor.config, predictor.size)
    predictions = asked(predictor, maps, truth)
    began = time.monotonic()
    refined = refine_predictions(predictions, maps, conditions)
    seconds = (time.monotonic() - began) / len(maps)
    return refined.drop_attrs().assign(seconds=seconds)


def errors_of(refined: xr.Dataset, name: str, prefix: str) -> np.ndarray:
    """Absolute errors of the network (prefix "") or of the refinement ("refined_")."""
    found, truth = refined[f"{prefix}{name}"].values, refined[f"true_{name}"].values
    return predicted_problem(refined.attrs).unknown(name).error(found, truth)


def rows_of(refined: xr.Dataset, noise: str) -> list[list[str]]:
    """A row for each class: hits, mean absolute errors before -> after, and chi.

    Errors of theta are over maps for which both answers have one.
    """
    rows = []
    for index, label in enumerate(LABELS):
        own = refined["true_label"].values == index
        hits = [
            f"{100 * np.mean(refined[name].values[own] == index):.0f}"
            for name in ("label", "refined_label")
        ]
        cells = []
        for name, (digits, scale) in NAMES.items():
            errors = [errors_of(refined, name, prefix)[own] for prefix in ("", "refined_")]
            known = np.isfinite(errors).all(axis=0)
            before, after = (scale * error[known].mean() if known.any() else 0 for error in errors)
            cells.append(f"{before:.{digits}f} → {after:.{digits}f}" if known.any() else "/")
        chi = float(np.median(refined["chi"].values[own]))
        rows.append(["" if index else noise, label, " → ".join(hits), *cells, f"{chi:.4f}"])
    return rows


def refinement_part(page: Page) -> str:
    """The network's answers and what least squares on simulated maps makes of them."""
    found = {r: page.for_reference(f"refined {r:g}", refined_of, r) for r in RATIOS}
    rows = []
    for ratio, refined in found.items():
        noise = "none" if np.isinf(ratio) else f"SNR {ratio:g}"
        rows += rows_of(refined, noise)
    clean = found[np.inf]
    return "\n\n".join(
        [
            "## Refinement",
            f"`{page.reference}` answers for {clean.sizes['sample']} maps of `{page.largest}`, and"
            " simulated maps follow each map from there by least squares (`gapscope predict"
            " --refine`, [decision 7](decisions/0007-refinement.md)):"
            f" {float(clean['seconds']):.2f} s per map. Mean absolute errors, network → refined;"
            " chi is the median distance between the map and the best simulated one, relative to"
            " the map.",
            table(
                ["noise", "irrep", "hit (%)", "gap (meV)", "theta (rad)", "eps0 (eV)", "chi"], rows
            ),
        ]
    )
