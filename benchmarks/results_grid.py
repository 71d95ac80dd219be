"""Part of the results page: what a network learns from maps of a 1024 x 1024 k-grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

import gapscope as gs
from gapscope.learning.prediction.predictor import Predictor
from results_page import Page, fingerprint, table
from results_states import asked, simulated, specification, tested_states, truth_of
from results_table import HEAD, class_rows

KGRID = 1024
METHODS: dict[str, gs.Converged | gs.Grid] = {
    "converged": gs.Converged(0.005),
    "grid": gs.Grid(KGRID),
}
TRAINED = {"converged": None, "grid": "vgg16-grid1024"}
"""The run trained on maps of each method; None is the reference network."""


def maps_of(page: Page, method: str) -> xr.Dataset:
    """Maps of the tested states by a method, cut to the network's window."""
    recipe = page.recipe
    states = tested_states(recipe, page.count(250, 5))
    numerics = replace(recipe.numerics(), method=METHODS[method])
    maps, _ = simulated([specification(recipe, s) for s in states], numerics, page.predictor.size)
    return truth_of(states).assign(maps=(("sample", "energy", "r1", "r2"), maps))


def grid_part(page: Page) -> str:
    """Networks trained on converged and on grid maps, asked about both kinds."""
    maps = {m: page.for_reference(f"maps {m}", maps_of, m) for m in METHODS}
    networks: dict[str, Sequence[xr.Dataset]] = {}
    missing = []
    for trained, run in TRAINED.items():
        name = run or page.reference
        if not page.has_run(name):
            missing.append(page.absent_run(name))
            continue
        predictor = Predictor.load(page.runs / name)
        for kind, known in maps.items():
            networks[f"{trained} → {kind}"] = [
                page.cached(
                    f"{name} on {kind} maps",
                    asked,
                    predictor,
                    known["maps"].values,
                    known.drop_vars("maps"),
                    run=fingerprint(page.runs / name),
                )
            ]
    return "\n\n".join(
        [
            "## The grid leak",
            "Most published maps are sums over a uniform k-grid. Networks trained on converged maps"
            f" and on those of a {KGRID} x {KGRID} grid of the same"
            f" states, asked about both kinds of maps of {maps['grid'].sizes['sample']} test"
            f" states. {difference_text(maps)}",
            table((HEAD[0], "trained → asked", *HEAD[2:]), class_rows(networks)),
            *missing,
        ]
    )


def difference_text(maps: dict[str, xr.Dataset]) -> str:
    """How far the maps are apart."""
    exact, coarse = (maps[m]["maps"].values for m in ("converged", "grid"))
    norms = []
    for without in (False, True):
        off, whole = coarse - exact, exact.copy()
        if without:
            middle = exact.shape[-1] // 2
            off[..., middle, middle] = whole[..., middle, middle] = 0
        norms.append(np.linalg.norm(off, axis=(-2, -1)) / np.linalg.norm(whole, axis=(-2, -1)))
    return (
        f"The grid's maps are off by {100 * np.median(norms[0]):.0f} % in the median"
        f" ({100 * np.quantile(norms[0], 0.9):.0f} % for a tenth of them), and without r = 0 by"
        f" {100 * np.median(norms[1]):.0f} % ({100 * np.quantile(norms[1], 0.9):.0f} %)."
    )
