"""Parts of the results page: Table I on held-out maps, confusion, errors by parameter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.learning.evaluation.paper_table import HITS_AND_ERRORS, MEV_PER_EV
from gapscope.learning.model_folder.run import RunFolder
from gapscope.physics import LABELS
from gapscope.plots.learning import confusion, confusion_figure
from gapscope.plots.results import absolute_errors, errors_figure
from reference import FRESH, LARGE, REFERENCE, RUNS, SEEDS
from results_page import Page, shown, table
from results_statistics import bootstrap, wilson

HEAD = ("irrep", "network", "hit (%)", "gap (meV)", "theta (rad)", "eps0 (eV)")
COLUMNS = {"gap": (3, 1.0), "theta": (3, 1.0), "eps0": (4, 1 / MEV_PER_EV)}
"""Digits and units of the mean absolute errors."""
OTHERS = ("convnext", "vgg16-five-energies")
"""Other networks, each scored on the test maps of the dataset it was trained on."""
INTERVALS = (
    "Mean absolute errors over all maps of the true irrep, whether it was hit or not, with 95 %"
    " bootstrap intervals over maps; hits with 95 % Wilson intervals, as a bootstrap has no width"
    " where every map is hit. The mean over seeds averages each map's errors over the networks: its"
    " interval is that of the choice of maps."
)


def cells(networks: Sequence[xr.Dataset], chosen: NDArray[np.bool_]) -> list[str]:
    """Hit, gap, theta, eps0 over chosen maps, each map's values averaged over networks."""
    hits = np.mean([n["label"] == n["true_label"] for n in networks], axis=0)[chosen]
    made = [shown(wilson(hits.sum(), len(hits)), 0, 100)]
    for name, (digits, scale) in COLUMNS.items():
        errors = np.mean([absolute_errors(n, name) for n in networks], axis=0)[chosen]
        estimate = bootstrap(errors)
        made.append("/" if np.isnan(estimate.value) else shown(estimate, digits, scale))
    return made


def class_rows(networks: dict[str, Sequence[xr.Dataset]]) -> list[list[str]]:
    """A row for each class and network, the paper's first, and one over all maps.

    The networks may have been asked about different maps.
    """
    rows = []
    for index, label in enumerate(LABELS):
        rows.append([f"**{label}**", "paper", *HITS_AND_ERRORS[label]])
        for name, predictions in networks.items():
            truth = predictions[0]["true_label"].values
            rows.append(["", name, *cells(predictions, truth == index)])
    for name, predictions in networks.items():
        everything = np.full(predictions[0].sizes["sample"], True)
        rows.append(["**all**", name, *cells(predictions, everything)])
    return rows


def networks_on(page: Page, dataset: str) -> dict[str, Sequence[xr.Dataset]]:
    """Predictions of the seeds that were trained, of all of them together, of the shipped one."""
    made: dict[str, Sequence[xr.Dataset]] = {
        name: [page.evaluated(name, dataset)] for name in SEEDS if page.has_run(name)
    }
    if len(made) > 1:
        made[f"mean of {len(made)}"] = [one for (one,) in made.values()]
    if page.has_run(LARGE):
        made[f"{LARGE} (shipped)"] = [page.evaluated(LARGE, dataset)]
    return made


def progress(page: Page, names: Sequence[str]) -> str:
    """Epochs of the trained networks, and a line for every one that is missing."""
    lines = []
    for name in names:
        if not page.has_run(name):
            lines.append(page.absent_run(name))
            continue
        folder = RunFolder(page.runs / name)
        config, done = folder.config(), folder.history()
        best = min(done, key=lambda entry: entry["val_loss"])
        lines.append(
            f"`{name}`: {config.training.network.backbone}, {len(done)} of"
            f" {config.training.epochs} epochs, best epoch {best['epoch']},"
            f" {sum(entry['seconds'] for entry in done) / 3600:.1f} h on"
            f" {config.dataset['name']} ({config.precision})"
            + (f", from {RUNS[name].start}." if RUNS[name].start else ".")
        )
    return "\n".join(f"- {line}" for line in lines)


def table_part(page: Page) -> str:
    """Table I on the test maps of the protocol and on fresh ones, and the other networks."""
    parts = ["## Table I", progress(page, (*SEEDS, LARGE))]
    for dataset, title in ((REFERENCE, "Test maps of the protocol"), (FRESH, "Fresh maps")):
        parts.append(f"### {title}")
        if not page.has_dataset(dataset):
            parts.append(page.absent_dataset(dataset))
        elif networks := networks_on(page, dataset):
            count = next(iter(networks.values()))[0].sizes["sample"]
            parts.append(f"{count} maps of the dataset `{dataset}`.")
            parts.append(table(HEAD, class_rows(networks)))
        else:
            parts.append("No network to score.")
    return "\n\n".join([*parts, INTERVALS, others_part(page)])


def others_part(page: Page) -> str:
    """Other architectures and energies on their own test maps, beside the seeds on theirs."""
    networks: dict[str, Sequence[xr.Dataset]] = {}
    if page.has_dataset(REFERENCE):
        seeds = [page.evaluated(name, REFERENCE) for name in SEEDS if page.has_run(name)]
        networks |= {f"vgg16, mean of {len(seeds)}": seeds} if seeds else {}
    parts = ["### Other networks", progress(page, OTHERS)]
    for name in filter(page.has_run, OTHERS):
        dataset = RUNS[name].dataset
        if page.has_dataset(dataset):
            networks[name] = [page.evaluated(name, dataset)]
        else:
            parts.append(page.absent_dataset(dataset))
    if networks:
        parts += ["Each on the test maps of its own dataset.", table(HEAD, class_rows(networks))]
    return "\n\n".join(parts)


def confusion_part(page: Page) -> str:
    """Which irreps are taken for which, and where in parameter space the errors are large."""
    predictions = page.evaluated(page.reference, page.largest)
    counts = confusion(predictions)
    rows = [[label, *map(str, row)] for label, row in zip(LABELS, counts.tolist(), strict=True)]
    matrix = page.figure(
        "confusion",
        confusion_figure(predictions),
        f"Confusion matrix of `{page.reference}` on {counts.sum()} maps of `{page.largest}`",
    )
    errors = page.figure(
        "errors",
        errors_figure(predictions),
        "Absolute errors on the same maps in bins of the true parameter: medians (lines) and the"
        " errors that 90 % of the maps stay below (dashes)",
    )
    return "\n\n".join(
        [
            "## Confusion and errors",
            "Maps by true (rows) and predicted irrep (columns).",
            table(("true", *LABELS), rows),
            matrix,
            errors,
        ]
    )
