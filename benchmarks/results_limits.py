"""Part of the results page: what no network can tell, and how near this one comes to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

import gapscope as gs
from gapscope.physics import LABELS, printed_gap
from gapscope.plots.results import limits_figure
from results_bounds import FINE, RATIOS, TRAINING, limits_of
from results_page import Page, table
from results_states import random_states, simulated, specification

UNITS = {"theta": "rad", "gap": "meV", "eps0": "meV"}
ENERGIES = (0.0, 0.4, 1.0, -1.7)
IMPURITIES = {
    "scalar 50 meV": gs.Impurity.scalar(50.0),
    "scalar -80 meV": gs.Impurity.scalar(-80.0),
    "moment along z": gs.Impurity.magnetic((0.0, 0.0, 40.0)),
    "moment in the plane": gs.Impurity.magnetic((30.0, -20.0, 0.0)),
    "potential and moment": gs.Impurity.scalar(25.0) + gs.Impurity.magnetic((0.0, 15.0, -35.0)),
}
GRID = gs.Grid(1024)
"""The same k points for both irreps: what they share holds at each of them."""
NO_ANGLE = "A12u"
VIEWS = {"image": "network's image", "window": "map in its window", "hexagon": "whole hexagon"}


def significant(value: float) -> str:
    """A number with two significant digits and without an exponent."""
    return np.format_float_positional(value, precision=2, fractional=False, trim="-")


def quantiles(values: xr.DataArray, shown: Callable[[float], str] = significant) -> str:
    """Median and 90 % value over states."""
    return " / ".join(shown(x) for x in np.quantile(values.values, (0.5, 0.9)))


def bound_tables(limits: xr.Dataset) -> list[str]:
    """For each parameter the smallest errors and the network's, by class and noise."""
    head = [
        "irrep",
        "SNR",
        *(f"bound, {name}" for name in VIEWS.values()),
        "network",
        "median ratio",
    ]
    tables = []
    for name, units in UNITS.items():
        rows = []
        for index, label in enumerate(LABELS):
            if name == "theta" and label == NO_ANGLE:
                continue
            chosen = limits.isel(state=(limits["label"] == index).values).sel(parameter=name)
            for number, ratio in enumerate(RATIOS):
                one = chosen.sel(snr=ratio)
                bounds = [one["bound"].sel(view=view) for view in VIEWS]
                cells = [quantiles(v) for v in (*bounds, one["network"])]
                excess = significant(float((one["network"] / bounds[0]).median()))
                rows.append(["" if number else label, f"{ratio:g}", *cells, excess])
        tables.append(f"Standard errors of {name} ({units}), median / 90 % over states:")
        tables.append(table(head, rows))
    return tables


def floor_table(limits: xr.Dataset) -> str:
    """What the numerical error of the datasets' maps amounts to."""
    rows = []
    for index, label in enumerate(LABELS):
        one = limits.isel(state=(limits["label"] == index).values)
        cells = [
            "/"
            if name == "theta" and label == NO_ANGLE
            else quantiles(one[kind].sel(parameter=name), "{:.0e}".format)
            for kind in ("shift", "white")
            for name in UNITS
        ]
        share = np.quantile(one["estimate"].values, (0.5, 0.9))
        rows.append([label, " / ".join(f"{100 * x:.2f}" for x in share), *cells])
    names = [f"{name} ({units})" for name, units in UNITS.items()]
    return table(
        ["irrep", "estimated error (%)", *names, *(f"{n}, as white noise" for n in names)], rows
    )


def twin_differences(page: Page) -> xr.Dataset:
    """|difference| of maps of A1u at gap D and A2u at sqrt(3) D over the largest |value|."""
    recipe = page.recipe
    states = [s for s in random_states(recipe, page.count(100, 5)) if s.label == NO_ANGLE]
    numerics = replace(recipe.numerics(), energies=ENERGIES, method=GRID)
    largest = np.empty((len(states), len(IMPURITIES), len(ENERGIES)))
    for number, impurity in enumerate(IMPURITIES.values()):
        one, other = (
            simulated(
                [
                    specification(
                        recipe,
                        replace(s, irrep=irrep, gap=printed_gap(irrep, s.labelled_gap)),
                        impurity,
                    )
                    for s in states
                ],
                numerics,
                recipe.window,
            )[0]
            for irrep in ("A1u", "A2u")
        )
        difference = np.abs(other - one).max(axis=(-2, -1))
        largest[:, number] = difference / np.abs(one).max(axis=(-2, -1))
    axes = ("state", "impurity", "energy")
    coords = {"impurity": list(IMPURITIES), "energy": list(ENERGIES)}
    return xr.Dataset({"difference": (axes, largest)}, coords)


def twins_part(page: Page) -> str:
    """Two irreps with the same maps."""
    difference = page.for_reference("twins", twin_differences)["difference"]
    largest = difference.max("state")
    rows = [[name, *(f"{float(x):.0e}" for x in largest.sel(impurity=name))] for name in IMPURITIES]
    return "\n\n".join(
        [
            "A1u at gap D and A2u at gap sqrt(3) D are one state up to a rotation of the spin"
            " quantisation axis, so no map at any energy tells them apart. The largest |difference|"
            f" of their maps over {difference.sizes['state']} random states, relative to the"
            f" largest |value|, on one k-grid ({float(largest.max()):.0e} at most):",
            table(["impurity", *(f"w = {w:g} meV" for w in ENERGIES)], rows),
        ]
    )


def limits_part(page: Page) -> str:
    """What maps do not hold, what noise hides, and what the network makes of the rest."""
    limits = xr.concat(
        [page.for_reference(f"limits {label}", limits_of, label) for label in LABELS],
        "state",
    )
    per_class = limits.sizes["state"] // len(LABELS)
    theta = limits.sel(parameter="theta")
    drawn = xr.Dataset(
        {
            "label": limits["label"],
            "bound_theta": theta["bound"].sel(view="image"),
            "network_theta": theta["network"],
        }
    )
    return "\n\n".join(
        [
            "## What cannot be told",
            twins_part(page),
            "### Smallest errors",
            "White noise on every site hides small changes of a map. The Cramer-Rao bound is the"
            " smallest standard error of any unbiased estimate: sqrt of the diagonal of the"
            " inverse Fisher matrix of theta, gap and eps0, from central differences of maps"
            f" converged to {FINE.accuracy:g}; irrep, impurity, broadening and band are known, and"
            f" states far away with nearly the same map are not seen. {per_class} random states of"
            " each irrep; the signal-to-noise ratio is that of the network's window, and the whole"
            " hexagon has the same noise. The network's image, Re rho(q), is the even part of the"
            " map in its window. Beside it the root mean square error of"
            f" `{page.reference}` over draws of the same noise. A network may do better than the"
            " bound where the range of its training helps it: bounds near the width of that range"
            " (about 1 rad for theta) say only that the map tells nothing. The ratio is that of the"
            " network's error and the bound of its image.",
            *bound_tables(limits),
            page.figure(
                "limits",
                limits_figure(drawn),
                "The network's error of theta against the smallest possible one; a point per state",
            ),
            "### The maps' own error",
            f"The datasets' maps are asked for to {100 * TRAINING.accuracy:g} %. That is their"
            " noise floor: the errors of parameters that a least squares fit would take from the"
            f" difference between such a map and one converged to {FINE.accuracy:g}, and the"
            " smallest errors under white noise as strong as the map's own estimate of its error."
            " Median / 90 % over states.",
            floor_table(limits),
        ]
    )
