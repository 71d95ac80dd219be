"""gapscope against two public codes with the same physics: calcQPI and pyqula, where present.

    python benchmarks/peers.py [--only calcqpi|examples|pyqula] [EXAMPLE ...]

calcQPI (C++): the executable is named by GAPSCOPE_CALCQPI, else ``calcqpi`` on the PATH.
pyqula (Python): GAPSCOPE_PYQULA_PYTHON names an interpreter that can import it, else this one.
A code that is absent is named in one line, and no error. What calcQPI's authors made of their code,
its own examples, runs as well (``peers_examples.py``) where GAPSCOPE_CALCQPI_EXAMPLES names them.

Same physics: one scalar impurity in the infinite lattice, the same 4 x 4 Bogoliubov-de Gennes bonds
H_R in meV, the same z = w + i delta and the same k-grid with Gamma on it. Nothing is fitted: the
maps compared are drho(r) = -(1/pi) Im Tr_e[G(r) T G(-r)], and what differs follows from the codes:

* calcQPI prints -Im Tr_e of the whole G: its map is divided by pi, and that of the same host
  without impurity (a second run, not timed) is subtracted. It stores the sum in single precision:
  differences are some 1e-7 of the largest value. Its ``scmodel`` conjugates the phases of the
  hole-hole block, so that block's bond at R is written at -R. With ``window=0`` and orbitals of one
  point it gives the density on the sites: not the continuum density it is made for, but the least
  work it can do. Its eigenvectors serve all energies, so five are timed too. Times are those of
  the whole program, from its start to the file.
* pyqula's own LDOS sums electrons and holes: the electrons' part of the diagonal of its
  Embedding.get_gf is taken, less the host's (not timed). That is exact on the k-grid, but every
  offset within the supercell is a sum over all k points: hence few sites. Its get_qpi_impurity is
  no match: there the impurity repeats with the supercell, and only eigenstates near w are kept.
  For one site alone pyqula has a better method, decimation along one direction and adaptive
  integration along the other; it comes last. Times exclude importing and compiling.

Peers and gapscope take turns in this one run. Seconds are medians of wall time, gapscope's those of
a call to its running host; ratios are of CPU time, which other work on the machine disturbs less.
Errors are against method converged, over the window / without r = 0.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import gapscope as gs
from calcqpi import MODEL, CalcQPI, Map, Spent, cpu_of, find_program
from gapscope.kernel.calls import Maps
from gapscope.kernel.client import HostInfo, get_host
from gapscope.simulation.maps import simulate_batch
from maps import idle_of, peak_of
from peers_examples import compare_examples

REQUEST = 5e-4
REPEATS = 3
SHORT = 20  # of gapscope's short calls to one of a peer's
STATES = (("A1g", 0.0, 0.1), ("A1g", 0.0, 1.0), ("A1u", None, 0.1))  # irrep, theta, broadening
KGRID, WINDOW = 1024, 128
ENERGIES = (0.0, 0.5, 1.0, 1.5, 2.0)
FEW_KGRID, CELLS = 512, 11
SITE_ERROR = 1e-6

PYQULA = """
import contextlib, importlib.metadata, io, json, sys, time
import numpy as np
from pyqula import geometry, green
from pyqula.embedding import Embedding
from pyqula.multihopping import MultiHopping

