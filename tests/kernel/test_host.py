from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from gapscope.errors import HostDiedError, JuliaNotFoundError, KernelError, SettingError
from gapscope.kernel import arrays
from gapscope.kernel.client import Host, Output, configure, default_threads, get_host, shutdown

PATIENCE = 600
"""Seconds for what is expected; only a test that fails waits so long, whatever else runs."""


def gone(pid: int) -> bool:
    """Wait until a process has ended; a zombie has."""
    for _ in range(10 * PATIENCE):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("dtype", ["float64", "complex128", "int64", "float32"])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4), (0, 3)])
def test_arrays_of_every_type_and_shape_go_in_and_out_unchanged(
    host: Host, dtype: str, shape: tuple[int, ...]
) -> None:
    random = np.random.default_rng(1)
    x = np.asarray(random.normal(size=shape) * 1000).astype(dtype)
    if dtype == "complex128":
        x = np.asarray(x + 1j * random.normal(size=shape))
    (doubled,) = host.call("HostTest.double!", Output(shape, dtype), x)
    assert doubled.dtype == dtype
    np.testing.assert_array_equal(doubled, 2 * x)


def test_the_last_axis_in_python_is_the_first_in_julia(host: Host) -> None:
    (first,) = host.call("HostTest.axis!", Output((2, 3), "int64"), 1)
    np.testing.assert_array_equal(first, [[1, 2, 3], [1, 2, 3]])


def test_julia_cannot_write_to_an_input_of_the_caller(host: Host) -> None:
    x = np.ones(3)
    assert host.call("HostTest.double!", x, np.full(3, 7.0)) == []
    np.testing.assert_array_equal(x, 1)


def test_an_output_is_not_shared_with_a_forked_child(host: Host) -> None:
    (doubled,) = host.call("HostTest.double!", Output((3,)), np.ones(3))
    child = os.fork()
    if child == 0:
        doubled[:] = 5
        os._exit(0)
    os.waitpid(child, 0)
    np.testing.assert_array_equal(doubled, 2)


def open_files(pid: int) -> int:
    return psutil.Process(pid).num_fds()


def test_no_descriptor_outlives_a_call(host: Host) -> None:
    pid = host.info().pid
    host.evaluate("1 + 1")
    before = open_files(os.getpid()), open_files(pid)
    held = []
    for n in range(300):
        held.extend(host.call("HostTest.double!", Output((3,)), np.full(3, float(n))))
        if n % 10 == 0:
            with pytest.raises(KernelError):
                host.call("HostTest.nothing_of_this_name", Output((3,)), np.ones(3))
            with pytest.raises(TypeError):
                host.call("HostTest.double!", Output((3,)), np.ones(3), object())
    assert (open_files(os.getpid()), open_files(pid)) == before
    np.testing.assert_array_equal(held, np.repeat(2.0 * np.arange(300), 3).reshape(300, 3))


