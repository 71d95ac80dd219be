"""Julia from Debian's packages, unpacked into the cache folder: no root, signatures checked.

apt does the fetching and the checking, with its own configuration of mirrors and proxies but
with lists, state and caches of its own, so that the system's stay as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from gapscope.errors import JuliaNotFoundError

# Debian 11 is the last release with Julia. The rest comes from Debian 12, whose libraries run
# on every later release too; a library that every Debian has (libc, libstdc++, zlib) is not here.
# libunwind8 must be Debian 11's: with Debian 12's, Julia 1.5 dies of a segmentation fault in
# _ULx86_64_dwarf_search_unwind_table when compiled code throws (a BoundsError, a KeyError).
PACKAGES = {
    "bullseye": (
        "julia libjulia1 julia-common libjulia-openblas64 libllvm9 libgit2-1.1 libmbedcrypto3 "
        "libmbedtls12 libmbedx509-0 libutf8proc2 libopenlibm3 libdsfmt-19937-1 libhttp-parser2.9 "
        "libffi7 libedit2 libunwind8"
    ),
    "bookworm": (
        "libgfortran5 libquadmath0 libssh2-1 libcurl3-gnutls libpcre2-8-0 libpcre3 "
        "libgmp10 libmpfr6 libfftw3-double3 libz3-4 libbsd0 libmd0"
    ),
}

_KEYRINGS = [
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
]

_LAUNCHER = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH={libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}
export LD_LIBRARY_PATH
exec "$here/usr/bin/julia" "$@"
"""


def _run(command: list[str], folder: Path) -> str:
    """Return what a command prints; raise ``JuliaNotFoundError`` with its last words."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise JuliaNotFoundError("Debian's packages need apt", f"no {command[0]} here") from None
    except subprocess.CalledProcessError as error:
        said = " | ".join(error.stderr.strip().splitlines()[-4:])
        raise JuliaNotFoundError(f"{command[0]} must succeed", said) from None
    return done.stdout


def archive() -> str:
    """Return the address of the Debian archive that apt on this machine is set up to use."""
    release = Path("/etc/os-release")
    text = release.read_text() if release.is_file() else ""
    codename = re.search(r'^VERSION_CODENAME="?(\w+)', text, re.MULTILINE)
    addresses = _run(["apt-get", "update", "--print-uris"], Path("/"))
    if re.search(r"^ID=\"?debian", text, re.MULTILINE) and codename:
        found = re.search(rf"^'(\S+?)/dists/{codename[1]}/\S*'", addresses, re.MULTILINE)
        if found:
            return found[1]
    raise JuliaNotFoundError(
        "Julia comes from Debian's packages only where apt uses a Debian archive",
        "apt is not set up with one",
    )


def _keyring() -> Path:
    for keyring in _KEYRINGS:
        if keyring.is_file():
            return keyring
    raise JuliaNotFoundError(
        "Debian's packages must be checked against Debian's keys",
        f"no {_KEYRINGS[0]}",
        "Install the package debian-archive-keyring.",
    )


def _apt_options(scratch: Path) -> list[str]:
    """Lay out a private apt below ``scratch`` and return the options that make apt use it."""
    for folder in ("lists/partial", "archives/partial", "preferences"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "status").touch()
    (scratch / "sources.list").write_text(
        "".join(f"deb [signed-by={_keyring()}] {archive()} {suite} main\n" for suite in PACKAGES)
    )
    settings = {
        "Dir::State": scratch,
        "Dir::State::status": scratch / "status",
        "Dir::State::lists": scratch / "lists",
        "Dir::Cache": scratch,
        "Dir::Cache::archives": scratch / "archives",
        "Dir::Etc::sourcelist": scratch / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": scratch / "preferences",
        "APT::Sandbox::User": "root",  # the unprivileged _apt could not write below scratch
        "Acquire::AllowInsecureRepositories": "false",
        "Acquire::Languages": "none",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def repair_links(folder: Path, libraries: list[Path]) -> None:
    """Point every dangling link in ``folder`` at the file of that name among ``libraries``."""
    for link in folder.iterdir():
        if link.is_symlink() and not link.exists():
            name = Path(os.readlink(link)).name
            target = next((place / name for place in libraries if (place / name).exists()), None)
            if target is not None:
                link.unlink()
                link.symlink_to(os.path.relpath(target, folder))


def unpack(destination: Path, report: Callable[[str], None]) -> None:
    """Fetch, check and unpack Debian's Julia so that ``destination/julia`` runs it.

    The folder appears complete or not at all.

    Raises
    ------
    JuliaNotFoundError : no apt, no Debian archive, no key, no network, or a wrong signature.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="julia-", dir=destination.parent) as temporary:
        scratch, tree = Path(temporary) / "apt", Path(temporary) / "tree"
        downloads = Path(temporary) / "packages"
        scratch.mkdir()
        tree.mkdir()
        downloads.mkdir()
        options = _apt_options(scratch)
        report("reading Debian's package lists")
        _run(["apt-get", *options, "update", "--error-on=any"], scratch)
        report("fetching Julia and its libraries from Debian's archive (about 70 MB)")
        names = [f"{name}/{suite}" for suite, listed in PACKAGES.items() for name in listed.split()]
        _run(["apt-get", *options, "download", *names], downloads)
        report("unpacking")
        for package in sorted(downloads.glob("*.deb")):
            _run(["dpkg", "-x", str(package), str(tree)], downloads)
        _finish(tree)
        shutil.rmtree(destination, ignore_errors=True)
        tree.rename(destination)


def _finish(tree: Path) -> None:
    """Mend the links of Julia's private library folder and write the launcher."""
    private = next(tree.glob("usr/lib/*/julia"))
    folders = [private.parent, private, tree / "lib" / private.parent.name]
    system = [Path("/") / folder.relative_to(tree) for folder in folders]
    repair_links(private, [*folders, *system])
    libraries = ":".join(f"$here/{folder.relative_to(tree)}" for folder in folders)
    launcher = tree / "julia"
    launcher.write_text(_LAUNCHER.format(libraries=libraries))
    launcher.chmod(0o755)
