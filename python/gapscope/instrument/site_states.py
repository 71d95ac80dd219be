"""Densities of states on the sites of a scan: what a tip records that sees sites alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gapscope.instrument.contour import setpoint_contour
from gapscope.instrument.image import render
from gapscope.instrument.integrated import integrated_densities
from gapscope.instrument.resolution import energy_rule
from gapscope.instrument.settings import Measurement
from gapscope.instrument.sites import Sites, superpose
from gapscope.physics import Impurity, Specification
from gapscope.simulation.maps import Maps, simulate_batch
from gapscope.simulation.numerics import Converged, Numerics

Real = NDArray[np.float64]


class SiteStates:
    """Local densities of states of the impurities together, over the window's sites."""

    def __init__(
        self, specification: Specification, measurement: Measurement, sites: Sites, window: int
    ) -> None:
        self.measurement, self.sites, self.window = measurement, sites, window
        self.specification = specification
        self.relative_error = 0.0
        if measurement.exact:
            terms = [
                term.moved((r1, r2))
                for r1, r2 in sites.tolist()
                for term in specification.impurity.terms
            ]
            self.specification = replace(specification, impurity=Impurity(tuple(terms)))

    def conductance(self, bias: float) -> tuple[float, Real]:
        """rho0 and drho(r) at a bias in mV, averaged over temperature and modulation, 1/meV."""
        m = self.measurement
        nodes, weights = energy_rule(m.temperature, m.modulation, m.nodes)
        trace, green = self._solved((bias + nodes).tolist(), m.broadening)
        return (
            float(-(weights @ green).imag / np.pi),
            np.asarray(-np.tensordot(weights, trace, 1).imag / np.pi),
        )

    def integral(self) -> tuple[float, Real]:
        """N0 and N(r) up to the setpoint's bias, positive, states per site."""
        setpoint = self.measurement.setpoint
        assert setpoint is not None
        contour = setpoint_contour(setpoint.bias, self.measurement.broadening, setpoint.nodes)
        (found,) = integrated_densities([self.specification], [contour], self.reach, self._method)
        self.relative_error = max(self.relative_error, found.relative_error)
        clean, change = found.clean[0], self._together(found.change[0])
        sign = np.sign(setpoint.bias)
        return float(sign * clean), np.asarray(sign * (clean + change))

    def clean_density(self, energy: float) -> float:
        """rho0 at an energy, 1/meV and site."""
        alone = replace(self.specification, impurity=Impurity.scalar(0.0))
        numerics = Numerics([energy], self.measurement.broadening, 2, self._method)
        return float(simulate_batch([alone], numerics).dos[0, 0])

    def render(self, values: Real, points: Real, vectors: Real) -> Real:
        """Values on sites at points (..., 2) in nm from r = 0."""
        lattice = self.specification.material.lattice
        return render(values, points, vectors, self.measurement.orbital, lattice)

    def contrast(self, values: Real, inside: NDArray[np.bool_]) -> float:
        """Standard deviation over sites that are inside."""
        return float(values[inside].std())

    @property
    def _method(self) -> Converged:
        return Converged(self.measurement.accuracy)

    def _solved(
        self, energies: list[float], broadening: float
    ) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """A(r; z), (energies, L, L), and Tr_e g0(z), (energies,)."""
        numerics = Numerics(energies, broadening, self.reach, self._method)
        maps: Maps = simulate_batch([self.specification], numerics)
        if maps.convergence is not None:
            error = float(maps.convergence.larger.max())
            self.relative_error = max(self.relative_error, error)
        electrons = maps.local_green.shape[-1] // 2
        green = np.trace(maps.local_green[0, :, :electrons, :electrons], axis1=-2, axis2=-1)
        trace = maps.trace[0]
        return self._together(trace.real) + 1j * self._together(trace.imag), np.asarray(green)

    @property
    def reach(self) -> int:
        """Window of the maps: single ones reach from every impurity to every site."""
        return self.window + (0 if self.measurement.exact else 2 * int(np.abs(self.sites).max()))

    def _together(self, maps: Real) -> Real:
        """Maps of all impurities: exact ones as they are, single ones added up."""
        return maps if self.measurement.exact else superpose(maps, self.sites, self.window)