def test_an_output_larger_than_one_piece_arrives_whole(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_PIECE", 1000)
    (doubled,) = host.call("HostTest.double!", Output((7, 139)), np.arange(973.0).reshape(7, 139))
    np.testing.assert_array_equal(doubled, 2 * np.arange(973.0).reshape(7, 139))


def test_numbers_arrive_exactly(host: Host) -> None:
    for a, b, c in [
        (0.1, -7, True),
        (np.float64(1e-300), np.int64(2**53), False),
        (-np.inf, 0, True),
    ]:
        (received,) = host.call("HostTest.numbers!", Output((3,)), a, b, c)
        assert list(received) == [a, b, c]
    (received,) = host.call("HostTest.numbers!", Output((3,)), float("nan"), 1, True)
    assert np.isnan(received[0])


@pytest.mark.parametrize(
    "text", ['$(exit(3)) "quoted" \\ $x', "two\nlines\ttab\0nul", "é漢😀\u200b", ""]
)
def test_a_text_arrives_byte_by_byte_and_is_never_evaluated(host: Host, text: str) -> None:
    expected = text.encode()
    (received,) = host.call("HostTest.bytes!", Output((len(expected),), "int64"), text)
    assert bytes(received.astype(np.uint8)) == expected


@pytest.mark.parametrize(
    "array",
    [
        np.ones(3, dtype=">f8"),
        np.ones(3, dtype="int32"),
        np.ones((3, 3)).T[:, :2],
        np.array([None]),
    ],
)
def test_an_array_of_another_type_or_order_is_refused(host: Host, array: np.ndarray) -> None:
    with pytest.raises(TypeError):
        host.call("HostTest.double!", Output((3,)), array)


def test_an_output_of_another_type_is_refused(host: Host) -> None:
    with pytest.raises(TypeError, match="int32"):
        host.call("HostTest.double!", Output((3,), "int32"), np.ones(3))


def test_what_is_no_function_name_is_refused(host: Host) -> None:
    for name in ("exit(); f", "f;g", "", "a..b", "f\n"):
        with pytest.raises(ValueError, match="not the name"):
            host.call(name)


def test_julias_error_arrives_and_the_host_survives_it(host: Host) -> None:
    pid = host.info().pid
    with pytest.raises(KernelError, match=r"(?s)BoundsError.*2-element.*index \[3\].*\n  at "):
        host.evaluate("[1, 2][3]")
    with pytest.raises(KernelError, match="no_such_function"):
        host.call("Main.no_such_function", 1)
    with pytest.raises(KernelError, match=r"syntax|ParseError"):
        host.evaluate("1 +")
    assert host.evaluate("1 + 1") == "2"
    assert host.info().pid == pid


def test_an_error_in_a_julia_thread_arrives_as_itself(host: Host) -> None:
    with pytest.raises(KernelError, match=r"^from a thread\n"):
        host.evaluate('Threads.@threads for i in 1:2; error("from a thread"); end')


def test_the_host_says_who_it_is(host: Host) -> None:
    info = host.info()
    wanted = os.environ.get("GAPSCOPE_RUNTIME") or "auto"
    assert info.runtime in (("juliacall", "libjulia") if wanted == "auto" else (wanted,))
    assert info.threads == 2
    assert info.julia == host.evaluate("VERSION")
    assert Path(info.fftw).is_file()
    assert int(host.evaluate("getpid()")) == info.pid != os.getpid()


def test_ctrl_c_in_the_terminal_does_not_reach_the_host(host: Host) -> None:
    pid = host.info().pid
    assert os.getsid(pid) == pid


def test_garbage_collection_in_all_threads_is_survived(host: Host) -> None:
    host.evaluate("Threads.@threads for i in 1:8; x = [rand(100) for j in 1:1000]; GC.gc(); end")


def test_a_killed_host_is_reported_and_the_next_call_starts_a_fresh_one(own_host: Host) -> None:
    first = own_host.info().pid
    threading.Timer(0.5, os.kill, (first, signal.SIGKILL)).start()
    with pytest.raises(HostDiedError, match="SIGKILL"):
        own_host.evaluate("sleep(60)")
    assert own_host.evaluate("1 + 1") == "2"
    assert own_host.info().pid != first


def test_a_dead_host_is_reported_with_its_last_words(own_host: Host) -> None:
    with pytest.raises(HostDiedError, match=r"(?s)exit code 3.*\nfarewell"):
        own_host.evaluate('println("farewell"); exit(3)')


def test_a_host_that_died_between_calls_is_reported_once(own_host: Host) -> None:
    os.kill(own_host.info().pid, signal.SIGKILL)
    with pytest.raises(HostDiedError, match="SIGKILL"):
        own_host.evaluate("1")
    assert own_host.evaluate("1") == "1"


def test_ctrl_c_reaches_the_caller_and_ends_the_host(own_host: Host) -> None:
    first = own_host.info().pid
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            own_host.evaluate("while true end")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert gone(first)
    assert own_host.evaluate("1 + 1") == "2"


def test_many_threads_share_one_host(host: Host) -> None:
    pid = host.info().pid

    def double(number: int) -> tuple[float, int]:
        x = np.full(1000, float(number))
        (doubled,) = host.call("HostTest.double!", Output((1000,)), x)
        return float(doubled.sum()), host.info().pid

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(double, range(40)))
    assert results == [(2000.0 * number, pid) for number in range(40)]


