"""A toy world: maps by a formula that obeys the symmetry of the real ones, and a tiny network.

Processes that a test starts import this module, so it knows nothing of pytest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.recipe import Recipe
from gapscope.instrument.contour import Contour
from gapscope.learning.data.targets import Targets, TargetScaling
from gapscope.learning.network.backbone import BACKBONES, Backbone, vgg
from gapscope.learning.network.config import NetworkConfig, TrainingConfig
from gapscope.physics import LABELS, Lattice, Specification, label_of, labelled_gap
from gapscope.physics.fourier import qpi_image
from gapscope.physics.lattice import symmetric_window, window_coordinates
from gapscope.problem.paper import paper_problem
from gapscope.simulation.mapfile import MAP_SCHEMA
from gapscope.simulation.numerics import Numerics
from gapscope.support.netcdf import write_netcdf

Changes = Callable[[xr.Dataset], xr.Dataset]
WINDOW = 16
RECIPE: dict[str, Any] = {
    "schema": 1,
    "name": "toy",
    "seed": 11,
    "material": "nbse2",
    "impurity": {"scalar": 50.0},
    "energies": [0.0],
    "broadening": 0.1,
    "window": WINDOW,
    "method": {"name": "grid", "kgrid": 64},
    "ranges": {"gap": [0.3, 1.5], "eps0": [-300.0, 100.0], "theta": [0.0, 3.141592653589793]},
    "splits": {"train": 240, "validation": 40, "test": 60},
    "shard_size": 100,
}
GREENS: dict[str, Any] = {
    "schema": 2,
    "name": "toy greens",
    "seed": 12,
    "material": "nbse2",
    "energies": [0.0, 0.5],
    "window": WINDOW,
    "store": "green",
    "method": {"name": "grid", "kgrid": 64},
}
"""What recipes of Green's functions begin with."""
PROBLEM = paper_problem(RECIPE["ranges"])
TARGETS = Targets(PROBLEM, TargetScaling({}, {}))
"""Targets whose columns alone count."""
TINY_BACKBONE = Backbone(vgg((8, "M", 16, "M")), kernel=3, stride=4)


def register() -> None:
    """Make the tiny backbone known by its name."""
    BACKBONES["tiny"] = TINY_BACKBONE


def tiny_network(input_size: int = WINDOW) -> NetworkConfig:
    return NetworkConfig(backbone="tiny", input_size=input_size, width=32)


def tiny_config(**changes: Any) -> TrainingConfig:
    defaults: dict[str, Any] = {
        "epochs": 3,
        "batch_size": 16,
        "learning_rate": 3e-3,
        "gaussian_noise": 0.02,
        "pink_noise": 0.02,
        "precision": "float32",
    }
    return TrainingConfig(**{"network": tiny_network(), **defaults, **changes})


def averaging_config() -> TrainingConfig:
    """With everything that has a state: optimizer, averages, schedule, noise."""
    return tiny_config(ema_momentum=0.9)


def toy_map(
    label: str, gap: float, theta: float | None, eps0: float, window: int = WINDOW
) -> NDArray[np.float64]:
    """A map (L, L) whose rings tell the class and eps0, its strength the gap, its shape theta.

    Eg and Eu have a part cos(2 theta - 2 phi): turning it by 120 degrees is theta - pi/3, the
    mirror x -> -x is -theta.
    """
    r = window_coordinates(window)
    sites = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1)
    x, y = np.moveaxis(sites @ Lattice("triangular", 1.0).vectors, -1, 0)
    distance, angle = np.hypot(x, y), np.arctan2(y, x)
    theta = 0.0 if theta is None else theta
    wave = 0.4 + 0.6 * LABELS.index(label)
    shape = np.cos((wave + eps0 / 2000) * distance)
    if label in ("Eg", "Eu"):
        shape = shape + np.cos(2 * theta - 2 * angle) * (distance > 0)
    elif label != "A12u":
        shape = shape + np.cos(2 * theta) * np.cos(distance) + np.sin(2 * theta)
    return 1e-4 * (0.5 + gap) * np.exp(-distance / 4) * shape


@dataclass(frozen=True)
class ToyMaps:
    ldos_change: NDArray[np.float64]
    dos: NDArray[np.float64]


