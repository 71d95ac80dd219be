"""The surface of a half-infinite crystal: thick slabs, closed forms, and what follows from it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pytest
from numpy.typing import NDArray

import gapscope as gs
from gapscope.errors import ConvergenceWarning
from gapscope.physics import Bonds, Lattice, Material, Orbital
from oracle import Oracle, uniform_grid

Matrix = NDArray[np.complex128]
SINGLET = np.array([[0, 1], [-1, 0]])
D_WAVE = {r: s * SINGLET for r, s in (((1, 0), 4), ((-1, 0), 4), ((0, 1), -4), ((0, -1), -4))}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def with_partners(hops: dict[tuple[int, int, int], Matrix]) -> Bonds:
    partners = {(-a, -b, -c): np.conj(h).T for (a, b, c), h in hops.items()}
    return Bonds.from_dict(hops | partners)


def cubic(t: float = -100.0, down: float = -60.0) -> Material:
    hops = {(1, 0, 0): t, (0, 1, 0): t, (0, 0, 1): down}
    bonds = with_partners({r: h * np.eye(2) for r, h in hops.items()})
    return Material("cubic", Lattice("square", 3.0), bonds, surface="top")


def ising() -> Material:
    """One orbital; spins that turn into each other under time reversal, and differ."""
    sizes = {(1, 0, 0): -50.0, (0, 1, 0): -40 + 15j, (0, 0, 1): -40 + 20j, (1, 0, 1): 10 - 15j}
    bonds = with_partners({r: np.diag([t, np.conj(t)]) for r, t in sizes.items()})
    return Material("ising", Lattice("square", 3.0), bonds, surface="top")


def stacked(surface: str = "top") -> Material:
    """Two orbitals on two places, spins that mix, hopping to the second layer; no mirror of z."""
    rng = np.random.default_rng(3)
    hops = {}
    for r in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, -1, 2)):
        shape = (2, 4, 4)
        real, imaginary = 40 * rng.normal(size=shape) / (1 + r[2])
        hops[r] = real + 0.5j * imaginary
    onsite = rng.normal(size=(4, 4)) * 30
    bonds = Bonds.sum([with_partners(hops), Bonds.from_dict({(0, 0): onsite + onsite.T})])
    basis = (Orbital("s"), Orbital("pz", (0.5, 0.5), 0.7))
    return Material("stacked", Lattice("square", 3.8), bonds, basis=basis, surface=surface)


@dataclass(frozen=True)
class Slab(Oracle):
    """The outermost layer of so many layers, their Hamiltonian inverted as a whole."""

    material: Material | None = None
    gap: Bonds | None = None
    layers: int = 40

    @cached_property
    def green(self) -> Matrix:
        material, m = self.material, uniform_grid(self.n)
        assert material is not None
        size, count = material.bonds.dimension, self.layers
        normal = [self.normal(m), self.normal(-m)]
        pairs = np.zeros((*m.shape[:2], size, size), complex)
        if self.gap is not None:
            pairs = self.gap.at(m)
            if size > 2:
                pairs = np.kron(pairs, np.eye(size // 2))
        delta = np.zeros_like(normal[0])
        for a in range(count):
            own = slice(a * size, (a + 1) * size)
            delta[..., own, own] = pairs
        upper = np.concatenate([normal[0], delta], axis=-1)
        hole = -np.swapaxes(normal[1], -1, -2)
        lower = np.concatenate([np.conj(np.swapaxes(delta, -1, -2)), hole], axis=-1)
        h = np.concatenate([upper, lower], axis=-2)
        z = self.omega + 1j * self.broadening
        kept = [*range(size), *range(count * size, count * size + size)]
        right = np.zeros((h.shape[-1], len(kept)))
        right[kept, range(len(kept))] = 1
        return np.linalg.solve(z * np.eye(h.shape[-1]) - h, right)[..., kept, :]

    def normal(self, m: NDArray[np.float64]) -> Matrix:
        """Electrons of all layers at reduced momenta (..., 2), the outermost first."""
        assert self.material is not None
        bonds, count = self.material.bonds, self.layers
        size = bonds.dimension
        h = np.zeros((*m.shape[:-1], count * size, count * size), complex)
        into = -1 if self.material.surface == "top" else 1  # the next layer in, along a3
        for (r1, r2, r3), matrix in zip(bonds.vectors.tolist(), bonds.matrices, strict=True):
            block = np.exp(2j * np.pi * (m @ [r1, r2]))[..., None, None] * matrix
            for a in range(count):
                b = a + into * r3
                if 0 <= b < count:
                    rows, columns = (slice(x * size, (x + 1) * size) for x in (a, b))
                    h[..., rows, columns] += block
        return h


def slab(spec: gs.Specification, w: float, delta: float, n: int, layers: int) -> Slab:
    gap = None if spec.pairing.irrep == "normal" else spec.pairing.custom
    v = spec.impurity_matrix()
    return Slab(lambda m: m, v, n, w, delta, spec.material, gap, layers)


PAIRINGS = {
    "normal": gs.Pairing.normal(),
    "s wave": gs.Pairing.from_bonds({(0, 0): 30.0 * SINGLET}),
    "d wave": gs.Pairing.from_bonds(D_WAVE),
}


CRYSTALS = {
    "spins that mix, top": stacked(),
    "spins that mix, bottom": stacked("bottom"),
    "spins reversed in time": ising(),
}


@pytest.mark.parametrize("crystal", CRYSTALS)
@pytest.mark.parametrize("pairing", PAIRINGS)
def test_maps_are_those_of_a_thick_slab(pairing: str, crystal: str) -> None:
    """A wave is back from the other side after 2 x 16 layers, damped to below 1e-8."""
    impurity = gs.Impurity.scalar(80.0) + gs.Impurity.magnetic((20.0, 0.0, 10.0))
    spec = gs.Specification(CRYSTALS[crystal], PAIRINGS[pairing], impurity)
    w, delta = 12.0, 120.0
    maps = gs.simulate(spec, gs.Numerics([w], delta, 4, kgrid=4))
    right = slab(spec, w, delta, 4, 16)
    change = maps.ldos_change.values[0].reshape(-1, 4, 4).sum(axis=0)  # all atoms
    scale = np.abs(change).max()
    assert np.abs(change - right.ldos_change(4)).max() < 1e-8 * scale
    assert maps.dos.values[0] == pytest.approx(right.dos, rel=1e-8)


def test_top_and_bottom_of_a_crystal_differ() -> None:
    numerics = gs.Numerics([12.0], 20.0, 4, kgrid=6)
    impurity = gs.Impurity.scalar(80.0)
    top, bottom = (
        gs.simulate(gs.Specification(stacked(s), PAIRINGS["s wave"], impurity), numerics)
        for s in ("top", "bottom")
    )
    assert abs(top.dos.values[0] / bottom.dos.values[0] - 1) > 0.01


@pytest.mark.parametrize("delta", [10.0, 0.1, 1e-4])
def test_a_cubic_half_space_has_its_closed_form(delta: float) -> None:
    """g = (w - sqrt(w^2 - 4 t^2)) / (2 t^2), w = z - 2 t' (cos k1 + cos k2), decaying."""
    t, down, energies = -100.0, -60.0, [-150.0, 0.3, 90.0]
    m = np.array([[0.0, 0.0], [0.21, 0.37], [0.5, 0.125], [-0.2, 0.45]])
    spec = gs.Specification(cubic(t, down), gs.Pairing.normal(), gs.Impurity.scalar(50.0))
    found = gs.spectral_function(spec, m, energies, delta)
    w = np.add.outer(-2 * t * np.cos(2 * np.pi * m).sum(axis=-1), energies) + 1j * delta
    root = np.sqrt(w - 2 * down) * np.sqrt(w + 2 * down)  # Im > 0: the branch that decays
    g = (w - root) / (2 * down**2)
    assert found.values == pytest.approx(-2 * g.imag / np.pi, rel=1e-9)


