"""Operations of planar crystals: an orthogonal matrix of the plane times z -> z or z -> -z.

The plane's matrix is a rotation by phi or the reflection in the line at angle alpha; with the sign
of z this makes every element of O(2) x {1, sigma_h}: rotations about z and vertical mirrors
(z -> z), and sigma_h, inversion, rotoreflections and twofold axes in the plane (z -> -z).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
SAME = 1e-6
"""Largest difference of two orthogonal matrices that are the same operation."""


@dataclass(frozen=True, eq=False)
class PlanarOperation:
    """One operation of a planar point group.

    Parameters
    ----------
    plane : (2, 2) orthogonal, its action on (x, y).
    flip : 1 where z stays, -1 where it changes sign.
    """

    plane: Matrix
    flip: int

    @cached_property
    def mirror(self) -> bool:
        """Whether the plane's matrix is a reflection."""
        return bool(np.linalg.det(self.plane) < 0)

    @cached_property
    def angle(self) -> float:
        """In degrees: of the rotation, from -180 to 180, or of the mirror line, from 0 to 180."""
        angle = float(np.degrees(np.arctan2(self.plane[1, 0], self.plane[0, 0])))
        if self.mirror:
            angle = angle / 2 % 180
            return 0.0 if abs(angle - 180) < 1e-6 else angle
        return 180.0 if abs(angle + 180) < 1e-6 else angle

    @cached_property
    def cartesian(self) -> Matrix:
        """(3, 3) matrix that acts on (x, y, z)."""
        whole = np.zeros((3, 3))
        whole[:2, :2] = self.plane
        whole[2, 2] = self.flip
        return whole

    @cached_property
    def axial(self) -> Matrix:
        """(3, 3) matrix that acts on axial vectors: det(O) O. So do spins and d vectors turn."""
        sign = self.flip * (-1 if self.mirror else 1)
        return sign * self.cartesian

    @property
    def kind(self) -> str:
        """One of C (rotation), v (vertical mirror), h, i, S (rotoreflection), 2 (axis in plane)."""
        if self.mirror:
            return "v" if self.flip > 0 else "2"
        if self.flip > 0:
            return "C"
        turned = abs(self.angle)
        return "h" if turned < 1e-3 else "i" if turned > 180 - 1e-3 else "S"

    @property
    def name(self) -> str:
        """Name, such as C3, C3^-1, sigma_v(90), S6, C2'(30): angles in degrees from x."""
        if self.mirror:
            kind = "sigma_v" if self.flip > 0 else "C2'"
            return f"{kind}({round(self.angle, 2):g})"
        angle = self.angle
        if self.kind in "hi":
            return {"h": "sigma_h", "i": "i"}[self.kind]
        if abs(angle) < 1e-3:
            return "E"
        order = 360 / abs(angle)
        letter = "C" if self.flip > 0 else "S"
        return f"{letter}{order:.4g}" + ("^-1" if angle < 0 else "")

    def is_same(self, other: PlanarOperation) -> bool:
        """Whether both act in the same way, to SAME."""
        return self.flip == other.flip and float(np.abs(self.plane - other.plane).max()) < SAME

    def times(self, other: PlanarOperation) -> PlanarOperation:
        """The product: ``other`` first."""
        return PlanarOperation(self.plane @ other.plane, self.flip * other.flip)


def rotation(angle: float, flip: int = 1) -> PlanarOperation:
    """Rotation by an angle in degrees, times z -> flip z."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return PlanarOperation(np.array([[c, -s], [s, c]]), flip)


def reflection(angle: float, flip: int = 1) -> PlanarOperation:
    """Reflection in the line at an angle in degrees, times z -> flip z."""
    c, s = np.cos(2 * np.radians(angle)), np.sin(2 * np.radians(angle))
    return PlanarOperation(np.array([[c, s], [s, -c]]), flip)


def spin_matrix(operation: PlanarOperation) -> NDArray[np.complex128]:
    """SU(2) matrix of an operation in the basis (up, down); inversion leaves spins alone.

    exp(-i phi n.sigma / 2) of the proper rotation det(O) O by phi about n, whose sign (of the
    double group) drops out of everything that is bilinear in it.
    """
    proper = operation.axial
    if operation.mirror:
        # A half turn about an axis in the plane: along the line (a twofold axis), or across it (a
        # vertical mirror is inversion times the half turn about its normal).
        axis = np.radians(operation.angle + (90 if operation.flip > 0 else 0))
        nx, ny = np.cos(axis), np.sin(axis)
        return np.array([[0, -1j * nx - ny], [-1j * nx + ny, 0]])
    phi = np.arctan2(proper[1, 0], proper[0, 0])
    return np.diag(np.exp([-0.5j * phi, 0.5j * phi]))
