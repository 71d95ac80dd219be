"""The 27 planar point groups by generators, some of them in two settings."""

from __future__ import annotations

import numpy as np

from gapscope.physics.group.planar import PlanarOperation, reflection, rotation

INVERSION, SIGMA_H = rotation(180, -1), rotation(0, -1)
C2, C3, C4, C6 = (rotation(angle) for angle in (180, 120, 90, 60))
S4 = rotation(90, -1)
AXIS, MIRROR = reflection(0, -1), reflection(0)  # the twofold axis x, the mirror that holds x
MIRROR_X = reflection(90)  # x -> -x

GENERATORS: dict[str, list[PlanarOperation]] = {
    "C1": [],
    "Ci": [INVERSION],
    "C2": [C2],
    "C2 in plane": [AXIS],
    "Cs": [SIGMA_H],
    "Cs vertical": [MIRROR],
    "C2h": [C2, SIGMA_H],
    "C2h in plane": [AXIS, INVERSION],
    "D2": [C2, AXIS],
    "C2v": [C2, MIRROR],
    "C2v in plane": [SIGMA_H, MIRROR],
    "D2h": [C2, SIGMA_H, MIRROR],
    "C4": [C4],
    "S4": [S4],
    "C4h": [C4, SIGMA_H],
    "D4": [C4, AXIS],
    "C4v": [C4, MIRROR],
    "D2d": [S4, AXIS],
    "D2d, axes on the diagonals": [S4, MIRROR],
    "D4h": [C4, SIGMA_H, MIRROR],
    "C3": [C3],
    "S6": [C3, INVERSION],
    "D3": [C3, AXIS],
    "C3v": [C3, MIRROR],
    "C3v, mirror x": [C3, MIRROR_X],
    "D3d": [C3, INVERSION, AXIS],
    "C6": [C6],
    "C3h": [C3, SIGMA_H],
    "C6h": [C6, SIGMA_H],
    "D6": [C6, AXIS],
    "C6v": [C6, MIRROR],
    "D3h": [C3, SIGMA_H, MIRROR],
    "D3h, mirror x": [C3, SIGMA_H, MIRROR_X],
    "D6h": [C6, SIGMA_H, MIRROR],
}


def generate(generators: list[PlanarOperation]) -> list[PlanarOperation]:
    """All products; the identity first."""
    group = [rotation(0)]
    for one in group:  # grows
        for generator in generators:
            product = one.times(generator)
            if not any(product.is_same(known) for known in group):
                group.append(product)
    return group


def turned(group: list[PlanarOperation], angle: float) -> list[PlanarOperation]:
    """The group of a crystal that is rotated by an angle in degrees."""
    return [rotation(angle).times(g).times(rotation(-angle)) for g in group]


def integer_rotations(group: list[PlanarOperation]) -> np.ndarray:
    """(n, 3, 3) integers: the operations in the basis of a lattice that has them."""
    hexagonal = any(abs(abs(g.angle) - 120) < 1 or abs(abs(g.angle) - 60) < 1 for g in group)
    basis = np.eye(3)
    if hexagonal:
        basis[:, 1] = [-0.5, np.sqrt(3) / 2, 0]
    whole = np.array([np.linalg.inv(basis) @ g.cartesian @ basis for g in group])
    assert np.abs(whole - np.rint(whole)).max() < 1e-9
    return np.rint(whole).astype(int)
