"""An unknown: one row of the table that columns, targets, masks, tables and words follow from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import RecipeError

Scale = Literal["linear", "logarithmic", "circle"]
SCALES: tuple[str, ...] = get_args(Scale)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Unknown:
    """A number that maps differ by and a network reads.

    Parameters
    ----------
    name : of its column.
    symbol : in figures, TeX without dollars.
    unit : meV, rad, K or 1.
    long_name : in words.
    low, high : ends of the range that it is drawn from.
    scale : linear or logarithmic (drawn and learned as x or log x), or circle (x and x + period
        are the same state; learned as sine and cosine).
    period : of a circle, else 0.
    digits : after the point, in tables.
    positive : whether only values above zero have a meaning.
    least : values of a smaller magnitude are not drawn, where the range has both signs.

    Raises
    ------
    RecipeError : a range that is empty, infinite or outside of what has a meaning.
    """

    name: str
    symbol: str
    unit: str
    long_name: str
    low: float
    high: float
    scale: Scale = "linear"
    period: float = 0.0
    digits: int = 3
    positive: bool = False
    least: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.low, self.high
        if self.scale not in SCALES:
            raise RecipeError(
                f"{self.name} is {', '.join(SCALES[:-1])} or {SCALES[-1]}.", self.scale, "Mend it."
            )
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise RecipeError(
                f"The range of {self.name} has two finite ends in rising order.",
                (low, high),
                f"Give {self.name} = [low, high].",
            )
        if low <= 0 and (self.positive or self.scale == "logarithmic"):
            raise RecipeError(
                f"{self.name} is positive"
                + (", as what is drawn on a logarithmic scale is." if not self.positive else "."),
                (low, high),
                "Raise the lower end.",
            )
        if self.circular and not self.period:
            raise RecipeError(
                f"{self.name} is no angle, whose values repeat.",
                f"scale = {self.scale}",
                f'Give {self.name} = [low, high], or scale = "logarithmic".',
            )
        if self.circular and not (self.period > 0 and high - low <= self.period * (1 + 1e-9)):
            raise RecipeError(
                f"{self.name} repeats after {self.period:.6g} {self.unit}, so that its range is no"
                " longer.",
                (low, high),
                "Give a shorter range.",
            )
        if self.least and not (self.scale == "linear" and low < -self.least < self.least < high):
            raise RecipeError(
                f"The least magnitude of {self.name} is positive and less than both ends of a range"
                " of both signs, on a linear scale.",
                f"least = {self.least:g} for {(low, high)}",
                f"Give {self.name} = {{range = [-high, high], least = a smaller number}}.",
            )

    @property
    def circular(self) -> bool:
        """Whether it lives on a circle."""
        return self.scale == "circle"

    @property
    def span(self) -> float:
        """Length of the range, on a logarithmic scale of its logarithm."""
        if self.scale == "logarithmic":
            return math.log(self.high / self.low)
        return self.high - self.low

    @property
    def columns(self) -> int:
        """Number of targets."""
        return 2 if self.circular else 1

    @property
    def title(self) -> str:
        """Name and unit, as the head of a column."""
        return self.name if self.unit == "1" else f"{self.name} ({self.unit})"

    @property
    def label(self) -> str:
        """Symbol and unit, as the label of an axis."""
        return f"${self.symbol}$" if self.unit == "1" else f"${self.symbol}$ ({self.unit})"

    def drawn(self, uniform: float) -> float:
        """The value that a number between 0 and 1 stands for."""
        if self.scale == "logarithmic":
            return math.exp(math.log(self.low) + math.log(self.high / self.low) * uniform)
        value = self.low + (self.high - self.low - 2 * self.least) * uniform
        return value if value <= -self.least or not self.least else value + 2 * self.least

    def straightened(self, values: Array) -> Array:
        """(n, columns): what is learned, before it is standardised."""
        if self.circular:
            angle = 2 * np.pi / self.period * values
            return np.stack([np.sin(angle), np.cos(angle)], axis=-1)
        return np.asarray(np.log(values) if self.scale == "logarithmic" else values)[..., None]

    def restored(self, columns: Array) -> Array:
        """(n,): inverse of :meth:`straightened`; angles as :meth:`on_circle` gives them."""
        if self.circular:
            angle = np.arctan2(columns[:, 0], columns[:, 1]) * self.period / (2 * np.pi)
            return self.on_circle(angle)
        return np.exp(columns[:, 0]) if self.scale == "logarithmic" else columns[:, 0]

    def on_circle(self, values: Array) -> Array:
        """Values of a circle in [0, period), or, where their range is not in there, in one period
        from its lower end on."""
        inside = self.low >= 0 and self.high <= self.period * (1 + 1e-9)
        first = 0.0 if inside else self.low
        return np.asarray(first + (values - first) % self.period)

    @property
    def reach(self) -> tuple[float, float]:
        """Ends of what a network may answer: half the range's width beyond it on either side; of
        what is positive or drawn on a logarithmic scale half its lower and twice its upper end. A
        circle has no ends."""
        if self.circular:
            return -math.inf, math.inf
        if self.positive or self.scale == "logarithmic":
            return self.low / 2, 2 * self.high
        beyond = (self.high - self.low) / 2
        return self.low - beyond, self.high + beyond

    def within(self, values: Array) -> Array:
        """Values no farther out than ``reach``: nobody has learned what lies there."""
        return np.clip(values, *self.reach)

    def outside(self, low: Array, high: Array) -> NDArray[np.bool_]:
        """Whether intervals hold no value that is drawn; NaN is no interval."""
        turns = np.arange(-2, 3)[:, None] * self.period if self.circular else np.zeros((1, 1))
        meets = (low + turns <= self.high) & (high + turns >= self.low)
        between = (-self.least < low) & (high < self.least)
        return np.asarray((~meets.any(axis=0) | between) & ~np.isnan(low + high))

    def error(self, values: Array, truth: Array) -> Array:
        """Distance of values from the truth, on a circle the shorter way round."""
        distance = np.abs(values - truth)
        if self.circular:
            distance = distance % self.period
            distance = np.minimum(distance, self.period - distance)
        return np.asarray(distance)

    def to_dict(self) -> dict[str, Any]:
        """All content for JSON; a least magnitude only where there is one, as in older files."""
        content = asdict(self)
        if not self.least:
            del content["least"]
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Unknown:
        """Inverse of :meth:`to_dict`."""
        return cls(**content)


def in_tables(unknowns: Iterable[Unknown]) -> tuple[Unknown, ...]:
    """Unknowns in the order of tables: the gap, angles, the rest."""
    return tuple(sorted(unknowns, key=lambda one: (one.name != "gap", not one.circular)))
