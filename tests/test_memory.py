"""What does not fit into memory is refused before Julia starts, with numbers and with what fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import gapscope as gs
from gapscope.errors import NumericsError
from gapscope.physics.path import path
from gapscope.support import memory

STATE = gs.Specification(
    gs.material("nbse2"), gs.Pairing("Eg", 1.0, theta=0.3), gs.Impurity.scalar(50.0)
)
GB = 1e9


@pytest.fixture(autouse=True)
def two_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two gigabytes of memory, and no Julia."""
    monkeypatch.setattr(memory, "available_memory", lambda: 2 * GB)
    monkeypatch.setenv("GAPSCOPE_JULIA", str(tmp_path / "no-julia"))


LARGE: dict[str, tuple[Callable[[], object], str]] = {
    "window": (lambda: gs.simulate(STATE, gs.Numerics(window=2048)), r"window = 1024 takes"),
    "kgrid": (
        lambda: gs.simulate(STATE, gs.Numerics(window=64, kgrid=2_000_000)),
        r"kgrid = 500000 takes",
    ),
    "energies": (
        lambda: gs.simulate(STATE, gs.Numerics([0.01 * n for n in range(1, 900)], window=256)),
        r"one energy at a time takes",
    ),
    "states": (
        lambda: gs.density_of_states(STATE, [0.0], 0.1, 10_000_000),
        r"kgrid = 2500000 takes",
    ),
    "spectrum": (
        lambda: gs.spectral_function(
            STATE,
            path("triangular", ["Gamma", "M"], 1_000_000),
            [0.01 * n for n in range(200)],
            0.1,
        ),
        r"momenta and 200 energies takes",
    ),
}


@pytest.mark.parametrize("case", LARGE)
def test_what_does_not_fit_is_refused_with_numbers(case: str) -> None:
    compute, remedy = LARGE[case]
    with pytest.raises(NumericsError, match=r"fits into the memory") as caught:
        compute()
    needed = re.search(r"takes about ([\d.,]+) GB; 2 GB available", str(caught.value.received))
    assert needed
    assert 2 < float(needed[1]) < 100
    assert re.search(remedy, caught.value.remedy), caught.value.remedy
    assert all(float(size) <= 2 for size in re.findall(r"([\d.]+) GB", caught.value.remedy))


@pytest.mark.parametrize("version", [1, 2])
def test_the_limit_of_a_container_counts(tmp_path: Path, version: int) -> None:
    """Its limit counts, or that of a group above; files that are only cached can be given up."""
    own = tmp_path / "cgroup"
    if version == 2:
        own.write_text("0::/job/step\n")
        top, names = tmp_path / "fs", ("memory.max", "memory.current", "inactive_file")
    else:
        own.write_text("7:blkio:/other\n4:cpu,memory:/job/step\n")
        top = tmp_path / "fs" / "memory"
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    folder = top / "job" / "step"
    folder.mkdir(parents=True)
    for place, limit in ((folder, "max" if version == 2 else str(2**63)), (folder.parent, "3000")):
        (place / names[0]).write_text(f"{limit}\n")
        (place / names[1]).write_text("1200\n")
        (place / "memory.stat").write_text(f"anon 900\n{names[2]} 200\n")
    assert min(memory._groups(tmp_path / "fs", own)) == 3000 - (1200 - 200)
