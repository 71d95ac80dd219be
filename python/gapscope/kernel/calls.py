"""The kernel's functions as Python sees them: bonds and numbers in, NumPy arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.kernel.arrays import Output
from gapscope.kernel.client import get_host
from gapscope.physics.bonds import Bonds
from gapscope.physics.specification import Scatterers


@dataclass(frozen=True, eq=False)
class Convergence:
    """How well maps are converged, (n, energies) each.

    Parameters
    ----------
    error : estimate of ||error of drho|| / ||drho|| over the window.
    error_away : the same without the impurities' sites.
    rows : rows of k points that were evaluated; w and -w share theirs.
    reached : whether both are below the accuracy that was asked for.
    """

    error: NDArray[np.float64]
    error_away: NDArray[np.float64]
    rows: NDArray[np.int64]
    reached: NDArray[np.bool_]

    @property
    def larger(self) -> NDArray[np.float64]:
        """The larger of both estimates, (n, energies)."""
        return np.maximum(self.error, self.error_away)


@dataclass(frozen=True, eq=False)
class Maps:
    """Maps of a batch of n parameter sets.

    Parameters
    ----------
    trace : A(r; w) = sum_ab Tr_e[G(r - R_a) T_ab G(R_b - r)] over the impurities' sites R,
        (n, energies, L, L) complex, per meV; r = 0 at L/2. Where layers were asked for,
        (n, energies, layers, L, L), the trace over the electrons of each.
    dos : density of states -(1/pi) Im Tr_e g0, (n, energies), states per meV and site.
    local_green : g0, (n, energies, d, d) complex, per meV.
    convergence : errors by the method converged; None by others.
    """

    trace: NDArray[np.complex128]
    dos: NDArray[np.float64]
    local_green: NDArray[np.complex128]
    convergence: Convergence | None = None

    @property
    def ldos_change(self) -> NDArray[np.float64]:
        """drho(r; w) = -(1/pi) Im A(r; w), shaped as the trace, states per meV and site."""
        return np.asarray(-self.trace.imag / np.pi)


def grid_maps(
    hamiltonians: Sequence[Bonds],
    impurities: Sequence[Scatterers],
    *,
    energies: Sequence[float],
    broadening: float,
    window: int,
    kgrid: int,
    layers: NDArray[np.int64] | None = None,
) -> Maps:
    """Maps on a uniform kgrid x kgrid grid, one for each Hamiltonian with its impurity.

    All Hamiltonians have the same dimension d; impurities stand inside the window. ``layers`` gives
    each of the d/2 electron components the number, from 0, of the map that it is counted in.

    Raises
    ------
    KernelError : Julia's own message, for instance for a result that is not finite.
    JuliaNotFoundError : there is no runtime to compute with.
    """
    batch = _Batch(hamiltonians, impurities, energies, window, layers)
    trace, dos, local_green = get_host().call(
        "GapScope.Host.grid_maps", *batch.outputs, *batch.inputs, float(broadening), int(kgrid)
    )
    return Maps(batch.shaped(trace), dos, local_green)


def converged_maps(
    hamiltonians: Sequence[Bonds],
    impurities: Sequence[Scatterers],
    *,
    energies: Sequence[float],
    broadening: float,
    window: int,
    accuracy: float,
    budget: int,
    layers: NDArray[np.int64] | None = None,
) -> Maps:
    """Maps to a relative accuracy, with at most ``budget`` rows of k points per block and energy.

    Arguments and errors as :func:`grid_maps`; ``convergence`` of the result is never None.
    """
    batch = _Batch(hamiltonians, impurities, energies, window, layers)
    trace, dos, local_green, report = get_host().call(
        "GapScope.Host.converged_maps",
        *batch.outputs,
        Output((len(hamiltonians), len(energies), 4), "float64"),
        *batch.inputs,
        float(broadening),
        float(accuracy),
        int(budget),
    )
    error, error_away, rows, reached = np.moveaxis(report, -1, 0)
    return Maps(
        batch.shaped(trace),
        dos,
        local_green,
        Convergence(error, error_away, rows.astype(np.int64), reached.astype(np.bool_)),
    )


class _Batch:
    """Arguments that all methods share: buffers for results, bonds and sites of all sets joined."""

    def __init__(
        self,
        hamiltonians: Sequence[Bonds],
        impurities: Sequence[Scatterers],
        energies: Sequence[float],
        window: int,
        layers: NDArray[np.int64] | None,
    ) -> None:
        count, d = len(hamiltonians), hamiltonians[0].dimension
        self.layers = None if layers is None else int(layers.max()) + 1
        numbers = np.zeros(d // 2, dtype=np.int64) if layers is None else layers.astype(np.int64)
        bond_offsets = np.cumsum([0, *(len(h.vectors) for h in hamiltonians)])
        site_offsets = np.cumsum([0, *(len(v.sites) for v in impurities)])
        pair_offsets = np.cumsum([0, *(len(v.pairs) for v in impurities)])
        self.outputs = (
            Output((count, len(energies) * (self.layers or 1), window, window), "complex128"),
            Output((count, len(energies)), "float64"),
            Output((count, len(energies), d, d), "complex128"),
        )
        self.inputs = (
            _joined_vectors(hamiltonians),
            np.concatenate([h.matrices for h in hamiltonians]),
            bond_offsets.astype(np.int64),
            np.concatenate([v.sites for v in impurities]),
            site_offsets.astype(np.int64),
            np.concatenate([v.pairs for v in impurities]),
            np.concatenate([v.potentials for v in impurities]),
            pair_offsets.astype(np.int64),
            numbers,
            np.asarray(energies, dtype=np.float64),
        )

    def shaped(self, trace: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """The trace with an axis for the layers, where they were asked for."""
        if self.layers is None:
            return trace
        count, rows, *window = trace.shape
        return trace.reshape(count, rows // self.layers, self.layers, *window)


def _joined_vectors(hamiltonians: Sequence[Bonds]) -> NDArray[np.int64]:
    """Vectors of all; those in the plane lie in layer 0 where others have layers."""
    length = max(h.vectors.shape[1] for h in hamiltonians)
    widths = [((0, 0), (0, length - h.vectors.shape[1])) for h in hamiltonians]
    each = zip(hamiltonians, widths, strict=True)
    return np.concatenate([np.pad(h.vectors, width) for h, width in each])


@dataclass(frozen=True, eq=False)
class States:
    """Density of states -(1/pi) Im Tr_e g0(w), (energies,) each, to an accuracy.

    Parameters
    ----------
    dos : density of states per meV and site.
    components : (energies, electrons) what each electron component holds of it, spin major.
    relative_error : estimate of its relative error.
    rows : rows of k points that were evaluated.
    reached : whether the estimate is below the accuracy that was asked for.
    """

    dos: NDArray[np.float64]
    components: NDArray[np.float64]
    relative_error: NDArray[np.float64]
    rows: NDArray[np.int64]
    reached: NDArray[np.bool_]


def converged_states(
    hamiltonian: Bonds,
    *,
    energies: NDArray[np.float64],
    broadening: float,
    accuracy: float,
    budget: int,
) -> States:
    """Density of states to a relative accuracy, with at most ``budget`` rows per block and energy.

    Errors as :func:`grid_maps`.
    """
    dos, components, report = get_host().call(
        "GapScope.Host.converged_states",
        Output((len(energies),), "float64"),
        Output((len(energies), hamiltonian.dimension // 2), "float64"),
        Output((len(energies), 3), "float64"),
        hamiltonian.vectors,
        hamiltonian.matrices,
        np.asarray(energies, dtype=np.float64),
        float(broadening),
        float(accuracy),
        int(budget),
    )
    error, rows, reached = report.T
    return States(dos, components, error, rows.astype(np.int64), reached.astype(np.bool_))


def grid_states(
    hamiltonian: Bonds, *, energies: NDArray[np.float64], broadening: float, kgrid: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """-(1/pi) Im Tr_e g0(w) on a uniform grid, (energies,), states per meV and site.

    Also what each electron component holds of it, (energies, electrons), spin major.
    """
    dos, components = get_host().call(
        "GapScope.Host.grid_states",
        Output((len(energies),), "float64"),
        Output((len(energies), hamiltonian.dimension // 2), "float64"),
        hamiltonian.vectors,
        hamiltonian.matrices,
        np.asarray(energies, dtype=np.float64),
        float(broadening),
        int(kgrid),
    )
    return dos, components


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
