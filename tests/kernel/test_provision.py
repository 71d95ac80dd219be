from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gapscope.errors import JuliaNotFoundError, StorageError
from gapscope.kernel import provision
from gapscope.kernel.install import debian


def no_report(line: str) -> None:
    pass


def no_source(report: Callable[[str], None]) -> None:
    raise AssertionError("nothing had to be obtained")


def test_where_julia_runs_nothing_is_obtained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision, "_from_juliapkg", no_source)
    monkeypatch.setattr(provision, "_from_debian", no_source)
    said: list[str] = []
    assert provision.obtain(said.append).threads >= 1
    assert said == []


def test_a_script_runs_in_the_kernels_julia_with_its_libfftw3(tmp_path: Path) -> None:
    script = tmp_path / "script.jl"
    script.write_text('using GapScope; GapScope.FFTW.load(ENV["GAPSCOPE_LIBFFTW3"]); exit(7)')
    assert provision.run_script([str(script)], provision.obtain(no_report)) == 7


@pytest.mark.usefixtures("no_settings")
def test_without_any_source_the_error_says_what_was_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GAPSCOPE_CACHE", str(tmp_path))
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path))
    monkeypatch.setenv("PYTHON_JULIAPKG_OFFLINE", "yes")
    with pytest.raises(JuliaNotFoundError, match=r"(?s)juliapkg: .*Debian: .*no apt-get") as caught:
        provision.obtain(no_report)
    assert "GAPSCOPE_JULIA" in caught.value.remedy


@pytest.mark.usefixtures("no_settings")
def test_a_julia_chosen_by_name_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPSCOPE_JULIA", "/no/julia")
    monkeypatch.setenv("PYTHON_JULIAPKG_OFFLINE", "yes")
    with pytest.raises(JuliaNotFoundError, match="GAPSCOPE_JULIA=/no/julia"):
        provision.obtain(no_report)


@pytest.mark.usefixtures("no_settings")
def test_a_folder_that_cannot_be_written_is_a_storage_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GAPSCOPE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(StorageError, match="GAPSCOPE_CACHE"):
        provision.obtain(no_report)


@pytest.mark.usefixtures("no_settings")
def test_servers_that_do_not_answer_are_given_up_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "juliapkg"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "install_julia.py").write_text(
        "import time\ntime.sleep(2)\ndef all_julia_versions():\n    time.sleep(60)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("GAPSCOPE_CACHE", str(tmp_path / "cache"))
    ask = provision._ASK_SERVERS.replace("signal.alarm(30)", "signal.alarm(1)")
    assert ask != provision._ASK_SERVERS
    monkeypatch.setattr(provision, "_ASK_SERVERS", ask)
    with pytest.raises(JuliaNotFoundError, match="within 30 seconds"):
        provision._from_juliapkg(no_report)
    (package / "install_julia.py").write_text(
        "import time\ntime.sleep(2)\ndef all_julia_versions(): ..."
    )
    monkeypatch.setattr(provision, "_INSTALL", "raise SystemExit(3)")
    with pytest.raises(JuliaNotFoundError, match="exit code 3"):  # imports do not count
        provision._from_juliapkg(no_report)


@pytest.mark.usefixtures("no_settings")
def test_falling_back_to_debians_julia_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GAPSCOPE_CACHE", str(tmp_path))
    monkeypatch.setattr(debian, "unpack", lambda folder, report: None)
    said: list[str] = []
    provision._from_debian(said.append)
    assert "1.5.3" in said[0]
    assert "GAPSCOPE_JULIA" in said[0]


def test_packages_without_debians_signature_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for suite in debian.PACKAGES:
        folder = tmp_path / "archive" / "dists" / suite
        folder.mkdir(parents=True)
        (folder / "Release").write_text(f"Suite: {suite}\nCodename: {suite}\nComponents: main\n")
    monkeypatch.setattr(debian, "archive", lambda: f"copy:{tmp_path}/archive")
    destination = tmp_path / "cache" / "julia"
    with pytest.raises(JuliaNotFoundError) as caught:
        debian.unpack(destination, no_report)
    if shutil.which("apt-get"):
        assert "not signed" in str(caught.value)
    assert list(destination.parent.iterdir()) == []


def test_an_interrupted_unpacking_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run(command: list[str], folder: Path) -> str:
        if "download" in command:
            (folder / "julia.deb").touch()
        if command[0] == "dpkg":
            (Path(command[-1]) / "half").touch()
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr(debian, "_run", run)
    monkeypatch.setattr(debian, "archive", lambda: "copy:/nowhere")
    monkeypatch.setattr(debian, "_keyring", lambda: Path("/dev/null"))
    destination = tmp_path / "cache" / "julia"
    with pytest.raises(KeyboardInterrupt):
        debian.unpack(destination, no_report)
    assert list(destination.parent.iterdir()) == []


def test_dangling_links_are_pointed_at_the_file_of_their_name(tmp_path: Path) -> None:
    private, system = tmp_path / "private", tmp_path / "system"
    private.mkdir()
    system.mkdir()
    (system / "libgmp.so.10").write_text("gmp")
    (private / "libgmp.so").symlink_to("/elsewhere/libgmp.so.10")
    (private / "libnone.so").symlink_to("/elsewhere/libnone.so.1")
    debian.repair_links(private, [tmp_path / "absent", system])
    assert (private / "libgmp.so").read_text() == "gmp"
    assert not (private / "libnone.so").exists()
