"""What may be unknown: the table that a new kind of unknown is one row of.

A row says what a quantity is called, in which unit and on which scale it counts, and what it sets
in a :class:`gapscope.problem.draft.Draft`. Recipes name rows; nothing else in gapscope lists them.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import RecipeError, SpecificationError
from gapscope.physics.bonds import Bonds
from gapscope.physics.material import Material
from gapscope.problem.draft import Draft, direction, moment_along
from gapscope.problem.unknown import Scale, Unknown

Array = NDArray[Any]
Sets = Callable[[Draft, float], Draft]
PI = float(np.pi)
LARGEST_DIFFERENCE = 0.05
"""The largest finite difference, over the length of the range."""


@dataclass(frozen=True)
class Quantity:
    """A row of the table; see :class:`gapscope.problem.unknown.Unknown` for its words.

    Parameters
    ----------
    sets : puts a value into a draft.
    step : by which maps are differentiated, in its unit; of what is positive over the upper end of
        its range, and of an unknown on a logarithmic scale of the logarithm. Maps of simulated
        states are accurate to 2e-5, and bend where their features are narrow.
    least : value that has a meaning.
    """

    symbol: str
    unit: str
    long_name: str
    sets: Sets
    step: float
    digits: int = 3
    scale: Scale = "linear"
    period: float = 0.0
    positive: bool = False
    least: float = -math.inf

    def unknown(
        self,
        name: str,
        low: float,
        high: float,
        scale: Scale | None = None,
        least: float = 0.0,
    ) -> Unknown:
        """The unknown with a range; raises RecipeError where the range means nothing."""
        if low < self.least:
            raise RecipeError(
                f"{name} is {self.least:g} {self.unit} or more.",
                (low, high),
                "Raise the lower end.",
            )
        if self.scale == "circle" and scale not in (None, "circle"):
            raise RecipeError(
                f"{name} is an angle that repeats, and learned on a circle.",
                f"scale = {scale}",
                "Leave scale out.",
            )
        return Unknown(
            name,
            self.symbol,
            self.unit,
            self.long_name,
            float(low),
            float(high),
            scale or self.scale,
            self.period,
            self.digits,
            self.positive,
            least,
        )


def _angle(name: str, symbol: str, long_name: str, period: float) -> Quantity:
    def sets(draft: Draft, value: float) -> Draft:
        return replace(draft, angles={**draft.angles, name: value})

    return Quantity(symbol, "rad", long_name, sets, 5e-4, scale="circle", period=period)


def _field(name: str) -> Sets:
    def sets(draft: Draft, value: float) -> Draft:
        given: dict[str, Any] = {name: value}
        return replace(draft, **given)

    return sets


def _moment(which: int) -> Sets:
    def sets(draft: Draft, value: float) -> Draft:
        parts = list(direction(draft.moment))
        if which and not parts[0]:
            parts[0] = 1.0  # an unknown size comes first and sets it
        parts[which] = value
        return replace(draft, moment=moment_along(*parts))

    return sets


def _moment_z(draft: Draft, value: float) -> Draft:
    return replace(draft, moment=(*draft.moment[:2], value))


def _hoppings(draft: Draft, value: float) -> Draft:
    """All of the Hamiltonian but its onsite energies, times a number."""
    return _with_bonds(draft, lambda vectors, matrices: _but_onsite(vectors, matrices, value))


def _spin_orbit(draft: Draft, value: float) -> Draft:
    """The part of the Hamiltonian that acts on spin, times a number."""

    def scaled(vectors: Array, matrices: Array) -> Array:
        n = matrices.shape[1] // 2
        mean = (matrices[:, :n, :n] + matrices[:, n:, n:]) / 2
        free = np.stack([np.kron(np.eye(2), one) for one in mean])
        return np.asarray(free + value * (matrices - free))

    return _with_bonds(draft, scaled)


def _shell(number: int) -> Sets:
    def sets(draft: Draft, value: float) -> Draft:
        lengths = bond_lengths(draft.material)
        shells = np.unique(np.round(lengths[lengths > 0], 4))
        if number > len(shells):
            raise SpecificationError(
                f"{draft.material.name} has hoppings in {len(shells)} shells of neighbours.",
                f"hopping_{number}",
                f"Choose hopping_1 to hopping_{len(shells)}.",
            )
        own = np.abs(lengths - shells[number - 1]) < 1e-3

        def scaled(_: Array, matrices: Array) -> Array:
            return np.where(np.tile(own, (1, 2, 2)), value * matrices, matrices)

        return _with_bonds(draft, scaled)

    return sets


def bond_lengths(material: Material) -> Array:
    """|R + tau_j - tau_i| in lattice constants of every element of a spin block, (n, o, o).

    Raises
    ------
    SpecificationError : a half-infinite crystal.
    """
    if material.surface is not None:
        raise SpecificationError(
            "Shells of neighbours are those of a crystal in the plane: how far its layers are apart"
            " is not known of a half-infinite one.",
            material.name,
            "Take hopping, the scale of all hoppings.",
        )
    lattice, n = material.lattice, material.orbitals
    places = np.zeros((n, 3))
    if material.basis is not None:
        for row, orbital in enumerate(material.basis):
            places[row] = [
                *(np.array(orbital.position) @ lattice.vectors),
                orbital.height / lattice.constant,
            ]
    apart = places[None, :] - places[:, None]
    steps = np.zeros((len(material.bonds.vectors), 1, 1, 3))
    steps[..., :2] = (material.bonds.vectors @ lattice.vectors)[:, None, None]
    return np.asarray(np.linalg.norm(steps + apart, axis=-1))


def _but_onsite(vectors: Array, matrices: Array, factor: float) -> Array:
    diagonal = np.eye(matrices.shape[1], dtype=bool)
    onsite = (vectors == 0).all(axis=1)[:, None, None] & diagonal
    return np.where(onsite, matrices, factor * matrices)


def _with_bonds(draft: Draft, made: Callable[[Array, Array], Array]) -> Draft:
    bonds = draft.material.bonds
    scaled = Bonds(bonds.vectors, made(bonds.vectors, bonds.matrices))
    return replace(draft, material=replace(draft.material, bonds=scaled))


QUANTITIES: Mapping[str, Quantity] = {
    "gap": Quantity(r"\Delta", "meV", "gap", _field("gap"), 2e-4, positive=True),
    "theta": _angle("theta", r"\theta", "mixing angle", PI),
    "phi": _angle("phi", r"\varphi", "phase between partners", 2 * PI),
    "mix": _angle("mix", r"\chi", "mixing angle of basis functions", PI),
    "phase": _angle("phase", r"\alpha", "phase between basis functions", 2 * PI),
    "theta_s": _angle("theta_s", r"\theta_s", "angle of the singlet", PI),
    "phi_s": _angle("phi_s", r"\varphi_s", "phase of the singlet", 2 * PI),
    "theta_t": _angle("theta_t", r"\theta_t", "angle of the triplet", PI),
    "phi_t": _angle("phi_t", r"\varphi_t", "phase of the triplet", 2 * PI),
    "eps0": Quantity(r"\varepsilon_0", "meV", "onsite energy", _field("eps0"), 0.025, digits=1),
    "potential": Quantity(
        "v", "meV", "potential of the impurity", _field("scalar"), 0.05, digits=1
    ),
    "moment": Quantity("J", "meV", "moment of the impurity", _moment(0), 2e-4, positive=True),
    "moment_polar": Quantity(r"\vartheta_J", "rad", "angle of the moment from z", _moment(1), 1e-3),
    "moment_azimuth": Quantity(
        r"\varphi_J",
        "rad",
        "angle of the moment in the plane",
        _moment(2),
        1e-3,
        scale="circle",
        period=2 * PI,
    ),
    "moment_z": Quantity("J_z", "meV", "moment of the impurity along z", _moment_z, 0.01, digits=1),
    "broadening": Quantity(
        r"\delta",
        "meV",
        "broadening",
        _field("broadening"),
        5e-4,
        scale="logarithmic",
        positive=True,
    ),
    "hopping": Quantity(
        "t/t_0", "1", "scale of all hoppings", _hoppings, 1e-4, digits=4, positive=True
    ),
    "spin_orbit": Quantity(
        r"\lambda/\lambda_0", "1", "scale of the spin-orbit coupling", _spin_orbit, 5e-4
    ),
    "temperature": Quantity("T", "K", "temperature", _field("temperature"), 0.005, least=0.0),
    "modulation": Quantity(
        r"V_\mathrm{mod}", "meV", "modulation, rms", _field("modulation"), 0.001, least=0.0
    ),
}
"""Rows in the order in which values are put into a draft."""

_SHELL = re.compile(r"hopping_([1-9]\d?)")
_NUMBERED = re.compile(r"(theta|phi)_([1-9])")


def quantity(name: str) -> Quantity:
    """The row of a name; ``hopping_N`` scales the N-th shell of neighbours, ``theta_N`` and
    ``phi_N`` are of the N-th of a candidate's basis functions.

    Raises
    ------
    RecipeError : there is none.
    """
    if name in QUANTITIES:
        return QUANTITIES[name]
    if found := _SHELL.fullmatch(name):
        return Quantity(
            f"t_{{{found[1]}}}/t_{{{found[1]},0}}",
            "1",
            f"scale of the hoppings to neighbours of shell {found[1]}",
            _shell(int(found[1])),
            1e-4,
            digits=4,
        )
    if found := _NUMBERED.fullmatch(name):
        own = QUANTITIES[found[1]]
        words = f"{own.long_name}, basis function {found[2]}"
        return _angle(name, f"{own.symbol}_{{{found[2]}}}", words, own.period)
    near = difflib.get_close_matches(name, QUANTITIES, 1)
    raise RecipeError(
        f"What may be unknown or fixed is {', '.join(QUANTITIES)}, or hopping_1, hopping_2, ...",
        name,
        f"Did you mean {near[0]}?" if near else "Choose among them.",
    )


def difference(unknown: Unknown) -> float:
    """The finite difference by which maps are differentiated, on the unknown's own scale; it is
    small in a narrow range, too."""
    row = quantity(unknown.name)
    whole = unknown.high if row.positive and unknown.scale != "logarithmic" else 1.0
    step = row.step * whole
    return min(step, LARGEST_DIFFERENCE * unknown.span) if unknown.span else step


def order(name: str) -> int:
    """Place in which a value is put into a draft: that of its row."""
    head = name if name in QUANTITIES else name.split("_")[0]
    return list(QUANTITIES).index(head)


def is_angle(name: str) -> bool:
    """Whether a quantity belongs to the gap's state, and to the candidates that have it."""
    return name.split("_")[0] in ("theta", "phi", "mix", "phase")
