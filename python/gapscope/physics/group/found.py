"""The point group of a crystal, found from its Hamiltonian.

Candidates are the lattice's own operations times z -> z and, unless the crystal is half-infinite,
z -> -z, each with the translations under which the orbitals' sites map onto sites. A candidate is
an operation of the crystal where U H_R U^dagger = H_(g R) to a tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.bonds import Bonds
from gapscope.physics.group.crystal_group import CrystalGroup
from gapscope.physics.group.lattice_operations import isometry
from gapscope.physics.group.operation import Operation
from gapscope.physics.group.planar import PlanarOperation
from gapscope.physics.lattice import Lattice
from gapscope.physics.material import Material
from gapscope.physics.orbitals import CHARACTERS, Orbital, rotation

EXACT = 2e-3
"""meV: what rounding in a file (Wannier90 writes 1e-6 eV) does to an exact symmetry."""
ALMOST = 20.0
"""meV: up to here a broken symmetry is told as one that almost holds."""
PLACE = 0.02
"""Lattice constants: two orbitals that are this close stand on one site."""


@lru_cache(maxsize=4)
def find_group(material: Material, tolerance: float = EXACT) -> CrystalGroup:
    """Point group of a material whose orbitals are known.

    Parameters
    ----------
    tolerance : meV by which an operation may change an element of H_R.

    Raises
    ------
    SpecificationError : orbitals of unknown character, or a tolerance that is not positive.
    """
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise SpecificationError(
            "The tolerance of a symmetry is a positive energy in meV.",
            tolerance,
            f"Leave it out ({EXACT:g} meV), or give for example 5.",
        )
    basis = require_basis(material)
    candidates = sorted(
        (_with_violation(one, material.bonds) for one in _candidates(material, basis)),
        key=lambda one: one.violation,
    )
    return CrystalGroup.of(material.lattice, candidates, tolerance, ALMOST)


def require_basis(material: Material) -> Sequence[Orbital]:
    """The material's orbitals.

    Raises
    ------
    SpecificationError : the material does not say what they are.
    """
    if material.basis is None:
        said = f" ({material.description})" if material.description else ""
        raise SpecificationError(
            "The symmetry of a Hamiltonian of several orbitals needs to know what they are:"
            " each one's character and position.",
            f"{material.name}: {material.orbitals} orbitals of unknown character{said}",
            "State them as [[atoms]] in the material's TOML file, in the order of the matrices (a"
            " Wannier90 file is named in it by [wannier90]).",
        )
    return material.basis


def sites_of(
    basis: Sequence[Orbital], lattice: Lattice
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Number of each orbital's site, and the sites' places (r1, r2, height).

    All lengths are in lattice constants, as the lattice's vectors are.
    """
    vectors = lattice.vectors
    places: list[NDArray[np.float64]] = []
    numbers = []
    for orbital in basis:
        place = np.array([*orbital.position, orbital.height / lattice.constant])
        for number, known in enumerate(places):
            step = place - known
            if np.linalg.norm([*(step[:2] @ vectors), step[2]]) < PLACE:
                numbers.append(number)
                break
        else:
            numbers.append(len(places))
            places.append(place)
    return np.array(numbers), np.array(places)


def _candidates(material: Material, basis: Sequence[Orbital]) -> Iterator[Operation]:
    """Operations that map lattice, sites and orbitals onto themselves."""
    vectors = material.lattice.vectors
    sites, places = sites_of(basis, material.lattice)
    characters = [orbital.character for orbital in basis]
    members = [np.flatnonzero(sites == site) for site in range(len(places))]
    rarest = _rarest([len(one) for one in members])
    for w in material.lattice.operations:
        for flip in (1, -1) if material.surface is None else (1,):
            planar = PlanarOperation(isometry(w, vectors), flip)
            harmonics = rotation(list(CHARACTERS), planar.cartesian)
            for target in range(len(places)):
                if len(members[target]) != len(members[rarest]):
                    continue
                placed = _placed(w, flip, places, vectors, rarest, target)
                if placed is None:
                    continue
                image, shift, translation = placed
                matrix = np.zeros((len(basis), len(basis)))
                for site, own in enumerate(members):
                    into = members[image[site]]
                    matrix[np.ix_(into, own)] = _onto(
                        harmonics, [characters[i] for i in into], [characters[i] for i in own]
                    )
                if np.abs(matrix @ matrix.T - np.eye(len(basis))).max() < 1e-9:
                    yield Operation(
                        planar, w, translation, image[sites], shift[sites], matrix, sites
                    )


def _onto(
    harmonics: NDArray[np.float64], images: Sequence[str], orbitals: Sequence[str]
) -> NDArray[np.float64]:
    """How orbitals of one site turn into those of its image: (images, orbitals).

    Several orbitals of one character on a site are told apart by their order.

    Parameters
    ----------
    harmonics : matrix among all of CHARACTERS.
    """
    order = list(CHARACTERS)
    rows, columns = ([order.index(name) for name in names] for names in (images, orbitals))
    same = np.equal.outer(_occurrences(images), _occurrences(orbitals))
    whole = harmonics[np.ix_(rows, columns)] * same
    return np.asarray(np.where(np.abs(whole) < 1e-12, 0.0, whole))


def _occurrences(names: Sequence[str]) -> NDArray[np.int64]:
    return np.array([names[:i].count(name) for i, name in enumerate(names)])


def _rarest(sizes: list[int]) -> int:
    """A site of which there are fewest with as many orbitals."""
    return min(range(len(sizes)), key=lambda site: sizes.count(sizes[site]))


def _placed(
    w: NDArray[np.int64],
    flip: int,
    places: NDArray[np.float64],
    vectors: NDArray[np.float64],
    site: int,
    target: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] | None:
    """Images, shifts and translation where ``site`` goes to ``target``; None if sites miss."""
    turned = np.column_stack([places[:, :2] @ w.T, flip * places[:, 2]])
    moved = turned + places[target] - turned[site]
    step = moved[:, None, :] - places[None, :, :]
    shift = np.rint(step[..., :2])
    rest = np.concatenate([(step[..., :2] - shift) @ vectors, step[..., 2:]], axis=-1)
    distance = np.linalg.norm(rest, axis=-1)
    image = distance.argmin(axis=1)
    numbers = np.arange(len(places))
    if distance[numbers, image].max() > PLACE or len(set(image.tolist())) != len(places):
        return None
    left_over = shift[numbers, image]
    # The translation that fits all sites best, where positions carry rounding.
    translation = np.mean(places[image, :2] + left_over - turned[:, :2], axis=0)
    whole = np.floor(translation + 1e-4)
    translation = np.where(np.abs(translation - whole) < 1e-9, 0.0, translation - whole)
    return image, (left_over - whole).astype(np.int64), translation


def _with_violation(operation: Operation, bonds: Bonds) -> Operation:
    difference = Bonds.sum([operation.on_hamiltonian(bonds), bonds.scaled(-1)])
    return replace(operation, violation=float(np.abs(difference.matrices).max()))
