"""Maps of samples, each with its own broadening and energy resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.recipe import RULE_NODES
from gapscope.instrument.resolution import energy_rule
from gapscope.problem.states import Sample
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Numerics

Array = NDArray[np.float64]


def simulate_samples(samples: Sequence[Sample], numerics: Numerics) -> tuple[Array, Array]:
    """drho(r), (n, energies, L, L), and the density of states of the host, (n, energies), in 1/meV.

    Samples of one broadening are one batch.

    Parameters
    ----------
    numerics : energies, window and method; the broadening is each sample's own.

    Raises
    ------
    NumericsError, KernelError, JuliaNotFoundError : see
        :func:`gapscope.simulation.maps.simulate_batch`.
    """
    size = numerics.window
    change = np.empty((len(samples), len(numerics.energies), size, size))
    density = np.empty(change.shape[:2])
    alike: dict[tuple[float, float, float], list[int]] = {}
    for row, one in enumerate(samples):
        alike.setdefault((one.broadening, one.temperature, one.modulation), []).append(row)
    for (broadening, temperature, modulation), rows in alike.items():
        nodes, weights = energy_rule(temperature, modulation, RULE_NODES)
        wanted = np.add.outer(np.asarray(numerics.energies), nodes)
        energies = np.unique(wanted)
        own = replace(numerics, energies=energies.tolist(), broadening=broadening)
        made = simulate_batch([samples[row].specification for row in rows], own)
        at = np.searchsorted(energies, wanted)
        change[rows] = np.einsum("k,nekij->neij", weights, made.ldos_change[:, at])
        density[rows] = made.dos[:, at] @ weights
    return change, density
