"""Where the tip is when the instrument writes a pixel: calibration, shear, drift and creep.

With r the recorded position, c the middle of the field and t from 0 to 1 the time of the scan,

    p = c + M (r - c) + drift (t - 1/2) - creep (1 - ln(1 + t/tau) / ln(1 + 1/tau)),
    M = [[scale_x, shear], [0, scale_y]],  t = y / height + x / (width rows),

is the position on the sample. Drift at a constant speed shears and stretches the image; the piezo's
creep is logarithmic in time (S. Vieira, IBM J. Res. Dev. 30, 553 (1986)) and bends its beginning.
What a correction of a measured map leaves of it is small and smooth: :func:`residual`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import SettingError
from gapscope.instrument.image import Field
from gapscope.instrument.sites import scaled_positions
from gapscope.physics.lattice import Lattice

Real = NDArray[np.float64]
ROUNDS = 60


@dataclass(frozen=True)
class Distortion:
    """None by default.

    Attributes
    ----------
    scale : true over recorded length along x and y, 0.5 to 2.
    shear : true x per recorded y, at most 0.5.
    drift : movement of the sample under the tip over the whole scan, (x, y) in nm.
    creep : displacement at the scan's beginning against its end, (x, y) in nm.
    creep_time : tau as a part of the scan's duration.

    Raises
    ------
    SettingError : values out of range.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    shear: float = 0.0
    drift: tuple[float, float] = (0.0, 0.0)
    creep: tuple[float, float] = (0.0, 0.0)
    creep_time: float = 0.02

    def __post_init__(self) -> None:
        numbers = (*self.scale, self.shear, *self.drift, *self.creep, self.creep_time)
        in_range = all(0.5 <= s <= 2 for s in self.scale) and abs(self.shear) <= 0.5
        if not (np.isfinite(numbers).all() and in_range and self.creep_time > 0):
            raise SettingError(
                "A distortion has scales from 0.5 to 2, a shear up to 0.5, finite drift and creep,"
                " and a positive creep time.",
                self,
                "Change it.",
            )

    def on_sample(self, recorded: ArrayLike, field: Field) -> Real:
        """Positions p (..., 2) in nm of recorded ones r."""
        r = np.asarray(recorded, dtype=np.float64)
        time = r[..., 1:] / field.height + r[..., :1] / (field.width * field.rows)
        matrix = np.array([[self.scale[0], self.shear], [0.0, self.scale[1]]])
        moved = field.middle + (r - field.middle) @ matrix.T
        # Before the scan there is no creep to speak of: positions below the field are not recorded.
        law = np.log1p(np.maximum(time, 0) / self.creep_time) / np.log1p(1 / self.creep_time)
        return np.asarray(
            moved + (time - 0.5) * np.array(self.drift) - (1 - law) * np.array(self.creep)
        )

    def recorded(self, on_sample: ArrayLike, field: Field) -> Real:
        """Recorded positions r (..., 2) in nm of points on the sample, the inverse.

        Raises
        ------
        SettingError : a distortion that folds the image, so that there is none.
        """
        target = np.asarray(on_sample, dtype=np.float64)
        found = target.copy()
        for _ in range(ROUNDS):
            error = target - self.on_sample(found, field)
            if np.abs(error).max(initial=0) < 1e-9:
                return found
            found = found + error * np.minimum(1.0, 1 / np.array(self.scale))
        raise SettingError(
            "A distortion moves the image without folding it.", self, "Use a weaker one."
        )


def residual(size: int, lattice: Lattice | str, shift: Real, matrix: Real, bend: Real) -> Real:
    """e(r) = s + E r + B(r), (size, size, 2), in lattice constants.

    Distances count in the longer one of a1 and a2, so that a window's edge moves as far on every
    lattice.

    Parameters
    ----------
    shift : s, (2,).
    matrix : E, (2, 2).
    bend : coefficients (3, 2) of x^2, x y and y^2, which are 1 at a distance of size/2.
    """
    r = scaled_positions(size, lattice)
    x, y = np.moveaxis(r * (2 / size), -1, 0)
    quadratics = np.stack([x * x, x * y, y * y], axis=-1)
    return np.asarray(shift + r @ matrix.T + quadratics @ bend)
