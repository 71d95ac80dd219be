"""Builds during which a worker or its kernel host is killed, at every stage.

    python tests/dataset/kills.py --times 20           with a stand-in for the kernel
    python tests/dataset/kills.py --times 2 --kernel   with Julia

Prints how each build ended: with the digest that it has without kills, or with which error.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from doubles import Hosted, recipe
from gapscope.dataset.build import KERNEL, build
from gapscope.dataset.verify import verify
from gapscope.errors import GapscopeError

HERE = Path(__file__).parent
STAGES = ("starting", "loading", "computing", "writing", "finishing")
VICTIMS = ("worker", "host")
MARKS = {"worker": ("spawn_main",), "host": ("gapscope.kernel.host", "stands in for the host")}
LIMIT = 600.0  # seconds, on a busy machine
SHARDS = len(recipe().shards())


def found(process: subprocess.Popen[str], victim: str) -> list[psutil.Process]:
    """The living workers or hosts of a build, the newest last."""
    every = []
    try:
        for child in psutil.Process(process.pid).children(recursive=True):
            line = " ".join(child.cmdline())
            if any(mark in line for mark in MARKS[victim]) and "resource_tracker" not in line:
                every.append(child)
    except psutil.Error:
        return []
    return every


def reached(stage: str, process: subprocess.Popen[str], folder: Path) -> bool:
    """Whether a build is at a stage, by the processes and the files that there are."""
    if stage == "starting":
        return bool(found(process, "worker"))
    if stage == "loading":
        return bool(found(process, "host"))
    shards = len(list(folder.glob("shards/shard-*.h5")))
    if stage == "computing":
        manifest = folder / "manifest.json"
        return manifest.is_file() and bool(json.loads(manifest.read_text())["versions"])
    return shards >= (1 if stage == "writing" else SHARDS)


def killed_build(
    folder: Path,
    stage: str,
    victim: str,
    *,
    delay: float = 0,
    workers: int = 1,
    kernel: bool = False,
) -> tuple[str, bool]:
    """How a build ended ("digest ..." or an error), and whether its victim was there to be killed.

    Raises subprocess.TimeoutExpired for a build that hangs.
    """
    command = [sys.executable, __file__, "--build", str(folder), "--workers", str(workers)]
    if kernel:
        command.append("--kernel")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    hit = False
    try:
        while process.poll() is None and not reached(stage, process, folder):
            time.sleep(0.03)  # to look costs CPU time
        time.sleep(delay)
        for one in found(process, victim)[-1:]:
            one.kill()
            hit = True
        said = process.communicate(timeout=LIMIT)[0]
    finally:
        for one in [*found(process, "worker"), *found(process, "host")]:
            one.kill()
        process.kill()
    lines = [line for line in said.splitlines() if line.startswith("END ")]
    return (lines[-1].removeprefix("END ") if lines else f"no word: {said[-2000:]}"), hit


def build_one(folder: Path, workers: int, kernel: bool) -> None:
    """What each process does that is to lose a worker or a host."""
    simulator = KERNEL if kernel else Hosted()
    try:
        build(recipe(), folder, workers=workers, simulator=simulator, progress=False)
        leftovers = [path.name for path in folder.rglob("*.tmp")]
        print(f"END digest {verify(folder).digest}{leftovers or ''}", flush=True)
    except GapscopeError as error:
        print(f"END {type(error).__name__}: {error.received}", flush=True)


def main() -> None:
    """Kill, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--kernel", action="store_true")
    parser.add_argument("--build", type=Path)
    parser.add_argument("--stages", nargs="*", default=STAGES)
    options = parser.parse_args()
    if options.build:
        build_one(options.build, options.workers, options.kernel)
        return
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "dataset"
        build_one(folder, options.workers, options.kernel)
        right = f"digest {verify(folder).digest}"
        for stage in options.stages:
            for victim in VICTIMS:
                if (stage, victim) == ("starting", "host"):
                    continue
                ends: Counter[str] = Counter()
                hits = 0
                began = time.monotonic()
                for _ in range(options.times):
                    shutil.rmtree(folder, ignore_errors=True)
                    wait = rng.uniform(0, 0.6)
                    try:
                        end, hit = killed_build(
                            folder, stage, victim,
                            delay=wait, workers=options.workers, kernel=options.kernel,
                        )  # fmt: skip
                    except subprocess.TimeoutExpired:
                        end, hit = "HANG", True
                    hits += hit
                    ends["right digest" if end == right else end] += 1
                seconds = (time.monotonic() - began) / options.times
                print(
                    f"{stage:<10} {victim:<7} {hits} killed, {dict(ends)}, {seconds:.0f} s each",
                    flush=True,
                )


if __name__ == "__main__":
    main()
