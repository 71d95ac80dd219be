"""calcQPI's own minimal examples through both codes: on one k-grid, then converged.

    GAPSCOPE_CALCQPI_EXAMPLES=FOLDER python benchmarks/peers.py --only examples [NAME ...]

FOLDER holds the repository gpwahl/calcqpi-examples; calcQPI's ``mkwavefunctions`` stands beside its
executable. Inputs are read where they lie: the Hamiltonian, the impurity, broadening, k-grid,
cells, pixels and Wannier functions are the example's, and three of its energies are computed, at a
quarter, half and three quarters of its range. Each runs twice:

* continuum: as the example says. gapscope is given the functions that calcQPI used (``wffile``).
* lattice: every orbital is one point, on a pixel of its own, so that calcQPI's pixels are
  gapscope's densities of states of the sites, orbital by orbital.

The last three are surfaces of half-infinite crystals (``green=surface``): calcQPI's layers follow
each other along -a3, so that the crystal is open at its top.

calcQPI prints -Im G of the crystal with its impurity; a Hamiltonian without spin counts one of two.
deviation: the difference of both codes' densities by the norm of the impurity's change, the
largest of three energies; grid: what that change misses on the example's k-grid, by method
converged at ACCURACY, whose own estimate comes last. Times are CPU seconds of the whole program,
on one thread, and of a call to gapscope's host and process.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr

import gapscope as gs
from calcqpi import ORBITALS, CalcQPI, Map, cpu_of, read_idl
from gapscope.errors import ConvergenceWarning
from gapscope.kernel.client import HostInfo
from gapscope.physics import Bonds, Lattice, Material
from gapscope.physics.wannier_text import read_hamiltonian_text

EXAMPLES = {
    "1nn": "1nnmodel",
    "1nn-hex": "1nn-hex",
    "rashba": "qpi1nnrashba",
    "1nn-sc": "1nn-dx2",
    "sr2ruo4": "214qpi01",
    "1nnz": "nn1zqpi",
    "ssh": "qpisurface",
    "topo": "qpisurface",
}
ACCURACY = 0.005
MILLI = 1000.0
"""meV per eV."""


@dataclass(frozen=True)
class Example:
    """An example's settings, and the same as gapscope's specification and numerics.

    Parameters
    ----------
    settings : calcQPI's, with paths that are absolute.
    copies : spins that its one copy of the Hamiltonian stands for.
    """

    settings: dict[str, str]
    spec: gs.Specification
    numerics: gs.Numerics
    copies: int

    @property
    def pixels(self) -> int:
        """Per lattice vector."""
        return int(self.settings["oversamp"])


def read_example(folder: Path, name: str) -> Example:
    """What stands in NAME.qpic."""
    text = (folder / f"{name}.qpic").read_text(encoding="ascii")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    found = {key: value.strip() for key, value in re.findall(r"([\w\[\]]+)\s*=([^;]*);", text)}
    for key in ("tbfile", "idlorbitalfile"):
        if key in found:
            found[key] = f'"{folder / found[key].strip(chr(34))}"'
    for key in ("logfile", "qpifile"):
        found.pop(key, None)
    low, high = numbers(found["energies"])
    layers = int(found["layers"])
    energies = np.linspace(low, high, layers)[np.arange(1, 4) * (layers // 4)]
    found |= {"energies": f"({energies[0]:.15g},{energies[-1]:.15g})", "layers": "3"}
    spec, copies = specification(folder.name, found)
    numerics = gs.Numerics(
        (MILLI * energies).tolist(),
        MILLI * float(found["eta"]),
        int(found["lattice"]),
        gs.Grid(int(found["kpoints"])),
    )
    return Example(found, spec, numerics, copies)


def numbers(text: str) -> list[float]:
    """Those of (1,0.5)."""
    return [float(word) for word in text.strip("()").split(",")]


def specification(name: str, settings: dict[str, str]) -> tuple[gs.Specification, int]:
    """Hamiltonian, gap and impurity, and the number of spins that one copy stands for."""
    path = Path(settings["tbfile"].strip('"'))
    vectors, degeneracies, elements = read_hamiltonian_text(path.read_text(encoding="ascii"))
    surface = "top" if settings.get("green") == "surface" else None
    vectors = vectors[:, : 2 if surface is None else 3]
    bonds = Bonds(vectors, MILLI * elements / degeneracies[:, None, None])
    size = bonds.dimension
    lattice = Lattice("triangular" if name == "1nn-hex" else "square", 1.0)
    pairing, copies = gs.Pairing.normal(), 1
    if settings.get("scmodel") == "true":
        size //= 2
        gap = Bonds(bonds.vectors, bonds.matrices[:, :size, size:])
        pairing = gs.Pairing.from_bonds(gap.kron(left=np.array([[0, 1], [-1, 0]])))
        bonds = Bonds(bonds.vectors, bonds.matrices[:, :size, :size])
    if settings.get("spin") != "true":
        bonds, copies = bonds.kron(left=np.eye(2)), 2
    material = Material(name, lattice, bonds, surface=surface)
    strength = numbers(settings.get("phase", "(1,0)"))[0] * MILLI
    weights = np.ones(2 * material.orbitals)
    given = numbers(settings.get("scattering", "(1)"))
    weights[: len(given)] = given
    impurity = gs.Impurity.scalar(strength, orbitals=weights[: material.orbitals].tolist())
    return gs.Specification(material, pairing, impurity), copies


def known_functions(example: Example, values: Map) -> gs.WannierFunctions:
    """Those with these values on the pixels of the cells around their own, (orbitals, x, y)."""
    lattice, pixels = example.spec.material.lattice, example.pixels
    back = np.linalg.inv(lattice.constant * lattice.vectors)
    middle = int(example.settings["window"]) * pixels
    wide = np.pad(values, ((0, 0), (1, 1), (1, 1)))  # zero outside

    def function(orbital: int) -> Callable[[Map], Map]:
        def at(points: Map) -> Map:
            index = np.rint(points[..., :2] @ back * pixels).astype(int) + middle + 1
            index = np.clip(index, 0, wide.shape[-1] - 1)
            return wide[orbital, index[..., 0], index[..., 1]]

        return at

    functions = tuple(function(n) for n in range(example.spec.material.orbitals))
    return gs.WannierFunctions(functions, "calcQPI's")


class Continuum:
    """An example as it says: the density of states at the tip, (energies, x, y)."""

    def __init__(self, example: Example, peer: CalcQPI) -> None:
        self.example, self.settings = example, example.settings
        if "idlorbitalfile" in self.settings:
            values = read_idl(Path(self.settings["idlorbitalfile"].strip('"')))
        else:
            small = {"output": "spf", "lattice": 4, "wffile": '"functions.idl"'}
            peer.run({**self.settings, **small})
            values = read_idl(peer.folder / "functions.idl")
        self.tip, self.functions = gs.Tip(1.0, cut=1e-12), known_functions(example, values)

    def own(self, numerics: gs.Numerics) -> xr.Dataset:
        """gapscope's maps."""
        return gs.continuum(
            self.example.spec,
            numerics,
            tip=self.tip,
            functions=self.functions,
            pixels=self.example.pixels,
        )

    def densities(self, maps: xr.Dataset) -> tuple[Map, Map]:
        """The whole density and the impurity's change of it."""
        return (maps.ldos_clean + maps.ldos_change).values, maps.ldos_change.values

    def found(self, image: Map) -> Map:
        """calcQPI's output in the same order."""
        return image


