"""Which shipped network reads a simulated map where none is named, and why it is that one."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gapscope.errors import GapscopeError
from gapscope.support.resources import (
    OPEN_ENERGIES,
    OPEN_ENERGY,
    OPEN_MODEL,
    OPEN_ONE_MODEL,
    SHIPPED_ENERGY,
    SHIPPED_MODEL,
    find_model,
)

if TYPE_CHECKING:
    from gapscope.learning.network.run_config import RunConfig

READERS = {
    OPEN_MODEL: OPEN_ENERGIES,
    OPEN_ONE_MODEL: (OPEN_ENERGY,),
    SHIPPED_MODEL: (SHIPPED_ENERGY,),
}
"""Networks for simulated maps, those that take the least for granted first, and their energies."""


def usual_model(maps: Sequence[Any]) -> str:
    """The first of READERS whose energies all maps have; the last where there is none, which then
    says what it lacks.

    ``maps`` are datasets or files.
    """
    return usual_readers(maps)[0]


def choice_words(fitting: Sequence[str]) -> str:
    """Text: which network is chosen of those that :func:`usual_readers` gives, what it takes for
    granted, which others read other energies, and which energies there would be for others yet.

    It imports Keras.
    """
    chosen = fitting[0]
    told = [f"Read by {chosen}, {_at(chosen)}. It takes {_granted(chosen)} for granted."]
    for one in fitting[1:]:
        if not set(READERS[one]) <= set(READERS[chosen]):
            told.append(f"--model {one} reads it {_at(one)}, with {_granted(one)} for granted.")
    asking = [f"{one} ({_at(one)})" for one in list(READERS)[: list(READERS).index(chosen)]]
    if chosen == SHIPPED_MODEL:
        told.append(f"Less is taken for granted by {' and '.join(asking)}.")
    return " ".join(told)


def usual_readers(maps: Sequence[Any]) -> list[str]:
    """The READERS whose energies all maps have; the last where there is none."""
    from gapscope.dataset.load import ENERGY_TOLERANCE

    held = [_energies(one) for one in maps]
    fitting = [
        name
        for name, wanted in READERS.items()
        if all(
            any(abs(energy - other) <= ENERGY_TOLERANCE for other in others)
            for energy in wanted
            for others in held
        )
    ]
    return fitting or [SHIPPED_MODEL]


def _energies(one: Any) -> list[float]:
    """The energies of a simulated map in meV; none where there are none, as its reader will say."""
    import numpy as np

    from gapscope.simulation.mapfile import read_map

    with contextlib.suppress(GapscopeError, KeyError, ValueError, TypeError):
        maps = read_map(one) if isinstance(one, str | Path) else one
        return [float(energy) for energy in np.ravel(maps["energy"].values)]
    return []


def _at(name: str) -> str:
    *first, last = (f"{energy:g}" for energy in READERS[name])
    return f"at {', '.join(first)} and {last} meV" if first else f"at {last} meV"


def _granted(name: str) -> str:
    from gapscope.learning.model_folder.run import RunFolder

    return assumed(RunFolder(find_model(name)).config())


def assumed(config: RunConfig) -> str:
    """Text: what a network of simulated maps takes for granted, beside the kinds of pairing."""
    recipe, problem = config.dataset["recipe"], config.problem
    unknown = {one.name for one in problem.unknowns}
    parts = [f"the material {recipe['material']}"]
    if not unknown & {"potential", "moment", "moment_z"}:
        parts.append(f"an impurity of {recipe['impurity']['scalar']:g} meV")
    if "broadening" not in unknown:
        parts.append(f"a broadening of {recipe['broadening']:g} meV")
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else f"{last} alone"
