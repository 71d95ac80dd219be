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

from gapscope.physics.irreps import IRREPS, label_of, labelled_gap
from gapscope.physics.lattice import Lattice
from gapscope.plots.pixels import (
    by_nearest_atom,
    image_of_atoms,
    momenta_at,
    nearest,
    plane,
    sites_of_atoms,
    sites_reach,
)
from gapscope.plots.style import MAP_COLOURS, styled
from gapscope.problem.quantities import QUANTITIES, is_angle, quantity

SCALE_LABEL = "1/meV; linear between the inner marks,\nlogarithmic beyond (arcsinh scale)"
PIXELS = 480


def map_figure(dataset: xr.Dataset) -> Figure:
    """rho(q) (real part) and drho(r) of every energy in a dataset written by ``simulate``."""
    energies = dataset.energy.values
    lattice = Lattice.from_dict(dataset.attrs)
    with styled():
        figure = Figure(figsize=(9.6, 3.8 * len(energies) + 0.3), layout="constrained")
        axes = figure.subplots(len(energies), 2, squeeze=False)
        for index, row in enumerate(axes):
            draw_maps(figure, row, dataset.isel(energy=index), lattice)
        figure.suptitle(caption(dataset))
    return figure


def draw_maps(figure: Figure, axes: Sequence[Axes], one: xr.Dataset, lattice: Lattice) -> None:
    """rho(q) and drho(r) of one energy of a dataset written by ``simulate``, on two axes."""
    if "atom" in one.dims:
        reach = reach_of(lattice)
        q = np.linspace(-reach, reach, PIXELS)
        _finish_momenta(
            figure, axes[0], _coloured(axes[0], q, image_of_atoms(one, lattice, q)), lattice
        )
        reach = sites_reach(one["ldos_change"].shape[-1], lattice)
        x = np.linspace(-reach, reach, PIXELS)
        _finish_sites(figure, axes[1], _coloured(axes[1], x, sites_of_atoms(one, lattice, x)))
    else:
        draw_image(figure, axes[0], one["qpi_re"].values, lattice)
        draw_sites(figure, axes[1], one["ldos_change"].values, lattice)
    energy = f"$\\omega$ = {float(one.energy):g} meV"
    axes[0].set_title(rf"Re $\rho(\mathbf{{q}})$, {energy}")
    axes[1].set_title(rf"$\delta\rho(\mathbf{{r}})$, {energy}")


def caption(dataset: xr.Dataset) -> str:
    """Two lines that say which state a map shows, and its impurity."""
    a = dataset.attrs
    rest = [rf"$\epsilon_0$ = {a['eps0']:g} meV", rf"$\delta$ = {a['broadening']:g} meV"]
    if "impurity" in a:
        rest.append(impurity_text(json.loads(a["impurity"])))
    return state_text(a) + "\n" + ", ".join(rest)


def state_text(a: Mapping[str, Any]) -> str:
    """Material, irrep and function, gap and angles of a state, by the names of a map's
    attributes."""
    named = "gap_channel" not in a  # a state of the paper, a mixture, or one given by bonds
    function = "" if named else f" ({a['gap_channel']}, shell {a['gap_shell']})"
    state = [
        f"{a['material']}, {irrep_label(a['irrep'])}{function}",
        gap_text(a["irrep"] if named else "", a["gap"]),
    ]
    angles = [name for name in QUANTITIES if is_angle(name) and name in a]
    state += [rf"${quantity(name).symbol}$ = {a[name]:.3g} rad" for name in angles]
    return ", ".join(state)


def gap_text(irrep: str, gap: float) -> str:
    """The gap with its unit; in the normalisation of its class, too, where that is another one."""
    if not gap:
        return "no gap"
    text = rf"$\Delta$ = {gap:.4g} meV"
    if irrep in IRREPS and (own := labelled_gap(irrep, gap)) != gap:
        text += rf" ({own:.4g} meV as {irrep_label(label_of(irrep))}: $\Delta/\sqrt{{3}}$)"
    return text


