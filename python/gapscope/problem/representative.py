"""One name for what is the same map.

An overall sign is no part of a state: (theta, phi) and (pi - theta, phi + pi) are the same
coefficients, and so are (mix, phase). Where time reversal is a symmetry of the crystal,
coefficients c around a moment J and c^* around -J give the same map. A network that was told now
one, now the other would learn neither, so that each map goes by one of its names: the first that
lies in the ranges, phases in (-pi/2, pi/2] before others, and of c and c^* the one whose phase, or
else whose moment along z, is not negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from gapscope.problem.candidate import Candidate
from gapscope.problem.coefficients import angles_of, coefficients
from gapscope.problem.moves import ALONG_Z, MOMENT, Move
from gapscope.problem.unknown import Unknown

Values = dict[str, float]
ROUNDING = 1e-9
PHASES = ("phase", "phi", "phi_1", "phi_2")
PARTNERS = ((1.0, 0.0), (0.0, 1.0))


def has_names(candidate: Candidate, unknowns: Mapping[str, Unknown], reversible: bool) -> bool:
    """Whether a map of a candidate may go by several names."""
    turned = {*MOMENT[1:], ALONG_Z} & unknowns.keys()
    return bool(set(PHASES) & unknowns.keys() and _known(candidate, unknowns)) or bool(
        reversible and turned
    )


def components(candidate: Candidate) -> int:
    """Number of coefficients of a candidate's states."""
    functions, partners = _sizes(candidate)
    return functions * partners


def representative(
    candidate: Candidate,
    unknowns: Mapping[str, Unknown],
    fixed: Mapping[str, float],
    held: Mapping[str, float],
    reversible: bool,
    values: Values,
) -> Values:
    """The unknowns of a map, angles and the moment's, by the name that it goes by.

    Parameters
    ----------
    unknowns : those of the class; ``values`` has one of each that is an angle or of the moment.
    held : values of others, on which no map of the class depends.
    reversible : whether c^* around -J is a map of the problem, too.
    """
    return next(names(candidate, unknowns, fixed, held, reversible, values), values)


def names(
    candidate: Candidate,
    unknowns: Mapping[str, Unknown],
    fixed: Mapping[str, float],
    held: Mapping[str, float],
    reversible: bool,
    values: Values,
) -> Iterator[Values]:
    """All names inside of the ranges that a map may go by, that of :func:`representative` first;
    arguments as there."""
    known = {**fixed, **held}
    options = [_canonical(candidate, known, values)]
    if reversible:
        options.append(_canonical(candidate, known, _reversed(candidate, known, values)))
        options.sort(key=_negative)
    for one in options:
        for same in (one, *_twins(candidate, one)):
            told = {name: value for name, value in same.items() if name not in held}
            if _inside(told, unknowns, fixed):
                yield {name: same[name] for name in values}


def _known(candidate: Candidate, names: Mapping[str, object]) -> bool:
    """Whether coefficients say all of a state; not the paper's four angles of Eg."""
    return bool(candidate.angles) and not {"theta_s", "theta_t"} & names.keys()


def _sizes(candidate: Candidate) -> tuple[int, int]:
    """Numbers of basis functions and of partners."""
    paper = candidate.named_in_paper and "phi" in candidate.angles
    return max(1, len(candidate.functions)), 2 if paper else candidate.partners


def _state(candidate: Candidate, fixed: Mapping[str, float], values: Values) -> Values:
    """All angles that coefficients follow from; none where there are none."""
    if not _known(candidate, {**fixed, **values}):
        return {}
    own = {name: value for name, value in {**fixed, **values}.items() if name in candidate.angles}
    return own if all(name in own for name in candidate.required) else {}


def _canonical(candidate: Candidate, fixed: Mapping[str, float], values: Values) -> Values:
    functions, partners = _sizes(candidate)
    own = _state(candidate, fixed, values)
    if not own or functions * partners == 1:
        return values
    return values | angles_of(coefficients(own, functions, partners))


def _reversed(candidate: Candidate, fixed: Mapping[str, float], values: Values) -> Values:
    """c^* and -J."""
    functions, partners = _sizes(candidate)
    name = candidate.name
    move = Move(conjugate=True, partners={name: PARTNERS} if partners == 2 else {})
    new = dict(values)
    if (own := _state(candidate, fixed, values)) and functions * partners > 1:
        new |= move.angles(name, own, functions)
    if any(name in values for name in MOMENT):
        size, polar, azimuth = (values.get(n, fixed.get(n, 0.0)) for n in MOMENT)
        found = move.moment(size or 1.0, polar, azimuth)
        new |= {n: found[n] for n in MOMENT[1:]}
    if ALONG_Z in values:
        new[ALONG_Z] = -values[ALONG_Z]
    return new


def _negative(values: Values) -> bool:
    parts = [np.sin(values[name]) for name in PHASES if name in values]
    if "moment_polar" in values:
        parts.append(np.cos(values["moment_polar"]))
    if "moment_azimuth" in values:
        parts.append(np.sin(values["moment_azimuth"]))
    if ALONG_Z in values:
        parts.append(values[ALONG_Z])
    return next((bool(x < 0) for x in parts if abs(x) > ROUNDING), False)


def _twins(candidate: Candidate, values: Values) -> Iterator[Values]:
    if components(candidate) != 2:
        return
    angle, phase = ("theta", "phi") if _sizes(candidate)[1] == 2 else ("mix", "phase")
    if angle in values and phase in values:
        turned = {angle: (np.pi - values[angle]) % np.pi, phase: values[phase] + np.pi}
        yield values | turned


def _inside(values: Values, unknowns: Mapping[str, Unknown], fixed: Mapping[str, float]) -> bool:
    for name, value in values.items():
        own = unknowns.get(name)
        if own is None:
            if abs(np.angle(np.exp(1j * (value - fixed.get(name, 0.0))))) > ROUNDING:
                return False
        elif own.circular:
            past = (value - own.low) % own.period
            if min(past, own.period - past) > ROUNDING and past > own.high - own.low + ROUNDING:
                return False
        elif not own.low - ROUNDING <= value <= own.high + ROUNDING:
            return False
    return True
