"""Averages of a lattice map or its image over a point group, such as C3v for 1H layers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import PreparationError
from gapscope.physics.group.lattice_operations import isometry
from gapscope.physics.lattice import Lattice, check_window, symmetric_window, window_coordinates
from gapscope.physics.symmetry import Operation, act_on_map

GROUPS = ("C2", "C2v", "C3", "C3v", "C4", "C4v", "C6", "C6v")
TRIANGULAR = Lattice("triangular", 1.0)


def groups_of(lattice: Lattice) -> tuple[str, ...]:
    """Those of GROUPS whose operations a lattice has."""
    return tuple(name for name in GROUPS if _found(name, lattice) is not None)


def operations(group: str, lattice: Lattice = TRIANGULAR) -> tuple[Operation, ...]:
    """The operations of a group on (r1, r2): Cn has n rotations, Cnv as many mirrors with x -> -x.

    Raises
    ------
    PreparationError : an unknown group, or one that the lattice does not have.
    """
    found = _found(group, lattice) if group in GROUPS else None
    if found is None:
        raise PreparationError(
            f"A point group of a map is one of its lattice; on the {lattice.name} one these are"
            f" {', '.join(groups_of(lattice))}.",
            group,
            "Choose one of them, or none.",
        )
    return found


def _found(group: str, lattice: Lattice) -> tuple[Operation, ...] | None:
    """The operations, None where the lattice lacks some."""
    order, mirrors = int(group[1]), group.endswith("v")
    planes = [(g, isometry(g, lattice.vectors)) for g in lattice.operations]
    proper = [g for g, w in planes if np.linalg.det(w) > 0]
    # Those that come back after n turns.
    turns = [g for g in proper if (np.linalg.matrix_power(g, order) == np.eye(2)).all()]
    if len(turns) != order:
        return None
    if not mirrors:
        return tuple(turns)
    across = [g for g, w in planes if np.allclose(w, np.diag([-1.0, 1.0]), atol=1e-3)]
    return (
        tuple(t @ m for t in turns for m in (np.eye(2, dtype=np.int64), *across))
        if across
        else None
    )


def symmetrise_sites(
    values: NDArray[np.float64], group: str, lattice: Lattice = TRIANGULAR
) -> NDArray[np.float64]:
    """Average over a group of drho(r), (L, L), r = 0 at L/2, on the symmetric window; else NaN.

    Raises
    ------
    PreparationError : an unknown group, or one that the lattice does not have.
    SpecificationError : not a square window of even size.
    """
    moved = np.stack([act_on_map(g, values, lattice) for g in operations(group, lattice)])
    inside = symmetric_window(lattice, values.shape[-1])
    return np.where(inside, _mean(moved), np.nan)


def symmetrise_image(
    image: NDArray[np.complex128], group: str, lattice: Lattice = TRIANGULAR
) -> NDArray[np.complex128]:
    """Average over a group of rho(q), (L, L) on the torus q = (j1 b1 + j2 b2)/L, q = 0 at L/2.

    rho(q) -> rho(g^-1 q) takes the pixel g^T j (mod L) to j, exactly. Under a group with a turn by
    180 degrees the image of a real map becomes real.

    Raises
    ------
    PreparationError : an unknown group, or one that the lattice does not have.
    NumericsError : not a square window of even size.
    """
    size = image.shape[-1]
    check_window(size)
    j = window_coordinates(size)
    pixels = np.stack(np.meshgrid(j, j, indexing="ij")).reshape(2, -1)
    moved = []
    for g in operations(group, lattice):
        source = (g.T @ pixels + size // 2) % size
        moved.append(image[source[0], source[1]].reshape(size, size))
    stack = np.stack(moved)
    return np.asarray(_mean(stack.real) + 1j * _mean(stack.imag))


def _mean(moved: NDArray[np.float64]) -> NDArray[np.float64]:
    # Sorted, so that the sum is the same to the last bit wherever the operations come in turn.
    return np.asarray(np.sort(moved, axis=0).mean(axis=0))