def impurity_text(terms: Sequence[Mapping[str, Any]], most: int = 3) -> str:
    """The terms of an impurity as ``Impurity.to_dict`` gives them, the first few of many."""
    shown = []
    for term in terms[:most]:
        if "kind" in term:
            shown.append(_matrix_text(term))
            continue
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


def _matrix_text(term: Mapping[str, Any]) -> str:
    """A term given by a matrix: its kind, largest element and sites."""
    largest = float(np.abs(np.array(term["real"]) + 1j * np.array(term["imag"])).max())
    site, to = tuple(term["site"]), tuple(term["to"])
    where = f"at {site}" if site == to else f"between {site} and {to}"
    return f"{term['kind']} up to {largest:g} meV {where}"


def irrep_label(irrep: str) -> str:
    """The name of an irrep, or of a class of several, in the usual typography, A1g as A_1g."""
    if "/" in irrep:
        return "/".join(irrep_label(one) for one in irrep.split("/"))
    parts = re.fullmatch(r"([ABE])(\d*[gu]?)('*)", irrep)
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
    # The image is periodic in the reciprocal lattice: nearest q-point of the torus.
    size = image.shape[-1]
    axis_values, nodes = _momenta(lattice, size)
    index = (nodes + size // 2) % size
    mesh = _coloured(axis, axis_values, image[index[..., 0], index[..., 1]], norm)
    _finish_momenta(figure if colour_bar else None, axis, mesh, lattice)


def _finish_momenta(figure: Figure | None, axis: Axes, mesh: QuadMesh, lattice: Lattice) -> None:
    """Zone, labels and, with a figure, the colour bar."""
    if figure is not None:
        map_colour_bar(figure, axis, mesh.norm)
    zone = brillouin_zone(lattice)
    closed = np.vstack([zone, zone[:1]])
    axis.plot(closed[:, 0], closed[:, 1], color="black", linewidth=0.9)
    axis.set(xlabel=r"$q_x$ (1/Å)", ylabel=r"$q_y$ (1/Å)", aspect="equal")


def draw_sites(
    figure: Figure,
    axis: Axes,
    values: NDArray[np.float64],
    lattice: Lattice,
    *,
    colour_bar: bool = True,
) -> None:
    """A map (L, L) over sites around the impurity; the impurity's own site is left white."""
    reach = sites_reach(values.shape[-1], lattice)
    x = np.linspace(-reach, reach, PIXELS)
    shown = by_nearest_atom(values[None], np.zeros((1, 2)), lattice, x)
    middle = nearest(plane(x) / lattice.constant, lattice.vectors)
    shown = np.where((middle == 0).all(axis=-1), np.nan, shown)
    _finish_sites(figure if colour_bar else None, axis, _coloured(axis, x, shown))


def _finish_sites(figure: Figure | None, axis: Axes, mesh: QuadMesh) -> None:
    if figure is not None:
        map_colour_bar(figure, axis, mesh.norm)
    axis.set(xlabel="x (Å)", ylabel="y (Å)", aspect="equal")


def _momenta(lattice: Lattice, size: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Values of qx and qy around the zone, and the q of an L x L image next to each pixel."""
    reach = reach_of(lattice)
    axis_values = np.linspace(-reach, reach, PIXELS)
    return axis_values, momenta_at(lattice, size, axis_values)


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


def map_colour_bar(
    figure: Figure, axis: Axes | Sequence[Axes], norm: object, units: str = "1/meV"
) -> None:
    """A bar for the scale of :func:`signed_norm`; its label says that the scale is not linear."""
    assert isinstance(norm, AsinhNorm)
    limit, width = norm.vmax, norm.linear_width
    assert limit is not None
    ticks = [-limit, -width, 0.0, width, limit]
    shades = ScalarMappable(norm, MAP_COLOURS)
    bar = figure.colorbar(shades, ax=axis, shrink=0.75, pad=0.02)
    bar.set_ticks(ticks, labels=[f"{tick:.1e}" if tick else "0" for tick in ticks])
    bar.minorticks_off()
    bar.set_label(SCALE_LABEL.replace("1/meV", units), fontsize=8)