class OnSites:
    """An example on the lattice, (energies, orbitals, r1, r2): a pixel for each orbital."""

    def __init__(self, example: Example, peer: CalcQPI) -> None:
        self.example, self.count = example, example.spec.material.orbitals
        self.side = math.isqrt(self.count - 1) + 1
        points = np.zeros((self.count, self.side**2))
        points[range(self.count), range(self.count)] = 1
        points = points.reshape(self.count, self.side, self.side)
        peer.write_orbitals(np.tile(points, (2 if example.copies == 1 else 1, 1, 1)))
        left = {"idlorbitalfile", "orbitals", "radius", "zheight", "angle"}
        kept = {key: value for key, value in example.settings.items() if key not in left}
        self.settings = {**kept, **ORBITALS, "window": "0", "oversamp": str(self.side)}

    def own(self, numerics: gs.Numerics) -> xr.Dataset:
        """gapscope's maps."""
        return gs.simulate(self.example.spec, numerics, by_orbital=True)

    def densities(self, maps: xr.Dataset) -> tuple[Map, Map]:
        """The whole density and the impurity's change of it."""
        change = maps.ldos_change_orbital.values
        return change + maps.dos_orbital.values[..., None, None], change

    def found(self, image: Map) -> Map:
        """calcQPI's output in the same order."""
        sites = image.shape[1] // self.side
        split = image.reshape(len(image), sites, self.side, sites, self.side)
        pixels = split.transpose(0, 2, 4, 1, 3).reshape(len(image), -1, sites, sites)
        return pixels[:, : self.count]


