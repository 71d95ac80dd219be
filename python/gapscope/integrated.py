"""Densities of states integrated from the Fermi level to a bias, which the tunnel current sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.contour import Contour
from gapscope.numerics import Converged, Grid, Numerics
from gapscope.physics import Specification
from gapscope.simulate import simulate_batch

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


def integrated_density(
    specifications: Sequence[Specification],
    contour: Contour,
    window: int,
    method: Converged | Grid,
) -> Integrated:
    """int_0^{eV} rho(r, E) dE of several states of one material, with and without the impurity.

    Parameters
    ----------
    contour : of :func:`gapscope.contour.setpoint_contour`.
    window : L, sites per side.
    method : of the maps at the nodes.

    Raises
    ------
    NumericsError, KernelError, JuliaNotFoundError : see :func:`gapscope.simulate.simulate`.
    """
    clean = np.zeros(len(specifications))
    change = np.zeros((len(specifications), window, window))
    error, reached = 0.0, True
    for energy, broadening, weight in zip(
        contour.energies.tolist(), contour.broadenings.tolist(), contour.weights, strict=True
    ):
        maps = simulate_batch(specifications, Numerics([energy], broadening, window, method))
        electrons = maps.local_green.shape[-1] // 2
        green = maps.local_green[:, 0, :electrons, :electrons]
        clean -= (weight * np.trace(green, axis1=-2, axis2=-1)).imag / np.pi
        change -= (weight * maps.trace[:, 0]).imag / np.pi
        if maps.convergence is not None:
            error = max(error, float(maps.convergence.larger.max()))
            reached &= bool(maps.convergence.reached.all())
    return Integrated(clean, change, error, reached)
