from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doubles import build_here, recipe

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished dataset that no test changes."""
    return build_here(recipe(), tmp_path_factory.mktemp("finished") / "dataset")


@pytest.fixture
def dataset(finished: Path, tmp_path: Path) -> Path:
    """A finished dataset of the test's own."""
    return Path(shutil.copytree(finished, tmp_path / "dataset"))


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a running cluster: ``dask scheduler`` and two ``dask worker`` processes.

    It ends with the file's last test, because an idle cluster still takes CPU time.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    paths = [str(HERE), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    worker = ["worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    commands = [
        ["scheduler", "--host", address, "--no-dashboard"],
        worker,
        worker,
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *command],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    yield address
    for process in processes:
        process.kill()
        process.wait()