def test_a_chain_ends_with_a_state_where_its_outermost_bond_is_the_weak_one() -> None:
    """Su-Schrieffer-Heeger: weight 1 - (v/u)^2 at zero energy on the outermost site, or none."""
    delta, v, u = 0.01, 50.0, 200.0

    def chain(surface: str) -> gs.Specification:
        inside = np.kron(np.eye(2), [[0, v], [v, 0]])
        between = np.kron(np.eye(2), [[0, u], [0, 0]])  # orbital 0 to orbital 1 of the cell above
        bonds = with_partners({(0, 0, 0): inside / 2, (0, 0, 1): between})
        bonds = Bonds.sum([bonds, Bonds.from_dict({(0, 0): inside / 2})])
        material = Material("chain", Lattice("square", 3.0), bonds, surface=surface)
        return gs.Specification(material, gs.Pairing.normal(), gs.Impurity.scalar(50.0))

    for surface, outermost in (("top", 0), ("bottom", 1)):
        dos = gs.density_of_states(chain(surface), [0.0], delta, 1, by_orbital=True, estimate=False)
        weight = dos.values[0] * np.pi * delta / 2  # of both spins
        assert weight[outermost] == pytest.approx(1 - (v / u) ** 2, rel=1e-3)
        assert abs(weight[1 - outermost]) < 1e-6
    strong = replace(chain("top").material)
    swapped = Bonds(strong.bonds.vectors * [1, 1, -1], strong.bonds.matrices)
    # With the bond to the layer below where that to the layer above was no end hangs loose.
    turned = Material("chain", strong.lattice, swapped, surface="bottom")
    again = gs.Specification(turned, gs.Pairing.normal(), gs.Impurity.scalar(50.0))
    one = gs.density_of_states(again, [0.0], delta, 1, estimate=False)
    two = gs.density_of_states(chain("top"), [0.0], delta, 1, estimate=False)
    assert one.values == pytest.approx(two.values, rel=1e-12)


