from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import JuliaNotFoundError, KernelError, SettingError
from gapscope.kernel.client import Host, Output
from gapscope.kernel.install import find
from gapscope.kernel.runtimes import choose, not_found
from gapscope.support.resources import cache_folder, share_folder


@pytest.fixture
def bare(no_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Julia; its folder."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(find.shutil, "which", lambda name: _executable(tmp_path / name))
    monkeypatch.setenv("GAPSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path / "project"))
    return tmp_path


def _executable(path: Path) -> str | None:
    return str(path) if path.exists() else None


def pretend_julia(path: Path, version: str, pythoncall: str = "") -> str:
    """Write a script that answers what gapscope and juliapkg ask a Julia."""
    path.write_text(
        f"""#!/bin/sh
        case "$*" in
        *--version*) echo julia version {version} ;;
        *PythonCall*) echo {version}; echo {pythoncall} ;;
        *image_file*) printf '%s\\n' {version} /bin /lib/libjulia.so.1 /lib/sys.so /my/libs ;;
        *) printf '/lib/libjulia.so.1\\0/bin' ;;
        esac
        """
    )
    path.chmod(0o755)
    return str(path)


def test_an_unknown_runtime_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPSCOPE_RUNTIME", "fortran")
    with pytest.raises(SettingError, match="auto, juliacall, libjulia"):
        choose(None, 1)


def test_without_julia_auto_chooses_nothing_and_says_so(bare: Path) -> None:
    choice, findings = choose("auto", 1)
    assert choice is None
    assert not any(finding.ok for finding in findings)
    assert "julia on PATH: not found" in str(not_found(findings))


def test_auto_takes_julia_on_path_when_juliacall_has_none(bare: Path) -> None:
    julia = pretend_julia(bare / "julia", "1.9.0")
    choice, _ = choose("auto", 4)
    assert choice is not None
    assert (choice.runtime, choice.executable) == ("libjulia", julia)
    assert choice.environment["JULIA_NUM_THREADS"] == "4"
    assert choice.environment["LD_LIBRARY_PATH"] == "/my/libs"
    assert choice.environment["JULIA_PROJECT"] == str(share_folder())


def test_auto_prefers_juliacall_with_julia_and_pythoncall(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_julia(bare / "julia", "1.9.0")
    julia = pretend_julia(bare / "newer", "1.11.2", "/depot/PythonCall.jl")
    monkeypatch.setenv("PYTHON_JULIACALL_EXE", julia)
    monkeypatch.setenv("PYTHON_JULIACALL_PROJECT", str(bare))
    choice, _ = choose("auto", 2)
    assert choice is not None
    assert (choice.runtime, choice.executable) == ("juliacall", julia)
    assert choice.environment["PYTHON_JULIACALL_THREADS"] == "2"
    assert choice.environment["PYTHON_JULIACALL_HANDLE_SIGNALS"] == "yes"
    by_name, _ = choose("libjulia", 2)
    assert by_name is not None
    assert by_name.runtime == "libjulia"


def test_a_julia_named_by_the_user_comes_before_juliacalls(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = pretend_julia(bare / "newer", "1.11.2", "/depot/PythonCall.jl")
    monkeypatch.setenv("PYTHON_JULIACALL_EXE", newer)
    monkeypatch.setenv("PYTHON_JULIACALL_PROJECT", str(bare))
    named = pretend_julia(bare / "named", "1.9.0")
    monkeypatch.setenv("GAPSCOPE_JULIA", named)
    choice, _ = choose("auto", 1)
    assert choice is not None
    assert (choice.runtime, choice.executable) == ("libjulia", named)
    by_name, _ = choose("juliacall", 1)
    assert by_name is not None
    assert by_name.executable == newer


@pytest.mark.parametrize(
    ("version", "setting"),
    [("1.10.3", "2"), ("1.11.9", "2"), ("1.12.0", "2,0"), ("1.13.0-rc1", "2,0")],
)
def test_no_interactive_thread_is_asked_for_where_a_number_alone_adds_one(
    bare: Path, monkeypatch: pytest.MonkeyPatch, version: str, setting: str
) -> None:
    julia = pretend_julia(bare / "julia", version, "/depot/PythonCall.jl")
    monkeypatch.setenv("PYTHON_JULIACALL_EXE", julia)
    monkeypatch.setenv("PYTHON_JULIACALL_PROJECT", str(bare))
    for runtime in ("juliacall", "libjulia"):
        choice, _ = choose(runtime, 2)
        assert choice is not None
        assert choice.environment["JULIA_NUM_THREADS"] == setting
        assert choice.environment.get("PYTHON_JULIACALL_THREADS", setting) == setting


@pytest.mark.parametrize("name", ["JULIA_LOAD_PATH", "JULIA_PROJECT", "JULIA_NUM_THREADS"])
def test_julia_is_looked_for_in_the_hosts_environment(
    bare: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for file in ("julia", "other"):
        script = Path(pretend_julia(bare / file, "1.11.2", "/depot/PythonCall.jl"))
        first, rest = script.read_text().split("\n", 1)
        script.write_text(f'{first}\nif [ -n "${name}" ]; then exit 1; fi\n{rest}')
    monkeypatch.setenv("PYTHON_JULIACALL_EXE", str(bare / "other"))
    monkeypatch.setenv("PYTHON_JULIACALL_PROJECT", str(bare))
    monkeypatch.setenv(name, "/of/the/user")
    assert find.find_juliacall()[1].ok
    assert find.find_julia()[0] is not None


@pytest.mark.parametrize(
    ("version", "pythoncall", "reason"),
    [("1.9.4", "/depot/PythonCall.jl", "1.10.3 or newer"), ("1.11.2", "", "PythonCall")],
)
def test_juliacall_is_not_usable_with_an_old_julia_or_without_pythoncall(
    bare: Path, monkeypatch: pytest.MonkeyPatch, version: str, pythoncall: str, reason: str
) -> None:
    monkeypatch.setenv("PYTHON_JULIACALL_EXE", pretend_julia(bare / "j", version, pythoncall))
    monkeypatch.setenv("PYTHON_JULIACALL_PROJECT", str(bare))
    project, finding = find.find_juliacall()
    assert project is None
    assert reason in finding.detail


def test_half_of_juliacalls_settings_is_reported(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_JULIACALL_EXE", "/bin/julia")
    _, finding = find.find_juliacall()
    assert "must be set together" in finding.detail


def test_juliapkg_offline_is_asked_for_its_julia(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    julia = pretend_julia(bare / "julia", "1.11.2", "/depot/PythonCall.jl")
    monkeypatch.setenv("PYTHON_JULIAPKG_OFFLINE", "yes")
    monkeypatch.setenv("PYTHON_JULIAPKG_EXE", julia)
    project, finding = find.find_juliacall()
    assert project == find.JuliaProject(julia, str(bare / "project"), "1.11.2"), finding


def test_a_download_by_the_host_is_announced(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHON_JULIAPKG_OFFLINE", "yes")
    with Host(runtime="juliacall") as host, pytest.raises(JuliaNotFoundError):
        host.info()
    assert "juliapkg now fetches what is missing" in capfd.readouterr().err


def test_gapscope_julia_alone_counts_when_it_is_set(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_julia(bare / "julia", "1.9.0")
    monkeypatch.setenv("GAPSCOPE_JULIA", str(bare / "nothing"))
    julia, findings = find.find_julia()
    assert julia is None
    assert [finding.name for finding in findings] == ["GAPSCOPE_JULIA"]
    (bare / "prefix" / "bin").mkdir(parents=True)
    inside = pretend_julia(bare / "prefix" / "bin" / "julia", "1.12.0")
    monkeypatch.setenv("GAPSCOPE_JULIA", str(bare / "prefix"))
    julia, _ = find.find_julia()
    assert julia is not None
    assert julia.executable == inside


def test_a_julia_older_than_the_kernel_is_refused(bare: Path) -> None:
    julia = pretend_julia(bare / "julia", "1.4.2")
    with pytest.raises(JuliaNotFoundError, match=r"(?s)1\.5 or newer.*1\.4\.2"):
        find.describe(julia)


def test_what_is_no_julia_is_reported_with_what_it_said(bare: Path) -> None:
    broken = bare / "julia"
    broken.write_text("#!/bin/sh\necho no licence >&2\nexit 1\n")
    broken.chmod(0o755)
    _, findings = find.find_julia()
    assert "no licence" in {finding.name: finding.detail for finding in findings}["julia on PATH"]


def test_a_depot_is_made_in_the_cache_where_home_cannot_be_written(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_julia(bare / "julia", "1.9.0")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    choice, _ = choose("libjulia", 1)
    assert choice is not None
    assert (
        choice.environment["JULIA_DEPOT_PATH"]
        == f"{bare / 'cache' / 'depot'}:{Path.home() / '.julia'}:"
    )


def test_libfftw3_that_cannot_be_loaded_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "libfftw3_candidates", lambda: iter(["/no/libfftw3.so.3"]))
    with pytest.raises(JuliaNotFoundError, match=r"(?s)libfftw3.*/no/libfftw3\.so\.3"):
        find.find_libfftw3()


@pytest.mark.skipif(
    find.find_juliacall()[0] is None, reason="no Julia >= 1.10.3 with PythonCall here"
)
def test_juliacall_computes_reports_errors_and_uses_its_threads() -> None:
    with Host(threads=2, runtime="juliacall") as host:
        assert host.info().runtime == "juliacall"
        assert host.info().threads == 2
        host.evaluate("module T; double!(out, x) = (out .= 2 .* x; nothing); end")
        x = np.arange(6.0).reshape(2, 3) + 1j
        (doubled,) = host.call("T.double!", Output((2, 3), "complex128"), x)
        np.testing.assert_array_equal(doubled, 2 * x)
        with pytest.raises(KernelError, match="DomainError"):
            host.evaluate("sqrt(-1)")
        host.evaluate("Threads.@threads for i in 1:8; GC.gc(); end")


def counting(script: Path) -> Path:
    """Make a pretended Julia note each of its starts in a file; return the file."""
    first, rest = script.read_text().split("\n", 1)
    script.write_text(f"{first}\necho started >> {script}.starts\n{rest}")
    return Path(f"{script}.starts")


def starts(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_a_julia_is_asked_once_and_again_when_it_has_changed(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Path(pretend_julia(bare / "julia", "1.9.0"))
    script.write_text(script.read_text().replace(" /bin /lib/", f" {bare} /lib/"))
    noted = counting(script)
    first = find.describe(str(script))
    assert find.describe(str(script)) == first
    assert starts(noted) == 1
    (cache_folder() / "found.json").write_text("[[[")
    assert find.describe(str(script)) == first
    assert starts(noted) == 2
    script.write_text(script.read_text().replace("1.9.0", "1.10.5"))
    assert find.describe(str(script)).version == "1.10.5"
    monkeypatch.setenv("LD_LIBRARY_PATH", "/another")
    find.describe(str(script))
    assert starts(noted) == 4


def test_a_launcher_is_asked_each_time_as_it_may_start_another_julia(bare: Path) -> None:
    script = Path(pretend_julia(bare / "julia", "1.9.0"))  # its Julia lies in /bin
    (bare / "chosen").write_text("1.9.0")
    text = script.read_text().replace("1.9.0", f"$(cat {bare / 'chosen'})")
    script.write_text(text)
    assert find.describe(str(script)).version == "1.9.0"
    (bare / "chosen").write_text("1.10.5")
    assert find.describe(str(script)).version == "1.10.5"


def test_juliapkg_is_looked_at_again_when_it_has_installed_something(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "it has not yet" in find.find_juliacall()[1].detail
    asked: list[list[str]] = []
    ask = find._ask
    monkeypatch.setattr(find, "_ask", lambda command: [asked.append(command), *ask(command)][1:])
    assert "it has not yet" in find.find_juliacall()[1].detail
    assert asked == []
    meta = bare / "project" / "pyjuliapkg" / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text("{}")
    find.find_juliacall()
    assert len(asked) == 1
