"""The networks' answers on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import xarray as xr

from gapscope.explore.known import Known
from gapscope.explore.state import CONVERGED, State
from gapscope.inference.measured_energies import require_distinct, together
from gapscope.inference.measured_maps import sites_of
from gapscope.inference.predict import predict
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.prediction.loaded import load_predictor
from gapscope.learning.prediction.predictor import Predictor
from gapscope.measured.preparation import Prepared
from gapscope.measured.preparation.pipeline import prepare_alike
from gapscope.simulation.maps import simulate
from gapscope.support.resources import MEASURED_MODEL, SHIPPED_MODEL, find_model


class Judge:
    """Two trained networks, for simulated and for measured maps, each loaded once.

    Parameters
    ----------
    model, measured_model : names of shipped models, or folders of runs or of models.

    Raises
    ------
    RunError, CalibrationError, SchemaVersionError : see
        :meth:`gapscope.learning.prediction.predictor.Predictor.load`.
    """

    def __init__(
        self, model: str | Path = SHIPPED_MODEL, measured_model: str | Path = MEASURED_MODEL
    ) -> None:
        self.model, self.measured_model = str(model), str(measured_model)
        self._predictor = load_predictor(find_model(model))
        self._for_measured = load_predictor(find_model(measured_model))

    def __call__(self, state: State, maps: xr.Dataset) -> xr.Dataset:
        """Prediction for a state of the page, see :func:`gapscope.predict`.

        A network for one energy reads the map that is shown as if it had been taken at that energy;
        :meth:`Known.departures` tells. For a network of several energies, maps are simulated.

        Parameters
        ----------
        maps : of the state, as :func:`gapscope.explore.results.maps` gives them.
        """
        energies = self.known.energies
        if len(energies) == 1:
            return predict(maps.assign_coords(energy=list(energies)), self._predictor)
        return predict(self.maps(state), self._predictor)

    def simulated(self, maps: xr.Dataset) -> xr.Dataset:
        """Prediction for a map from a file; raises MapFileError, see :func:`gapscope.predict`."""
        return predict(maps, self._predictor)

    def maps(self, state: State) -> xr.Dataset:
        """A state's converged maps at the energies of the network for simulated maps; raises as
        :func:`gapscope.explore.results.maps`."""
        numerics = replace(state.numerics(CONVERGED), energies=self.known.energies)
        return simulate(state.specification(), numerics)

    @property
    def network(self) -> Predictor:
        """The network for simulated maps."""
        return self._predictor

    def warm(self) -> None:
        """Factorise the surfaces of all irreps, so that no slider waits beside it: seconds."""
        if self._predictor.answering is not None:
            self._predictor.answering.factorise()

    def measured(
        self,
        prepared: Prepared,
        centre: tuple[float, float] | None = None,
        at: Callable[[float], xr.DataArray] | None = None,
    ) -> xr.Dataset:
        """Prediction of a measured map; see :func:`gapscope.predict`.

        Parameters
        ----------
        centre : near the impurity, (x, y) in nm of the scan; its middle where not given.
        at : the map of the same grid of spectra at an energy in meV; a network for several energies
            reads these, corrected by the lattice of ``prepared``.

        Raises
        ------
        PreparationError : see :func:`gapscope.inference.measured_maps.predict_sites`, or one map
            for two energies.
        MeasurementFileError : see ``at``.
        """
        energies = self.known_measured.energies
        if len(energies) == 1 or at is None:
            return predict(prepared, self._for_measured, centre=centre)
        images = [at(energy) for energy in energies]
        require_distinct(images, energies)
        each = [prepare_alike(prepared, image) for image in images]
        sites = [sites_of(one, self.known_measured.size, centre) for one in each]
        return predict(together(sites, each, energies), self._for_measured)

    @cached_property
    def known(self) -> Known:
        """What the network for simulated maps has learned from."""
        return known_of(self._predictor)

    @cached_property
    def known_measured(self) -> Known:
        """What the network for measured maps has learned from."""
        return known_of(self._for_measured)


def known_of(network: Predictor | RunConfig) -> Known:
    """What a network has learned from, loaded or not."""
    config = network if isinstance(network, RunConfig) else network.config
    return Known(config.dataset, config.energies, config.training.network.input_size)
