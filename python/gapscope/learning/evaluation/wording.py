"""Numbers of a verdict in words: a p-value at its floor, intervals, the factor a map is off by."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from gapscope.problem.paper import predicted_problem
from gapscope.problem.unknown import Unknown

MOST_DIGITS = 9
NEAR = 0.1
"""A factor within this share of a named one is called by its name."""
FACTORS = {
    1e3: "as that of a map in 1/eV would be: if it is one, divide it by 1000",
    1e-3: "as that of a map would be that was taken from 1/eV to 1/meV once too often: if it was,"
    " multiply it by 1000",
    1e6: "as that of a map in 1/keV would be, or of one converted from 1/eV the wrong way: if it is"
    " one, divide it by 1e6",
    1e-6: "as that of a map would be that was divided by 1000 twice: if it was, multiply it by 1e6",
    27211.4: "as that of a map in 1/hartree would be: if it is one, divide it by 27211.4",
    13605.7: "as that of a map in 1/rydberg would be: if it is one, divide it by 13605.7",
    1.0: "",
}


def p_words(one: xr.Dataset) -> str:
    """``p = 0.17``, or ``p <= 0.0005`` where no calibration map looks as odd."""
    p = float(one["novelty_p"])
    floor = one.attrs.get("novelty_floor", 0.0)
    return f"p <= {floor:.2g}" if p <= floor * (1 + 1e-9) else f"p = {p:.2g}"


def interval_words(
    value: float, ends: tuple[float, float] | None, digits: int
) -> tuple[str, str, str]:
    """A value and the ends of its interval, with the digits that tell them apart.

    At least ``digits`` after the point; as many as the smaller distance of value and end needs for
    its first figure, unless it is zero. Zero has no sign.
    """
    if ends is not None:
        apart = [abs(end - value) for end in ends if end != value]
        if apart and min(apart) > 0:
            digits = max(digits, math.ceil(-math.log10(min(apart)) - 1e-6))
        digits = min(digits, MOST_DIGITS)
    low, high = (value, value) if ends is None else ends
    return (_fixed(value, digits), _fixed(low, digits), _fixed(high, digits))


def factor_words(one: xr.Dataset) -> list[str]:
    """Text: what a map that is unlike training must be divided by to be like it, if anything.

    Parameters
    ----------
    one : a sample of predictions as
        :meth:`gapscope.learning.prediction.predictor.Predictor.__call__` gives them; nothing is
        said where ``likely_factor`` is absent or NaN.
    """
    factor = float(one["likely_factor"]) if "likely_factor" in one else np.nan
    if np.isnan(factor):
        return []
    size = abs(factor)
    known = next((f for f in FACTORS if abs(size / f - 1) <= NEAR), None)
    turned = factor < 0
    parts = ["its sign may be reversed (bright is dark)"] if turned else []
    if known is None:
        parts.append(
            f"its amplitude is {size:.3g} times that of training maps of this shape: its values"
            " may be in another unit than 1/meV, or in an arbitrary one"
        )
    elif FACTORS[known]:
        parts.append(
            f"its amplitude is {size:.3g} times that of training maps of this shape, "
            + FACTORS[known]
        )
    elif not turned:
        parts.append(f"its amplitude is {size:.3g} times that of training maps of this shape")
    return [", and ".join(parts)]


CHANGES = {
    "turned": (
        "it may be turned {}: if it is, lay it on the sites of the lattice, r1 along a1, as"
        " prepare does"
    ),
    "reversed": (
        "one axis of its array may be reversed: r1 and r2 run along the lattice vectors a1 and a2"
    ),
    "negative": "its sign may be reversed (bright is dark): if it is, multiply it by -1",
    "stretched": ("its sites may lie {} those of the lattice: check the lattice constant"),
    "moved": (
        "the impurity may lie {} instead of (0, 0): name its place in a measured map"
        " (--centre), or give a simulated one with it at r = 0"
    ),
    "scaled": (
        "its amplitude may not go with its shape: check that it is in 1/meV, as the density of"
        " states per cell changes"
    ),
    "empty": (
        "nothing in it is arranged around (0, 0) as interference around an impurity is: look at"
        " another place of a measured map (--centre), another channel or another map"
    ),
    "off": (
        "it is more nearly even about the site {} than about (0, 0), where the impurity of a"
        " simulated map lies: give it with that site at r = 0. Where it shows several impurities,"
        " that mends nothing: look at another map"
    ),
    "masked": (
        "at r = 0, where most of a map's contrast lies, it is no stronger than beside it: the"
        " impurity's site seems to be masked or filled in. Give NaN there, and the network's own"
        " simulated map fills it in"
    ),
    "repeated": (
        "its rows or columns repeat others to the last digit, as those of a padded, tiled or"
        " enlarged map do, or of a mirrored one whose impurity is not at (0, 0): give the sites"
        " that hold values of their own"
    ),
}

AMOUNTS = {
    "turned": ("by about {} degrees", "against the lattice"),
    "stretched": ("{} times as far apart as", "farther apart than, or closer than,"),
    "moved": ("at the site {}", "at another site"),
    "off": ("{}", "{}"),
}
"""How much of a change, and what is said where nobody knows."""


def change_words(one: xr.Dataset) -> list[str]:
    """Text: what a map that is unlike training seems to have been through, if anything.

    Parameters
    ----------
    one : as for :func:`factor_words`; nothing is said where ``likely_change`` is absent or empty.
    """
    words = str(one["likely_change"].item() if "likely_change" in one else "")
    kind, _, amount = words.partition(" ")
    known, unknown = AMOUNTS.get(kind, ("", ""))
    return [CHANGES[kind].format(known.format(amount) if amount else unknown)] if kind else []


def range_words(one: xr.Dataset) -> list[str]:
    """Text: which unknowns a map has beyond all that the network has learned from, if any.

    Parameters
    ----------
    one : as for :func:`factor_words`; nothing is said where ``outside_range`` is absent or empty.
    """
    names = str(one["outside_range"].item() if "outside_range" in one else "")
    unknowns = {unknown.name: unknown for unknown in predicted_problem(one.attrs).unknowns}
    told = [_range(unknowns[name]) for name in names.split(", ") if name]
    if not told:
        return []
    return [
        f"its whole interval lies outside of what the network has learned for {'; '.join(told)}."
        " The map is of no state that the network knows: do not trust its numbers"
    ]


def _range(unknown: Unknown) -> str:
    """Name of an unknown, and the range that a network has learned from."""
    unit = "" if unknown.unit == "1" else f" {unknown.unit}"
    ends = [(unknown.low, unknown.high)]
    if unknown.least:
        ends = [(unknown.low, -unknown.least), (unknown.least, unknown.high)]
    parts = " and ".join(f"{low:.4g} to {high:.4g}" for low, high in ends)
    return f"{unknown.name} ({parts}{unit})"


def centre_words(one: xr.Dataset) -> list[str]:
    """Text: that a map had no value at r = 0, if it had none (``centre_left``)."""
    left = float(one["centre_left"]) if "centre_left" in one else np.nan
    if np.isnan(left):
        return []
    return [
        "its value at r = 0 was not given, and is that of the map simulated at the network's own"
        f" answer, which leaves {100 * left:.2g} % of the map elsewhere: do not trust the numbers"
        " where that is far more than the map's noise. Intervals do not count how far off the value"
        " may be; --posterior needs none"
    ]


def notes_of(one: xr.Dataset) -> list[str]:
    """Text: all that is to be said of one map beside its verdict; numbers of one that is unlike the
    training maps are not to be trusted anyway, within what was learned or beyond it."""
    unlike = "unlike_training" in one and bool(one["unlike_training"])
    beyond = [] if unlike else range_words(one)
    return factor_words(one) + change_words(one) + beyond + centre_words(one)


def _fixed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if not any(c in "123456789" for c in text) else text
