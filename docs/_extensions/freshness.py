"""Results of executed examples are kept as long as the code that they ran is the same."""

import hashlib
import shutil
from pathlib import Path

SOURCES = ("python/gapscope/**/*.py", "julia/src/**/*.jl", "data/**/*.toml", "data/models/*/*")
STAMP = "sources.sha256"


def cache(folder: Path, root: Path) -> Path:
    """The folder of jupyter-cache, emptied where gapscope has changed since it was filled."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in root.glob(pattern)):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    stamp = folder / STAMP
    if not stamp.is_file() or stamp.read_text() != digest.hexdigest():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        stamp.write_text(digest.hexdigest())
    return folder
