"""What a request costs before it is sent: memory in bytes, and work that scales as its time.

Memory counts the arrays that the kernel allocates (grid.jl, slices.jl, quadrature.jl,
dense_rows.jl) and those of the result on this side; benchmarks/memory.py compares it with what
the processes take.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from gapscope.kernel.client import default_threads
from gapscope.physics.bonds import Bonds
from gapscope.physics.layers import depth
from gapscope.physics.specification import Scatterers
from gapscope.simulation.blocks import Block, blocks, has_particle_hole
from gapscope.simulation.numerics import Converged, Grid

COMPLEX, REAL = 16, 8
POINTS = 15
"""Rows of a panel."""
PANELS = 64
"""Panels to begin with, at least; half as many of large blocks."""
HALVED = 96
"""Panels that halving adds at 0.1 meV and an accuracy of 0.005, at most in most states of NbSe2."""
RESULTS = 5
"""Arrays of the result's size on this side: A(r), drho, and three while rho(q) is made."""
SMALL = 32 << 20
"""Bytes that nobody need think of."""
SLICE = 96 << 20
"""Bytes of a part of G on the window (slices.jl): of one block row, where that takes more."""
GENERATIONS = 3
"""Slices in memory at a time, those before the last not yet collected."""
MEASURED = 0.5
"""Part of a large block's panels whose errors are measured (measured.jl), in most states less."""
SINGLE = 8
"""Bytes of a complex number of a panel of a large block."""
POLES = 64
"""Poles near the unit circle for which a row of a large block has room (dense_rows.jl)."""
DOUBLINGS = 15
"""Steps of a surface's decimation at 0.1 meV (surface.jl): one inverse and six products each."""
LANES = 4
"""Samples of a surface at a time."""


@dataclass(frozen=True)
class Effort:
    """What one call takes.

    Parameters
    ----------
    memory : bytes that the kernel's host and this process allocate at most at a time.
    work : about the number of elementary operations.
    kept : of the memory, what is for rows of k points that are kept while maps converge.
    row : bytes of one such row of every block.
    """

    memory: float
    work: float
    kept: float = 0.0
    row: float = 0.0


def map_effort(
    bonds: Bonds,
    energies: Sequence[float],
    broadening: float,
    window: int,
    method: Grid | Converged,
    *,
    reach: int = 0,
    sites: int = 1,
    sets: int = 1,
    layers: int = 1,
    rows: float | None = None,
    touched: AbstractSet[int] | None = None,
    resident: bool = False,
) -> Effort:
    """Effort of maps.

    Parameters
    ----------
    bonds : H(k) of one of the parameter sets.
    reach : largest |r1| or |r2| of the impurities.
    sites, sets, layers : number of impurities, of parameter sets, and of maps at an energy.
    rows : rows of k points of an energy, for the method converged, where they are known.
    touched : Nambu components that an impurity couples to; all without them.
    resident : G itself is the result, and all of it is in memory at once.
    """
    half = window // 2 if reach == 0 else 8 * math.ceil((window // 2 + reach) / 8)
    groups = energy_groups(bonds, energies)
    paired = any(len(group) > 1 for group in groups)
    whole = sites > 1 or paired
    if paired and touched is not None:
        other = bonds.dimension // 2
        touched = {(one + turn) % bonds.dimension for one in touched for turn in (0, other)}
    found = blocks(bonds, whole=whole, zero=not any(energies), touched=touched)
    span, threads = 2 * half + 1, default_threads()
    elements = sum(block.elements * block.copies for block in found)
    green = COMPLEX * span**2 * (elements * (1 + paired) + 2)
    product = 30 * sites**2 * window**2 * elements
    on_panels = row_bytes = 0.0
    if isinstance(method, Grid):
        fields = max(block.fields for block in found)
        kept = COMPLEX * (half + 1) * fields * (method.kgrid + span)
        memory = kept + green + _row_buffers(bonds, method.kgrid, fields, threads)
        memory += max(_layer_buffers(bonds, block, threads) for block in found)
        work = sum(_row_work(bonds, one, method.kgrid) for one in found) * method.kgrid
        work += sum(one.fields for one in found) * half * _fft(method.kgrid) + product
    else:
        harder = _harder(broadening, method.accuracy)
        memory, work = 4 * green if resident else 0.0, 4 * product
        slices = 0.0
        for block in found:
            panels = _panels(block, half, harder, rows, len(found))
            samples = samples_of_row(block, 4 * half)
            transforms = (half + 1) * block.fields
            one = COMPLEX * transforms if block.is_pair else SINGLE * transforms + COMPLEX * POLES
            row_bytes += one
            on_panels += one * POINTS * panels * (1 if block.is_pair else 1 + MEASURED)
            memory += _exact_buffers(bonds, block, samples, half, threads)
            if resident:
                memory += 2 * COMPLEX * (half + 1) * span * block.fields
            else:
                slices = max(slices, _slice(block, span, paired))
            row = _row_work(bonds, block, 2 * samples) + 60 * (half + 50) * block.fields
            work += POINTS * panels * row
            work += 2 * block.fields * half * (_fft(8 * half) + 8 * 8 * POINTS * panels)
        memory += on_panels + GENERATIONS * slices
    results = COMPLEX * sets * len(energies) * layers * window**2
    return Effort(
        memory + RESULTS * results + SMALL,
        sets * len(groups) * max(work, 1.0) * (1 + paired / 4),
        on_panels,
        row_bytes,
    )