def largest(difference: Map, of: Map) -> float:
    """The largest norm of a difference over all but the energies, relative to that of ``of``."""

    def norms(values: Map) -> Map:
        return np.linalg.norm(values.reshape(len(values), -1), axis=1)

    return float((norms(difference) / norms(of)).max())


def compare(name: str, case: Continuum | OnSites, peer: CalcQPI, host: HostInfo) -> None:
    """Both codes on one grid, and the method converged, as a line of the table."""
    example = case.example

    def timed(numerics: gs.Numerics) -> tuple[float, xr.Dataset]:
        before = cpu_of(host.pid) + time.process_time()
        maps = case.own(numerics)
        return cpu_of(host.pid) + time.process_time() - before, maps

    converged = replace(example.numerics, method=gs.Converged(ACCURACY))
    with warnings.catch_warnings():
        # The example's grid need not resolve its broadening: that is what "its error" tells.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for method in (gs.Grid(16), gs.Converged(0.5)):
            timed(replace(example.numerics, window=8, method=method))  # compiles
        spent, maps = timed(example.numerics)
    fine_spent, fine = timed(converged)
    (_, seconds), image = peer.run(case.settings)
    theirs = case.found(image) * example.copies / MILLI
    whole, change = case.densities(maps)
    _, true_change = case.densities(fine)
    kind = type(case).__name__
    print(
        f"{name:<9}{'lattice' if kind == 'OnSites' else 'continuum':<11}"
        f"{example.numerics.method.kgrid:>6}{example.numerics.broadening:>7.2g}"
        f"{largest(theirs - whole, change):>11.1e}{seconds:>10.2f}{spent:>8.2f}"
        f"{seconds / spent:>7.0f}{largest(change - true_change, true_change):>10.1e}"
        f"{fine_spent:>11.2f}{seconds / fine_spent:>7.0f}"
        f"{float(fine.relative_error.max()):>10.1e}",
        flush=True,
    )


def made_functions(folder: Path, settings: dict[str, str], peer: CalcQPI) -> None:
    """Functions that calcQPI's mkwavefunctions makes of a .wfc, where they are not there yet."""
    path = Path(settings.get("idlorbitalfile", "").strip('"'))
    if "idlorbitalfile" not in settings or path.is_file():
        return
    program = Path(peer.program).with_name("mkwavefunctions")
    source = folder / f"{path.stem}.wfc"
    subprocess.run([program, source], cwd=peer.folder, check=True, capture_output=True)
    settings["idlorbitalfile"] = f'"{peer.folder / path.name}"'


def compare_examples(program: str, host: HostInfo, names: Sequence[str] = ()) -> None:
    root = os.environ.get("GAPSCOPE_CALCQPI_EXAMPLES")
    if root is None or not Path(root).is_dir():
        print(
            "\ncalcQPI's examples are absent: name the folder of the repository"
            " gpwahl/calcqpi-examples by GAPSCOPE_CALCQPI_EXAMPLES"
        )
        return
    print(
        "\ncalcQPI's own examples, three energies each, calcQPI with one thread; deviation of both"
        "\ncodes on the example's grid, CPU seconds, the grid's own error, converged at"
        f" {ACCURACY}"
    )
    print(
        f"{'example':<9}{'map':<11}{'kgrid':>6}{'delta':>7}{'deviation':>11}{'calcQPI':>10}"
        f"{'grid':>8}{'ratio':>7}{'its error':>10}{'converged':>11}{'ratio':>7}{'estimate':>10}"
    )
    for name in names or EXAMPLES:
        folder = Path(root) / name
        example = read_example(folder, EXAMPLES[name])
        with tempfile.TemporaryDirectory() as work:
            peer = CalcQPI(program, Path(work), 1)
            made_functions(folder, example.settings, peer)
            for kind in (OnSites, Continuum):
                compare(name, kind(example, peer), peer, host)
