"""What a build does when something goes wrong: a typed error, and finished shards stay."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import psutil
import pytest

from doubles import (
    BreaksAt,
    Constant,
    Formula,
    FullDisk,
    Killed,
    NotANumber,
    build_here,
    drawn,
    recipe,
    write_recipe,
)
from gapscope.dataset import cluster, farm
from gapscope.dataset.build import build
from gapscope.dataset.load import open_dataset
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.shards import read_shard, write_shard
from gapscope.dataset.verify import status, verify
from gapscope.errors import (
    ClusterError,
    DatasetError,
    KernelError,
    MaterialFileError,
    RecipeError,
    SettingError,
    StorageError,
)
from gapscope.support.resources import share_folder
from gapscope.support.storage import only_writer

LAST = drawn(recipe(), 38).values["eps0"]  # in the last of six shards


@pytest.fixture(scope="session")
def digest(finished: Path) -> str:
    return verify(finished).digest


def test_dask_changes_no_number(digest: str, scheduler: str, tmp_path: Path) -> None:
    folder = build(recipe(), tmp_path / "d", scheduler=scheduler, simulator=Formula())
    assert verify(folder).digest == digest


def test_a_failing_kernel_keeps_what_is_finished(
    digest: str, scheduler: str, tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    broken = BreaksAt(eps0=LAST, folder=folder, others=5)
    with pytest.raises(KernelError, match=r"DomainError[\s\S]*Mend the test"):
        build(recipe(), folder, scheduler=scheduler, simulator=broken)
    assert len(list(folder.glob("shards/*.h5"))) == 5
    with pytest.raises(DatasetError, match="of 6 shards"):
        open_dataset(folder)
    build(recipe(), folder, scheduler=scheduler, simulator=Formula())
    assert verify(folder).digest == digest


@pytest.mark.parametrize(
    ("simulator", "rule"), [(NotANumber, "are finite"), (Constant, "No image is constant")]
)
def test_a_map_that_means_nothing_is_not_stored(
    simulator: type[BreaksAt], rule: str, scheduler: str, tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    with pytest.raises(KernelError, match=rf"{rule}[\s\S]*samples \[38\]"):
        build(recipe(), folder, scheduler=scheduler, simulator=simulator(eps0=LAST))
    assert not (folder / "shards" / "shard-00005.h5").exists()


def test_a_full_disk_is_reported_and_spares_finished_shards(
    digest: str, scheduler: str, tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    with pytest.raises(StorageError) as caught:
        build(recipe(), folder, workers=1, simulator=FullDisk(eps0=LAST))
    assert "shard-00005.h5" in caught.value.received
    assert "File too large" in caught.value.received
    assert sorted(os.listdir(folder / "shards")) == [f"shard-0000{i}.h5" for i in range(5)]
    assert status(folder).shards_done == 5
    build(recipe(), folder, scheduler=scheduler, simulator=Formula())
    assert verify(folder).digest == digest


def test_a_worker_that_is_killed_is_replaced(digest: str, tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    killed = Killed(eps0=LAST, folder=folder)
    build(recipe(), folder, workers=2, simulator=killed)
    assert (folder / "killed").exists()
    assert verify(folder).digest == digest


def test_a_result_lost_with_its_worker_is_waited_for() -> None:
    """Dask reports a future whose worker died since as lost, and computes it again."""

    class Lost:
        status = "lost"
        asked = 0

        def add_done_callback(self, done: Callable[[object], None]) -> None:
            done(self)

        def result(self, timeout: float) -> int:
            self.asked += 1
            if self.asked == 1:
                raise TimeoutError
            return 7

    client: Any = SimpleNamespace(map=lambda function, items, pure: [Lost() for _ in items])
    assert list(cluster.run(client, abs, ["shard"])) == [("shard", 7)]


def test_a_task_that_runs_out_of_time_is_a_failure() -> None:
    class Slow:
        status = "error"

        def add_done_callback(self, done: Callable[[object], None]) -> None:
            done(self)

        def result(self, timeout: float) -> int:
            raise TimeoutError

    client: Any = SimpleNamespace(map=lambda function, items, pure: [Slow() for _ in items])
    with pytest.raises(TimeoutError):
        list(cluster.run(client, abs, ["shard"]))


@pytest.mark.parametrize("fault", [TimeoutError("60 s"), AssertionError("Status.starting")])
def test_workers_that_do_not_start_are_asked_for_again_and_then_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    asked = []

    def fails(**options: Any) -> None:
        asked.append(options["n_workers"])
        raise fault

    monkeypatch.setattr(cluster, "LocalCluster", fails)
    with pytest.raises(ClusterError, match=r"did not start[\s\S]*__main__"):
        build(recipe(), tmp_path / "data", workers=2)
    assert asked == [2] * farm.CLUSTERS


def test_a_shard_that_kills_its_workers_is_given_up(
    digest: str, scheduler: str, tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    killed = Killed(eps0=LAST, folder=folder, again=True)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.raises(ClusterError, match=r"KilledWorker[\s\S]*more memory"),
    ):
        build(recipe(), folder, workers=1, simulator=killed)
    assert len(list(folder.glob("shards/*.h5"))) == 5
    build(recipe(), folder, scheduler=scheduler, simulator=Formula())
    assert verify(folder).digest == digest


def is_starting(process: subprocess.Popen[str], folder: Path) -> bool:
    """Whether Dask's first process has been started."""
    children = psutil.Process(process.pid).children()
    return any("spawn_main" in " ".join(child.cmdline()) for child in children)


