"""A build outlives the death of its worker, or of the kernel's host, at every stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from doubles import HostDies, recipe
from gapscope.dataset.build import build
from gapscope.dataset.deaths import RETRIES
from gapscope.dataset.verify import verify
from gapscope.errors import ClusterError
from kills import killed_build


# tests/dataset/kills.py goes through all stages and victims, as often as it is told.
@pytest.mark.parametrize(
    ("stage", "victim"),
    [("starting", "worker"), ("loading", "host"), ("computing", "worker"), ("writing", "host")],
)
def test_a_build_outlives_a_kill(stage: str, victim: str, finished: Path, tmp_path: Path) -> None:
    end, hit = killed_build(tmp_path / "dataset", stage, victim)
    assert hit
    assert end == f"digest {verify(finished).digest}"


def test_a_host_that_dies_is_asked_again_a_few_times(
    scheduler: str, finished: Path, tmp_path: Path
) -> None:
    folder = build(
        recipe(), tmp_path / "d", scheduler=scheduler,
        simulator=HostDies(folder=tmp_path, times=RETRIES), progress=False,
    )  # fmt: skip
    assert len(list(tmp_path.glob("died-*"))) == RETRIES
    assert verify(folder).digest == verify(finished).digest


def test_a_host_that_dies_again_and_again_ends_the_build(scheduler: str, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"killed by SIGKILL[\s\S]*more memory"):
        build(
            recipe(), tmp_path / "d", scheduler=scheduler,
            simulator=HostDies(folder=tmp_path, times=99), progress=False,
        )  # fmt: skip
    assert len(list(tmp_path.glob("died-*"))) == RETRIES + 1
