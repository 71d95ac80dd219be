"""Maps whose value at r = 0, where the impurity stands, is another's: masked, or filled in.

Around an impurity drho is largest on its site, most often by far: of 800 simulated maps (decision
24) of impurities from 10 to 300 meV it is 80 times the root mean square of all other sites in the
median, and at three energies together of the size of its neighbours in one map. A value that was
set to zero, to a mean, a median or a neighbour's is of their size at every energy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALL = 0.5
"""Magnitude at r = 0, over the root mean square of all other sites, up to which it is small."""


def is_hidden(one: NDArray[np.floating]) -> bool:
    """Whether a map (energies, L, L) looks masked at r = 0, at index L/2.

    At every energy the value there is small or, where there are several energies, lies between
    those of the four sites next to it. At a single one too many maps are like that: in 1 of 20 the
    value passes through zero nearby.
    """
    values = one.astype(np.float64)
    middle = values.shape[-1] // 2
    own = values[:, middle, middle].copy()
    beside = np.stack(
        [values[:, middle + i, middle + j] for i, j in ((0, 1), (1, 0), (0, -1), (-1, 0))]
    )
    values[:, middle, middle] = 0
    small = SMALL * np.sqrt(np.square(values).mean(axis=(-2, -1)))
    low, high = -small, small
    if len(values) > 1:
        low, high = np.minimum(low, beside.min(axis=0)), np.maximum(high, beside.max(axis=0))
    return bool(((low <= own) & (own <= high)).all())
