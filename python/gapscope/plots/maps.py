"""Figures of maps: rho(q) in Cartesian momentum with the Brillouin zone, drho(r) on the lattice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import AsinhNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gapscope.physics.group.lattice_operations import reduced_basis
from gapscope.physics.irreps import labelled_gap
from gapscope.physics.lattice import Lattice
from gapscope.plots.style import MAP_COLOURS, styled

SCALE_LABEL = "1/meV; linear between the inner marks,\nlogarithmic beyond (arcsinh scale)"
SITES_SHOWN = 25
"""Half width, in lattice constants, of the real-space panel."""


def map_figure(dataset: xr.Dataset) -> Figure:
    """rho(q) (real part) and drho(r) of every energy in a dataset written by ``simulate``."""
    energies = dataset.energy.values
    lattice = Lattice.from_dict(dataset.attrs)
    with styled():
        figure = Figure(figsize=(9.6, 3.8 * len(energies) + 0.3), layout="constrained")
        axes = figure.subplots(len(energies), 2, squeeze=False)
        for index, (row, energy) in enumerate(zip(axes, energies, strict=True)):
            draw_image(figure, row[0], dataset["qpi_re"].values[index], lattice)
            draw_sites(figure, row[1], dataset["ldos_change"].values[index], lattice)
            row[0].set_title(rf"Re $\rho(\mathbf{{q}})$, $\omega$ = {energy:g} meV")
            row[1].set_title(rf"$\delta\rho(\mathbf{{r}})$, $\omega$ = {energy:g} meV")
        figure.suptitle(caption(dataset))
    return figure


def caption(dataset: xr.Dataset) -> str:
    """Two lines that say which state a map shows, and its impurity."""
    a = dataset.attrs
    angles = {
        "theta": r"\theta",
        "phi": r"\varphi",
        "theta_s": r"\theta_s",
        "phi_s": r"\varphi_s",
        "theta_t": r"\theta_t",
        "phi_t": r"\varphi_t",
    }
    named = "gap_channel" not in a  # a state of the paper, or one given by bonds
    function = "" if named else f" ({a['gap_channel']}, shell {a['gap_shell']})"
    state = [
        f"{a['material']}, {irrep_label(a['irrep'])}{function}",
        gap_text(a["irrep"] if named else "", a["gap"]),
    ]
    state += [rf"${symbol}$ = {a[name]:.3g} rad" for name, symbol in angles.items() if name in a]
    rest = [rf"$\epsilon_0$ = {a['eps0']:g} meV", rf"$\delta$ = {a['broadening']:g} meV"]
    if "impurity" in a:
        rest.append(impurity_text(json.loads(a["impurity"])))
    return ", ".join(state) + "\n" + ", ".join(rest)


def gap_text(irrep: str, gap: float) -> str:
    """The gap with its unit; A2u's in the normalisation of A1u and A12u, too."""
    text = rf"$\Delta$ = {gap:.4g} meV"
    if irrep == "A2u":
        own = labelled_gap(irrep, gap)
        text += rf" ({own:.4g} meV as {irrep_label('A12u')}: $\Delta/\sqrt{{3}}$)"
    return text


def impurity_text(terms: Sequence[Mapping[str, Any]], most: int = 3) -> str:
    """The terms of an impurity as ``Impurity.to_dict`` gives them, the first few of many."""
    shown = []
    for term in terms[:most]:
        parts = [f"V = {term['scalar']:g} meV"] if term["scalar"] else []
        if any(term["moment"]):
            parts.append(f"J = ({', '.join(f'{j:g}' for j in term['moment'])}) meV")
        if term.get("weights") is not None:
            parts.append(f"weights ({', '.join(f'{w:g}' for w in term['weights'])})")
        site = tuple(term.get("site", (0, 0)))
        at = f" at ({site[0]}, {site[1]})" if site != (0, 0) else ""
        shown.append((", ".join(parts) or "V = 0") + at)
    more = f" and {len(terms) - most} more" if len(terms) > most else ""
    return "impurity " + "; ".join(shown) + more


def irrep_label(irrep: str) -> str:
    """An irrep's name in the usual typography, A1g as A_1g."""
    parts = re.fullmatch(r"([ABE])(\w*)('*)", irrep)
    if parts is None:
        return irrep
    letter, below, primes = parts.groups()
    subscript = rf"_{{{below}}}" if below else ""
    return rf"${letter}{subscript}{primes}$"


