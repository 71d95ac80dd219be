"""How unlike the training maps maps are, by all that a network's calibration knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import CalibrationError
from gapscope.learning.emulator.by_irrep import TO_LEARN, Emulators
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.prediction.look import Look, Maps
from gapscope.learning.uncertainty.alternatives import Alternatives
from gapscope.learning.uncertainty.calibration import Calibration
from gapscope.learning.uncertainty.centre import centres
from gapscope.learning.uncertainty.changes import EMPTY
from gapscope.learning.uncertainty.discriminator import Discriminator
from gapscope.learning.uncertainty.hidden import is_hidden
from gapscope.learning.uncertainty.novelty import Detector
from gapscope.learning.uncertainty.repeats import repeats

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Scores of maps before a network.

    Attributes
    ----------
    config : that of the network.
    emulators : its surfaces; None where it has none.
    strong : whether its maps hardly ever look masked at r = 0.
    """

    config: RunConfig
    emulators: Emulators | None
    strong: bool = True

    def novelty(self, look: Look, detector: Detector | None) -> Array:
        """:meth:`distance` (n,), infinite where :meth:`at_once` says something."""
        seen = np.array([bool(self.at_once(one[None])) for one in look.maps], dtype=bool)
        return np.where(seen, np.inf, self.distance(look, detector))

    def distance(self, look: Look, detector: Detector | None) -> Array:
        """How far maps lie from the training ones, (n,).

        A detector's scores, means over the copies of a map. Without one, the distance from the
        nearest clean training map of the surfaces, least of the copies: what a measurement adds is
        foreign to a detector, but leaves a map near the one that it is of.

        Raises
        ------
        CalibrationError : neither detector nor surfaces.
        """
        if detector is not None:
            noisy = self.config.noise is not None
            scores = detector.score(look.inputs, noisy=noisy).reshape(look.copies, -1)
            return np.asarray(scores.mean(axis=0))
        _, _, distance, _ = self._surfaces.nearest(look.images, 1)
        return np.asarray(distance.reshape(look.copies, -1).min(axis=0))

    def at_once(self, one: Maps) -> str:
        """What a map (1, energies, size, size) by itself shows to be wrong with it, else "".

        Where a network has learned from noise, nothing else sees that a map is moved; a map of
        several impurities is even about none. Zeros around a map are a smaller field of view for
        those that have learned from measurements alone.
        """
        if repeats(one, gaps=self.config.training.measurement is not None).any():
            return "repeated"
        if self.config.noise is None or self.config.others is not None:
            return ""
        site = centres(one)[0]
        if site is None:
            return EMPTY
        if any(site):
            return f"off {site}"
        return "masked" if self.strong and is_hidden(one[0]) else ""

    def beside(self, look: Look, calibration: Calibration) -> tuple[Array | None, NDArray[np.str_]]:
        """Scores (n, columns) of the calibration's companion, discriminator or alternatives; and
        what these undid, in words (n, columns). None and no words where it has none of them."""
        nothing = np.empty(0, dtype=np.str_)
        if calibration.beside is None:
            return None, nothing
        if calibration.companion is not None:
            return calibration.companion(look.maps, self.config.crystal_lattice)[0], nothing
        if calibration.discriminator is not None:
            scores = self.discriminated(look, calibration.discriminator)
            return scores, np.full(scores.shape, "", dtype=np.str_)
        return self.alternatives(look.maps)

    def discriminated(self, look: Look, discriminator: Discriminator) -> Array:
        """Scores (n, kinds) of a discriminator, averaged over the copies of a map."""
        if discriminator.of_features:
            features = look.features
            return discriminator.score(features, np.empty((len(features), 0)), look.copies)
        seen = look.images if self.config.training.network.odd else look.images_of(odd=True)
        return discriminator(seen, look.copies)

    @cached_property
    def alternatives(self) -> Alternatives:
        """What a map may be instead of one like the training maps.

        Raises
        ------
        CalibrationError : a network without surfaces.
        """
        return Alternatives(self._surfaces, self.config.crystal_lattice)

    @property
    def _surfaces(self) -> Emulators:
        if self.emulators is None or not self.emulators.known:
            raise CalibrationError(
                "Without a detector, foreign maps are known by the surfaces of the training maps.",
                "a network without surfaces",
                TO_LEARN,
            )
        return self.emulators