print(json.dumps(importlib.metadata.version("pyqula")), flush=True)
for line in sys.stdin:
    ask = json.loads(line)
    bonds = ask["bonds"]
    matrices = np.array(bonds["real"]) + 1j * np.array(bonds["imag"])
    v, delta, cells, kgrid = np.array(ask["v"]), ask["delta"], ask["cells"], ask["kgrid"]
    h = geometry.triangular_lattice().get_hamiltonian(has_spin=True)
    h.add_swave(1.0)  # only makes it a Nambu Hamiltonian: all bonds are replaced
    h.set_multihopping(MultiHopping({(*r, 0): m for r, m in zip(bonds["vectors"], matrices)}))
    embedding = Embedding(h, m=h.intra + v)
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter(), time.process_time()
        if ask["site"]:
            bulk, self_energy = green.bloch_selfenergy(
                h, energy=0.0, delta=delta, mode="adaptive", error=ask["site"]
            )
            full = np.linalg.inv(1j * delta * np.eye(4) - h.intra - v - self_energy)
        else:
            full = embedding.get_gf(energy=0.0, delta=delta, nsuper=cells, nk=kgrid)
        spent = time.perf_counter() - start[0], time.process_time() - start[1]
        if not ask["site"]:
            bulk, _ = green.bloch_selfenergy(h, energy=0.0, delta=delta, mode="full", nk=kgrid)
    host = np.diag(np.array(bulk))[:2].sum()
    sites = np.diag(np.array(full)).reshape(cells, cells, 4)[..., :2].sum(-1)
    print(json.dumps([spent, ((host - sites).imag / np.pi).tolist()]), flush=True)
