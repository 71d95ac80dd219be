"""The impurity's site in a prepared map, from a place in the scan as it was measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gapscope.errors import PreparationError
from gapscope.measured.preparation import Prepared


def centre_site(prepared: Prepared, centre: Sequence[float] | None = None) -> tuple[float, float]:
    """The atom (x, y) in nm of the final map next to a place in the scan.

    Parameters
    ----------
    centre : (x, y) in nm of the scan as it was measured; the middle where not given.

    Raises
    ------
    PreparationError : a centre outside of the scan, or of what the drift correction keeps of it.
    """
    if centre is None:
        return prepared.site()
    raw, final = prepared.images["raw"], prepared.final
    if not _within(centre, raw.x, raw.y):
        raise _outside("within the scan", centre, raw.x, raw.y)
    at = prepared.corrected(centre)
    if not _within(at, final.x, final.y):
        corners = [prepared.recorded((x, y)) for x in final.x[[0, -1]] for y in final.y[[0, -1]]]
        # Between the inner two corners of each coordinate a place is in the final map.
        x, y = np.sort(np.array(corners), axis=0)[1:3].T
        raise _outside("within what the drift correction keeps of the scan", centre, x, y)
    return prepared.site(at)


def _within(point: Sequence[float], x: ArrayLike, y: ArrayLike) -> bool:
    axes = (np.asarray(x), np.asarray(y))
    return all(axis[0] <= p <= axis[-1] for axis, p in zip(axes, point, strict=True))


def _outside(where: str, point: Sequence[float], x: ArrayLike, y: ArrayLike) -> PreparationError:
    (left, *_, right), (low, *_, high) = np.asarray(x), np.asarray(y)
    return PreparationError(
        f"A centre lies {where}.",
        f"({point[0]:.4g}, {point[1]:.4g}) nm, where x runs from {left:.4g} to {right:.4g} and y"
        f" from {low:.4g} to {high:.4g}",
        "Give x and y in nm of the scan as it was measured.",
    )
