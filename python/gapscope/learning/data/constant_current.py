"""Clean maps as a tip at constant current sees them: input without noise for the emulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import TrainingError
from gapscope.instrument.setpoint import regulated
from gapscope.learning.data.inputs import cut
from gapscope.learning.data.single_impurity import Broadened, Feedback
from gapscope.physics.lattice import Lattice


@dataclass(frozen=True)
class ConstantCurrent:
    """Clean maps at constant current: what the feedback does to them, and nothing else.

    Attributes
    ----------
    size : sites per side of the result, even.
    setpoint : number of one of the dataset's setpoints.
    """

    size: int
    setpoint: int
    constant_current: ClassVar[float] = 1.0
    resolution: ClassVar[float] = 0.0

    def __call__(
        self,
        single: NDArray[np.floating],
        rng: np.random.Generator,
        feedback: Feedback | None = None,
        broadened: Broadened | None = None,
        *,
        lattice: Lattice | str,
    ) -> NDArray[np.float32]:
        """The map (energies, size, size) of one impurity's drho (energies, W, W) on any lattice.

        Raises
        ------
        TrainingError : a dataset without setpoints.
        """
        if feedback is None:
            raise TrainingError(
                "Maps at constant current are made of a dataset with setpoints.",
                "one without",
                "Build it with setpoints in its recipe.",
            )
        drho, change = cut(single, self.size), cut(feedback.integrals[self.setpoint], self.size)
        return regulated(drho, change, feedback.density).astype(np.float32)
