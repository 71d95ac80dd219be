"""The paper's six states of D3h: the angles that each has, and its bonds (eqs 6-11, A5, A6)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from gapscope.errors import SpecificationError
from gapscope.physics.bonds import Bonds
from gapscope.physics.form_factors import FORM_FACTORS
from gapscope.physics.kinds import is_number

ANGLES = ("theta", "phi", "theta_s", "phi_s", "theta_t", "phi_t")
_GENERAL_EG = ("theta_s", "phi_s", "theta_t", "phi_t")
REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"A1g": ("theta",), "A1u": (), "A2g": ("theta",), "A2u": (), "Eg": ("theta",), "Eu": ("theta",)}
)
OPTIONAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"A1g": (), "A1u": (), "A2g": (), "A2u": (), "Eg": ("phi", *_GENERAL_EG), "Eu": ("phi",)}
)


def require_finite(angles: Mapping[str, object]) -> None:
    """Raise SpecificationError unless all angles that are given are finite numbers."""
    for name, value in angles.items():
        if value is not None and not is_number(value):
            raise SpecificationError(
                "Angles are finite numbers in radians.",
                f"{name} = {value!r:.200}",
                "Give a number.",
            )


def require_angles(irrep: str, given: Mapping[str, float]) -> None:
    """Raise SpecificationError unless a state has all of its angles, and no others."""
    allowed = REQUIRED[irrep] + OPTIONAL[irrep]
    for name, value in given.items():
        if name not in allowed:
            raise SpecificationError(
                f"The angles of {irrep} are: {', '.join(allowed) or 'none'}.",
                f"{name} = {value!r}",
                f"Leave {name} out, or choose an irrep that has it.",
            )
    missing = [name for name in REQUIRED[irrep] if name not in given]
    general = [name for name in _GENERAL_EG if name in given]
    if general:
        missing += [name for name in _GENERAL_EG if name not in given]
        if "phi" in given:
            raise SpecificationError(
                "Eg takes either phi (eq. 11) or theta_s, phi_s, theta_t, phi_t (eq. A6).",
                ", ".join(given),
                "Leave phi out, or the four angles of the general state.",
            )
    if missing:
        raise SpecificationError(
            f"{irrep} needs {', '.join(missing)}.",
            ", ".join(f"{k} = {v!r}" for k, v in given.items()) or "no angle",
            f"Give {', '.join(missing)} in radians.",
        )


def state_bonds(irrep: str, angles: Mapping[str, float]) -> Bonds:
    """Delta_R / gap of a state, by eqs 6-11, A5 and A6; spin only."""
    if irrep in ("A1u", "A2u"):
        return FORM_FACTORS[f"{irrep}(t,xy)"]
    if irrep in ("A1g", "A2g"):
        return _mix(irrep + "(s)", irrep + "(t,z)", angles["theta"])
    if irrep == "Eu":
        return _mix("Eu1(t,xy)", "Eu2(t,xy)", angles["theta"], angles.get("phi", 0.0))
    if "theta_s" not in angles:
        return _mix("Eg1(s)", "Eg2(s)", angles["theta"], angles.get("phi", 0.0))
    singlet = _mix("Eg1(s)", "Eg2(s)", angles["theta_s"], angles["phi_s"])
    triplet = _mix("Eg1(t,z)", "Eg2(t,z)", angles["theta_t"], angles["phi_t"])
    theta = angles["theta"]
    return Bonds.sum([singlet.scaled(math.cos(theta)), triplet.scaled(math.sin(theta))])


def _mix(first: str, second: str, theta: float, phi: float = 0.0) -> Bonds:
    """cos(theta) first + exp(i phi) sin(theta) second."""
    phase = complex(math.cos(phi), math.sin(phi)) if phi else 1.0
    return Bonds.sum(
        [
            FORM_FACTORS[first].scaled(math.cos(theta)),
            FORM_FACTORS[second].scaled(phase * math.sin(theta)),
        ]
    )