def is_computing(process: subprocess.Popen[str], folder: Path) -> bool:
    return (folder / "manifest.json").exists() and status(folder).done >= 7


@pytest.mark.parametrize("stage", [is_starting, is_computing])
def test_an_interrupt_ends_a_build_without_complaints_of_its_workers(
    stage: Callable[[subprocess.Popen[str], Path], bool], tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    # Where the tests run as a shell's background job, children begin deaf to interrupts.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from doubles import Slow, recipe; from gapscope.dataset.build import build\n"
        "build(recipe(), sys.argv[1], workers=1, simulator=Slow())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=Path(__file__).parent,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not stage(process, folder):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=600)[1]
    assert process.returncode == -signal.SIGINT
    assert said.count("Traceback") == 1, said


def test_a_finished_build_computes_nothing_again(dataset: Path, digest: str) -> None:
    build(recipe(), dataset, scheduler="tcp://nobody-is-asked:1")
    assert verify(dataset).digest == digest


def test_broken_and_forgotten_shards_are_mended(
    dataset: Path, digest: str, scheduler: str, caplog: pytest.LogCaptureFixture
) -> None:
    shards = dataset / "shards"
    os.truncate(shards / "shard-00001.h5", 3000)
    (shards / "shard-00003.h5").unlink()
    (shards / "shard-00005.h5.12345678.tmp").touch()
    manifest = json.loads((dataset / "manifest.json").read_text())
    del manifest["shards"][4]  # finished, but the build was killed before it could enter it
    (dataset / "manifest.json").write_text(json.dumps(manifest))
    kept = [shards / f"shard-0000{i}.h5" for i in (0, 2, 4, 5)]
    before = [file.stat().st_mtime_ns for file in kept]
    build(recipe(), dataset, scheduler=scheduler, simulator=Formula())
    assert verify(dataset).digest == digest
    assert [file.stat().st_mtime_ns for file in kept] == before
    assert "Computed again: shard-00001.h5" in caplog.text
    assert not list(shards.glob("*.tmp"))


def test_a_lost_manifest_is_made_again_from_the_shards(dataset: Path, digest: str) -> None:
    (dataset / "manifest.json").unlink()
    (dataset / "dataset.h5").unlink()
    build(recipe(), dataset, scheduler="tcp://nobody-is-asked:1")
    assert verify(dataset).digest == digest


def test_a_shard_that_is_not_the_one_in_the_manifest_is_computed_again(
    dataset: Path, digest: str, scheduler: str
) -> None:
    manifest = Manifest.read(dataset)
    path = dataset / "shards" / "shard-00004.h5"
    shard = read_shard(path, manifest.recipe, manifest.recipe.shards()[4])
    shard.arrays["dos"] += 1
    write_shard(path, shard.arrays, shard.origin, 1.0)
    build(recipe(), dataset, scheduler=scheduler, simulator=Formula())
    assert verify(dataset).digest == digest


def test_another_recipe_is_kept_out_of_the_folder(dataset: Path, digest: str) -> None:
    with pytest.raises(RecipeError, match=r"seed = 7 here, 8 now[\s\S]*another folder"):
        build(recipe(seed=8), dataset)
    (dataset / "manifest.json").unlink()
    with pytest.raises(RecipeError, match="shards of one recipe"):
        build(recipe(seed=8), dataset)
    build(recipe(), dataset)
    assert verify(dataset).digest == digest


def test_another_material_of_the_same_name_is_kept_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = (share_folder() / "data" / "materials" / "nbse2.toml").read_text()
    Path("mine.toml").write_text(shipped)
    build_here(recipe(material="mine.toml"), tmp_path / "dataset")
    Path("mine.toml").write_text(shipped.replace("33.52", "33.53"))
    with pytest.raises(RecipeError, match=r"content of the material mine\.toml"):
        build(recipe(material="mine.toml"), "dataset")


def test_a_material_lies_beside_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    path = write_recipe(tmp_path / "recipe.toml", recipe(material="mine.toml"))
    with pytest.raises(MaterialFileError, match=r"mine\.toml"):
        build(path, tmp_path / "dataset")
    shipped = share_folder() / "data" / "materials" / "nbse2.toml"
    (tmp_path / "mine.toml").write_text(shipped.read_text())
    with pytest.raises(ClusterError, match="answers at its address"):
        build(path, tmp_path / "dataset", scheduler="tcp://127.0.0.1:1")


def test_shards_of_two_versions_are_not_mixed(dataset: Path, scheduler: str) -> None:
    (dataset / "shards" / "shard-00002.h5").unlink()
    with pytest.raises(DatasetError, match=r"one version[\s\S]*of the tests[\s\S]*newer"):
        build(recipe(), dataset, scheduler=scheduler, simulator=Formula(version="newer"))


def test_a_second_build_in_the_folder_is_refused(tmp_path: Path) -> None:
    with (
        only_writer(tmp_path, "build.lock", ValueError()),
        pytest.raises(DatasetError, match="One build at a time"),
    ):
        build(recipe(), tmp_path)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="Not a directory"):
        build(recipe(), tmp_path / "file" / "dataset")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1", "carrier-pigeon://loft"])
def test_a_scheduler_that_does_not_answer_is_reported(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(ClusterError, match=r"answers at its address[\s\S]*dask scheduler"):
        build(recipe(), tmp_path / "dataset", scheduler=address)


@pytest.mark.parametrize(
    "setting", [{"workers": 0}, {"workers": True}, {"workers": 2, "scheduler": "tcp://host:8786"}]
)
def test_workers_that_make_no_sense_are_refused(
    setting: dict[str, int | str], tmp_path: Path
) -> None:
    with pytest.raises(SettingError):
        build(recipe(), tmp_path / "dataset", **setting)
    assert not (tmp_path / "dataset").exists()


def test_progress_shows_rate_and_time_left(
    scheduler: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(recipe(), tmp_path / "dataset", scheduler=scheduler, simulator=Formula())
    shown = capsys.readouterr().err
    assert "40/40" in shown
    assert "map/s" in shown
    assert "<00:00" in shown
    build(recipe(), tmp_path / "quiet", scheduler=scheduler, simulator=Formula(), progress=False)
    assert capsys.readouterr().err == ""