def draw_image(
    figure: Figure,
    axis: Axes,
    image: NDArray[np.float64],
    lattice: Lattice,
    *,
    colour_bar: bool = True,
    norm: AsinhNorm | None = None,
) -> None:
    """A real image (L, L) over q in the Cartesian plane, with the first Brillouin zone.

    Its scale is its own, unless a ``norm`` is given.
    """
    zone, reach = brillouin_zone(lattice), reach_of(lattice)
    axis_values = np.linspace(-reach, reach, 480)
    qx, qy = np.meshgrid(axis_values, axis_values, indexing="ij")
    # The image is periodic in the reciprocal lattice: nearest q-point of the torus.
    size = image.shape[-1]
    momenta = lattice.constant * np.stack([qx, qy], axis=-1)
    index = nearest(momenta, lattice.reciprocal / size) + size // 2
    shown = image[index[..., 0] % size, index[..., 1] % size]
    mesh = _coloured(axis, axis_values, shown, norm)
    if colour_bar:
        map_colour_bar(figure, axis, mesh.norm)
    closed = np.vstack([zone, zone[:1]])
    axis.plot(closed[:, 0], closed[:, 1], color="black", linewidth=0.9)
    axis.set(xlabel=r"$q_x$ (1/Å)", ylabel=r"$q_y$ (1/Å)", aspect="equal")


def draw_sites(figure: Figure, axis: Axes, values: NDArray[np.float64], lattice: Lattice) -> None:
    """A map (L, L) over sites around the impurity; the impurity's own site is left white."""
    half = values.shape[-1] // 2
    reach = min(SITES_SHOWN, half // 2) * lattice.constant
    axis_values = np.linspace(-reach, reach, 480)
    x, y = np.meshgrid(axis_values, axis_values, indexing="ij")
    sites = nearest(np.stack([x, y], axis=-1) / lattice.constant, lattice.vectors)
    shown = values[sites[..., 0] + half, sites[..., 1] + half]
    shown = np.where((sites == 0).all(axis=-1), np.nan, shown)
    map_colour_bar(figure, axis, _coloured(axis, axis_values, shown).norm)
    axis.set(xlabel="x (Å)", ylabel="y (Å)", aspect="equal")


def nearest(points: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.int64]:
    """Integer coordinates (..., 2) of the lattice point next to each Cartesian point (..., 2)."""
    # Among the four corners of a reduced cell is the nearest point of the lattice.
    short = reduced_basis(basis)
    corner = np.floor(points @ np.linalg.inv(short @ basis)).astype(np.int64)
    candidates = (corner[..., None, :] + np.array([[0, 0], [0, 1], [1, 0], [1, 1]])) @ short
    distance = np.linalg.norm(candidates @ basis - points[..., None, :], axis=-1)
    choice = distance.argmin(axis=-1)[..., None, None]
    return np.asarray(np.take_along_axis(candidates, choice, axis=-2)[..., 0, :])


def brillouin_zone(lattice: Lattice) -> NDArray[np.float64]:
    """Corners (n, 2) of the first Brillouin zone in 1/Angstrom, in turn."""
    return lattice.brillouin_zone / lattice.constant


def reach_of(lattice: Lattice) -> float:
    """Half width in 1/Angstrom of a picture around the first Brillouin zone."""
    return 1.08 * float(np.abs(brillouin_zone(lattice)).max())


def signed_norm(values: NDArray[np.float64]) -> tuple[AsinhNorm, tuple[float, ...]]:
    """The scale of signed values, NaN left out, and the marks on its colour bar.

    Symmetric around zero; linear for the weak structure, compressed for the strong peaks.
    """
    limit = float(np.nanquantile(np.abs(values), 0.999)) or 1.0
    width = float(np.nanquantile(np.abs(values), 0.75)) or limit
    norm = AsinhNorm(linear_width=width, vmin=-limit, vmax=limit)
    return norm, (-limit, -width, 0.0, width, limit)


def _coloured(
    axis: Axes, x: NDArray[np.float64], values: NDArray[np.float64], norm: AsinhNorm | None = None
) -> QuadMesh:
    norm = norm or signed_norm(values)[0]
    return axis.pcolormesh(
        x, x, values.T, norm=norm, cmap=MAP_COLOURS, shading="nearest", rasterized=True
    )


def map_colour_bar(figure: Figure, axis: Axes | Sequence[Axes], norm: object) -> None:
    """A bar for the scale of :func:`signed_norm`; its label says that the scale is not linear."""
    assert isinstance(norm, AsinhNorm)
    limit, width = norm.vmax, norm.linear_width
    assert limit is not None
    ticks = [-limit, -width, 0.0, width, limit]
    shades = ScalarMappable(norm, MAP_COLOURS)
    bar = figure.colorbar(shades, ax=axis, shrink=0.75, pad=0.02)
    bar.set_ticks(ticks, labels=[f"{tick:.1e}" if tick else "0" for tick in ticks])
    bar.minorticks_off()
    bar.set_label(SCALE_LABEL, fontsize=8)
