"""Superconducting gaps: the paper's six states, any irrep of any crystal, or any bonds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gapscope.errors import SpecificationError
from gapscope.physics.bonds import Bonds, require_fermionic
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.choice import choose_function, is_named_in_paper
from gapscope.physics.gaps.magnitude import largest_singular_value
from gapscope.physics.gaps.mixture import FunctionTerm, coefficient_norm, mixed_functions
from gapscope.physics.gaps.term import GapTerm, partner_coefficients
from gapscope.physics.group.found import EXACT, find_group
from gapscope.physics.irreps import require_irrep
from gapscope.physics.kinds import is_number
from gapscope.physics.material import Material
from gapscope.physics.paper_states import ANGLES, require_angles, require_finite, state_bonds

NORMAL = "normal"
"""In place of an irrep: no gap."""


@dataclass(frozen=True, eq=False, repr=False)
class Pairing:
    """A gap Delta(k) in the spin basis (up, down).

    ========= ============================================================ =====================
    irrep     Delta(k) / gap                                               paper
    ========= ============================================================ =====================
    A1u, A2u  (t,xy)                                                       eqs 6, 7
    A1g, A2g  cos(theta) (s) + sin(theta) (t,z)                            eqs 8, 9
    Eu        cos(theta) E1(t,xy) + exp(i phi) sin(theta) E2(t,xy)         eqs 10, A5
    Eg        cos(theta) E1(s) + exp(i phi) sin(theta) E2(s)               eq. 11
    Eg        with theta_s, phi_s, theta_t, phi_t: the general state, in   eq. A6
              which theta mixes singlet and triplet
    ========= ============================================================ =====================

    These are the paper's states of D3h, with its matrices and its own normalisation of the gap. A
    gap of any crystal comes from :meth:`of` (an irrep), :meth:`mixture` and :meth:`from_functions`
    (any mixture of an irrep's basis functions) or :meth:`from_bonds`.

    Parameters
    ----------
    irrep : name as above.
    gap : magnitude in meV, positive.
    theta, phi, theta_s, phi_s, theta_t, phi_t : angles in radians, where the irrep has them.

    Raises
    ------
    SpecificationError : unknown irrep, a gap that is not positive, a missing angle, or one that
        the irrep does not have.
    """

    irrep: str
    gap: float
    theta: float | None = None
    phi: float | None = None
    theta_s: float | None = None
    phi_s: float | None = None
    theta_t: float | None = None
    phi_t: float | None = None
    custom: Bonds | None = None
    terms: tuple[GapTerm, ...] = ()

    def __post_init__(self) -> None:
        require_finite({name: getattr(self, name) for name in ANGLES})
        if self.custom is None:
            require_irrep(self.irrep)
            require_angles(self.irrep, self.angles)
        if self.irrep != NORMAL or self.gap:
            _require_positive(self.gap)

    @classmethod
    def normal(cls) -> Pairing:
        """No gap: the normal state."""
        return cls(NORMAL, 0.0, custom=Bonds.from_dict({(0, 0): np.zeros((2, 2))}))

    @classmethod
    def from_bonds(cls, bonds: Bonds | Mapping[tuple[int, int], ArrayLike]) -> Pairing:
        """A gap given directly by its bond matrices in meV, checked for Pauli antisymmetry.

        Matrices are 2 x 2 in spin (every orbital then pairs with itself) or the full 2n x 2n of an
        n-orbital material, spin major. Its ``gap`` is the largest singular value of Delta(k) over
        the zone: 35 meV for a d wave of 35 meV, whose bonds are 8.75 meV.
        """
        if not isinstance(bonds, Bonds):
            bonds = Bonds.from_dict(bonds)
        if bonds.dimension % 2:
            raise SpecificationError(
                "Gap matrices act on spin (2 x 2) or on spin and orbitals (2n x 2n).",
                f"{bonds.dimension} x {bonds.dimension}",
                "Give 2 x 2 matrices in the basis (up, down).",
            )
        if bonds.layered:
            raise SpecificationError(
                "Pairs form within a layer: the bonds of a gap lie in the plane, the same in every"
                " layer of a half-infinite crystal.",
                "bond vectors of three numbers",
                "Give the bonds of one layer, by two numbers each.",
            )
        require_fermionic(bonds)
        if not bonds.matrices.any():
            raise SpecificationError(
                "A gap has a nonzero bond.",
                "zeros only",
                "Give its bonds, or use Pairing.normal() for the normal state.",
            )
        return cls("custom", largest_singular_value(bonds), custom=bonds)

    @classmethod
    def of(
        cls,
        material: Material,
        irrep: str,
        gap: float,
        *,
        shell: int | None = None,
        channel: str | None = None,
        copy: int | None = None,
        tolerance: float = EXACT,
        theta: float | None = None,
        phi: float | None = None,
        theta_s: float | None = None,
        phi_s: float | None = None,
        theta_t: float | None = None,
        phi_t: float | None = None,
    ) -> Pairing:
        """A gap of an irrep of a crystal, Delta = gap [cos(theta) f_1 + exp(i phi) sin(theta) f_2].

        f_1, f_2 are the partners of one basis function, whose largest singular value over the zone
        is 1; irreps of one dimension have f_1 alone, and no angle. Without ``shell`` it is taken
        from the innermost shell that has the irrep. ``gapscope gaps MATERIAL --shells N`` lists the
        functions; :func:`gapscope.physics.gaps.classify.classify_gaps` returns them.

        A crystal of one orbital with the D3h of NbSe2 (or a triangular one of unknown orbitals) and
        an irrep without shell, channel and copy is given the paper's state of that name, with the
        paper's angles.

        Parameters
        ----------
        irrep : gapscope's or Mulliken's name.
        gap : magnitude of the coefficients in meV.
        shell, channel, copy : which basis function, where there are several.
        tolerance : meV to which the crystal's symmetry has to hold.
        theta, phi : radians; the other angles are those of the paper's general Eg.

        Raises
        ------
        SpecificationError : the crystal has no such irrep, shell or channel, or several functions
            that fit; an angle is missing, or there where it means nothing.
        """
        free = shell is None and channel is None and copy is None
        group = find_group(material, tolerance) if material.basis is not None else None
        if free and (name := is_named_in_paper(material, group, irrep)):
            return cls(name, gap, theta, phi, theta_s, phi_s, theta_t, phi_t)
        function = choose_function(material, group, irrep, shell, channel, copy)
        values = (theta, phi, theta_s, phi_s, theta_t, phi_t)
        given = {n: float(v) for n, v in zip(ANGLES, values, strict=True) if v is not None}
        made = cls.from_functions(gap, [(function, partner_coefficients(function, given))])
        return replace(made, theta=given.get("theta"), phi=given.get("phi"))

    @classmethod
    def mixture(
        cls,
        material: Material,
        irrep: str,
        gap: float,
        functions: Sequence[FunctionTerm],
        *,
        tolerance: float = EXACT,
        **angles: float | None,
    ) -> Pairing:
        """A gap of several basis functions of an irrep, Delta = gap sum_a c_a f_a / |c|.

        Parameters
        ----------
        irrep, gap, tolerance : as of :meth:`of`.
        functions : each by channel, shell and copy, with its coefficients.
        angles : theta and phi of two partners, for functions that are given one coefficient.

        Raises
        ------
        SpecificationError : functions that the crystal does not have, or coefficients or angles
            that do not go with them.
        """
        group = find_group(material, tolerance) if material.basis is not None else None
        given = {name: float(value) for name, value in angles.items() if value is not None}
        terms = mixed_functions(material, group, irrep, functions, given)
        made = cls.from_functions(gap, terms)
        return replace(made, theta=given.get("theta"), phi=given.get("phi"))

    @classmethod
    def from_functions(
        cls, gap: float, terms: Sequence[tuple[BasisFunction, Sequence[complex]]]
    ) -> Pairing:
        """A gap sum_a c_a f_a over basis functions of one irrep: Delta = gap sum c f / |c|.

        Parameters
        ----------
        gap : magnitude of all coefficients together in meV.
        terms : basis functions, each with a complex coefficient for every partner.

        Raises
        ------
        SpecificationError : functions of several irreps, or coefficients that do not fit them.
        """
        norm = coefficient_norm(terms)
        [irrep] = {function.irrep.name for function, _ in terms}
        _require_positive(gap)
        bonds = Bonds.sum(
            partner.scaled(gap * complex(value) / norm)
            for function, c in terms
            for partner, value in zip(function.partners, c, strict=True)
        )
        kept = tuple(GapTerm.of(function, [one / norm for one in c]) for function, c in terms)
        require_fermionic(bonds)
        return cls(irrep, gap, custom=bonds, terms=kept)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Pairing:
        """The gap that :meth:`to_dict` wrote, by this version or an earlier one.

        Raises
        ------
        SpecificationError : no gap.
        """
        if content["irrep"] == NORMAL:
            return cls.normal()
        angles: dict[str, Any] = {n: float(content[n]) for n in ANGLES if n in content}
        if "bonds" not in content:
            return cls(str(content["irrep"]), float(content["gap"]), **angles)
        vectors, real, imag = (content["bonds"][key] for key in ("vectors", "real", "imag"))
        given = cls.from_bonds(Bonds(np.array(vectors), np.array(real) + 1j * np.array(imag)))
        if "terms" not in content:
            return given
        terms = tuple(GapTerm.from_dict(term) for term in content["terms"])
        return replace(
            given, irrep=content["irrep"], gap=float(content["gap"]), terms=terms, **angles
        )

    @property
    def angles(self) -> dict[str, float]:
        """The angles that were given, by name."""
        values = {name: getattr(self, name) for name in ANGLES}
        return {name: float(value) for name, value in values.items() if value is not None}

    def __repr__(self) -> str:
        if self.terms:
            angles = "".join(f", {name} {value:.6g}" for name, value in self.angles.items())
            which = " + ".join(
                f"{one.channel} shell {one.shell} copy {one.copy}" for one in self.terms
            )
            state = f"{self.irrep} of {self.terms[0].group}, {which}"
            return f"<Pairing {state}, gap {self.gap:.6g} meV{angles}>"
        if self.irrep == NORMAL:
            return "Pairing.normal()"
        if self.custom is not None:
            return f"Pairing.from_bonds({self.custom!r})"
        angles = "".join(f", {name}={value!r}" for name, value in self.angles.items())
        return f"Pairing({self.irrep!r}, gap={float(self.gap)!r}{angles})"

    def bonds(self, orbitals: int = 1) -> Bonds:
        """Delta_R in meV, (n, 2 orbitals, 2 orbitals), spin major; identity in orbital space."""
        spin = self.custom
        if spin is None:
            spin = state_bonds(self.irrep, self.angles).scaled(self.gap)
        if spin.dimension == 2 * orbitals:
            return spin
        if spin.dimension != 2:
            raise SpecificationError(
                "Gap matrices are 2 x 2 in spin or 2n x 2n for a material with n orbitals.",
                f"{spin.dimension} x {spin.dimension} matrices for {orbitals} orbitals",
                "Give the gap's bonds in the material's basis.",
            )
        return spin.kron(right=np.eye(orbitals))

    def to_dict(self) -> dict[str, object]:
        """Parameters for JSON."""
        out: dict[str, object] = {"irrep": self.irrep, "gap": float(self.gap), **self.angles}
        if self.terms:
            out["terms"] = [term.to_dict() for term in self.terms]
        if self.custom is not None:
            out["bonds"] = self.custom.to_dict()
        return out

    @property
    def names(self) -> dict[str, str | int]:
        """Group, channel, shell and copy of a state of one basis function."""
        return self.terms[0].names if len(self.terms) == 1 else {}


def _require_positive(gap: float) -> None:
    if not (is_number(gap) and gap > 0):
        raise SpecificationError(
            "The gap is a positive number in meV (a sign of it changes no map).",
            gap,
            "Give a positive gap; for the normal state use Pairing.normal() (--normal).",
        )
