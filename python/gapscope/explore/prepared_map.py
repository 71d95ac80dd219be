"""What the page shows of a measured map: its preparation, and the network's answer for it."""

from __future__ import annotations

import tempfile
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.explore.judge import Judge
from gapscope.measured.centre import centre_site
from gapscope.measured.channels import image_of
from gapscope.measured.default import USUAL, prepare_for_network
from gapscope.measured.preparation import (
    Measured,
    Prepared,
    fourier_transform,
    level_plane,
)
from gapscope.measured.preparation.found import plus_minus
from gapscope.measured.preparation.report import STRAINED, rivals_in_words
from gapscope.measured.preparation.sought import Crystal, sought
from gapscope.measured.readers.recording import GRID
from gapscope.plots.preparation import PER_ANGSTROM, REACH, preparation_figure
from gapscope.plots.style import save_figure

QUESTION = ": rare. Is the lattice {}, and are these its peaks?"
Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Transform:
    """|rho(q)| on a logarithmic scale, around q = 0, with what was found in it.

    Attributes
    ----------
    values : log10 of the amplitude over its largest value, (qy, qx).
    reach : (x, y), half widths in 1/Angstrom, from q = 0 to the edge of the last pixel.
    bragg, wave : momenta (n, 2) in 1/Angstrom of the peaks and their opposites.
    """

    values: Real
    reach: tuple[float, float]
    bragg: Real
    wave: Real


def transform_of(image: xr.DataArray, reach: float) -> Transform:
    """The transform, out to a momentum in 1/nm, of an image in which no lattice was found."""
    return _transform(fourier_transform(image), reach, np.empty((0, 2)), np.empty((0, 2)))


def prepared_transform(prepared: Prepared) -> Transform:
    """The transform of the levelled map in which lattice and density wave were found."""
    lattice = prepared.lattice
    found = prepared.wave.momenta if prepared.wave is not None else np.empty((0, 2))
    reach = REACH * float(np.linalg.norm([peak.momentum for peak in lattice.peaks], axis=1).max())
    bragg = _both(lattice.momentum(prepared.bragg))
    bragg = bragg[(np.abs(bragg) < reach).all(axis=1)]
    step = next(name for name, one in prepared.images.items() if one is prepared.levelled)
    return _transform(prepared.transform(step), reach, bragg, _both(found))


def _both(momenta: Real) -> Real:
    return np.concatenate([momenta, -momenta])


def _transform(transform: xr.DataArray, reach: float, bragg: Real, wave: Real) -> Transform:
    ends = []
    for name in ("qx", "qy"):
        q = transform[name].values
        # The lowest of an even number of momenta has no opposite.
        within = min(reach, float(q[-1]))
        transform = transform.sel({name: slice(-within, within)})
        edge = transform[name].values[-1] + (q[1] - q[0]) / 2
        ends.append(PER_ANGSTROM * float(edge))
    amplitude = np.abs(transform.values)
    high = float(amplitude.max()) or 1.0
    return Transform(
        np.log10(np.maximum(amplitude / high, 1e-12)),
        (ends[0], ends[1]),
        PER_ANGSTROM * bragg,
        PER_ANGSTROM * wave,
    )


@dataclass(frozen=True, eq=False)
class Placed:
    """A preparation, seen from one atom.

    Attributes
    ----------
    prepared : the preparation.
    sites : its image on as many lattice sites as fit around the atom.
    transform : transform of the map in which the lattice was found.
    in_scan, in_final : where the atom is, (x, y) in nm of the scan and of the final map.
    uncorrected : why slow distortions were left; empty where they were corrected.
    """

    prepared: Prepared
    sites: xr.Dataset
    transform: Transform
    in_scan: tuple[float, float]
    in_final: tuple[float, float]
    uncorrected: str