@dataclass(frozen=True)
class Toy:
    """Stands in for the kernel when a dataset is built."""

    def versions(self, neighbours: int) -> dict[str, str]:
        return {"gapscope_version": "of the tests"}

    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> ToyMaps:
        maps = np.stack([self.one(spec, numerics) for spec in specifications])
        return ToyMaps(maps, maps.sum(axis=(2, 3)))

    def green(
        self, specification: Specification, numerics: Numerics, kept: int
    ) -> NDArray[np.complex128]:
        """Waves of electrons and holes of opposite spin, which the state decides."""
        r = np.arange(-kept, kept + 1)
        sites = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1)
        x, y = np.moveaxis(sites @ Lattice("triangular", 1.0).vectors, -1, 0)
        distance = np.hypot(x, y) + 0.3 * x
        label = LABELS.index(label_of(specification.pairing.irrep))
        theta = specification.pairing.theta or 0.0
        green = np.zeros((len(numerics.energies), *distance.shape, 4, 4), np.complex128)
        for number, energy in enumerate(numerics.energies):
            for e, h in ((0, 3), (1, 2)):
                for row, column in ((e, e), (e, h), (h, e), (h, h)):
                    wave = 0.4 + 0.5 * label + 0.1 * row + 0.2 * column + 0.3 * energy
                    phase = np.exp(1j * (wave * distance + theta + specification.eps0 / 500))
                    size = specification.pairing.gap * np.exp(-np.hypot(x, y) / 4)
                    green[number, ..., row, column] = 1e-3 * size * phase
        return green

    def integral_changes(
        self,
        specifications: Sequence[Specification],
        contours: Sequence[Contour],
        numerics: Numerics,
    ) -> NDArray[np.float64]:
        """Waves like those of the maps, of up to a tenth, sharper at higher biases."""
        biases = np.array([2 * contour.energies.mean() for contour in contours])
        maps = np.stack([self.one(spec, numerics)[0] for spec in specifications])
        return 0.1 * np.tanh(1e4 * biases[:, None, None] * maps[:, None])

    def one(self, spec: Specification, numerics: Numerics) -> NDArray[np.float64]:
        irrep = spec.pairing.irrep
        gap = labelled_gap(irrep, spec.pairing.gap)
        image = toy_map(label_of(irrep), gap, spec.pairing.theta, spec.eps0, numerics.window)
        return np.stack([image * (1 + energy) for energy in numerics.energies])


def build_toys(folder: Path, **changes: Any) -> Path:
    """A dataset of toy maps, built in this process."""
    # A training that is to be killed, in a process of its own, sees this folder alone.
    from built_here import build_here

    recipe = Recipe.from_dict(RECIPE | changes)
    return build_here(recipe, folder, Toy())


def map_file(
    path: Path, maps: NDArray[np.floating], energies: list[float], change: Changes = lambda d: d
) -> Path:
    """A file as simulate writes it, with maps (energies, L, L)."""
    image = qpi_image(maps, "triangular")
    sites = window_coordinates(maps.shape[-1])
    there, momenta = ("energy", "r1", "r2"), ("energy", "q1", "q2")
    dataset = xr.Dataset(
        {
            "ldos_change": (there, maps),
            "qpi_re": (momenta, image.real),
            "qpi_im": (momenta, image.imag),
            "dos": ("energy", maps.sum(axis=(1, 2))),
        },
        coords={"energy": energies, "r1": sites, "r2": sites},
        attrs={"schema": MAP_SCHEMA, "lattice": "triangular"},
    )
    return write_netcdf(change(dataset), path)


def one_map(path: Path, window: int = WINDOW, change: Changes = lambda d: d) -> Path:
    """A file with the map of one state."""
    maps = toy_map("Eg", 0.9, 0.5, -80.0, window)[None]
    return map_file(path, maps, [0.0], change)


def on_sites(values: NDArray[np.floating]) -> xr.Dataset:
    """As preparation gives a map: sites outside of the hexagon may be unknown."""
    size, rho = len(values), qpi_image(values, "triangular")
    r = window_coordinates(size)
    known = np.where(symmetric_window("triangular", size), values, np.nan)
    return xr.Dataset(
        {
            "ldos_change": (("r1", "r2"), known),
            "qpi_re": (("q1", "q2"), rho.real),
            "qpi_im": (("q1", "q2"), rho.imag),
        },
        {"r1": r, "r2": r, "q1": r / size, "q2": r / size},
        {"lattice": "triangular", "lattice_constant": 3.44},
    )
