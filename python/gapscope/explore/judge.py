"""The networks' answers on the page, and where the page is not what they have learned."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from gapscope.explore.state import State
from gapscope.inference.predict import predict
from gapscope.learning.prediction.predictor import Predictor
from gapscope.measured.preparation import Prepared
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
        self._predictor = Predictor.load(find_model(model))
        self._for_measured = Predictor.load(find_model(measured_model))

    def __call__(self, maps: xr.Dataset) -> xr.Dataset:
        """Prediction of one map of ``simulate``, whatever its energy; see :func:`gapscope.predict`.

        It is read as if it had been taken at the network's energy; :meth:`departures` tells.
        """
        known = self._predictor.config.energies[:1]
        return predict(maps.isel(energy=[0]).assign_coords(energy=list(known)), self._predictor)

    def warm(self) -> None:
        """Factorise the surfaces of all irreps, so that no slider waits beside it: seconds."""
        if self._predictor.answering is not None:
            self._predictor.answering.factorise()

    def measured(self, prepared: Prepared, centre: tuple[float, float] | None = None) -> xr.Dataset:
        """Prediction of a measured map; see :func:`gapscope.predict`.

        Parameters
        ----------
        centre : near the impurity, (x, y) in nm of the scan; its middle where not given.

        Raises
        ------
        PreparationError : see :func:`gapscope.inference.measured_maps.predict_sites`.
        """
        return predict(prepared, self._for_measured, centre=centre)

    @property
    def size(self) -> int:
        """Sites per side of the window that the network looks at."""
        return self._predictor.size

    @property
    def crystal(self) -> str:
        """Name of the material that the network has learned from."""
        return str(self._predictor.config.dataset["material"])

    def knows(self, state: State) -> bool:
        """Whether the network has learned from maps of the state's crystal."""
        return state.material.name == self.crystal

    def departures(self, state: State) -> list[str]:
        """In words, each slider that is not where the training maps were made."""
        recipe = self._predictor.config.dataset["recipe"]
        energies = list(self._predictor.config.energies)
        strength, moment = recipe["impurity"]["scalar"], recipe["impurity"]["moment"]
        found = []
        if energies != [state.energy]:
            known = ", ".join(f"{w:g}" for w in energies)
            found.append(f"ω = {state.energy:g}, trained at {known} meV")
        if state.broadening != recipe["broadening"]:
            found.append(f"δ = {state.broadening:g}, trained at {recipe['broadening']:g} meV")
        if state.impurity != strength:
            found.append(f"v = {state.impurity:g}, trained at {strength:g} meV")
        if moment != [0.0, 0.0, state.moment]:
            found.append(f"J = {state.moment:g}, trained at {moment[2]:g} meV")
        if state.angles.get("phi"):
            found.append(f"φ = {state.phi:g}, trained at 0 rad")
        for name, symbol in (("gap", "Δ"), ("eps0", "ε₀")):
            low, high = recipe["ranges"][name]
            # Recipes give gaps in the normalisation of the class.
            value = state.labelled_gap if name == "gap" else state.eps0
            if not low <= value <= high:
                found.append(f"{symbol} = {value:g}, trained at {low:g} to {high:g} meV")
        return found

    def sees(self) -> str:
        """In words, the one kind of map that it has learned from."""
        config = self._predictor.config
        recipe = config.dataset["recipe"]
        known = ", ".join(f"{w:g}" for w in config.energies)
        return (
            f"ω = {known}, δ = {recipe['broadening']:g}, v = {recipe['impurity']['scalar']:g} meV, "
            f"{self.size} × {self.size} sites"
        )