def _own_pid_and_hosts() -> tuple[int, int]:
    return os.getpid(), int(get_host().evaluate("getpid()"))


def _answer(answers: multiprocessing.connection.Connection) -> None:
    answers.send(_own_pid_and_hosts())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_process_has_a_host_of_its_own_and_leaves_the_parents_alone(method: str) -> None:
    _, parents = _own_pid_and_hosts()
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context(method).Process(target=_answer, args=(theirs,))
    child.start()
    theirs.close()  # so that the end of the child is the end of what it says
    assert ours.poll(PATIENCE)
    pid, childs = ours.recv()
    child.join()
    assert pid == child.pid
    assert childs != parents
    assert gone(childs)
    assert _own_pid_and_hosts()[1] == parents


def test_a_fork_in_the_middle_of_a_call_does_not_block_the_child(own_host: Host) -> None:
    own_host.info()
    call = threading.Thread(target=own_host.evaluate, args=("sleep(2)",))
    call.start()
    time.sleep(0.2)
    child = os.fork()
    if child == 0:
        os._exit(0 if own_host.evaluate("1 + 1") == "2" else 1)
    assert os.waitpid(child, 0)[1] == 0
    call.join()
    assert own_host.evaluate("1 + 1") == "2"


OWNER = """
import os, subprocess, sys
from gapscope.kernel.client import get_host
host = get_host()
pid = host.info().pid
connection = host._process._connection.fileno()
heir = subprocess.Popen(["sleep", "60"], pass_fds=[connection])
print(pid, heir.pid, flush=True)
host.evaluate("while true end")
"""


def test_a_host_ends_with_its_owner_even_if_another_holds_the_connection() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        host, heir = map(int, owner.stdout.readline().split())
        owner.kill()
    try:
        assert gone(host)
    finally:
        os.kill(heir, signal.SIGKILL)


def test_the_end_of_the_owner_ends_the_host() -> None:
    script = "from gapscope.kernel.client import get_host; print(get_host().info().pid)"
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    assert gone(int(done.stdout))


def test_other_settings_mean_another_host() -> None:
    first = get_host(threads=2).info()
    assert first.threads == 2
    configure(threads=2)
    assert get_host().info() == first
    configure(threads=1)
    assert get_host().info().threads == 1
    assert gone(first.pid)
    last = get_host().info().pid
    shutdown()
    assert gone(last)


@pytest.mark.parametrize("wanted", ["0", "many", "-2", "1.5"])
def test_a_wrong_number_of_threads_is_refused(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    monkeypatch.setenv("GAPSCOPE_THREADS", wanted)
    with pytest.raises(SettingError, match="GAPSCOPE_THREADS"):
        default_threads()


def test_threads_are_set_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GAPSCOPE_THREADS", "1")
    with Host() as host:
        assert host.info().threads == 1


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(SettingError, match="positive"):
        Host(threads=0)
    with pytest.raises(SettingError, match="auto, juliacall, libjulia"):
        Host(runtime="fortran")


def test_missing_julia_is_an_error_that_lists_what_was_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GAPSCOPE_CACHE", str(tmp_path))
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path))
    monkeypatch.delenv("GAPSCOPE_JULIA", raising=False)
    with pytest.raises(JuliaNotFoundError) as caught:
        Host(runtime="auto").info()
    for place in ("juliacall", "GAPSCOPE_JULIA", "julia on PATH", f"julia in {tmp_path}"):
        assert place in str(caught.value)
    assert "gapscope julia install" in caught.value.remedy
