"""gapscope against the obvious NumPy code: time, memory, start-up and batches, in one run.

    python benchmarks/maps.py [--kgrid 1024] [--window 128] [--repeats 5]

The two are measured in turn in this one run, five of the short calls to one long; medians and their
ratio are printed.
The memory of the obvious code is the increase of its own process's peak; that of gapscope the
increase of the kernel host's peak over the idle host.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from gapscope.kernel.client import get_host
from gapscope.physics import Impurity, Material, Pairing, Specification
from gapscope.simulation.maps import Grid, Numerics, simulate_batch
from gapscope.support.resources import find_material
from obvious import ldos_change

BROADENING = 0.1
STATES = {
    "A1g": Pairing("A1g", 1.0, theta=0.5),
    "A1u": Pairing("A1u", 1.0),
    "A2g": Pairing("A2g", 1.0, theta=0.5),
    "Eg": Pairing("Eg", 1.0, theta=0.5),
    "Eu": Pairing("Eu", 1.0, theta=0.5),
}


def specification(pairing: Pairing) -> Specification:
    material = Material.from_toml(find_material("nbse2"))
    return Specification(material, pairing, Impurity.scalar(50.0), eps0=20.0)


def idle_of(pid: int | str) -> int:
    """Resident size of a process now, in bytes; from here on its peak counts anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak_of(pid)


def peak_of(pid: int | str) -> int:
    """Largest resident size of a process, in bytes."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    assert found is not None
    return 1024 * int(found[1])


def seconds(function: object, *args: object, **kwargs: object) -> float:
    start = time.perf_counter()
    function(*args, **kwargs)  # type: ignore[operator]
    return time.perf_counter() - start


def obvious_peak(kgrid: int, window: int) -> int:
    """Increase of the peak of a fresh process that runs the obvious code once."""
    code = (
        "from maps import *\n"
        "spec = specification(STATES['A1g'])\n"
        f"ldos_change(spec, energy=0.0, broadening=0.1, window={window}, kgrid={window})\n"
        "before = idle_of('self')\n"
        f"ldos_change(spec, energy=0.0, broadening=0.1, window={window}, kgrid={kgrid})\n"
        "print(peak_of('self') - before)\n"
    )
    return int(run_python(code))


def run_python(code: str) -> str:
    folder = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kgrid", type=int, default=1024)
    parser.add_argument("--window", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    numerics = Numerics([0.0], BROADENING, options.window, Grid(options.kgrid))
    host = get_host().info()
    idle = idle_of(host.pid)
    print(
        f"kgrid {options.kgrid}, window {options.window}, broadening {BROADENING} meV, one energy;"
        f" {os.cpu_count()} cores, Julia {host.julia} with {host.threads} threads"
    )
    simulate_batch([specification(STATES["A1g"])], numerics)
    one_map = peak_of(host.pid) - idle
    print(f"\n{'state':<6}{'gapscope (s)':>14}{'obvious (s)':>13}{'ratio':>8}{'difference':>13}")
    for name, pairing in STATES.items():
        spec = specification(pairing)
        ours = simulate_batch([spec], numerics).ldos_change[0, 0]  # compiles what it needs
        times: dict[str, list[float]] = {"ours": [], "obvious": []}
        for _ in range(options.repeats):
            for _ in range(5):  # as short as they are, the first ones find cold caches
                times["ours"].append(seconds(simulate_batch, [spec], numerics))
            start = time.perf_counter()
            theirs = ldos_change(
                spec,
                energy=0.0,
                broadening=BROADENING,
                window=options.window,
                kgrid=options.kgrid,
            )
            times["obvious"].append(time.perf_counter() - start)
        a, b = (statistics.median(times[key]) for key in ("ours", "obvious"))
        difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
        print(f"{name:<6}{a:>14.4f}{b:>13.3f}{b / a:>8.0f}{difference:>13.1e}")
    obvious_memory = obvious_peak(options.kgrid, options.window)
    print(
        f"\nmemory over the idle host ({idle / 1e6:.0f} MB), compiled code included:"
        f" {one_map / 1e6:.0f} MB after one map,"
        f" {(peak_of(host.pid) - idle) / 1e6:.0f} MB after all of the above;"
        f" obvious {obvious_memory / 1e6:.0f} MB; ratio for one map {obvious_memory / one_map:.0f}"
    )
    batch = [specification(STATES[name]) for name in STATES] * 8
    per_map = seconds(simulate_batch, batch, numerics) / len(batch)
    print(f"batch of {len(batch)} maps: {per_map * 1e3:.1f} ms per map")
    start_up = [
        float(
            run_python(
                "import time; start = time.perf_counter()\n"
                "from maps import *\n"
                "simulate_batch([specification(STATES['A1g'])],"
                f" Numerics([0.0], 0.1, {options.window}, Grid({options.kgrid})))\n"
                "print(time.perf_counter() - start)\n"
            )
        )
        for _ in range(3)
    ]
    print(f"from the first import to the first map: {statistics.median(start_up):.1f} s")


if __name__ == "__main__":
    main()
