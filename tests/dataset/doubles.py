"""Simulators that stand in for Julia: quick, deterministic, and able to fail on purpose.

Dask workers import this module, so it lies beside the tests and knows nothing of pytest.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.compute import Simulator
from gapscope.dataset.recipe import Recipe
from gapscope.errors import HostDiedError, KernelError
from gapscope.instrument.contour import Contour
from gapscope.physics import Pairing, Specification
from gapscope.physics.lattice import window_coordinates
from gapscope.problem.sampling import Drawn, draw
from gapscope.simulation.materials import material
from gapscope.simulation.numerics import Numerics

TABLE: dict[str, Any] = {
    "schema": 1,
    "name": "tiny",
    "seed": 7,
    "material": "nbse2",
    "impurity": {"scalar": 50.0},
    "energies": [0.0, 0.4],
    "broadening": 0.5,
    "window": 16,
    "method": {"name": "grid", "kgrid": 64},
    "ranges": {"gap": [0.3, 1.5], "eps0": [-300.0, 100.0], "theta": [0.0, 3.141592653589793]},
    "splits": {"train": 20, "validation": 10, "test": 10},
    "shard_size": 7,
}


def recipe(**changes: Any) -> Recipe:
    """A tiny recipe: 40 maps of 16 x 16 sites in 6 shards."""
    return Recipe.from_dict(TABLE | changes)


def write_recipe(path: Path, what: Recipe) -> Path:
    """The recipe as TOML; JSON's numbers, strings and arrays are TOML's."""
    lines, tables = [], []
    for key, value in what.to_dict().items():
        if isinstance(value, dict):
            rows = [f"{name} = {json.dumps(entry)}" for name, entry in value.items()]
            tables += [f"[{key}]", *rows]
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    path.write_text("\n".join(lines + tables))
    return path


@dataclass(frozen=True)
class PlainMaps:
    ldos_change: NDArray[np.float64]
    dos: NDArray[np.float64]


@dataclass(frozen=True)
class Formula:
    """Maps by a formula in which every parameter has a part."""

    version: str = "of the tests"

    def versions(self, neighbours: int) -> dict[str, str]:
        assert neighbours >= 1
        return {"gapscope_version": self.version}

    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> PlainMaps:
        images = np.stack([image(spec, numerics) for spec in specifications])
        return PlainMaps(images, images.sum(axis=(2, 3)))

    def integral_changes(
        self,
        specifications: Sequence[Specification],
        contours: Sequence[Contour],
        numerics: Numerics,
    ) -> NDArray[np.float64]:
        sums = np.array([contour.energies.sum() for contour in contours])
        change = np.stack([image(spec, numerics)[0] for spec in specifications])
        return 0.01 * sums[:, None, None] * change[:, None]


def image(spec: Specification, numerics: Numerics) -> NDArray[np.float64]:
    r = window_coordinates(numerics.window)
    phase = spec.pairing.gap * r[:, None] + (spec.pairing.theta or 0.5) * r[None, :]
    energies = np.asarray(numerics.energies)[:, None, None]
    return np.cos(phase + spec.eps0 / 100 + energies)


@dataclass(frozen=True)
class BreaksAt(Formula):
    """Breaks the shard that holds one value of eps0, once ``others`` shards lie in the folder."""

    eps0: float = 0.0
    folder: Path = Path()
    others: int = 0

    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> PlainMaps:
        maps = super().maps(specifications, numerics)
        where = [i for i, spec in enumerate(specifications) if spec.eps0 == self.eps0]
        if not where:
            return maps
        deadline = time.monotonic() + 600
        while len(list(self.folder.glob("shards/*.h5"))) < self.others:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return self.broken(maps, where[0])

    def broken(self, maps: PlainMaps, index: int) -> PlainMaps:
        raise KernelError("Julia goes on.", "ERROR: DomainError", "Mend the test.")


@dataclass(frozen=True)
class Slow(Formula):
    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> PlainMaps:
        time.sleep(1)
        return super().maps(specifications, numerics)


@dataclass(frozen=True)
class NotANumber(BreaksAt):
    def broken(self, maps: PlainMaps, index: int) -> PlainMaps:
        maps.ldos_change[index, 0, 3, 3] = np.nan
        return maps


@dataclass(frozen=True)
class Constant(BreaksAt):
    def broken(self, maps: PlainMaps, index: int) -> PlainMaps:
        maps.ldos_change[index, 1] = 0.25
        return maps


@dataclass(frozen=True)
class FullDisk(BreaksAt):
    """From here on the system lets the worker write files of 4 kB at most."""

    def broken(self, maps: PlainMaps, index: int) -> PlainMaps:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        return maps


@dataclass(frozen=True)
class Killed(BreaksAt):
    """The system kills the worker, as when memory runs out; once, or whenever it comes here."""

    again: bool = False

    def broken(self, maps: PlainMaps, index: int) -> PlainMaps:
        marker = self.folder / "killed"
        if self.again or not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return maps


HOST = "import sys, time; time.sleep(float(sys.argv[1])); print('ready', flush=True)\n" + (
    "for line in sys.stdin: time.sleep(float(line)); print('done', flush=True)"
)
_host: list[subprocess.Popen[str]] = []


@dataclass(frozen=True)
class Hosted(Formula):
    """Computes with the leave of a process of the worker's own, as the kernel has a host."""

    starts: float = 0.6
    takes: float = 0.15

    def versions(self, neighbours: int) -> dict[str, str]:
        if not _host or _host[0].poll() is not None:
            command = [sys.executable, "-c", HOST, str(self.starts), "stands in for the host"]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            _host[:] = [subprocess.Popen(command, text=True, **pipes)]
            self.heard("ready")
        return super().versions(neighbours)

    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> PlainMaps:
        with contextlib.suppress(BrokenPipeError):
            assert _host[0].stdin is not None
            print(self.takes, file=_host[0].stdin, flush=True)
        self.heard("done")
        return super().maps(specifications, numerics)

    def heard(self, word: str) -> None:
        assert _host[0].stdout is not None
        if _host[0].stdout.readline().strip() != word:
            _host[0].kill()
            _host[0].wait()
            raise HostDiedError("The kernel host must live until it has answered.", "it died")


@dataclass(frozen=True)
class HostDies(Formula):
    """The kernel's host dies at the first shard, so many times."""

    folder: Path = Path()
    times: int = 0

    def maps(self, specifications: Sequence[Specification], numerics: Numerics) -> PlainMaps:
        died = len(list(self.folder.glob("died-*")))
        if specifications[0].eps0 == drawn(recipe(), 0).values["eps0"] and died < self.times:
            (self.folder / f"died-{died}").touch()
            raise HostDiedError("The kernel host must live.", "killed by SIGKILL")
        return super().maps(specifications, numerics)


def drawn(what: Recipe, sample: int) -> Drawn:
    """The parameters of a sample of a recipe that needs no merging."""
    return draw(what.define(material(what.material)), what.seed, sample)


def specification(what: Recipe, sample: int) -> Specification:
    """The superconductor of a sample of the paper's problem."""
    own = drawn(what, sample)
    nbse2 = material(what.material)
    name = what.define(nbse2).classes[own.label].members[own.member].candidate
    pairing = Pairing(name, gap=own.own_gap, theta=own.values.get("theta"))
    return Specification(nbse2, pairing, what.impurity.impurity(), own.values["eps0"])


def build_here(what: Recipe, folder: Path, simulator: Simulator | None = None) -> Path:
    """A dataset built in this process, without Dask."""
    # Dask's workers, which unpickle these doubles, see this folder alone.
    import built_here

    return built_here.build_here(what, folder, simulator or Formula())
