"""Training options: what a run folder stores to train, or build, the same network again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gapscope.errors import TrainingError
from gapscope.learning.data.measured_augmentation import MeasurementAugmentation
from gapscope.learning.network.backbone import BACKBONES
from gapscope.learning.network.precision import PRECISIONS

COMPONENTS = 120
"""Principal components of the surfaces, at most."""
ANGLES, STOKES = TARGETS = ("angles", "stokes")
SQUARED, RMS = OBJECTIVES = ("squared", "rms")
MOST_SITES, MOST_KERNEL, MOST_WIDTH = 1024, 32, 4096
"""Bounds of a network, which a folder of somebody else's may ask to be built."""


@dataclass(frozen=True)
class NetworkConfig:
    """Architecture of the two-head network.

    Parameters
    ----------
    backbone : a name in BACKBONES.
    input_size : sites per side of the window cut out of each map, and of the image.
    kernel : side of the first convolution's kernel; None takes the backbone's own.
    batch_norm : batch normalisation after every convolution of a VGG table.
    width : units of the aggregation layer.
    odd : whether Im rho(q) is seen beside Re rho(q): the part of a map that is odd in r, which an
        impurity with a moment leaves and in which chirality shows.
    energies : those of the dataset's that are seen, in meV; None: all.
    targets : how angle and phase of a state of two components are learned: ``angles``, each as its
        sine and cosine, or ``stokes``, see :mod:`gapscope.learning.data.stokes`.

    Raises
    ------
    TrainingError : an unknown backbone or kind of targets, or sizes it cannot have.
    """

    backbone: str = "vgg16"
    input_size: int = 64
    kernel: int | None = None
    batch_norm: bool = True
    width: int = 512
    odd: bool = False
    energies: tuple[float, ...] | None = None
    targets: str = ANGLES

    def channels(self, energies: int) -> int:
        """Channels of the image of maps at so many energies."""
        return energies * (2 if self.odd else 1)

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise TrainingError(
                f"A backbone is one of {', '.join(BACKBONES)}.", self.backbone, "Choose one."
            )
        _require(self.targets in TARGETS, f"targets are {' or '.join(TARGETS)}", self.targets)
        smallest = BACKBONES[self.backbone].smallest_image
        _require(
            smallest <= self.input_size <= MOST_SITES and self.input_size % 2 == 0,
            f"input_size is even, at least {smallest} for {self.backbone}, at most {MOST_SITES}",
            self.input_size,
        )
        _require(
            self.kernel is None or 1 <= self.kernel <= MOST_KERNEL,
            f"kernel lies in 1 .. {MOST_KERNEL}",
            self.kernel,
        )
        if self.energies is not None:
            object.__setattr__(self, "energies", tuple(map(float, self.energies)))
            _require(
                0 < len(self.energies) == len(set(self.energies)),
                "energies are one or more, each once",
                self.energies,
            )
        _require(1 <= self.width <= MOST_WIDTH, f"width lies in 1 .. {MOST_WIDTH}", self.width)


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    The learning rate rises linearly over ``warmup_epochs`` and falls on a cosine to a twentieth.

    Parameters
    ----------
    network : architecture.
    epochs : passes over the training split.
    batch_size : samples per step.
    learning_rate : largest learning rate of AdamW.
    weight_decay : decoupled, on kernels only.
    warmup_epochs : length of the rise; may be a fraction.
    clip_norm : largest norm of the whole gradient.
    ema_momentum : average the weights with this momentum, and keep the averages; None: do not.
    irrep_weight, parameter_weight : w_IR and w_param of the paper's eq. 16.
    objective : of the parameters: ``squared`` errors, as in eq. 16, or the sum of their root mean
        squares, ``rms``; see :mod:`gapscope.learning.training.loss`.
    symmetry : augment by the moves of the data's problem, which turn the map and its angles.
    gaussian_noise, pink_noise : largest standard deviation of white and of 1/f noise in units of
        the map's (over r != 0); each sample draws one between zero and this, the cube of a
        uniform number.
    measurement : learn from maps as a measurement leaves them, drawn anew for every map and epoch,
        instead of clean ones with the noise above, and without their amplitude; the dataset's maps
        have twice the network's window. See :mod:`gapscope.learning.data.measured_augmentation`.
    surfaces : learn, when the last epoch is over, the parameters of clean maps by regression; see
        :mod:`gapscope.learning.emulator.emulator`.
    surface_components : principal components of the surfaces, most of a shipped model's size.
    precision : a name in PRECISIONS, or auto.
    seed : whole number; decides initial weights, order of samples and augmentation.
    cache_gib : keep the training maps in memory where they need no more than this.

    Raises
    ------
    TrainingError : a value outside its range.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    epochs: int = 50
    batch_size: int = 32
    learning_rate: float = 3e-4
    weight_decay: float = 0.05
    warmup_epochs: float = 1.0
    clip_norm: float = 1.0
    ema_momentum: float | None = None
    irrep_weight: float = 1.0
    parameter_weight: float = 1.0
    objective: str = SQUARED
    symmetry: bool = True
    gaussian_noise: float = 0.05
    pink_noise: float = 0.05
    measurement: MeasurementAugmentation | None = None
    surfaces: bool = True
    surface_components: int = COMPONENTS
    precision: str = "auto"
    seed: int = 0
    cache_gib: float = 2.0

    def __post_init__(self) -> None:
        _require(self.epochs >= 1, "epochs is at least 1", self.epochs)
        _require(self.batch_size >= 1, "batch_size is at least 1", self.batch_size)
        _require(
            1 <= self.surface_components <= COMPONENTS,
            f"surface_components lies in 1 .. {COMPONENTS}",
            self.surface_components,
        )
        _require(0 <= self.seed < 2**32, "seed lies in 0 .. 2^32 - 1", self.seed)
        for name in ("learning_rate", "clip_norm"):
            value = getattr(self, name)
            _require(math.isfinite(value) and value > 0, f"{name} is a positive number", value)
        for name in (
            *("weight_decay", "warmup_epochs", "irrep_weight", "parameter_weight"),
            *("gaussian_noise", "pink_noise", "cache_gib"),
        ):
            value = getattr(self, name)
            _require(math.isfinite(value) and value >= 0, f"{name} is a number >= 0", value)
        _require(
            self.objective in OBJECTIVES,
            f"objective is {' or '.join(OBJECTIVES)}",
            self.objective,
        )
        _require(
            self.ema_momentum is None or 0 < self.ema_momentum < 1,
            "ema_momentum lies between 0 and 1, or is None",
            self.ema_momentum,
        )
        _require(
            self.measurement is None or self.measurement.size == self.network.input_size,
            "measurement has the size of the network's input",
            self.measurement,
        )
        _require(
            not (self.network.odd and self.surfaces),
            "surfaces are of Re rho(q) alone: with odd, surfaces is false",
            "odd and surfaces",
        )
        _require(
            self.precision in ("auto", *PRECISIONS),
            f"precision is auto, {' or '.join(PRECISIONS)}",
            self.precision,
        )


def _require(holds: bool, rule: str, received: object) -> None:
    if not holds:
        raise TrainingError(f"{rule}.", received, "Change it.")
