"""Half-infinite crystals: layers of cells that couple to each other, with an open surface.

Bonds have a third number R3, of cells along a3, which points up. The crystal ends with the layer
of cells that is on top, and has vacuum above it, or at the bottom. All layers are alike: the bulk's
Hamiltonian without the bonds that would lead out of it.
"""

from __future__ import annotations

import numpy as np

from gapscope.errors import SpecificationError
from gapscope.physics.bonds import Bonds

SURFACES = ("top", "bottom")


def require_surface(bonds: Bonds, surface: str | None, name: str) -> None:
    """Raise SpecificationError unless bonds and the open surface go together."""
    if surface is None:
        if bonds.layered:
            raise SpecificationError(
                "Bonds between layers are those of a half-infinite crystal, which says where it is"
                " open.",
                f"{name}: bonds with a third number and no surface",
                'Say surface = "top" (vacuum along a3) or "bottom".',
            )
    elif surface not in SURFACES:
        raise SpecificationError(
            "A half-infinite crystal is open at its top (vacuum along a3) or at its bottom.",
            surface,
            'Give surface = "top" or "bottom".',
        )
    elif not bonds.layered or not bonds.vectors[:, 2].any():
        raise SpecificationError(
            "A half-infinite crystal has hopping out of the plane, from a layer to the next.",
            f'{name} with surface = "{surface}" and no bond that leaves the plane',
            "Leave surface out: a layer that is coupled to none below is its own surface.",
        )


def turned_over(bonds: Bonds) -> Bonds:
    """The same bonds with R3 counted the other way."""
    return Bonds(bonds.vectors * np.array([1, 1, -1]), bonds.matrices)


def downward(bonds: Bonds, surface: str) -> Bonds:
    """The same bonds with R3 counted from the surface down, into the crystal."""
    return turned_over(bonds) if surface == "top" else bonds


def depth(bonds: Bonds) -> int:
    """How many layers a bond reaches; 0 of a crystal in the plane."""
    return int(np.abs(bonds.vectors[:, 2:]).max(initial=0))