"""


def specification(irrep: str, theta: float | None) -> gs.Specification:
    pairing = gs.Pairing(irrep, 1.0, theta=theta)
    return gs.Specification(gs.material("nbse2"), pairing, gs.Impurity.scalar(50.0), eps0=20.0)


def ours(
    spec: gs.Specification,
    delta: float,
    window: int,
    method: gs.Grid | gs.Converged,
    energies: tuple[float, ...] = (0.0,),
) -> Maps:
    return simulate_batch([spec], gs.Numerics(energies, delta, window, method))


def in_turn(
    peer: Callable[[], tuple[Spent, Map]], calls: Sequence[Callable[[], Maps]], pid: int
) -> tuple[Map, list[Maps], NDArray[np.float64]]:
    """A peer's map, gapscope's maps, and the median times of all of them, (1 + calls, 2)."""
    maps = [call() for call in calls]  # compiles
    spent = []
    for _ in range(REPEATS):
        times, theirs = peer()
        turn = [times]
        for call in calls:
            walls, cpu = [], cpu_of(pid)
            for _ in range(SHORT):
                start = time.perf_counter()
                call()
                walls.append(time.perf_counter() - start)
            turn.append((statistics.median(walls), (cpu_of(pid) - cpu) / SHORT))
        spent.append(turn)
    return theirs, maps, np.median(spent, axis=0)


def both_errors(ours: Map, reference: Map) -> str:
    """||difference|| / ||reference|| over the window / without r = 0."""
    away = np.ones(reference.shape)
    away[reference.shape[0] // 2, reference.shape[1] // 2] = 0
    norm = np.linalg.norm
    values = [norm((ours - reference) * mask) / norm(reference * mask) for mask in (1.0, away)]
    return " /".join(f"{value:>8.1e}" for value in values)


def print_head(peer: str) -> None:
    print(f"{'state':<6}{'delta':>6}{peer + ' (s)':>13}{'grid (s)':>10}{'ratio':>7}", end="")
    print(f"{'difference':>12}{'error of both grids':>21}{'converged (s)':>15}", end="")
    print(f"{'ratio':>7}{'its estimate':>20}")


def print_row(
    peer: Callable[[], tuple[Spent, Map]],
    state: tuple[str, float | None, float],
    kgrid: int,
    window: int,
    pid: int,
) -> None:
    """A peer and gapscope on one k-grid, and method converged."""
    irrep, theta, delta = state
    spec = specification(irrep, theta)
    methods = gs.Grid(kgrid), gs.Converged(REQUEST)
    calls = [functools.partial(ours, spec, delta, window, method) for method in methods]
    theirs, (uniform, fine), times = in_turn(peer, calls, pid)
    n = len(theirs)  # an odd supercell is the window without its first row and column
    on_grid, reference = (maps.ldos_change[0, 0, -n:, -n:] for maps in (uniform, fine))
    difference = np.abs(theirs - on_grid).max() / np.abs(on_grid).max()
    (a, b, c), ratios = times[:, 0], times[0, 1] / times[1:, 1]
    known = fine.convergence
    assert known is not None
    print(
        f"{irrep:<6}{delta:>6}{a:>13.2f}{b:>10.4f}{ratios[0]:>7.0f}{difference:>12.1e}"
        f"{both_errors(theirs, reference):>21}{c:>15.4f}{ratios[1]:>7.0f}"
        f"{known.error[0, 0]:>10.1e} /{known.error_away[0, 0]:>8.1e}",
        flush=True,
    )


def settings(
    v: float, delta: float, window: int, energies: Sequence[float] = (0.0,)
) -> dict[str, object]:
    """What calcQPI computes: densities on the sites, each orbital one point."""
    return {
        **MODEL,
        "window": 0,
        "oversamp": 1,
        "lattice": window,
        "kpoints": KGRID,
        "eta": delta,
        "energies": f"({energies[0]},{energies[-1]})",
        "layers": len(energies),
        "scattering": f"({v},{v})",
    }


def compare_calcqpi(program: str, host: HostInfo, folder: Path) -> None:
    calcqpi = CalcQPI(program, folder, host.threads)
    calcqpi.write_orbitals(np.ones((2, 1, 1)))
    print(
        f"\ncalcQPI {calcqpi.version} with {host.threads} threads; kgrid {KGRID}, window {WINDOW},"
        " w = 0"
    )
    idle = idle_of(host.pid)
    methods = gs.Grid(KGRID), gs.Converged(REQUEST)
    memory = []
    for method in methods:
        idle_of(host.pid)
        ours(specification(*STATES[0][:2]), STATES[0][2], WINDOW, method)
        memory.append(peak_of(host.pid))
    print_head("calcQPI")
    for state in STATES:
        irrep, theta, delta = state
        calcqpi.write_model(specification(irrep, theta))
        background = float(calcqpi.run(settings(0.0, delta, 2))[1].mean())

        def peer(delta: float = delta, background: float = background) -> tuple[Spent, Map]:
            spent, whole = calcqpi.run(settings(50.0, delta, WINDOW))
            return spent, whole[0] - background

        print_row(peer, state, KGRID, WINDOW, host.pid)
    print(
        f"peak memory: calcQPI {calcqpi.peak / 1e6:.0f} MB; gapscope's host"
        f" {memory[0] / 1e6:.0f} MB by method grid, {memory[1] / 1e6:.0f} MB by converged,"
        f" {idle / 1e6:.0f} MB idle"
    )
    irrep, theta, delta = STATES[0]
    spec = specification(irrep, theta)
    calcqpi.write_model(spec)
    calls = [functools.partial(ours, spec, delta, WINDOW, method, ENERGIES) for method in methods]
    _, _, times = in_turn(
        lambda: calcqpi.run(settings(50.0, delta, WINDOW, ENERGIES)), calls, host.pid
    )
    print(
        f"{len(ENERGIES)} energies from {ENERGIES[0]} to {ENERGIES[-1]} meV, {irrep}, {delta} meV:"
        f" calcQPI {times[0, 0]:.1f} s, grid {times[1, 0]:.3f} s (ratio"
        f" {times[0, 1] / times[1, 1]:.0f}), converged {times[2, 0]:.3f} s (ratio"
        f" {times[0, 1] / times[2, 1]:.0f})",
        flush=True,
    )


class Pyqula:
    """A process of the interpreter that has pyqula: questions in, answers out, as lines of JSON."""

    def __init__(self, python: str, folder: Path, threads: int) -> None:
        names = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"
        self.process = subprocess.Popen(
            [python, "-W", "ignore", "-c", PYQULA],
            cwd=folder,
            env={**os.environ, **dict.fromkeys(names, str(threads))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self.answer()

    def answer(self) -> Any:
        """What the process wrote."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def run(
        self, spec: gs.Specification, delta: float, cells: int, kgrid: int, site: float = 0
    ) -> tuple[Spent, Map]:
        """Times and drho on cells x cells sites, or on the impurity's own to an error ``site``."""
        question = {
            "bonds": spec.bdg().to_dict(),
            "v": spec.impurity_matrix().real.tolist(),
            "delta": delta,
            "cells": cells,
            "kgrid": kgrid,
            "site": site,
        }
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        (wall, cpu), values = self.answer()
        return (wall, cpu), np.array(values)


