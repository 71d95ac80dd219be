"""Names of the irreps of the gap and of the classes that a map can tell apart.

Names follow the paper: g and u are even and odd under sigma_h (z -> -z), 1 and 2 even and odd under
sigma_v (x -> -x). In the tables of D3h A1g, A2g, Eg are A1', A2', E', and A1u, A2u, Eu are A2'',
A1'', E''.
"""

from __future__ import annotations

import math

from gapscope.errors import SpecificationError
from gapscope.physics.near_names import did_you_mean, near_names

IRREPS = ("A1g", "A1u", "A2g", "A2u", "Eg", "Eu")
LABELS = ("A1g", "A12u", "A2g", "Eg", "Eu")
"""Classes a scalar-impurity map can tell apart: A1u and A2u are one state up to a spin rotation."""


def require_irrep(irrep: str) -> None:
    """Raise SpecificationError, with the nearest names, unless the irrep is one of the six."""
    if not isinstance(irrep, str) or irrep not in IRREPS:
        raise SpecificationError(
            f"An irrep of D3h is one of {', '.join(IRREPS)}.", irrep, _remedy(str(irrep))
        )


def _remedy(name: str) -> str:
    plain = "".join(character for character in name.lower() if character.isalnum())
    if plain == "a12u":
        return (
            "A12u is the class of both A1u and A2u, whose maps are the same where the gaps differ"
            " by sqrt(3). For a class's gap (the network's, a dataset's) choose A1u with that gap,"
            " or A2u with sqrt(3) times it."
        )
    asked = did_you_mean(near_names(plain, IRREPS))
    return asked or (
        "Choose one of them; name gaps of another crystal by its own irreps, Pairing.of(material,"
        " irrep, gap), or give the gap by its bonds with Pairing.from_bonds."
    )


def label_of(irrep: str) -> str:
    """Class of an irrep: A1u and A2u become A12u, the others stay."""
    require_irrep(irrep)
    return "A12u" if irrep in ("A1u", "A2u") else irrep


def labelled_gap(irrep: str, gap: float) -> float:
    """Gap in the normalisation of its class.

    With conserved sz, A1u at gap D and A2u at gap sqrt3 D give the same maps at every energy; the
    class A12u uses A1u's normalisation, so A2u's gap is divided by sqrt3.
    """
    require_irrep(irrep)
    return gap / math.sqrt(3) if irrep == "A2u" else gap


def printed_gap(irrep: str, labelled: float) -> float:
    """Inverse of :func:`labelled_gap`: the gap as it enters the paper's eqs 6-11."""
    require_irrep(irrep)
    return labelled * math.sqrt(3) if irrep == "A2u" else labelled


def both_gaps(irrep: str, gap: float) -> str:
    """How the gap in the normalisation of A12u is told beside A2u's own; "" for other irreps."""
    if irrep != "A2u":
        return ""
    return f"{labelled_gap(irrep, gap):.4g} meV of A1u or A12u (the same maps at gap / sqrt(3))"
