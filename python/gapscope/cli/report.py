"""The pages of ``gapscope predict --report``."""

from __future__ import annotations

import hashlib
import shlex
from importlib.metadata import version
from pathlib import Path

import click
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.cli.outputs import TYPED
from gapscope.inference.refine import Conditions
from gapscope.measured.preparation.report import found_in_words
from gapscope.physics.lattice import Lattice
from gapscope.plots.report import Page, save_report
from gapscope.problem.paper import predicted_problem
from gapscope.simulation.materials import material
from gapscope.support.resources import find_model, keras_backend

SEEN = r"Re $\rho(\mathbf{q})$ as the network sees it"


class Collected:
    """What a prediction tells and uses on its way, map by map.

    Attributes
    ----------
    maps, windows : of every map that is predicted, see :func:`gapscope.predict`.
    told : lines about each.
    """

    def __init__(self) -> None:
        self.maps: list[xr.Dataset] = []
        self.windows: list[NDArray[np.floating]] = []
        self.told: list[list[str]] = []
        self._lines: list[str] = []

    def tell(self, line: str) -> None:
        """Print a line, and keep it for the map that is being read."""
        click.echo(line)
        self._lines.append(line)

    def seen(self, window: NDArray[np.floating]) -> None:
        """The window of a map that was read."""
        self.windows.append(window)
        self.told.append(self._lines)
        self._lines = []

    def forget(self) -> None:
        """Drop the lines of a map that is left out."""
        self._lines = []


def conditions_of(model: str, crystal: str | None) -> Conditions:
    """Those of a network's training maps; raises MaterialFileError where it is another material."""
    from gapscope.learning.model_folder.run import RunFolder

    config = RunFolder(find_model(model)).config()
    own = None if crystal is None else material(crystal)
    return Conditions.of(config, config.training.network.input_size, own)


def write_report(
    path: Path,
    collected: Collected,
    predictions: xr.Dataset,
    model: str,
    conditions: Conditions | None,
    posterior: xr.DataTree | None,
) -> Path:
    """Write a page for each map.

    Parameters
    ----------
    conditions : of the simulated maps, None for measured ones.
    posterior : of the only map, where it was asked for.
    """
    pages = [
        _page(number, collected, predictions, model, conditions, posterior)
        for number in range(len(collected.maps))
    ]
    names = [Path(str(file)).name for file in predictions["file"].values]
    creator = f"gapscope {version('gapscope')}"
    return save_report(pages, path, f"gapscope predict: {', '.join(names)}", creator)


def _page(
    number: int,
    collected: Collected,
    predictions: xr.Dataset,
    model: str,
    conditions: Conditions | None,
    posterior: xr.DataTree | None,
) -> Page:
    from gapscope.inference.answers import (
        ANSWER,
        NEAREST,
        answer_beside,
        even_images,
        nearest_beside,
    )
    from gapscope.inference.measured_maps import departures
    from gapscope.inference.nearest import nearest_maps, with_answers
    from gapscope.inference.posterior.words import SHOWN, posterior_text
    from gapscope.learning.evaluation.listing import state_rows, verdict_lines
    from gapscope.learning.evaluation.tables import aligned

    one = predictions.isel(sample=number)
    own, window = collected.maps[number], np.asarray(collected.windows[number], np.float64)
    lattice = Lattice.from_dict(own.attrs)
    beside = None
    if conditions is not None:
        beside = answer_beside(one, window, conditions, posterior)
    else:
        states = with_answers(predictions.isel(sample=[number]))
        if "nearest_label" in states:
            first = states.isel(rank=[0])
            nearest = nearest_maps(first, model).isel(sample=0, rank=0)
            answered = bool(np.isnan(first["nearest_distance"].item()))
            beside = nearest_beside(window, nearest, ANSWER if answered else NEAREST)
    verdict, blocks = verdict_lines(one), {"Network": aligned(state_rows(one))}
    probabilities = one["probability"].values
    chosen = one["irrep_set"].values if "irrep_set" in one else probabilities == probabilities.max()
    if conditions is None:
        verdict += [f"The map was {note}." for note in departures(predictions)[number]]
        blocks["Lattice found"] = found_in_words(own.attrs)
        if collected.told[number]:
            blocks["Read and prepared"] = collected.told[number]
    if posterior is not None:
        said = posterior.attrs["verdict"].split("\n")
        verdict = [*said, *(f"Network: {line}" for line in verdict)]
        blocks["Posterior"] = posterior_text(posterior).split("\n")[len(said) + 1 :]
        probabilities = posterior.to_dataset()["probability"].values
        chosen = probabilities >= SHOWN
    seen = even_images(window, lattice) if beside is None else beside.seen
    energies = np.ravel(one.attrs["energy"] if conditions is None else conditions.numerics.energies)
    at = [""] if len(energies) == 1 else [f", {energy:g} meV" for energy in energies]
    images = {}
    for i, place in enumerate(at):
        images[f"{SEEN}{place}"] = (seen[i], seen[i])
        if beside is not None:
            images[f"{beside.which}{place}"] = (beside.simulated[i], seen[i])
            scale = np.arcsinh(seen[i]) if conditions is None else seen[i]
            residual = f"residual: {_percent(beside.shares[i])} of the map{place}"
            images[residual] = (beside.left[i], scale)
    if beside is None:
        verdict.append("No simulated map stands for this answer, and none is shown.")
    file = Path(str(one["file"].item()))
    blocks["Made with"] = [*_made_with(model, simulated=beside is not None), _sum(file)]
    typed = click.get_current_context().meta[TYPED]
    blocks["Command"] = [shlex.join(["gapscope", *typed])]
    labels = predicted_problem(one.attrs).labels
    return Page(
        file.name,
        verdict,
        blocks,
        own,
        window[0],
        lattice,
        images,
        at[0],
        dict(zip(labels, probabilities.tolist(), strict=True)),
        [label for label, there in zip(labels, chosen, strict=True) if there],
        doubted=posterior is None and "unlike_training" in one and bool(one["unlike_training"]),
    )


def _made_with(model: str, *, simulated: bool) -> list[str]:
    """Versions, and which network answered."""
    made = [f"gapscope {version('gapscope')}"]
    if simulated:
        from gapscope.simulation.provenance import versions

        kernel = versions()
        made += [f"kernel {kernel['kernel_version']}", f"Julia {kernel['julia_version']}"]
    made += [f"keras {version('keras')} ({keras_backend()})", f"matplotlib {version('matplotlib')}"]
    folder = find_model(model)
    weights = [*folder.glob("weights-*.safetensors"), *folder.glob("best.weights.h5")]
    return [", ".join(made), f"network {folder.name}", *map(_sum, sorted(weights))]


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _sum(file: Path) -> str:
    with file.open("rb") as opened:
        return f"{file.name}: SHA-256 {hashlib.file_digest(opened, 'sha256').hexdigest()}"
