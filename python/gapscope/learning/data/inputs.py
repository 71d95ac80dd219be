"""From maps to what a network sees: Re rho(q) on the symmetric window, on a compressed scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import TrainingError
from gapscope.physics.fourier import centred_window, qpi_image
from gapscope.physics.lattice import Lattice, symmetric_window, window_coordinates

Real = TypeVar("Real", np.float32, np.float64)


def momentum_images(
    maps: NDArray[np.floating], lattice: Lattice | str, odd: bool = False
) -> NDArray[np.float32]:
    """Re rho(q), (samples, L, L, energies), of drho(r), (samples, energies, L, L), both in 1/meV.

    Where ``odd``, Im rho(q) follows, the image of the part of a map that is odd in r: (samples, L,
    L, 2 energies). Both have the origin at index L/2; see :mod:`gapscope.physics.fourier`.
    """
    rho = qpi_image(maps, lattice)
    parts = np.concatenate([rho.real, rho.imag], axis=1) if odd else rho.real
    return np.ascontiguousarray(np.moveaxis(parts, 1, -1), dtype=np.float32)


def cut(maps: NDArray[np.floating], size: int) -> NDArray[np.float32]:
    """The central window of maps (..., L, L), as float32 (..., size, size)."""
    return np.ascontiguousarray(centred_window(maps, size), dtype=np.float32)


def even_half(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each pair of pixels q, -q once, (n, half): Re rho(q) is even in q, on the torus of pixels."""
    size = images.shape[1]
    j = window_coordinates(size)
    mirrored = (-j + size // 2) % size
    own = np.arange(size**2)
    twin = (mirrored[:, None] * size + mirrored[None, :]).ravel()
    flat = images.reshape(len(images), size**2, -1)[:, own <= twin]
    # Pairs count twice, so that distances are those of the whole images.
    weight = np.where(own == twin, 1, np.sqrt(2))[own <= twin].astype(np.float32)
    return np.asarray((flat * weight[:, None]).reshape(len(images), -1), dtype=np.float32)


SMALLEST, LARGEST = 1e-25, 1e25
"""Bounds of a map's largest |drho| in 1/meV: beyond, squares in single precision are 0 or inf."""
FLATTEST = 1e-5
"""Largest deviation from the mean, relative to the largest value: below, rounding is all there
is."""


def lacks(maps: NDArray[np.floating], lattice: Lattice | str) -> str | None:
    """Text: why maps (..., L, L) have nothing to be read; None where each has a contrast.

    What counts lies in the window that the point group maps onto itself: of each map the site
    r = 0 alone is no image either.
    """
    inside = symmetric_window(lattice, maps.shape[-1])
    values = maps[..., inside].astype(np.float64).reshape(-1, int(inside.sum()))
    if not np.isfinite(values).all():
        return "NaN or infinity"
    largest = np.abs(values).max(axis=1)
    if (largest < SMALLEST).any():
        return f"a map of zeros, or of less than {SMALLEST:g} everywhere"
    if (largest > LARGEST).any():
        return f"a map with |values| up to {largest.max():.2g}"
    middle = np.median(values, axis=1, keepdims=True)
    apart = np.abs(values - middle)
    if (apart.max(axis=1) <= FLATTEST * largest).any():
        return "a constant map, or one that is constant up to rounding"
    centre = _origin(inside)
    apart[:, centre] = 0
    if (apart.max(axis=1) <= FLATTEST * largest).any():
        return "a map that is constant but for r = 0"
    return None


def _origin(inside: NDArray[np.bool_]) -> int:
    """Place of r = 0 among the sites inside."""
    size = len(inside)
    return int(np.flatnonzero(inside.ravel()).searchsorted((size + 1) * (size // 2)))


class Images(Protocol):
    """A set of images that is passed through a few at a time."""

    def chunks(self) -> Iterator[NDArray[np.int64]]:
        """Row numbers."""

    def images(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Images (n, L, L, energies) of some rows, in 1/meV."""


@dataclass(frozen=True)
class InputScaling:
    """Network input = (asinh(rho / unit) - mean) / deviation, for each energy.

    asinh keeps sign and amplitude, from which the gap is read, and tames the few bright pixels.
    Maps without an absolute scale, as measured ones are, have a unit of their own.

    Attributes
    ----------
    unit : mean |rho(q)| over the training split, in 1/meV.
    mean, deviation : moments of asinh(rho / unit) over the training split.
    relative : whether each image's own mean |rho(q)| is the unit.
    together : whether, where ``relative``, the images of one map at all energies have one factor f
        in common, and f unit for their units: f is the mean of <|rho|> / unit over energies. What
        is lost is the map's scale alone, and not how strong one energy is beside another.
    """

    unit: tuple[float, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    relative: bool = False
    together: bool = False

    @classmethod
    def of(cls, images: Images, relative: bool = False) -> Self:
        """Statistics of a set of images.

        Raises
        ------
        TrainingError : images that are constant, or not finite.
        """
        unit = _mean(images, np.abs)
        together = relative and len(unit) > 1

        def compressed(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(np.arcsinh(x / _unit_of(x, unit, relative, together)))

        mean = _mean(images, compressed)
        variance = _mean(images, lambda x: np.square(compressed(x) - mean))
        if not (np.isfinite(variance).all() and (variance > 0).all()):
            raise TrainingError(
                "The training images are finite and not all the same.",
                f"variance {variance.tolist()} of asinh(rho / {unit.tolist()})",
                "Check the dataset with `gapscope dataset verify`.",
            )
        deviation = np.sqrt(variance)
        return cls(_numbers(unit), _numbers(mean), _numbers(deviation), relative, together)

    def apply(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Network inputs of images (samples, L, L, energies)."""
        unit, mean, deviation = (
            np.asarray(v, dtype=np.float32) for v in (self.unit, self.mean, self.deviation)
        )
        own = _unit_of(images, unit, self.relative, self.together)
        return np.asarray((np.arcsinh(images / own) - mean) / deviation)


def own_unit(images: NDArray[Real]) -> NDArray[Real]:
    """<|rho|> of each image (n, L, L, energies), (n, 1, 1, energies); never zero."""
    mean = np.abs(images).mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.maximum(mean, np.finfo(np.float32).tiny))


def strength(images: NDArray[Real], unit: NDArray[Real]) -> NDArray[Real]:
    """<|rho|> / unit of maps with these images (n, L, L, energies), averaged over energies,
    (n, 1, 1, 1): how strong a map is whose energies have one unknown scale in common."""
    return np.asarray(np.mean(own_unit(images) / unit, axis=-1, keepdims=True))


def _unit_of(
    images: NDArray[Real], unit: NDArray[Real], relative: bool, together: bool
) -> NDArray[Real]:
    """Units of images (n, L, L, channels), as :class:`InputScaling` says."""
    if not relative:
        return unit
    return np.asarray(unit * strength(images, unit)) if together else own_unit(images)


def _numbers(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(values.tolist())


def _mean(
    images: Images, function: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Mean over samples and pixels of a function of the images, in double precision."""
    total, count = np.float64(0), 0
    for rows in images.chunks():
        with np.errstate(invalid="ignore"):  # images of zeros, which the caller refuses
            values = function(images.images(rows).astype(np.float64))
        total = total + values.sum(axis=(0, 1, 2))
        count += values[..., 0].size
    return np.asarray(total / count)
