from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import JuliaNotFoundError, StorageError
from gapscope.kernel import provision
from gapscope.kernel.client import Host, HostInfo, Output
from gapscope.kernel.install import image
from gapscope.kernel.install.find import Julia, find_julia
from gapscope.kernel.runtimes import Choice
from gapscope.support.resources import cache_folder, share_folder

Said = list[str]


@pytest.fixture
def old_julia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Julia:
    """A pretended Julia 1.5, and a cache folder without images."""
    monkeypatch.setenv("GAPSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GAPSCOPE_IMAGE", raising=False)
    system = tmp_path / "sys.so"
    system.write_bytes(b"image")
    julia = tmp_path / "julia"
    # --output-o=FILE comes fifth
    write_script(julia, 'echo "$@" >> "$(dirname "$0")/calls"; echo code > "${5#--output-o=}"')
    return Julia(str(julia), "1.5.3", str(tmp_path), "libjulia.so", str(system), "")


def write_script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def linker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pretended linker, alone on PATH beside the shell's own."""
    tools = tmp_path / "tools"
    tools.mkdir()
    write_script(tools / "cc", 'cp "$5" "$3"')
    for name in ("cp", "dirname", "sh"):
        (tools / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr(image, "find_libfftw3", lambda: "libfftw3.so.3")
    return tools / "cc"


def build(julia: Julia, said: Said | None = None) -> Path:
    return image.build_image(julia, os.environ, [].append if said is None else said.append)


def test_an_image_is_made_once_and_then_found(old_julia: Julia, linker: Path) -> None:
    assert image.find_image(old_julia) is None
    said: Said = []
    made = build(old_julia, said)
    assert made.read_text() == "code\n"
    assert image.find_image(old_julia) == made
    assert build(old_julia, said) == made
    calls = Path(old_julia.executable).with_name("calls").read_text().splitlines()
    assert len(calls) == len(said) == 1
    assert "--cpu-target=native" in calls[0]
    assert f"--sysimage={old_julia.sysimage}" in calls[0]
    assert list(made.parent.iterdir()) == [made]


def test_the_variable_leaves_the_image_aside(
    old_julia: Julia, linker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(old_julia)
    monkeypatch.setenv("GAPSCOPE_IMAGE", "no")
    assert image.find_image(old_julia) is None


def test_an_image_belongs_to_sources_julia_and_cpu(
    old_julia: Julia, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = image.image_file(old_julia)
    share = tmp_path / "share"
    shutil.copytree(share_folder() / "julia", share / "julia")
    shutil.copy(share_folder() / "Project.toml", share)
    monkeypatch.setattr(image, "share_folder", lambda: share)
    assert image.image_file(old_julia) == first
    changed = []
    with (share / "julia" / "src" / "poles.jl").open("a") as source:
        source.write("# changed\n")
    changed.append(image.image_file(old_julia))
    Path(old_julia.sysimage).write_bytes(b"another")
    changed.append(image.image_file(old_julia))
    monkeypatch.setattr(image, "_cpu", lambda: ["flags: none"])
    changed.append(image.image_file(old_julia))
    assert len({first, *changed}) == 4
    with (share / "julia" / "test" / "models.jl").open("a") as source:
        source.write("# tests are not in it\n")
    assert image.image_file(old_julia) == changed[-1]


def test_old_images_go(old_julia: Julia, linker: Path) -> None:
    made = []
    for size in range(5):
        Path(old_julia.sysimage).write_bytes(b"x" * size)
        made.append(build(old_julia))
        os.utime(made[-1], (size, size))
    Path(old_julia.sysimage).write_bytes(b"the last")
    last = build(old_julia)
    assert set(last.parent.iterdir()) == {*made[-2:], last}


def test_a_newer_julia_needs_none(old_julia: Julia) -> None:
    newer = Julia(**{**vars(old_julia), "version": "1.9.0"})
    assert image.is_of_use(old_julia)
    assert not image.is_of_use(newer)
    assert image.find_image(newer) is None


def no_linker(linker: Path, julia: Julia) -> None:
    linker.unlink()


def failing_julia(linker: Path, julia: Julia) -> None:
    write_script(Path(julia.executable), "echo no memory >&2; exit 3")


def failing_linker(linker: Path, julia: Julia) -> None:
    write_script(linker, "echo half > $3; echo bad objects >&2; exit 1")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (no_linker, "Install gcc or binutils"),
        (failing_julia, "ended with 3: no memory"),
        (failing_linker, "ended with 1: bad objects"),
    ],
)
def test_what_fails_is_told_and_leaves_nothing(
    old_julia: Julia, linker: Path, damage: Callable[[Path, Julia], None], words: str
) -> None:
    damage(linker, old_julia)
    with pytest.raises(JuliaNotFoundError) as caught:
        build(old_julia)
    assert words in str(caught.value)
    images = image.image_file(old_julia).parent
    assert not images.exists() or not list(images.iterdir())


def test_what_a_killed_one_left_goes(old_julia: Julia, linker: Path) -> None:
    left = image.image_file(old_julia).parent / "making-killed"
    left.mkdir(parents=True)
    (left / "image.o").write_bytes(b"half")
    made = build(old_julia)
    assert list(made.parent.iterdir()) == [made]


def test_a_cache_that_cannot_be_written_is_told(
    old_julia: Julia, linker: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "images").touch()
    with pytest.raises(StorageError, match="GAPSCOPE_CACHE"):
        build(old_julia)


@dataclass
class Running:
    """A pretended host, and what happened before it ran."""

    happened: Said
    ran_after: Said = field(default_factory=list)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def evaluate(self, code: str) -> None:
        self.ran_after += self.happened

    def info(self) -> HostInfo:
        return HostInfo("libjulia", "1.5.3", 1, "fftw", "0", 1)


@pytest.mark.parametrize("works", [True, False])
def test_an_installation_compiles_before_it_runs_and_goes_on_without_an_image(
    old_julia: Julia, monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    happened: Said = []
    running = Running(happened)

    def build(*_: object) -> Path:
        happened.append("compiled")
        if works:
            return Path("image.so")
        raise JuliaNotFoundError("Compiling the kernel ahead needs a linker", "none")

    monkeypatch.setattr(provision, "Host", lambda: running)
    monkeypatch.setattr(provision, "find_julia", lambda: (old_julia, []))
    monkeypatch.setattr(provision, "choose", lambda *_: (Choice("libjulia", None, {}), []))
    monkeypatch.setattr(provision, "build_image", build)
    said: Said = []
    assert provision.obtain(said.append) == running.info()
    assert running.ran_after == ["compiled"]
    assert len(said) == (0 if works else 1)
    assert works or "each start will compile the kernel" in said[0]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [(None, ""), (Choice("juliacall", None, {}), ""), (Choice("libjulia", None, {}), "no")],
)
def test_no_image_is_made_for_another_runtime_or_where_it_is_forbidden(
    old_julia: Julia, monkeypatch: pytest.MonkeyPatch, choice: Choice | None, wanted: str
) -> None:
    built: Said = []
    monkeypatch.setenv("GAPSCOPE_IMAGE", wanted)
    monkeypatch.setattr(provision, "Host", lambda: Running([]))
    monkeypatch.setattr(provision, "find_julia", lambda: (old_julia, []))
    monkeypatch.setattr(provision, "choose", lambda *_: (choice, []))
    monkeypatch.setattr(provision, "build_image", lambda *_: built.append("image"))
    provision.obtain([].append)
    assert built == []


def one_band() -> tuple[np.ndarray, np.ndarray]:
    hop = np.diag([1.0, 1, -1, -1]).astype(complex)
    pair = np.zeros((4, 4), complex)
    pair[0, 3] = pair[3, 0] = 0.5
    pair[1, 2] = pair[2, 1] = -0.5
    vectors = np.array([[0, 0], [4, 0], [-4, 0], [0, 4], [0, -4]])
    return vectors, np.stack([0.3 * hop + pair, hop, hop, hop, hop])


def converged(host: Host, vectors: np.ndarray, matrices: np.ndarray) -> list[np.ndarray]:
    d, energies = matrices.shape[1], np.array([0.0, 0.4, -0.4])
    potential = np.diag([1.0] * (d // 2) + [-1.0] * (d // 2)).astype(complex)
    return host.call(
        "GapScope.Host.converged_maps",
        *(Output((1, 3, 16, 16), "complex128"), Output((1, 3), "float64")),
        *(Output((1, 3, d, d), "complex128"), Output((1, 3, 4), "float64")),
        *(vectors, matrices, np.array([0, len(vectors)])),
        *(np.zeros((1, 2), np.int64), np.array([0, 1])),
        *(np.zeros((1, 2), np.int64), potential[None], np.array([0, 1])),
        np.zeros(d // 2, np.int64),
        *(energies, 0.1, 1e-3, 10_000),
    )


@pytest.mark.skipif(find_julia()[0] is None, reason="no Julia to embed here")
def test_hosts_start_from_the_image_and_answer_as_without_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without it, from a depot of their own, where the kernel is precompiled."""
    cache = cache_folder()
    with Host(threads=2) as host:
        started = host.evaluate("unsafe_string(Base.JLOptions().image_file)")
        if host.info().runtime == "libjulia":
            julia, _ = find_julia()
            assert julia is not None
            expected = image.image_file(julia) if image.is_of_use(julia) else julia.sysimage
            assert started == str(expected), "run `gapscope julia install` (make julia)"
        with_image = converged(host, *one_band())
    monkeypatch.setenv("GAPSCOPE_CACHE", str(cache))
    monkeypatch.setenv("GAPSCOPE_IMAGE", "no")
    monkeypatch.setenv("HOME", str(tmp_path))  # where Julia's own depot would be
    monkeypatch.setenv("JULIA_DEPOT_PATH", f"{tmp_path / 'depot'}:")
    with Host(threads=2, runtime="libjulia") as host:
        assert not host.evaluate("unsafe_string(Base.JLOptions().image_file)").startswith(
            str(cache / "images")
        )
        assert host.evaluate("DEPOT_PATH[1]") == str(tmp_path / "depot")
        assert host.evaluate("pathof(GapScope) !== nothing") == "true"
        without = converged(host, *one_band())
    assert list(tmp_path.glob("depot/compiled/*/GapScope/*.ji"))
    for one, other in zip(with_image, without, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
        assert np.abs(one).max() > 0
