"""Julia's system image with the kernel compiled in, made once by ``provision``.

Julia 1.8 and older keep no machine code beside a precompiled package: every host would compile
the kernel anew, for ten seconds and more. Newer ones need no image. An image belongs to one
Julia, one kind of CPU and one state of the kernel's sources; its name says which.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from gapscope.errors import JuliaNotFoundError, StorageError
from gapscope.kernel.environment import version_tuple
from gapscope.kernel.install.find import Julia, find_libfftw3
from gapscope.support.resources import cache_folder, cache_lock, share_folder

_MACHINE_CODE_IN_PACKAGES_SINCE = (1, 9)
_KEPT = 3  # images of other sources or Julias, 200 MB each
_SCRATCH = "making-"  # folders
# What tells kinds of CPU apart in Linux's list, on x86 and on ARM.
_CPU = ("model name", "flags", "Features", "CPU implementer", "CPU architecture", "CPU part")


def is_of_use(julia: Julia) -> bool:
    """Return whether an image spares this Julia the compilation, on this system."""
    old = version_tuple(julia.version) < _MACHINE_CODE_IN_PACKAGES_SINCE
    return old and sys.platform == "linux"


def is_wanted(julia: Julia) -> bool:
    """Return whether hosts of this Julia start from an image; ``GAPSCOPE_IMAGE=no``: not."""
    return os.environ.get("GAPSCOPE_IMAGE") != "no" and is_of_use(julia)


def image_file(julia: Julia) -> Path:
    """Return where the image of the kernel for this Julia and this CPU lies, or would lie."""
    share, system = share_folder(), Path(julia.sysimage)
    sources = sorted(path for path in (share / "julia").rglob("*.jl") if path.parent.name != "test")
    stamp = system.stat()
    parts = [julia.version, str(system), str(stamp.st_size), str(stamp.st_mtime_ns), *_cpu()]
    digest = hashlib.sha256("\n".join(parts).encode())
    for source in (share / "Project.toml", *sources):
        digest.update(source.read_bytes())
    return cache_folder() / "images" / f"julia-{julia.version}-{digest.hexdigest()[:16]}.so"


def find_image(julia: Julia) -> Path | None:
    """Return the image that a host is to start from; None: Julia's own."""
    if not is_wanted(julia):
        return None
    image = image_file(julia)
    return image if image.is_file() else None


def build_image(
    julia: Julia, environment: Mapping[str, str], report: Callable[[str], None]
) -> Path:
    """Compile the image, unless it is there, and return its path: minutes, 2 GB of memory.

    Raises
    ------
    JuliaNotFoundError : there is no linker, or Julia or the linker fails.
    StorageError : the cache folder cannot be written, or is full.
    """
    with cache_lock("image.lock"):
        image = image_file(julia)
        if image.is_file():
            return image
        linker = shutil.which("cc") or shutil.which("ld")
        if linker is None:
            raise JuliaNotFoundError(
                "Compiling the kernel ahead needs a linker",
                "neither cc nor ld is on PATH",
                "Install gcc or binutils, then run `gapscope julia install` again.",
            )
        report("compiling the kernel ahead, once: some minutes, and every later start is short")
        try:
            image.parent.mkdir(parents=True, exist_ok=True)
            for left in image.parent.glob(f"{_SCRATCH}*"):  # by one that was killed
                shutil.rmtree(left)
            with tempfile.TemporaryDirectory(dir=image.parent, prefix=_SCRATCH) as scratch:
                made = _compiled(julia, environment, linker, Path(scratch))
                made.replace(image)
        except OSError as error:
            raise StorageError(
                "The compiled kernel must be written to the cache folder",
                str(error),
                "Free some space (500 MB), or set GAPSCOPE_CACHE to another folder.",
            ) from None
        images = sorted(image.parent.glob("*.so"), key=lambda path: path.stat().st_mtime)
        for old in images[:-_KEPT]:
            old.unlink()
        return image


def _compiled(julia: Julia, environment: Mapping[str, str], linker: str, scratch: Path) -> Path:
    objects, image = scratch / "image.o", scratch / "image.so"
    _run(
        [
            *(julia.executable, "--startup-file=no", "--history-file=no", "--cpu-target=native"),
            *(f"--sysimage={julia.sysimage}", f"--output-o={objects}"),
            *(str(share_folder() / "julia" / "image" / "build.jl"), find_libfftw3()),
        ],
        {**environment, "JULIA_NUM_THREADS": "1"},
    )
    whole = ["-Wl,--whole-archive", "-Wl,--no-whole-archive"]
    if Path(linker).name == "ld":
        whole = [option.removeprefix("-Wl,") for option in whole]
    _run([linker, "-shared", "-o", str(image), whole[0], str(objects), whole[1]], os.environ)
    return image


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        said = " | ".join((done.stderr or done.stdout).strip().splitlines()[-4:])
        raise JuliaNotFoundError(
            "The kernel must compile ahead", f"{command[0]} ended with {done.returncode}: {said}"
        )


def _cpu() -> list[str]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return sorted({line for line in lines if line.startswith(_CPU)})
