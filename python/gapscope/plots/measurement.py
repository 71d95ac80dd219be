"""Figure of a simulated measurement: conductance, impurities, topograph, Fourier transform."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from gapscope.measured.preparation.transform import fourier_transform
from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import irrep_label
from gapscope.plots.preparation import draw_scan
from gapscope.plots.style import styled

MOMENTUM_COLOURS = "magma"
ANGSTROM = 0.1
"""One Angstrom in nm."""


def measurement_figure(
    scan: xr.Dataset, title: str | None = None, masked: xr.DataArray | None = None
) -> Figure:
    """What ``simulate_measurement`` returned, with rings around the impurities.

    In the Fourier transform the ring of radius |b| is where Bragg peaks of the undistorted lattice
    lie, whatever its angle.

    Parameters
    ----------
    masked : the conductance without its Bragg peaks, in the scan's coordinates: interference is
        some parts in a thousand of the lattice's corrugation, and is seen only there.
    """
    panels = {"conductance": scan["conductance"]}
    if masked is not None:
        panels["conductance without Bragg peaks"] = masked
    if "topograph" in scan:
        panels["topograph"] = scan["topograph"]
    with styled():
        figure = Figure(figsize=(4.6 * (len(panels) + 1), 4.2), layout="constrained")
        axes = figure.subplots(1, len(panels) + 1, squeeze=False)[0]
        for axis, (name, image) in zip(axes, panels.items(), strict=False):
            draw_scan(figure, axis, image, name)
            draw_impurities(axis, scan, "white" if image is not masked else "black")
        draw_transform(figure, axes[-1], scan)
        for axis in axes:
            axis.spines[:].set_visible(True)
        figure.suptitle(_caption(scan) if title is None else title)
    return figure


def draw_impurities(axis: Axes, scan: xr.Dataset, colour: str = "white") -> None:
    """A ring around every impurity within the field; a thick one around that on r = 0."""
    x, y = scan["impurity_x"].values, scan["impurity_y"].values
    widths = np.where(np.arange(len(x)) == 0, 2.0, 0.9)
    image = scan["conductance"]
    seen = (x >= 0) & (x <= float(image.x[-1])) & (y >= 0) & (y <= float(image.y[-1]))
    axis.scatter(
        x[seen],
        y[seen],
        s=90,
        facecolors="none",
        edgecolors=colour,
        linewidths=widths[seen].tolist(),
        label="impurities",
    )


def draw_transform(figure: Figure, axis: Axes, scan: xr.Dataset) -> None:
    """|rho(q)| of the conductance less its mean, on a logarithmic scale, up to 1.3 |b|."""
    image = scan["conductance"]
    transform = abs(fourier_transform(image - image.mean()))
    lattice = Lattice.from_dict({"lattice": "triangular"} | scan.attrs)
    length = float(np.linalg.norm(lattice.reciprocal[0])) / (ANGSTROM * lattice.constant)
    shown = transform.sel(qx=slice(-1.3 * length, 1.3 * length))
    shown = shown.sel(qy=slice(-1.3 * length, 1.3 * length))
    low, high = np.quantile(shown.values, [0.2, 0.9999])
    mesh = axis.pcolormesh(
        shown.qx,
        shown.qy,
        np.maximum(shown.values, low),
        norm=LogNorm(low, high),
        cmap=MOMENTUM_COLOURS,
        shading="nearest",
        rasterized=True,
    )
    angle = np.linspace(0, 2 * np.pi, 200)
    axis.plot(length * np.cos(angle), length * np.sin(angle), color="white", linewidth=0.5)
    axis.set(xlabel="$q_x$ (1/nm)", ylabel="$q_y$ (1/nm)", aspect="equal")
    axis.set_title(r"$|\rho(\mathbf{q})|$")
    figure.colorbar(mesh, ax=axis, shrink=0.9, pad=0.02, aspect=28)


def _caption(scan: xr.Dataset) -> str:
    a = scan.attrs
    return (
        rf"{irrep_label(a['irrep'])}, $\Delta$ = {a['gap']:g} meV,"
        rf" $\epsilon_0$ = {a['eps0']:g} meV, {a['bias']:g} mV, {a['temperature']:g} K,"
        f" {scan.sizes['impurity']} impurities"
    )