def test_states_of_a_surface_are_two_for_each_orbital() -> None:
    """The integral over w = scale tan(x), which the states' tail 1/w^2 makes smooth."""
    spec = gs.Specification(stacked(), PAIRINGS["s wave"], gs.Impurity.scalar(50.0))
    count, scale = 96, 300.0
    x = np.pi * ((np.arange(count) + 0.5) / count - 0.5)
    energies = scale * np.tan(x)
    dos = gs.density_of_states(spec, energies.tolist(), 100.0, 4, by_orbital=True, estimate=False)
    weights = scale / np.cos(x) ** 2 * np.pi / count
    assert (weights @ dos.values) == pytest.approx([2.0, 2.0], abs=1e-6)


def test_energies_of_both_signs_several_impurities_and_a_kept_green_function() -> None:
    spec = gs.Specification(
        stacked(),
        PAIRINGS["d wave"],
        gs.Impurity.scalar(80.0) + gs.Impurity.scalar(-50.0, site=(1, 0)),
    )
    numerics = gs.Numerics([12.0, -12.0], 60.0, 8, kgrid=16)
    maps = gs.simulate(spec, numerics)
    alone = gs.simulate(spec, replace(numerics, energies=(-12.0,)))
    scale = float(abs(maps.ldos_change).max())
    assert np.abs(maps.ldos_change[1] - alone.ldos_change[0]).max() < 1e-12 * scale
    kept = gs.simulate_from_green(gs.green_function(spec, numerics), spec.impurity)
    assert np.abs(kept.ldos_change - maps.ldos_change).max() < 1e-12 * scale


def test_the_converged_map_is_that_of_a_fine_grid() -> None:
    """A grid of 160 points a side resolves 30 meV to rounding."""
    spec = gs.Specification(cubic(), PAIRINGS["s wave"], gs.Impurity.scalar(80.0))
    numerics = gs.Numerics([35.0], 30.0, 8, accuracy=0.01)
    found = gs.simulate(spec, numerics)
    fine = gs.simulate(spec, replace(numerics, method=gs.Grid(160)))
    off = np.linalg.norm(found.ldos_change - fine.ldos_change) / np.linalg.norm(fine.ldos_change)
    assert off < 1.5 * float(found.relative_error[0]) + 1e-6
    assert float(found.relative_error[0]) < 0.01
    dos = gs.density_of_states(spec, [35.0], 30.0, accuracy=0.005)
    assert dos.values[0] == pytest.approx(fine.dos.values[0], rel=0.005)