def facts(placed: Placed) -> list[tuple[str, str]]:
    """Names and values of what was found, with standard errors."""
    prepared, (x, y) = placed.prepared, placed.in_scan
    before, after = prepared.lattice, prepared.final_lattice
    wave = "not found"
    if prepared.wave is not None and prepared.wave.found:
        wave = "found" if prepared.wave.commensurate else "peaks, but not all at their place"
    elif prepared.wave is not None and len(prepared.wave.momenta):
        wave = f"{len(prepared.wave.momenta)} of {len(prepared.wave.peaks)} peaks"
    others = [
        ("ambiguous", line.removeprefix("ambiguous").strip()) for line in rivals_in_words(before)
    ]
    strained = before.anisotropy.value > STRAINED
    question = QUESTION.format(before.perfect.name)
    left = [("slow distortions", f"left: {placed.uncorrected}")] if placed.uncorrected else []
    return [
        ("lattice constant", f"{with_error(before.constant)} Å"),
        ("after the correction", f"{with_error(after.constant)} Å"),
        ("anisotropy", with_error(before.anisotropy) + (question if strained else "")),
        *others,
        ("orientation of a₁", f"{with_error(after.orientation)}°"),
        ("3 × 3 density wave", wave),
        ("steps", ", ".join(_words(name) for name in list(prepared.images)[1:])),
        *left,
        ("read around the atom at", f"({x:.2f}, {y:.2f}) nm of the scan"),
        ("lattice sites per side", str(placed.sites.sizes["r1"])),
    ]


def with_error(measured: Measured) -> str:
    """A value and its standard error, of which one figure is told."""
    return plus_minus(float(measured.value.flat[0]), float(measured.error.flat[0]))


def _words(step: str) -> str:
    words = {
        "line_noise": "line noise",
        "drift": "affine correction",
        "phase": "slow distortions",
        "masked": "atoms out",
    }
    return words.get(step, step)


def preparation_file(placed: Placed) -> bytes:
    """A preparation and its image on lattice sites as a PNG figure of ``gapscope.plots``."""
    figure = preparation_figure(placed.prepared, sites=placed.sites)
    with tempfile.TemporaryDirectory() as folder:
        return save_figure(figure, Path(folder) / "preparation.png").read_bytes()


class Work:
    """One image on its way: its transform, its preparation, the network's answer.

    Parameters
    ----------
    dataset, channel, bias : which image, see :func:`gapscope.measured.channels.image_of`.
    crystal : the lattice to look for; a number is the constant of a triangular one, in Angstrom.
    judge : the network.
    topograph : channel of the same scan in which the lattice is looked for, if another one.
    mask_wave : take the density wave's peaks out of the map.
    """

    def __init__(
        self,
        dataset: xr.Dataset,
        channel: str,
        bias: float | None,
        crystal: Crystal,
        judge: Judge,
        topograph: str | None = None,
        mask_wave: bool = False,
    ) -> None:
        self._topograph = topograph
        self._steps = replace(USUAL, mask_wave=mask_wave)
        self._dataset, self._channel, self._bias = dataset, channel, bias
        self._wanted, self._judge = sought(crystal), judge
        self._prepared: Prepared | None = None
        self._uncorrected = ""
        self._centre: tuple[float, float] | None = None

    def around(self, centre: tuple[float, float]) -> Work:
        """The same with an impurity near (x, y) in nm of the scan; what is prepared stays so."""
        other = copy(self)
        other._centre = centre
        return other

    def raw(self) -> tuple[xr.DataArray, Transform]:
        """The image as measured, and its transform; raises MeasurementFileError."""
        image = self._image()
        lattice = self._wanted.lattice
        longest = np.linalg.norm(lattice.reciprocal, axis=1).max()
        reach = 1.4 * longest / (PER_ANGSTROM * lattice.constant)
        return image, transform_of(level_plane(image), float(reach))

    def prepare(self) -> Placed:
        """The preparation, and its image around the impurity.

        Raises
        ------
        LatticeNotFoundError, PreparationError : see
            :func:`gapscope.measured.default.prepare_for_network` and
            :func:`gapscope.measured.centre.centre_site`.
        """
        prepared = self._done()
        atom = centre_site(prepared, self._centre)
        return Placed(
            prepared,
            prepared.network_input(centre=atom),
            prepared_transform(prepared),
            prepared.recorded(atom),
            atom,
            self._uncorrected,
        )

    def predict(self) -> xr.Dataset:
        """The network's answer, see :meth:`gapscope.explore.judge.Judge.measured`."""
        grid = self._dataset[self._channel].dims == GRID
        return self._judge.measured(self._done(), self._centre, self._at if grid else None)

    def _at(self, energy: float) -> xr.DataArray:
        """The map of a grid of spectra that was measured nearest to an energy in meV."""
        return image_of(self._dataset, self._channel, energy)

    def _done(self) -> Prepared:
        if self._prepared is None:
            topograph = None
            if self._topograph is not None:
                topograph = image_of(self._dataset, self._topograph)
            self._prepared, self._uncorrected = prepare_for_network(
                self._image(), self._wanted, self._steps, topograph=topograph
            )
        return self._prepared

    def _image(self) -> xr.DataArray:
        return image_of(self._dataset, self._channel, self._bias)
