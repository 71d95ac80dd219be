"""The figure of docs/many-orbitals.md: a topological insulator's surface beside a cut of its bulk.

    python benchmarks/surface_figure.py [--folder docs/images]

Left A(k, w) along a path, right Re rho(q) of a scalar impurity, at the lines of the left panels;
above half of the crystal, open at its top, below the plane kz = 0 of the bulk. A line per map says
what it cost, in CPU seconds of the kernel's host, and how accurate it is.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import gapscope as gs
from gapscope.plots.maps import draw_image
from gapscope.plots.style import save_figure, styled
from orbital_figures import IMAGES
from surfaces import insulator, timed

CORNERS = {"X": (0.5, 0.0), "Gamma": (0.0, 0.0), "M": (0.5, 0.5)}
ENERGIES = (40.0, 130.0)
BROADENING, WINDOW = 1.0, 128
STEPS = 80


def path() -> np.ndarray:
    """X, Gamma, M."""
    corners = [np.array(corner) for corner in CORNERS.values()]
    s = np.linspace(0, 1, STEPS, endpoint=False)[:, None]
    lines = [a + s * (b - a) for a, b in pairwise(corners)]
    return np.concatenate([*lines, corners[-1][None]])


def figure() -> Figure:
    """Rows: the surface, the cut; columns: spectral function, maps at both energies."""
    surface = insulator()
    cut = replace(surface, bonds=surface.bonds.in_plane(), surface=None)
    drawn = Figure(figsize=(7.2, 5.0), layout="constrained")
    axes = drawn.subplots(2, 3)
    energies = np.linspace(-220, 220, 221)
    for row, (title, material) in enumerate((("surface", surface), ("cut at kz = 0", cut))):
        state = gs.Specification(material, gs.Pairing.normal(), gs.Impurity.scalar(100.0))
        spectral = gs.spectral_function(state, path(), energies, 3.0)
        left = axes[row, 0]
        left.pcolormesh(
            np.arange(len(spectral)), energies, np.log10(spectral.values.T), cmap="magma", vmin=-3.5
        )
        left.set_xticks([0, STEPS, 2 * STEPS], list(CORNERS))
        left.set_ylabel("energy (meV)")
        left.set_title(title)
        for column, energy in enumerate(ENERGIES, 1):
            left.axhline(energy, color="white", linewidth=0.6, linestyle=":")
            numerics = gs.Numerics([energy], BROADENING, WINDOW)
            spent, maps = timed(state, numerics)
            image = maps.isel(energy=0)
            lattice = material.lattice
            draw_image(drawn, axes[row, column], image.qpi_re.values, lattice, colour_bar=False)
            axes[row, column].set_title(f"{energy:g} meV")
            error = float(maps.relative_error.max())
            print(f"{title:<14}{energy:>5g} meV: {spent:6.1f} CPU s, error {error:.1e}", flush=True)
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=IMAGES)
    options = parser.parse_args()
    with styled():
        save_figure(figure(), options.folder / "surface-insulator.png")


if __name__ == "__main__":
    main()
