"""Densities of states on pixels at a tip's height, for simulated measurements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from gapscope.instrument.contour import setpoint_contour
from gapscope.instrument.resolution import energy_rule
from gapscope.instrument.settings import Measurement
from gapscope.instrument.sites import Sites, superpose
from gapscope.physics import Impurity, Specification
from gapscope.physics.scattering import reach_of
from gapscope.simulation.continuum.density import clean_trace, scattered_trace
from gapscope.simulation.continuum.tip import Tip, check_side, seen
from gapscope.simulation.continuum.wannier_functions import WannierFunctions
from gapscope.simulation.from_green import green_maps
from gapscope.simulation.green import green_function
from gapscope.simulation.greenfile import require_green
from gapscope.simulation.numerics import Converged, Numerics

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
UNIT = "1/meV/Angstrom^3"


class TipStates:
    """Local densities of states of the impurities together, over the window's pixels.

    Parameters
    ----------
    specification : with all impurities where the measurement is exact, with one otherwise.
    window : cells per side of the result.
    wider : cells per side of a single impurity's map.
    """

    def __init__(
        self,
        specification: Specification,
        measurement: Measurement,
        sites: Sites,
        window: int,
        wider: int,
        tip: Tip,
        functions: WannierFunctions | None,
        pixels: int,
    ) -> None:
        material = specification.material
        functions = functions or WannierFunctions.slater(material, tip.decay)
        self.specification, self.measurement = specification, measurement
        self.sites, self.window, self.wider, self.pixels = sites, window, wider, pixels
        check_side(tip, material)
        self.view = seen(functions, tip, material.lattice, pixels)
        self.relative_error = 0.0

    def conductance(self, bias: float) -> tuple[Real, Real]:
        """rho0 and drho(r) at a bias in mV, averaged over temperature and modulation."""
        m = self.measurement
        nodes, weights = energy_rule(m.temperature, m.modulation, m.nodes)
        clean, change = self._solved((bias + nodes).tolist(), m.broadening)
        together = np.tensordot(weights, change.imag, 1)
        return self._tiled(-np.tensordot(weights, clean.imag, 1) / np.pi), -together / np.pi

    def integral(self) -> tuple[float, Real]:
        """N0, averaged over a cell, and N(r) up to the setpoint's bias, positive."""
        setpoint = self.measurement.setpoint
        assert setpoint is not None
        contour = setpoint_contour(setpoint.bias, self.measurement.broadening, setpoint.nodes)
        clean = np.zeros((self.pixels, self.pixels), np.complex128)
        change = np.zeros(2 * (self.pixels * self.window,))
        for broadening in dict.fromkeys(contour.broadenings.tolist()):
            at = contour.broadenings == broadening
            own, more = self._solved(contour.energies[at].tolist(), broadening)
            weights = contour.weights[at]
            clean += np.tensordot(weights, own, 1)
            change += np.tensordot(weights, more, 1).imag
        sign = -np.sign(setpoint.bias) / np.pi
        host = sign * clean.imag
        return float(host.mean()), np.asarray(self._tiled(host) + sign * change)

    def clean_density(self, energy: float) -> float:
        """rho0 at an energy, averaged over a cell."""
        alone = replace(self.specification, impurity=Impurity.scalar(0.0))
        reach = 2 * self.view.reach
        numerics = Numerics([energy], self.measurement.broadening, 2, self._method)
        green = require_green(green_function(alone, numerics, reach=reach))
        return float(-clean_trace(green.values[0], self.view).imag.mean() / np.pi)

    def render(self, values: Real, points: Real, vectors: Real) -> Real:
        """Values on pixels at points (..., 2) in nm from the site r = 0, by cubic splines."""
        index = (points @ np.linalg.inv(vectors) + self.window // 2) * self.pixels
        flat = np.moveaxis(index, -1, 0).reshape(2, -1)
        found = map_coordinates(values, flat, order=3, mode="nearest")
        return np.asarray(found.reshape(points.shape[:-1]))

    def contrast(self, values: Real, inside: NDArray[np.bool_]) -> float:
        """Standard deviation from the same pixels of other cells, over cells that are inside."""
        cells = values.reshape(self.window, self.pixels, self.window, self.pixels)
        chosen = cells.transpose(0, 2, 1, 3)[inside]
        return float(np.sqrt(np.square(chosen - chosen.mean(axis=0)).mean()))

    @property
    def _method(self) -> Converged:
        return Converged(self.measurement.accuracy)

    def _solved(self, energies: list[float], broadening: float) -> tuple[Complex, Complex]:
        """Tr G on a cell's pixels, and what all impurities add, by energy."""
        scatterers = self.specification.scatterers()
        numerics = Numerics(energies, broadening, self.wider, self._method)
        beyond = reach_of(scatterers) + self.view.reach
        reach = max(beyond, 2 * self.view.reach - self.wider // 2)
        known = require_green(green_function(self.specification, numerics, reach=reach))
        on_sites = green_maps(known, scatterers, self.wider).convergence
        if on_sites is not None:
            self.relative_error = max(self.relative_error, float(on_sites.larger.max()))
        clean = np.stack([clean_trace(green, self.view) for green in known.values])
        change = np.stack(
            [scattered_trace(green, scatterers, self.view, self.wider) for green in known.values]
        )
        return clean, self._together(change.real) + 1j * self._together(change.imag)

    def _together(self, maps: Real) -> Real:
        """Maps of all impurities: exact ones as they are, single ones added up."""
        if self.measurement.exact:
            return maps
        return superpose(maps, self.pixels * self.sites, self.pixels * self.window)

    def _tiled(self, cell: Real) -> Real:
        return np.tile(cell, (self.window, self.window))