def _slice(block: Block, span: int, paired: bool) -> float:
    """Sums and errors on half of the window and elements on all of it, of every copy."""
    whole = 2.0 * COMPLEX * block.elements * span**2 * (1 + block.copies)
    row = 2 * whole / block.size
    return min(whole, max(SLICE, row)) * (2 if paired else 1)


def states_effort(
    bonds: Bonds, energies: Sequence[float], broadening: float, method: Grid | Converged
) -> Effort:
    """Effort of a density of states."""
    found = [one for one in blocks(bonds, whole=False) if one.elements]
    threads = default_threads()
    if isinstance(method, Grid):
        memory = sum(_row_buffers(bonds, method.kgrid, one.fields, threads) for one in found)
        work = sum(_row_work(bonds, one, method.kgrid) for one in found) * method.kgrid
    else:
        memory = work = 0.0
        harder = _harder(broadening, method.accuracy)
        for block in found:
            panels = _panels(block, 0, harder, None, len(found))
            samples = samples_of_row(block, 64)
            memory += _exact_buffers(bonds, block, samples, 0, threads)
            work += POINTS * panels * (_row_work(bonds, block, 2 * samples) + 3000)
    return Effort(memory + SMALL, len(energies) * work)


def spectral_effort(bonds: Bonds, momenta: int, energies: int) -> Effort:
    """Effort of a spectral function."""
    d = bonds.dimension
    point = 16 * d**3 + DOUBLINGS * 60 * LANES * (depth(bonds) * d) ** 3
    work = momenta * (8 * len(bonds.vectors) * d**2 + energies * point)
    return Effort(3.0 * REAL * momenta * energies + SMALL, work)


def touched_by(scatterers: Scatterers) -> set[int]:
    """Nambu components that the potentials couple to (scatterers.jl)."""
    coupled = np.abs(scatterers.potentials).max(axis=0)
    return set(np.flatnonzero(np.maximum(coupled.max(axis=0), coupled.max(axis=1))).tolist())


def energy_groups(bonds: Bonds, energies: Sequence[float]) -> list[list[int]]:
    """Numbers of the energies in groups that share a Green's function, w and -w (maps.jl)."""
    paired = has_particle_hole(bonds)
    groups: list[list[int]] = []
    waiting: dict[float, list[int]] = {}
    for number, energy in enumerate(energies):
        partner = waiting.pop(-energy, None) if paired and energy else None
        if partner is None:
            groups.append([number])
            waiting.setdefault(energy, groups[-1])
        else:
            partner.append(number)
    return groups


def _panels(block: Block, half: int, harder: float, rows: float | None, count: int) -> float:
    start = max(half, PANELS) if block.is_pair else max(half / 2, PANELS / 2)
    if rows is not None:
        return max(start / (1 + block.is_mirrored), rows / POINTS / count)
    return (start + HALVED * harder) / (1 + block.is_mirrored)


def _harder(broadening: float, accuracy: float) -> float:
    """Panels that halving adds, relative to HALVED."""
    finer = max(0.0, math.log10(0.1 / broadening))
    return 1 + finer + max(0.0, math.log10(Converged.accuracy / accuracy)) / 2


def samples_of_row(block: Block, start: int) -> int:
    """Samples of a row in each of two sets (quadrature.jl)."""
    return start if block.is_pair else 32 * math.ceil(max(5 * start, 640) / 256)


def _exact_buffers(bonds: Bonds, block: Block, samples: int, half: int, threads: int) -> float:
    """Buffers of rows that are exact by their poles, for every thread."""
    if block.is_pair:
        return _row_buffers(bonds, 2 * samples, block.fields, threads)
    layers = _layer_buffers(bonds, block, threads)
    degree = int(np.abs(bonds.vectors[:, 1]).max())
    span = 2 * max(half, min(64, 3 * samples // 8)) + 1
    kept = COMPLEX * block.size**2 * (samples + 2 * span + 4 * degree + 2 + POLES // 2)
    return layers + threads * (kept + COMPLEX * (3 * POLES * span + samples * (2 * degree + 1)))


def _layer_buffers(bonds: Bonds, block: Block, threads: int) -> float:
    """Principal layers and their couplings while a surface is decimated."""
    cells = depth(bonds)
    matrices = 7 * (cells * block.size) ** 2 + (cells + 1) * block.size**2
    return threads * LANES * COMPLEX * matrices if cells else 0.0


def _row_buffers(bonds: Bonds, n: int, fields: int, threads: int) -> float:
    """Tables of a row of n points, and the fields with their transforms for every thread."""
    degree = int(np.abs(bonds.vectors[:, 1]).max())
    tables = n * (COMPLEX * (3 * degree + 2) + 4 * REAL * degree)
    return tables + threads * n * fields * (REAL + REAL) + threads * n * 8 * COMPLEX


def _row_work(bonds: Bonds, block: Block, n: int) -> float:
    """Operations for the fields of a row of n points and their transforms along it."""
    degree = int(np.abs(bonds.vectors[:, 1]).max())
    if block.is_pair:
        point = 8.0 * degree + 20
    else:
        point = block.size**2 * (4.0 * degree + 2) + 12 * block.size**3
        point += DOUBLINGS * 60 * (depth(bonds) * block.size) ** 3
    return n * point + block.fields * _fft(n) / 2


def _fft(n: int) -> float:
    return 5.0 * n * math.log2(max(n, 2))
