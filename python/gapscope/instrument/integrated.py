"""Densities of states integrated from the Fermi level to a bias, which the tunnel current sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.instrument.contour import Contour
from gapscope.physics import Specification
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Converged, Grid, Numerics

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Integrated:
    """Integrals of n states, in states per site, of the sign that the bias has.

    Attributes
    ----------
    clean : (n,), N0 without the impurity.
    change : (n, L, L), what the impurity adds.
    relative_error : the largest estimate of the nodes' maps; zero by the method ``grid``.
    reached : whether all of them reached their accuracy.
    """

    clean: Real
    change: Real
    relative_error: float
    reached: bool


def integrated_densities(
    specifications: Sequence[Specification],
    contours: Sequence[Contour],
    window: int,
    method: Converged | Grid,
) -> list[Integrated]:
    """int_0^{eV} rho(r, E) dE of several states of one material, with and without the impurity.

    Nodes of one broadening are computed together: those of eV and -eV, of energies w and -w, then
    cost as much as those of one of them.

    Parameters
    ----------
    contours : results of :func:`gapscope.instrument.contour.setpoint_contour`, one per bias.
    window : L, sites per side.
    method : how the maps at the nodes are computed.

    Raises
    ------
    NumericsError, KernelError, JuliaNotFoundError : see :func:`gapscope.simulation.maps.simulate`.
    """
    clean = np.zeros((len(contours), len(specifications)))
    change = np.zeros((len(contours), len(specifications), window, window))
    error, reached = np.zeros(len(contours)), np.ones(len(contours), dtype=bool)
    for broadening in dict.fromkeys(b for one in contours for b in one.broadenings.tolist()):
        nodes = [one.broadenings == broadening for one in contours]
        there = [one.energies[at] for one, at in zip(contours, nodes, strict=True)]
        energies = np.unique(np.concatenate(there))
        maps = simulate_batch(
            specifications, Numerics(energies.tolist(), broadening, window, method)
        )
        electrons = maps.local_green.shape[-1] // 2
        green = np.trace(maps.local_green[..., :electrons, :electrons], axis1=-2, axis2=-1)
        for n, (one, at) in enumerate(zip(contours, nodes, strict=True)):
            for column, weight in zip(
                np.searchsorted(energies, there[n]), one.weights[at], strict=True
            ):
                clean[n] -= (weight * green[:, column]).imag / np.pi
                change[n] -= (weight * maps.trace[:, column]).imag / np.pi
            if maps.convergence is not None and at.any():
                error[n] = max(error[n], float(maps.convergence.larger.max()))
                reached[n] &= maps.convergence.reached.all()
    return [
        Integrated(clean[n], change[n], float(error[n]), bool(reached[n]))
        for n in range(len(contours))
    ]
