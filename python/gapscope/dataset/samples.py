"""Maps of samples, each with its own broadening and energy resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.recipe import RULE_NODES
from gapscope.instrument.resolution import energy_rule
from gapscope.physics import Specification
from gapscope.problem.states import Sample
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Numerics

Array = NDArray[np.floating[Any]]


class Maps(Protocol):
    """Maps of n samples: ldos_change (n, energies, L, L) and dos (n, energies), in 1/meV."""

    @property
    def ldos_change(self) -> Array:
        """Change of the local density of states."""

    @property
    def dos(self) -> Array:
        """Density of states."""


def alike(samples: Sequence[Sample], *names: str) -> dict[tuple[float, ...], list[int]]:
    """Rows of samples that agree in some of their numbers, by these."""
    rows: dict[tuple[float, ...], list[int]] = {}
    for row, one in enumerate(samples):
        rows.setdefault(tuple(getattr(one, name) for name in names), []).append(row)
    return rows


def simulate_samples(
    samples: Sequence[Sample],
    numerics: Numerics,
    simulate: Callable[[Sequence[Specification], Numerics], Maps] = simulate_batch,
) -> tuple[Array, Array]:
    """drho(r), (n, energies, L, L), and the density of states of the host, (n, energies), in 1/meV.

    Samples of one broadening and energy resolution are one batch.

    Parameters
    ----------
    numerics : energies, window and method; the broadening is each sample's own.
    simulate : what computes a batch.

    Raises
    ------
    NumericsError, KernelError, JuliaNotFoundError : see
        :func:`gapscope.simulation.maps.simulate_batch`.
    """
    parts = []
    instruments = alike(samples, "broadening", "temperature", "modulation")
    for (broadening, temperature, modulation), rows in instruments.items():
        specifications = [samples[row].specification for row in rows]
        nodes, weights = energy_rule(temperature, modulation, RULE_NODES)
        energies = np.add.outer(numerics.energies, nodes)
        own = replace(
            numerics,
            energies=np.unique(energies).tolist() if len(nodes) > 1 else numerics.energies,
            broadening=broadening,
        )
        maps = simulate(specifications, own)
        if len(nodes) == 1:
            parts.append((rows, maps.ldos_change, maps.dos))
            continue
        at = np.searchsorted(np.unique(energies), energies)
        image = np.einsum("e,nwers->nwrs", weights, maps.ldos_change[:, at])
        parts.append((rows, image, maps.dos[:, at] @ weights))
    order = np.argsort(np.concatenate([rows for rows, _, _ in parts]))
    return (
        np.concatenate([image for _, image, _ in parts])[order],
        np.concatenate([dos for _, _, dos in parts])[order],
    )
