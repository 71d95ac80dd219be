"""Part of the results page: whether the stated uncertainties are true, and what looks foreign."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import xarray as xr

from gapscope.learning.evaluation.coverage import covered
from gapscope.learning.uncertainty.temperature import tempered
from gapscope.physics import LABELS
from gapscope.plots.results import reliability_figure
from results_page import Page, fingerprint, identity, shown, table
from results_statistics import ECE_BINS, reliability, wilson

NOVELTY = Path(__file__).with_name("novelty.py")
PARAMETERS = {"gap": ("meV", 3), "theta": ("rad", 3), "eps0": ("meV", 1)}


def reliability_part(page: Page, predictions: xr.Dataset) -> str:
    """Stated probabilities against hit rates, before and after temperature scaling."""
    after, temperature = predictions["probability"].values, predictions.attrs["temperature"]
    stated = {"before": tempered(after, 1 / temperature), "after temperature scaling": after}
    truth = predictions["true_label"].values
    curves = {name: reliability(probability, truth) for name, probability in stated.items()}
    errors = ", ".join(f"{name} {100 * c.attrs['ece']:.2f} %" for name, c in curves.items())
    return "\n\n".join(
        [
            f"Expected calibration error of the irrep's probability in {ECE_BINS} bins: {errors}"
            f" (temperature {temperature:.3f}).",
            page.figure(
                "reliability",
                reliability_figure(curves),
                f"Hit rate against the stated probability on {predictions.sizes['sample']} maps",
            ),
        ]
    )


def coverage_table(predictions: xr.Dataset, by: str) -> str:
    """Coverage and width of intervals and sets by ``label`` or ``true_label``.

    Maps without a true angle and those without an interval for it stand out of theta's columns.
    """
    group = predictions[by].values
    angle = ~np.isnan(predictions["true_theta"].values + predictions["theta_low"].values)
    sizes = predictions["irrep_set"].values.sum(axis=1)
    found = {name: covered(predictions, name) for name in ("irrep", *PARAMETERS)}
    widths = {
        name: predictions[f"{name}_high"].values - predictions[f"{name}_low"].values
        for name in PARAMETERS
    }
    rows = []
    for index, label in [*enumerate(LABELS), (None, "**all**")]:
        row = [label]
        chosen = np.full(len(group), True) if index is None else group == index
        for name, hits in found.items():
            known = chosen & angle if name == "theta" else chosen
            if not known.any():
                row += ["/", "/"]
                continue
            row.append(shown(wilson(hits[known].sum(), known.sum()), 1, 100))
            if name == "irrep":
                row.append(f"{sizes[known].mean():.2f}")
            else:
                row.append(f"{np.median(widths[name][known]):.{PARAMETERS[name][1]}f}")
        rows.append(row)
    head = ["irrep", "irrep sets (%)", "mean size"]
    for name, (units, _) in PARAMETERS.items():
        head += [f"{name} (%)", f"median width ({units})"]
    return table(head, rows)


def printed_novelty(page: Page) -> xr.Dataset:
    """What benchmarks/novelty.py prints, as an attribute."""
    command = [sys.executable, str(NOVELTY), str(page.runs / page.reference)]
    command += [str(page.data / page.largest), "--maps", str(page.count(150, 10))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return xr.Dataset(attrs={"text": done.stdout.rstrip()})


def novelty_part(page: Page) -> str:
    """Which maps look unlike training, where the script that asks is there."""
    if not NOVELTY.is_file():
        return ""
    text = page.cached(
        "novelty",
        printed_novelty,
        page,
        run=fingerprint(page.runs / page.reference),
        dataset=identity(page.data / page.largest),
        script=NOVELTY.read_text(encoding="utf-8"),
    ).attrs["text"]
    shipped = (
        "Maps that are moved, turned, mirrored, padded or in another unit, as the shipped network"
        " judges them: [verdicts](verdicts.md)."
    )
    title = f"### Maps unlike training\n\n{shipped}"
    return f"{title}\n\n`python benchmarks/{NOVELTY.name}`\n\n```\n{text}\n```"


def uncertainty_part(page: Page) -> str:
    """Calibration of the reference network on maps that neither training nor calibration saw."""
    predictions = page.evaluated(page.reference, page.largest)
    title = "## Uncertainty"
    if "irrep_set" not in predictions:
        command = (
            f"gapscope calibrate {page.runs.name}/{page.reference} {page.data.name}/calibration"
        )
        return f"{title}\n\nThe run `{page.reference}` was not calibrated: `{command}`."
    return "\n\n".join(
        part
        for part in (
            title,
            reliability_part(page, predictions),
            f"How often {100 * predictions.attrs['level']:g} % intervals and sets hold the truth on"
            f" {predictions.sizes['sample']} maps of `{page.largest}`, with 95 % Wilson intervals,"
            " by predicted irrep, for which the promise is made:",
            coverage_table(predictions, "label"),
            "By true irrep, which no map tells for sure:",
            coverage_table(predictions, "true_label"),
            novelty_part(page),
        )
        if part
    )
