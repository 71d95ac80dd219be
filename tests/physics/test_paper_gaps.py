"""The paper's basis functions, (A1) to (A3), among all that D3h allows, and what they leave out.

The paper writes i sigma_y on the left of d.sigma. Written on the right, its twelve functions belong
to the irreps it names. With the matrices as printed, under Delta -> U Delta U^T, those with d in
the plane do not: d_x has the other sign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from crystals import SX, SY, rashba_square
from gapscope.physics import Bonds, Material
from gapscope.physics.form_factors import FORM_FACTORS
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.classify import classify_gaps
from gapscope.physics.gaps.fermi_surface import fermi_surface
from gapscope.physics.gaps.on_fermi_surface import gap_on_fermi_surface
from gapscope.physics.spin import DX, DY

I_SY = np.array([[0, 1], [-1, 0]])
SHELL = {"A2g(s)": 4, "A2g(t,z)": 2, "Eu1(t,xy)": 2, "Eu2(t,xy)": 2}
CHANNEL = {"(s)": "s", "(t,z)": "tz", "(t,xy)": "txy"}


@pytest.fixture(scope="module")
def functions(nbse2: Material) -> list[BasisFunction]:
    return classify_gaps(nbse2, 4)


def on_the_right(bonds: Bonds) -> Bonds:
    """d.sigma i sigma_y of i sigma_y d.sigma, with the same d."""
    return Bonds(bonds.vectors, I_SY.T @ bonds.matrices @ I_SY)


def parts(bonds: Bonds, functions: Sequence[BasisFunction]) -> dict[tuple[str, str, int], float]:
    """Part of a gap's square norm in each irrep, channel and shell; together all of it."""
    vectors = sorted({tuple(r) for f in functions for p in f.partners for r in p.vectors.tolist()})

    def flat(one: Bonds) -> np.ndarray:
        given = dict(zip(map(tuple, one.vectors.tolist()), one.matrices, strict=True))
        return np.concatenate([given.pop(r, np.zeros((2, 2))).ravel() for r in vectors])

    whole = flat(bonds)
    total = float(np.linalg.norm(whole) ** 2)
    found: Counter[tuple[str, str, int]] = Counter()
    for f in functions:
        for p in f.partners:
            unit = flat(p) / np.linalg.norm(flat(p))
            weight = abs(unit.conj() @ whole) ** 2 / total
            if weight > 1e-12:
                found[f.irrep.name, f.channel, f.shell] += weight
    assert sum(found.values()) == pytest.approx(1.0, rel=1e-12)
    return dict(found)


@pytest.mark.parametrize("name", sorted(FORM_FACTORS))
def test_with_i_sy_on_the_right_each_lies_in_the_irrep_it_is_named_by(
    name: str, functions: list[BasisFunction]
) -> None:
    found = parts(on_the_right(FORM_FACTORS[name]), functions)
    label, channel = name.split("(")
    irrep = label.rstrip("12") if label.startswith("E") else label
    assert set(found) == {(irrep, CHANNEL["(" + channel], SHELL.get(name, 1))}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A1u(t,xy)", {("Eu", "txy", 1): 1.0}),
        ("A2u(t,xy)", {("Eu", "txy", 1): 1.0}),
        ("Eu1(t,xy)", {("Eu", "txy", 2): 0.5, ("A1u", "txy", 2): 0.5}),
        ("Eu2(t,xy)", {("Eu", "txy", 2): 0.5, ("A2u", "txy", 2): 0.5}),
    ],
)
def test_as_printed_the_states_in_the_plane_are_others(
    name: str, expected: dict[tuple[str, str, int], float], functions: list[BasisFunction]
) -> None:
    assert parts(FORM_FACTORS[name], functions) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", [n for n in sorted(FORM_FACTORS) if "xy" not in n])
def test_singlets_and_dz_are_what_they_are_called_either_way(
    name: str, functions: list[BasisFunction]
) -> None:
    printed = parts(FORM_FACTORS[name], functions)
    assert printed == pytest.approx(parts(on_the_right(FORM_FACTORS[name]), functions), rel=1e-12)


def test_what_the_papers_list_leaves_out(functions: list[BasisFunction]) -> None:
    """Copies by shell (0 to 4) and channel, and how many of them stand in (A1) to (A3)."""
    allowed = Counter((f.shell, f.channel, f.irrep.name) for f in functions)
    listed: Counter[tuple[int, str, str]] = Counter()
    for name in FORM_FACTORS:
        ((irrep, channel, shell),) = parts(on_the_right(FORM_FACTORS[name]), functions)
        listed[shell, channel, irrep] += 0.5 if irrep.startswith("E") else 1  # two partners
    left_out = {key: n - listed[key] for key, n in allowed.items() if n > listed[key]}
    assert left_out == {
        (0, "s", "A1g"): 1,
        (1, "txy", "Eu"): 2,
        (2, "s", "A1g"): 1,
        (2, "s", "Eg"): 1,
        (2, "tz", "Eg"): 1,
        (2, "txy", "A1u"): 1,
        (2, "txy", "A2u"): 1,
        (2, "txy", "Eu"): 1,
        **{(3, c, i): 1 for c, i in (("s", "A1g"), ("s", "Eg"), ("tz", "A1g"), ("tz", "Eg"))},
        **{(3, "txy", i): n for i, n in (("A1u", 1), ("A2u", 1), ("Eu", 2))},
        **{(4, "s", i): n for i, n in (("A1g", 1), ("Eg", 2))},
        **{(4, "tz", i): n for i, n in (("A1g", 1), ("A2g", 1), ("Eg", 2))},
        **{(4, "txy", i): n for i, n in (("A1u", 2), ("A2u", 2), ("Eu", 4))},
    }


def test_the_singlet_of_a2g_first_appears_at_root_seven(functions: list[BasisFunction]) -> None:
    found = [f for f in functions if (f.irrep.name, f.channel) == ("A2g", "s")]
    assert [f.shell for f in found] == [4]
    assert found[0].length == pytest.approx(np.sqrt(7))


def test_the_side_of_i_sy_decides_over_nodes_under_rashba_coupling() -> None:
    """sin ky d_x - sin kx d_y: fully gapped as d.sigma i sigma_y, nodal as i sigma_y d.sigma."""
    surface = fermi_surface(rashba_square().electrons())

    def state(x: np.ndarray, y: np.ndarray) -> Bonds:
        terms = {(0, 1): x / 2j, (0, -1): -x / 2j, (1, 0): -y / 2j, (-1, 0): y / 2j}
        return Bonds.from_dict(terms)

    right = gap_on_fermi_surface(state(SX @ I_SY, SY @ I_SY), surface)
    left = gap_on_fermi_surface(state(DX, DY), surface)
    assert len(right.nodes) == 0
    assert right.smallest > 0.4 * right.maximum
    assert len(left.nodes) >= 4
    assert left.smallest == 0.0
    found = classify_gaps(rashba_square(), 1, ["txy"])
    (a1,) = [f for f in found if f.irrep.name == "A1"]
    same = state(SX @ I_SY, SY @ I_SY)
    unit = a1.partners[0]
    ratio = np.vdot(unit.matrices, same.matrices) / np.vdot(unit.matrices, unit.matrices)
    assert unit.scaled(ratio).distance(same) < 1e-12
