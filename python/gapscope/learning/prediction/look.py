"""Maps as a network sees them, and what it makes of them: each made once, when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.network.two_heads import FEATURES
from gapscope.learning.prediction.averaging import copies
from gapscope.problem.moves import Move

Maps = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """Some maps before a network.

    Attributes
    ----------
    maps : (n, energies, L, L) in 1/meV.
    config : that of the network.
    moves : whose copies are looked at, beside each other; none: the maps alone.
    network : heads and features, see
        :func:`gapscope.learning.network.two_heads.with_features`.
    """

    maps: Maps
    config: RunConfig
    moves: Sequence[Move]
    network: keras.Model

    @property
    def copies(self) -> int:
        """Images that each map is looked at as."""
        return max(len(self.moves), 1)

    @cached_property
    def images(self) -> NDArray[np.float32]:
        """rho(q) (copies n, L, L, channels) in 1/meV, copy by copy."""
        return self.images_of(self.config.training.network.odd)

    def images_of(self, odd: bool) -> NDArray[np.float32]:
        """The same with Im rho(q) or without, whatever the network sees."""
        images = momentum_images(self.maps, self.config.crystal_lattice, odd)
        return copies(images, self.moves) if self.moves else images

    @cached_property
    def inputs(self) -> NDArray[np.float32]:
        """The images as they are given to the network."""
        return self.config.inputs.apply(self.images)

    @cached_property
    def outputs(self) -> Mapping[str, NDArray[Any]]:
        """What the network makes of each image: answers of its heads, and features."""
        found: Mapping[str, NDArray[Any]] = self.network.predict_on_batch(self.inputs)
        return found

    @property
    def features(self) -> NDArray[np.float32]:
        """What the heads are given, and what that is made of: (copies n, features)."""
        features: NDArray[np.float32] = self.outputs[FEATURES]
        return features
