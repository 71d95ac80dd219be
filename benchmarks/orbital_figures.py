"""Figures of docs/many-orbitals.md: orbital-selective impurities in Sr2RuO4 and in a pnictide.

    python benchmarks/orbital_figures.py [sr2ruo4] [pnictide] [--folder docs/images]

Each is made of two Green's functions, at 1 and 0.1 meV: rows are impurities, columns the lattice
map at both broadenings and what a tip sees at the smaller one. A line per map says what it cost,
in CPU seconds of the kernel's host and of this process, and how accurate it is.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

import gapscope as gs
from calcqpi import cpu_of
from gapscope.kernel.client import get_host
from gapscope.physics import Bonds, Lattice, Material, Orbital
from gapscope.plots.continuum import draw_change, draw_momenta
from gapscope.plots.maps import draw_image
from gapscope.plots.style import save_figure, styled
from orbitals import t2g, with_opposite

WINDOW, PIXELS, ACCURACY = 128, 6, 0.005
BROADENINGS = (1.0, 0.1)
IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SINGLET = np.array([[0.0, 1.0], [-1.0, 0.0]])


@dataclass(frozen=True)
class Case:
    """A superconductor with several impurities, seen at one energy.

    Parameters
    ----------
    state : with an impurity in all orbitals, for which G is made accurate.
    impurities : by the words that name them in the figure.
    """

    title: str
    state: gs.Specification
    energy: float
    height: float
    impurities: dict[str, gs.Impurity]


def sr2ruo4() -> Case:
    """Three t2g orbitals with spin-orbit coupling; d wave of x2-y2 on neighbouring sites.

    The form is V. B. Zabolotnyy et al., J. Electron Spectrosc. 191, 48 (2013), the numbers are
    those of A. T. Romer et al., Phys. Rev. Lett. 123, 247001 (2019), with a coupling of 35 meV; the
    gap of 0.35 meV is what tunnelling finds (R. Sharma et al., PNAS 117, 5222 (2020)).
    """
    plain = t2g()
    basis = tuple(Orbital(name) for name in ("dxz", "dyz", "dxy"))
    material = Material("Sr2RuO4", plain.lattice, plain.bonds, basis=basis)
    pair = 0.35 / 4 * np.kron(SINGLET, np.eye(3))  # Delta (cos kx - cos ky) / 2
    steps = {(1, 0): pair, (-1, 0): pair, (0, 1): -pair, (0, -1): -pair}
    return Case(
        "Sr$_2$RuO$_4$, d$_{x^2-y^2}$ wave of 0.35 meV",
        specification(material, steps),
        0.2,
        5.0,
        {
            "500 meV in d$_{xy}$": gs.Impurity.scalar(500.0, orbitals=[0, 0, 1]),
            "500 meV in d$_{xz}$": gs.Impurity.scalar(500.0, orbitals=[1, 0, 0]),
        },
    )


def pnictide() -> Case:
    """Two orbitals on the iron lattice; an s wave that changes its sign between the pockets.

    S. Raghu, X.-L. Qi, C.-X. Liu, D. J. Scalapino, S.-C. Zhang, Phys. Rev. B 77, 220503 (2008):
    t1, t2, t3, t4, mu = -1, 1.3, -0.85, -0.85, 1.45, here in units of 100 meV. The gap is
    Delta cos kx cos ky (K. Seo, B. A. Bernevig, J. Hu, Phys. Rev. Lett. 101, 206404 (2008)).
    """
    t1, t2, t3, t4, mu = 100 * np.array([-1.0, 1.3, -0.85, -0.85, 1.45])
    mixed = np.array([[0.0, 1.0], [1.0, 0.0]])
    spinless: dict[tuple[int, int], NDArray[np.complex128]] = {
        (0, 0): -mu * np.eye(2) + 0j,
        (1, 0): np.diag([-t1, -t2]) + 0j,
        (0, 1): np.diag([-t2, -t1]) + 0j,
        (1, 1): -t3 * np.eye(2) + t4 * mixed + 0j,  # -4 t4 sin kx sin ky between them
        (1, -1): -t3 * np.eye(2) - t4 * mixed + 0j,
    }
    bonds = with_opposite(spinless).kron(left=np.eye(2))
    basis = (Orbital("dxz"), Orbital("dyz"))
    material = Material("pnictide", Lattice("square", 2.8), bonds, basis=basis)
    pair = 5.0 / 4 * np.kron(SINGLET, np.eye(2))
    steps = {(a, b): pair for a in (-1, 1) for b in (-1, 1)}
    return Case(
        "Pnictide of two orbitals, s$_\\pm$ wave of 5 meV",
        specification(material, steps),
        3.4,
        4.0,
        {
            "200 meV in both": gs.Impurity.scalar(200.0),
            "200 meV in d$_{xz}$": gs.Impurity.scalar(200.0, orbitals=[1, 0]),
        },
    )


CASES = {"sr2ruo4": sr2ruo4, "pnictide": pnictide}


def specification(
    material: Material, steps: dict[tuple[int, int], NDArray[np.float64]]
) -> gs.Specification:
    """The state, with a potential in every orbital."""
    pairing = gs.Pairing.from_bonds(Bonds.from_dict(steps))
    return gs.Specification(material, pairing, gs.Impurity.scalar(300.0))


def timed(pid: int) -> float:
    """CPU seconds of the host and of this process so far."""
    return cpu_of(pid) + time.process_time()


def figure_of(case: Case) -> Figure:
    """Rows of impurities: lattice map at both broadenings, then image and map at the tip."""
    pid = get_host().info().pid
    lattice = case.state.material.lattice
    gs.green_function(case.state, gs.Numerics([case.energy], 10.0, 16), reach=2)  # compiles
    greens: list[xr.Dataset] = []
    for broadening in BROADENINGS:
        numerics = gs.Numerics([case.energy], broadening, WINDOW, accuracy=ACCURACY)
        start = timed(pid)
        greens.append(gs.green_function(case.state, numerics, reach=10))
        print(f"{case.state.material.name}, {broadening} meV: G {timed(pid) - start:.1f} s")
    with styled():
        figure = Figure(figsize=(15.6, 3.9 * len(case.impurities) + 0.6), layout="constrained")
        axes = figure.subplots(len(case.impurities), 4, squeeze=False)
        for row, (words, impurity) in zip(axes, case.impurities.items(), strict=True):
            for axis, green, broadening in zip(row, greens, BROADENINGS, strict=False):
                start = timed(pid)
                one = gs.simulate_from_green(green, impurity).isel(energy=0)
                print(told(words, f"lattice {broadening} meV", one, timed(pid) - start))
                draw_image(figure, axis, one["qpi_re"].values, lattice, colour_bar=False)
                axis.set_title(rf"Re $\rho(\mathbf{{q}})$, lattice, $\delta$ = {broadening:g} meV")
            start = timed(pid)
            tip = gs.Tip(case.height)
            one = gs.continuum(greens[-1], tip=tip, impurity=impurity, pixels=PIXELS)
            one = one.isel(energy=0)
            print(told(words, f"tip {BROADENINGS[-1]} meV", one, timed(pid) - start))
            draw_momenta(figure, row[2], one, lattice, colour_bar=False)
            draw_change(figure, row[3], one, lattice, colour_bar=False)
            at = f"tip at {case.height:g} Å, $\\delta$ = {BROADENINGS[-1]:g} meV"
            row[2].set_title(rf"Re $\rho(\mathbf{{q}})$, {at}")
            row[3].set_title(rf"$\delta\rho(\mathbf{{r}})$, {at}")
            row[0].text(
                -0.36, 0.5, words, rotation=90, va="center", transform=row[0].transAxes, fontsize=12
            )
        figure.suptitle(rf"{case.title}, $\omega$ = {case.energy:g} meV")
    return figure


def plain(words: str) -> str:
    """Without what makes subscripts."""
    return words.replace("$_{", "").replace("}$", "")


def told(words: str, kind: str, one: xr.Dataset, seconds: float) -> str:
    """A line about a map: its cost, its norm in all pixels per cell, its estimated error."""
    change = one["ldos_change"].values
    size = np.linalg.norm(change) * WINDOW / change.shape[-1]
    error = one["relative_error"] if "relative_error" in one else one.attrs["relative_error"]
    return (
        f"    {words:<22}{kind:<18}{seconds:6.2f} s  norm {size:.1e}  estimate {float(error):.0e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *CASES], metavar="NAME")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    options = parser.parse_args()
    for name in options.names or CASES:
        path = save_figure(figure_of(CASES[name]()), options.folder / f"orbitals-{name}.png")
        print(f"wrote {path.name}", flush=True)


if __name__ == "__main__":
    main()
