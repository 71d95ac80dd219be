"""The kernel's functions as Python sees them: bonds and numbers in, NumPy arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.kernel.arrays import Output
from gapscope.kernel.client import get_host
from gapscope.physics.bonds import Bonds


@dataclass(frozen=True, eq=False)
class Maps:
    """Maps of a batch of n parameter sets.

    Parameters
    ----------
    trace : A(r; w) = Tr_e[G(r) T G(-r)], (n, energies, L, L) complex, per meV; r = 0 at L/2.
    dos : density of states -(1/pi) Im Tr_e g0, (n, energies), states per meV and site.
    local_green : g0, (n, energies, d, d) complex, per meV.
    """

    trace: NDArray[np.complex128]
    dos: NDArray[np.float64]
    local_green: NDArray[np.complex128]

    @property
    def ldos_change(self) -> NDArray[np.float64]:
        """drho(r; w) = -(1/pi) Im A(r; w), (n, energies, L, L), states per meV and site."""
        return np.asarray(-self.trace.imag / np.pi)


def grid_maps(
    hamiltonians: Sequence[Bonds],
    impurities: Sequence[NDArray[np.complex128]],
    *,
    energies: Sequence[float],
    broadening: float,
    window: int,
    kgrid: int,
) -> Maps:
    """Maps on a uniform kgrid x kgrid grid, one for each Hamiltonian with its impurity.

    All Hamiltonians have the same dimension d; each impurity is a Nambu matrix (d, d) in meV.

    Raises
    ------
    KernelError : Julia's own message, for instance for a result that is not finite.
    JuliaNotFoundError : there is no runtime to compute with.
    """
    count, d = len(hamiltonians), hamiltonians[0].dimension
    offsets = np.cumsum([0, *(len(h.vectors) for h in hamiltonians)])
    trace, dos, local_green = get_host().call(
        "GapScope.Host.grid_maps",
        Output((count, len(energies), window, window), "complex128"),
        Output((count, len(energies)), "float64"),
        Output((count, len(energies), d, d), "complex128"),
        np.concatenate([h.vectors for h in hamiltonians]),
        np.concatenate([h.matrices for h in hamiltonians]),
        offsets.astype(np.int64),
        np.ascontiguousarray(np.stack(impurities), dtype=np.complex128),
        np.asarray(energies, dtype=np.float64),
        float(broadening),
        int(kgrid),
    )
    return Maps(trace, dos, local_green)


def density_of_states(
    hamiltonian: Bonds, *, energies: NDArray[np.float64], broadening: float, kgrid: int
) -> NDArray[np.float64]:
    """-(1/pi) Im Tr_e g0(w) on a uniform grid, (energies,), states per meV and site."""
    (dos,) = get_host().call(
        "GapScope.Host.density_of_states",
        Output((len(energies),), "float64"),
        hamiltonian.vectors,
        hamiltonian.matrices,
        np.asarray(energies, dtype=np.float64),
        float(broadening),
        int(kgrid),
    )
    return dos


def spectral_function(
    hamiltonian: Bonds,
    momenta: NDArray[np.float64],
    *,
    energies: NDArray[np.float64],
    broadening: float,
) -> NDArray[np.float64]:
    """-(1/pi) Im Tr_e G(k, w) at reduced momenta (n, 2), (n, energies), states per meV."""
    (spectral,) = get_host().call(
        "GapScope.Host.spectral_function",
        Output((len(momenta), len(energies)), "float64"),
        hamiltonian.vectors,
        hamiltonian.matrices,
        np.ascontiguousarray(momenta, dtype=np.float64),
        np.asarray(energies, dtype=np.float64),
        float(broadening),
    )
    return spectral
