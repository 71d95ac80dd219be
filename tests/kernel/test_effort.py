"""Estimates that are made before anything is computed: blocks, memory; results in parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gapscope as gs
from gapscope.kernel.client import get_host, shutdown
from gapscope.physics import Bonds, Lattice, Material
from gapscope.simulation.blocks import blocks
from gapscope.simulation.effort import energy_groups
from gapscope.simulation.map_request import MapRequest
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Numerics

SCALAR = gs.Impurity.scalar(50.0)


def state(irrep: str, several: bool = False, **angles: float) -> gs.Specification:
    impurity = SCALAR + gs.Impurity.magnetic((0, 0, 5), site=(3, -2)) if several else SCALAR
    return gs.Specification(gs.material("nbse2"), gs.Pairing(irrep, 1.0, **angles), impurity, 20.0)


def two_orbitals() -> gs.Specification:
    hop = [[40.0, 12.0], [12.0, -30.0]]
    bonds = dict.fromkeys(((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)), hop)
    spinless = Bonds.from_dict(bonds | {(0, 0): [[20.0, 5.0], [5.0, -10.0]]})
    material = Material("two", Lattice("triangular", 3.4), spinless.kron(left=np.eye(2)))
    return gs.Specification(material, gs.Pairing("A1g", 1.0, theta=0.0), SCALAR)


def bands(n: int, *, real: bool = True, **at: list[float]) -> gs.Specification:
    """Orbitals that all mix, spins that do not; with real hoppings k and -k are the same."""
    rng = np.random.default_rng(1)
    terms = {(0, 0): np.diag(rng.uniform(-60, 60, n)).astype(complex)}
    for r in ((1, 0), (0, 1)):
        hop = rng.normal(size=(2, n, n)) * 40 / np.sqrt(n)
        terms[r] = hop[0] + (0 if real else 1j) * hop[1]
        terms[-r[0], -r[1]] = terms[r].conj().T
    material = Material(
        "bands", Lattice("square", 3.0), Bonds.from_dict(terms).kron(left=np.eye(2))
    )
    gap = gs.Pairing.from_bonds({(0, 0): [[0, 1], [-1, 0]]})
    return gs.Specification(material, gap, gs.Impurity.scalar(50.0, **at))


STATES = {
    "real": bands(3),
    "complex": bands(3, real=False),
    "Eg": state("Eg", theta=0.3),
    "Eg, complex": state("Eg", theta=0.3, phi=0.4),
    "Eu, complex": state("Eu", theta=0.3, phi=0.4),
    "A1u": state("A1u"),
    "A1g": state("A1g", theta=0.5),
    "two orbitals": two_orbitals(),
}


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("energy", [0.0, 0.5])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("touched", [None, {0, 2}])
def test_blocks_are_those_of_the_kernel(
    name: str, energy: float, whole: bool, touched: set[int] | None
) -> None:
    bonds = STATES[name].bdg()
    matrix = ",".join(
        f"complex({x.real!r},{x.imag!r})" for m in bonds.matrices for x in m.T.ravel().tolist()
    )
    d, n = bonds.dimension, len(bonds.vectors)
    wanted = "1:" + str(d) if touched is None else str([one + 1 for one in sorted(touched)])
    vectors = ",".join(map(str, bonds.vectors.ravel().tolist()))
    code = f"""let v = reshape([{vectors}], 2, {n}), h = reshape([{matrix}], {d}, {d}, {n})
        b = GapScope.Bonds(v, h)
        z = complex({energy}, 0.1)
        join(map(GapScope.families(b)) do f
            w = GapScope.related(b, f, {wanted})
            s = GapScope.block_solver(b, f.block, z, {str(whole).lower()}; wanted = w)
            m = GapScope.mirror_of(s, b) === nothing ? 0 : 1
            string(length(f.block), " ", GapScope.field_count(s), " ",
                length(GapScope.elements(s, z)), " ", 1 + length(f.twins), " ", m)
        end, "; ")
    end"""
    theirs = sorted(get_host().evaluate(code).split("; "))
    ours = blocks(bonds, whole=whole, zero=energy == 0, touched=touched)
    assert theirs == sorted(
        f"{b.size} {b.fields} {b.elements} {b.copies} {b.is_mirrored:d}" for b in ours
    )


def test_only_an_electron_with_a_hole_is_a_pair() -> None:
    mixed, gap = np.array([[0.3, 0.2], [0.2, -0.3]]), np.array([[0, 0.1], [-0.1, 0]])
    for electrons, is_pair in ((mixed, False), (np.diag([0.3, 0.3]), True)):
        pairing = gap * is_pair
        matrix = np.block([[electrons, pairing], [pairing.conj().T, -electrons.T]])
        found = blocks(Bonds(np.zeros((1, 2), np.int64), matrix[None].astype(complex)), whole=False)
        assert {block.size for block in found} == {2}
        assert {block.is_pair for block in found} == {is_pair}


def test_parts_of_the_energies_give_the_same_bits(capsys: pytest.CaptureFixture[str]) -> None:
    energies = [0.0, 0.5, -0.5, 1.0, -0.25, 2.0]
    for numerics in (Numerics(energies, 0.1, 32), Numerics(energies, 0.1, 32, kgrid=64)):
        whole = simulate_batch([STATES["Eg"]], numerics)
        parts = simulate_batch([STATES["Eg"]], numerics, progress=True)
        assert np.array_equal(whole.trace, parts.trace)
        assert np.array_equal(whole.local_green, parts.local_green)
        if whole.convergence is not None:
            assert parts.convergence is not None
            assert np.array_equal(whole.convergence.rows, parts.convergence.rows)
    for settings in ({}, {"kgrid": 64}):
        dos = gs.density_of_states(STATES["Eg"], energies, 0.1, **settings)
        again = gs.density_of_states(STATES["Eg"], energies, 0.1, **settings, progress=True)
        assert dos.identical(again)
    momenta = np.random.default_rng(1).uniform(-1, 1, (300, 2))
    one = gs.spectral_function(STATES["Eg"], momenta, energies, 0.1)
    assert one.identical(gs.spectral_function(STATES["Eg"], momenta, energies, 0.1, progress=True))
    assert capsys.readouterr().err == ""


def test_an_energy_and_its_opposite_stay_together() -> None:
    assert energy_groups(STATES["Eg"].bdg(), [0.0, 0.5, 1.0, -0.5]) == [[0], [1, 3], [2]]


def memory_of(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    "numerics",
    [Numerics([0.5], 0.1, 768), Numerics([0.5], 0.1, 768, kgrid=8192)],
    ids=["converged", "grid"],
)
def test_memory_is_estimated_from_above(numerics: Numerics) -> None:
    """A host of its own, which has computed a small map before; benchmarks/memory.py has more."""
    shutdown()
    small = {"kgrid": 64} if numerics.method.name == "grid" else {}
    simulate_batch([STATES["Eg"]], Numerics([0.5], 0.1, 32, **small))
    pid = get_host().info().pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = memory_of(pid, "VmRSS")
    simulate_batch([STATES["Eg"]], numerics)
    taken = memory_of(pid, "VmHWM") - before + 16 * numerics.window**2
    request = MapRequest([STATES["Eg"].bdg()], [STATES["Eg"].scatterers()], numerics)
    assert taken < request.effort().memory < 2.5 * taken


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("orbitals", [[1.0] + [0.0] * 5, [1.0] * 6], ids=["one", "all"])
def test_memory_of_many_orbitals_is_estimated_from_above(orbitals: list[float]) -> None:
    """What one orbital scatters takes less than what all do, and the estimate says so."""
    shutdown()
    state, numerics = bands(6, orbitals=orbitals), Numerics([0.5], 4.0, 192)
    simulate_batch([state], Numerics([0.5], 8.0, 16))
    pid = get_host().info().pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = memory_of(pid, "VmRSS")
    simulate_batch([state], numerics)
    taken = memory_of(pid, "VmHWM") - before + 16 * numerics.window**2
    needed = MapRequest([state.bdg()], [state.scatterers()], numerics).effort().memory
    assert taken < needed < 3.5 * taken


def test_memory_of_ten_orbitals_that_all_scatter_is_below_a_gigabyte() -> None:
    state, few = bands(10, orbitals=[1.0] * 10), bands(10, orbitals=[1.0] + [0.0] * 9)
    numerics = Numerics([0.5], 0.1, 128)

    def needed(one: gs.Specification) -> float:
        return MapRequest([one.bdg()], [one.scatterers()], numerics).effort().memory

    assert needed(few) < 0.7 * needed(state)
    assert needed(state) < 1e9


def test_maps_of_orbitals_that_do_not_fit_are_refused_with_the_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gapscope.support import memory

    state = bands(10, orbitals=[1.0] * 10)
    monkeypatch.setattr(memory, "available_memory", lambda: 6e8)
    with pytest.raises(gs.errors.NumericsError, match=r"window = 64"):
        gs.simulate(state, Numerics([0.5], 0.1, 128))
