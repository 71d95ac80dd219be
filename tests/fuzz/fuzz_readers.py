"""Coverage-guided fuzzing of the readers of measured files, with Atheris (libFuzzer).

    python tests/fuzz/fuzz_readers.py READER --minutes 30 --corpus FOLDER [--keep]

READER is a name of ``reader_contract.READERS``, ``open`` for the choice of the reader, or ``all``.
Every input must end in a dataset that keeps the contract, or in MeasurementFileError, within 2 s of
CPU time and 512 MB. FOLDER keeps what was found, so that a later call goes on from there; with
``--keep`` the smallest set of inputs with the same coverage goes to tests/fuzz/corpus.

The HDF5 reader works in a process of its own. Here ``hdf5_child.answer``, all that the process
does, runs inside the fuzzer, with a bound of its own on the values. What ends the fuzzer there, in
libhdf5, is tried again through ``open``: if that refuses the file, the process has contained it.
The fuzzer of ``open`` itself lets that process refuse every HDF5 file, or libhdf5 would end it too.
What ends another reader's fuzzer is tried again alone: a hang may be due to a loaded machine.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "measured"))
from fuzz_target import MEGABYTES, confirm, one_input  # noqa: E402

KEPT = HERE / "corpus"
KEPT_BYTES = {"hdf5": 290_000}
"""Largest corpus that is kept; 100 kB unless told."""
HANGS, CLOCK = 60, 3600
"""Seconds on the clock after which libFuzzer ends, and after which it writes an input that ended:
long ones, since a machine may be loaded; the target counts those of the CPU."""
LENGTH = 20_000
FINDINGS = 20
"""Findings after which a reader is left, to be mended first."""
FUZZED = ["gapscope.measured", "igor2"]


def fuzz(reader: str, arguments: list[str]) -> None:
    """Run libFuzzer in this process; it ends the process."""
    import atheris

    with atheris.instrument_imports(include=FUZZED):
        import igor2.binarywave  # noqa: F401

        import gapscope.measured.readers.hdf5_child
        import gapscope.measured.readers.rhk  # noqa: F401
    # A merge starts the first argument again, through a shell.
    again = shlex.join([sys.executable, __file__, reader, "--inside", "--"])
    atheris.Setup([again, *arguments], one_input(reader))
    atheris.Fuzz()


class Reader:
    """The folders of one reader, and what its fuzzer said."""

    def __init__(self, name: str, folder: Path) -> None:
        from fuzz_seeds import seeds

        self.name = name
        self.corpus, self.ends = folder / name, folder / "findings" / name
        self.kept = KEPT / name
        self.seeds = folder / "seeds" / name
        for made in (self.corpus, self.ends, self.seeds):
            made.mkdir(parents=True, exist_ok=True)
        found = set()
        for title, content in seeds(name).items():
            (self.seeds / title).write_bytes(content)
            found |= set(re.findall(rb"[A-Za-z:.#_][A-Za-z0-9:._ /()>-]{2,30}", content))
            wide = re.findall(rb"(?:[A-Za-z0-9 ]\0){3,30}", content)
            found |= {word.replace(b"\0", b"\\x00") for word in wide}
        self.words = folder / f"{name}.dict"
        self.words.write_text("".join(f'"{word.decode()}"\n' for word in sorted(found)))
        self.seconds, self.executions, self.coverage = 0.0, 0, 0
        self.findings, self.contained = 0, 0

    def child(self, *arguments: str, seconds: float | None = None) -> tuple[int, str]:
        """Exit status and output of this script with the fuzzer inside.

        Whatever libFuzzer writes goes to the folder of the findings, not to the working directory.
        It writes none that are slow on the clock: the target counts seconds of the CPU.
        """
        flags = (f"-artifact_prefix={self.ends}/", f"-report_slow_units={CLOCK}")
        command = [sys.executable, __file__, self.name, "--inside", "--", *flags, *arguments]
        ended = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds
        )
        return ended.returncode, ended.stderr

    def edges(self, *folders: Path) -> int:
        """Coverage of the files in folders alone."""
        return last(r"cov: (\d+)", self.child("-runs=0", *map(str, folders))[1])

    def run(self, seconds: float) -> None:
        """Fuzz for a time, again after every end; the judging of ends does not count."""
        folders = [str(folder) for folder in (self.corpus, self.seeds, self.kept)]
        while seconds >= 5 and self.findings < FINDINGS:
            start = time.monotonic()
            code, said = self.child(
                f"-max_total_time={seconds:.0f}",
                *(f"-timeout={HANGS}", f"-rss_limit_mb={MEGABYTES}", f"-max_len={LENGTH}"),
                *("-print_final_stats=1", f"-dict={self.words}"),
                *(folder for folder in folders if Path(folder).is_dir()),
            )
            taken = time.monotonic() - start
            seconds, self.seconds = seconds - taken, self.seconds + taken
            self.executions += last(r"(?m)^#(\d+)\s", said)
            self.coverage = max(self.coverage, last(r"cov: (\d+)", said))
            if code == 0:
                return
            (self.ends / f"{time.time_ns()}.log").write_text(said[-6000:])
            written = re.search(r"Test unit written to (.+)", said)
            if written is None:
                raise SystemExit(f"{self.name}: the fuzzer ended with {code}: {said[-500:]}")
            self.judge(Path(written[1]))

    def judge(self, path: Path) -> None:
        """Try the input of an end alone: a finding is repeated, others contained or due to load."""
        command = [sys.executable, __file__, self.name, "--confirm", str(path)]
        try:
            again = subprocess.run(command, capture_output=True, text=True, timeout=600)
            good, said = again.returncode == 0, again.stderr.strip().split("\n")[-1]
        except subprocess.TimeoutExpired:
            good, said = False, "no end in 600 s"
        if good:
            self.contained += 1
            path.unlink()
        else:
            self.findings += 1
            print(f"  finding: {path}: {said}", flush=True)

    def keep(self) -> None:
        """Replace the corpus in the repository by the smallest inputs with the same coverage."""
        with tempfile.TemporaryDirectory() as least:
            folders = (self.corpus, self.seeds, self.kept)
            found = [str(folder) for folder in folders if folder.is_dir()]
            self.child(
                "-merge=1", f"-max_len={LENGTH}", f"-rss_limit_mb={MEGABYTES}", least, *found
            )
            contents = sorted((path.read_bytes() for path in Path(least).iterdir()), key=len)
        self.kept.mkdir(parents=True, exist_ok=True)
        for old in self.kept.iterdir():
            old.unlink()
        total = 0
        for content in contents:
            total += len(content)
            if total > KEPT_BYTES.get(self.name, 100_000):
                print(f"  {self.name}: files of {len(content)} bytes and more are left out")
                break
            ending = ".ibw" if self.name == "igor" else ""
            digest = hashlib.sha256(content).hexdigest()[:16]
            (self.kept / f"{digest}{ending}").write_bytes(content)


def last(pattern: str, text: str) -> int:
    """The last number of a pattern in a text, or 0."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def main() -> None:
    """Fuzz one reader or all of them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reader")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--corpus", type=Path, default=Path(tempfile.gettempdir(), "fuzz"))
    parser.add_argument("--keep", action="store_true", help="write tests/fuzz/corpus")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--confirm", type=Path, help=argparse.SUPPRESS)
    options, rest = parser.parse_known_args()
    if options.inside:  # before anything imports the readers, which are instrumented by then
        fuzz(options.reader, [word for word in rest if word != "--"])
        return
    if options.confirm is not None:
        confirm(options.reader, options.confirm)
        return
    from reader_contract import READERS

    names = [*READERS, "open"] if options.reader == "all" else [options.reader]
    if not set(names) <= {*READERS, "open"}:
        parser.error(f"READER is one of {', '.join([*READERS, 'open', 'all'])}")
    rows = "| reader | seconds | executions | edges, seeds | edges, corpus | findings | contained |"
    print(f"{rows}\n{'|---' * 7}|", flush=True)
    for name in names:
        reader = Reader(name, options.corpus.resolve())
        before = reader.edges(reader.seeds)
        reader.run(60 * options.minutes)
        print(
            f"| {name} | {reader.seconds:.0f} | {reader.executions} | {before} | {reader.coverage} "
            f"| {reader.findings} | {reader.contained} |",
            flush=True,
        )
        if options.keep:
            reader.keep()


if __name__ == "__main__":
    main()
