"""Maps as they are asked of the kernel: within memory, at once or a few energies at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.kernel.calls import Convergence, Maps, converged_maps, grid_maps
from gapscope.physics.bonds import Bonds
from gapscope.physics.specification import Scatterers
from gapscope.simulation.effort import Effort, energy_groups, map_effort, touched_by
from gapscope.simulation.kgrid import require_resolved_rows
from gapscope.simulation.numerics import Converged, Grid, Numerics
from gapscope.simulation.rows_in_memory import require_rows, within_memory
from gapscope.simulation.trial import map_seconds, other_method
from gapscope.support.memory import Choice, require_memory
from gapscope.support.progress import in_chunks


@dataclass(frozen=True)
class MapRequest:
    """Hamiltonians with their impurities, and how their maps are computed."""

    hamiltonians: Sequence[Bonds]
    impurities: Sequence[Scatterers]
    numerics: Numerics
    layers: NDArray[np.int64] | None = None

    def effort(self) -> Effort:
        """Memory and work, by the parameter set with the most impurities."""
        numerics = self.numerics
        sites = max((s.sites for s in self.impurities), key=len)
        touched = {n for s in self.impurities for n in touched_by(s)}
        return map_effort(
            self.hamiltonians[0],
            numerics.energies,
            numerics.broadening,
            numerics.window,
            numerics.method,
            reach=int(max(np.abs(s.sites).max() for s in self.impurities)),
            sites=len(sites),
            sets=len(self.hamiltonians),
            layers=1 if self.layers is None else int(self.layers.max()) + 1,
            touched=touched,
        )

    def require_memory(self) -> None:
        """Raise NumericsError, with numbers and what would fit, unless memory suffices.

        Also where the rows of a surface would not do.
        """
        numerics, method = self.numerics, self.numerics.method
        require_resolved_rows(self.hamiltonians[0], numerics.broadening, method)
        count = len(numerics.energies)
        words = f"window = {numerics.window}, {count} energ{'y' if count == 1 else 'ies'}"
        if isinstance(method, Grid):
            words += f", kgrid = {method.kgrid}"
        require_memory(words, self.effort().memory, self._instead())

    def _instead(self) -> list[Choice]:
        numerics, method = self.numerics, self.numerics.method
        choices: list[Choice] = []

        def add(words: str, **changes: Any) -> None:
            smaller = replace(self, numerics=replace(numerics, **changes))
            choices.append((words, lambda: smaller.effort().memory))

        if len(numerics.energies) > 1:
            add("one energy at a time", energies=numerics.energies[:1])
        reach = 2 * int(max(np.abs(s.sites).max() for s in self.impurities)) + 2
        window = numerics.window
        while (window := window // 4 * 2) >= max(reach, 64):
            add(f"window = {window}", window=window)
        if isinstance(method, Grid):
            kgrid = method.kgrid
            while (kgrid := kgrid // 2) >= max(numerics.window, 256):
                add(f"kgrid = {kgrid}", method=Grid(kgrid))
        return choices

    def compute(self, progress: bool) -> Maps:
        """The maps, with a word about the time and a bar where ``progress`` asks for them."""
        energies = self.numerics.energies
        if not progress:
            return self._maps(energies)
        first, scatterers, numerics = self.hamiltonians[0], self.impurities[0], self.numerics
        chunks = in_chunks(
            energy_groups(first, energies),
            "energy/energies",
            lambda: map_seconds(first, scatterers, numerics) * len(self.hamiltonians),
            other_method(numerics.method),
        )
        parts = [(chunk, self._maps([energies[n] for n in chunk])) for chunk in chunks]
        return parts[0][1] if len(parts) == 1 else _joined(parts, len(energies))

    def _maps(self, energies: Sequence[float]) -> Maps:
        method = self.numerics.method
        if isinstance(method, Grid):
            return self._by(grid_maps, energies, method)
        effort = self.effort()
        allowed = within_memory(method, effort)
        maps = self._by(converged_maps, energies, allowed)
        require_rows(method, allowed, effort, maps.convergence)
        return maps

    def _by(
        self, compute: Callable[..., Maps], energies: Sequence[float], method: Grid | Converged
    ) -> Maps:
        return compute(
            self.hamiltonians,
            self.impurities,
            energies=energies,
            broadening=self.numerics.broadening,
            window=self.numerics.window,
            layers=self.layers,
            **asdict(method),
        )


def _joined(parts: list[tuple[list[int], Maps]], count: int) -> Maps:
    """Maps of some energies each as one; every part is let go of when it is copied."""
    first = parts[0][1]

    def room(like: np.ndarray) -> np.ndarray:
        return np.empty((len(like), count, *like.shape[2:]), like.dtype)

    trace, dos, green = room(first.trace), room(first.dos), room(first.local_green)
    known = first.convergence
    names = () if known is None else ("error", "error_away", "rows", "reached")
    of_accuracy = {name: room(getattr(known, name)) for name in names}
    while parts:
        chunk, maps = parts.pop()
        trace[:, chunk], dos[:, chunk], green[:, chunk] = maps.trace, maps.dos, maps.local_green
        for name, values in of_accuracy.items():
            values[:, chunk] = getattr(maps.convergence, name)
    return Maps(trace, dos, green, Convergence(**of_accuracy) if of_accuracy else None)
