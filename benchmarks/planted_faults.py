"""Plant one fault at a time in a copy of the sources and see which test catches it.

    python benchmarks/planted_faults.py             # all faults, one after another
    python benchmarks/planted_faults.py qx spin     # those whose names hold one of the words

Each fault is one edit that a tired author could have made: a unit, a sign, a transpose, a factor.
It is made in a temporary copy, the named tests run there, and the first that fails is printed.
Exit status 1 where a fault is missed, or where its text no longer stands in the file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from further_faults import FURTHER

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("python", "julia", "data", "tests", "benchmarks", "docs")
PHYSICS = "python/gapscope/physics/"
LEARNING = "python/gapscope/learning/"
PROBLEM = "python/gapscope/problem/"
MEASURED = "python/gapscope/measured/"
SIMULATE = "python/gapscope/simulation/map_dataset.py"


@dataclass(frozen=True)
class Fault:
    """One edit, and the tests that are to notice it."""

    name: str
    file: str
    old: str
    new: str
    tests: str


FAULTS = (
    Fault(
        "qx, qy in 1/a",
        SIMULATE,
        "lattice.momentum(_mesh(reduced)) / lattice.constant",
        "lattice.momentum(_mesh(reduced))",
        "tests/test_simulate.py",
    ),
    Fault(
        "x, y in a",
        SIMULATE,
        "lattice.constant * (_mesh(sites) @ lattice.vectors)",
        "_mesh(sites) @ lattice.vectors",
        "tests/test_simulate.py",
    ),
    Fault(
        "x, y by the transposed lattice",
        SIMULATE,
        "(_mesh(sites) @ lattice.vectors)",
        "(_mesh(sites) @ lattice.vectors.T)",
        "tests/test_simulate.py",
    ),
    Fault(
        "unit of x said as a",
        SIMULATE,
        'told("x", "Angstrom")',
        'told("x", "a")',
        "tests/test_simulate.py",
    ),
    Fault(
        "kx, ky of A(k) in 1/a",
        "python/gapscope/simulation/spectrum.py",
        "lattice.momentum(points) / lattice.constant",
        "lattice.momentum(points)",
        "tests/test_simulate.py",
    ),
    Fault(
        "reciprocal vectors without 2 pi",
        PHYSICS + "lattice.py",
        "np.asarray(2 * np.pi * np.linalg.inv(self.vectors).T)",
        "np.asarray(np.linalg.inv(self.vectors).T)",
        "tests/physics tests/test_simulate.py",
    ),
    Fault(
        "image without the shift of r = 0",
        PHYSICS + "fourier.py",
        "np.fft.fft2(np.fft.ifftshift(masked, axes=AXES), axes=AXES)",
        "np.fft.fft2(masked, axes=AXES)",
        "tests/physics/test_maps.py",
    ),
    Fault(
        "conjugate image",
        PHYSICS + "fourier.py",
        "np.fft.fftshift(spectrum, axes=AXES), dtype=np.complex128)\n\n\ndef atom_images",
        "np.fft.fftshift(spectrum.conj(), axes=AXES), dtype=np.complex128)\n\n\ndef atom_images",
        "tests/physics/test_maps.py",
    ),
    Fault(
        "rhombus for the hexagon",
        PHYSICS + "lattice.py",
        "mask &= (np.abs(images) < size // 2 - 1 - reach + EDGE).all(axis=0)",
        "mask &= np.abs(images).max(axis=0) < size // 2 + EDGE",
        "tests/physics/test_maps.py",
    ),
    Fault(
        "hole block without its sign",
        PHYSICS + "specification.py",
        "electrons.reversed().transpose().scaled(-1)",
        "electrons.reversed().transpose()",
        "tests/physics/test_bonds.py",
    ),
    Fault(
        "hole block without reversing k",
        PHYSICS + "specification.py",
        "electrons.reversed().transpose().scaled(-1)",
        "electrons.transpose().scaled(-1)",
        "tests/physics",
    ),
    Fault(
        "impurity on holes without transpose",
        PHYSICS + "impurity.py",
        "[zero, -m.T]",
        "[zero, -m]",
        "tests/physics/test_impurity.py",
    ),
    Fault(
        "impurity with Jx and Jy exchanged",
        PHYSICS + "impurity.py",
        "jx * SX + jy * SY",
        "jy * SX + jx * SY",
        "tests/physics/test_impurity.py",
    ),
    Fault(
        "spin minor instead of spin major",
        PHYSICS + "impurity.py",
        "np.kron(spin, np.diag(weights))",
        "np.kron(np.diag(weights), spin)",
        "tests/physics/test_impurity.py",
    ),
    Fault(
        "A2u's normalisation the other way round",
        PHYSICS + "irreps.py",
        'return gap / math.sqrt(3) if irrep == "A2u" else gap',
        'return gap * math.sqrt(3) if irrep == "A2u" else gap',
        "tests/physics/test_pairing_labels.py",
    ),
    Fault(
        "Wannier90 in eV",
        PHYSICS + "wannier90.py",
        "MEV_PER_EV = 1000.0",
        "MEV_PER_EV = 1.0",
        "tests/physics/test_wannier90.py",
    ),
    Fault(
        "A(k) of the advanced Green's function",
        "julia/src/spectrum.jl",
        "g[i, i] += complex(w, broadening)",
        "g[i, i] += complex(w, -broadening)",
        "tests/test_simulate.py",
    ),
    Fault(
        # A whole step off is the same grid: no map changes.
        "k-grid by half a step off",
        "julia/src/grid.jl",
        "on_row!(phases, grid, j - 1)",
        "on_row!(phases, (j - 0.5) / n)",
        "tests/kernel/test_oracle_agreement.py",
    ),
    Fault(
        "G(-r) for G(r) between impurities",
        "julia/src/scatterers.jl",
        "between(green, s.sites[a] .- s.sites[b])",
        "between(green, s.sites[b] .- s.sites[a])",
        "tests/kernel/test_several_impurities.py",
    ),
    Fault(
        "g0 not transposed between Julia and Python",
        "julia/src/host.jl",
        "g0[:, :, e, s] = transpose(map.g0)\n                report",
        "g0[:, :, e, s] = map.g0\n                report",
        "tests/kernel/test_converged.py",
    ),
    Fault(
        "an angle that takes its circle for one of 2 pi",
        PROBLEM + "unknown.py",
        "np.arctan2(columns[:, 0], columns[:, 1]) * self.period / (2 * np.pi)",
        "np.arctan2(columns[:, 0], columns[:, 1])",
        "tests/learning/test_targets.py",
    ),
    Fault(
        "sine and cosine exchanged where they are read",
        PROBLEM + "unknown.py",
        "np.arctan2(columns[:, 0], columns[:, 1])",
        "np.arctan2(columns[:, 1], columns[:, 0])",
        "tests/learning/test_targets.py",
    ),
    Fault(
        "eps0 of Table I in meV",
        LEARNING + "evaluation/paper_table.py",
        "MEV_PER_EV = 1000.0",
        "MEV_PER_EV = 1.0",
        "tests/learning/test_evaluate.py tests/learning/test_results_statistics.py",
    ),
    Fault(
        "pixels gathered by g, not by its transpose",
        LEARNING + "data/moves.py",
        "(move.matrix.T @ pixels",
        "(move.matrix @ pixels",
        "tests/learning/test_augmentation.py",
    ),
    Fault(
        "pink noise with a power 1/q^2",
        "python/gapscope/instrument/site_noise.py",
        "distance[distance > 0] ** -0.5",
        "distance[distance > 0] ** -1.0",
        "tests/learning/test_augmentation.py",
    ),
    Fault(
        "labelled and printed gap exchanged in a dataset",
        "python/gapscope/dataset/compute.py",
        "np.array([one.own_gap for one in drawn])",
        'np.array([one.values.get("gap", np.nan) for one in drawn])',
        "tests/dataset",
    ),
    Fault(
        "densities of states not averaged as maps are",
        "python/gapscope/dataset/compute.py",
        "densities.append(maps.dos @ weights)",
        "densities.append(maps.dos.mean(axis=1))",
        "tests/dataset/test_resolutions.py",
    ),
    Fault(
        "contour on the other side of the axis",
        "python/gapscope/instrument/contour.py",
        "np.exp(-0.5j * np.pi * (nodes + 1) * np.sign(bias))",
        "np.exp(0.5j * np.pi * (nodes + 1) * np.sign(bias))",
        "tests/measured_simulation tests/dataset/test_setpoints.py",
    ),
    Fault(
        "modulation's amplitude for its rms",
        "python/gapscope/instrument/resolution.py",
        "lockin_rule(np.sqrt(2) * modulation, count + 1)",
        "lockin_rule(modulation, count + 1)",
        "tests/measured_simulation/test_energy_resolution.py",
    ),
    Fault(
        "simulated scan turned clockwise",
        "python/gapscope/instrument/image.py",
        "turn = np.array([[c, s], [-s, c]])",
        "turn = np.array([[c, -s], [s, c]])",
        "tests/measured_simulation",
    ),
    Fault(
        "radians for degrees in RHK's angle",
        MEASURED + "readers/rhk.py",
        "np.cos(np.radians(angle)), np.sin(np.radians(angle))",
        "np.cos(angle), np.sin(angle)",
        "tests/measured/test_rhk.py",
    ),
    Fault(
        "width and height of a Nanonis grid exchanged",
        MEASURED + "readers/nanonis_grid.py",
        "lengths(columns, width * 1e9 / columns)",
        "lengths(columns, height * 1e9 / columns)",
        "tests/measured",
    ),
    Fault(
        "lattice constant from the area of a square",
        MEASURED + "preparation/found.py",
        "np.sqrt(1 / cell * abs(np.linalg.det(vectors)))",
        "np.sqrt(abs(np.linalg.det(vectors)))",
        "tests/measured_preparation/test_bragg.py",
    ),
    Fault(
        "the network's grid turned the other way",
        MEASURED + "preparation/network_input.py",
        "np.linalg.matrix_power(of.turn, turns % of.order).T @ lattice.vectors",
        "np.linalg.matrix_power(of.turn, turns % of.order) @ lattice.vectors",
        "tests/measured_preparation/test_network_grid.py",
    ),
    Fault(
        "refinement's slopes without the step",
        "python/gapscope/inference/least_squares.py",
        "(next(made) - fit.value) / by",
        "(next(made) - fit.value)",
        "tests/inference/test_least_squares.py",
    ),
    Fault(
        "figure of rho(q) transposed",
        "python/gapscope/plots/maps.py",
        "x, x, values.T, norm=norm",
        "x, x, values, norm=norm",
        "tests/plots",
    ),
    Fault(
        "Brillouin zone drawn in 1/a",
        "python/gapscope/plots/maps.py",
        "return lattice.brillouin_zone / lattice.constant",
        "return lattice.brillouin_zone",
        "tests/plots",
    ),
    *(Fault(*one) for one in FURTHER),
)


def plant(fault: Fault, copy: Path) -> None:
    """Make the edit in the copy.

    Raises
    ------
    LookupError : its text stands there more or less often than once.
    """
    path = copy / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        raise LookupError(f"{fault.file} holds {text.count(fault.old)} times: {fault.old}")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")


def caught_by(fault: Fault, copy: Path) -> str:
    """The first test that fails with the fault in place; "" where all pass."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--no-header"]
    done = subprocess.run(
        [*command, *fault.tests.split()],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy / "python")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode != 1 or not failed:
        raise RuntimeError(done.stdout + done.stderr)
    return failed[0].split()[1]


def main() -> int:
    """Plant the faults that the arguments name, or all."""
    words = sys.argv[1:]
    chosen = [f for f in FAULTS if not words or any(word in f.name for word in words)]
    missed = 0
    for fault in chosen:
        with tempfile.TemporaryDirectory() as folder:
            for name in COPIED:
                shutil.copytree(ROOT / name, Path(folder) / name, ignore=_built)
            for name in ("pyproject.toml", "Project.toml", "README.md", "Makefile"):
                shutil.copy(ROOT / name, folder)
            try:
                plant(fault, Path(folder))
                test = caught_by(fault, Path(folder))
            except (LookupError, RuntimeError) as error:
                test = ""
                print(error)
        missed += not test
        print(f"{'caught' if test else 'MISSED'}  {fault.name:<48} {test}", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} caught")
    return 1 if missed else 0


_built = shutil.ignore_patterns("__pycache__", "_build", ".pytest_cache", "runs")


if __name__ == "__main__":
    sys.exit(main())