def compare_pyqula(python: str, host: HostInfo, folder: Path) -> None:
    pyqula = Pyqula(python, folder, host.threads)
    pid = pyqula.process.pid
    print(
        f"\npyqula {pyqula.version}, Embedding.get_gf of {CELLS} x {CELLS} sites, all but the last"
        f" inverses on one thread; kgrid {FEW_KGRID}, w = 0"
    )
    pyqula.run(specification("A1g", 0.0), 1.0, 3, 8)  # compiles
    idle = idle_of(pid)
    print_head("pyqula")
    for state in STATES:
        spec = specification(*state[:2])
        peer = functools.partial(pyqula.run, spec, state[2], CELLS, FEW_KGRID)
        print_row(peer, state, FEW_KGRID, CELLS + 1, host.pid)
    print(f"peak memory: pyqula's process {peak_of(pid) / 1e6:.0f} MB, {idle / 1e6:.0f} MB idle")
    print(f"the impurity's own site alone, pyqula by decimation at error {SITE_ERROR}:")
    for irrep, theta, delta in STATES:
        spec = specification(irrep, theta)
        peer = functools.partial(pyqula.run, spec, delta, 1, 0, SITE_ERROR)
        call = functools.partial(ours, spec, delta, 2, gs.Converged(REQUEST))
        theirs, (fine,), times = in_turn(peer, [call], host.pid)
        exact = fine.ldos_change[0, 0, 1, 1]
        print(
            f"{irrep:<6}{delta:>6}{times[0, 0]:>13.2f}  converged, window 2: {times[1, 0]:.4f} s,"
            f" ratio {times[0, 1] / times[1, 1]:.0f}, difference"
            f" {abs(theirs[0, 0] - exact) / abs(exact):.1e}",
            flush=True,
        )
    pyqula.process.communicate()  # the end of its questions ends it


def find_pyqula() -> str | None:
    """An interpreter that can import pyqula."""
    python = find_program("GAPSCOPE_PYQULA_PYTHON", sys.executable)
    if python is None:
        return None
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pyqula') is None)"
    return python if subprocess.run([python, "-c", code], check=False).returncode == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("calcqpi", "examples", "pyqula"))
    parser.add_argument("examples", nargs="*", help="of calcQPI's examples these alone")
    options = parser.parse_args()

    def wanted(part: str) -> bool:
        return options.only in (None, part)

    host = get_host().info()
    print(f"gapscope: Julia {host.julia} with {host.threads} threads, request {REQUEST}")
    if wanted("calcqpi") or wanted("examples"):
        calcqpi = find_program("GAPSCOPE_CALCQPI", "calcqpi")
        if calcqpi is None:
            print(
                "calcQPI is absent: build the repository gpwahl/calcqpi-release and name its"
                " executable by GAPSCOPE_CALCQPI"
            )
        elif wanted("calcqpi"):
            with tempfile.TemporaryDirectory() as folder:
                compare_calcqpi(calcqpi, host, Path(folder))
        if calcqpi is not None and wanted("examples"):
            compare_examples(calcqpi, host, options.examples)
    if wanted("pyqula"):
        pyqula = find_pyqula()
        if pyqula is None:
            print(
                "pyqula is absent: pip install pyqula, in an environment of its own whose Python"
                " GAPSCOPE_PYQULA_PYTHON names"
            )
        else:
            with tempfile.TemporaryDirectory() as folder:
                compare_pyqula(pyqula, host, Path(folder))


if __name__ == "__main__":
    main()
