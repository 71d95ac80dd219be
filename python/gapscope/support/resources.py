"""Where the files that are not Python live: the Julia package, materials, recipes, models."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from gapscope.errors import MaterialFileError, RecipeError, RunError, StorageError

DEFAULT_MATERIAL = "nbse2"
"""The material where no other is named."""
SHIPPED_MODEL, SHIPPED_ENERGY = "nbse2-vgg16", 0.0
"""The network that answers for simulated maps where no other is named, and its energy in meV."""
OPEN_MODEL, OPEN_ENERGIES = "nbse2-open", (-0.5, 0.0, 0.5)
"""The network that answers for simulated maps at its energies, in meV, where no other is named: it
knows nothing but the material."""
OPEN_ONE_MODEL, OPEN_ENERGY = "nbse2-open-one", 0.5
"""The same for maps that have this energy alone of them."""
MEASURED_MODEL, GRID_MODEL = "nbse2-measured-one", "nbse2-measured"
"""The networks that answer for measured maps where no other is named: for one map, and for a grid
of spectra that has maps at OPEN_ENERGIES."""

_PACKAGE = Path(__file__).parents[1]


def share_folder() -> Path:
    """Return the folder with ``Project.toml``, ``julia/`` and ``data/``.

    An installed wheel carries it as ``gapscope/_share``; in a checkout it is the root.
    """
    packed = _PACKAGE / "_share"
    return packed if packed.is_dir() else _PACKAGE.parents[1]


def cache_folder() -> Path:
    """Return the folder for what can be fetched or computed again.

    The environment variable ``GAPSCOPE_CACHE`` overrides the system's place for caches.
    """
    chosen = os.environ.get("GAPSCOPE_CACHE")
    return Path(chosen).absolute() if chosen else Path(platformdirs.user_cache_dir("gapscope"))


def keras_backend() -> str:
    """Return the name of the backend that Keras will take, without importing it."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    saved = {}
    with contextlib.suppress(OSError, ValueError):
        saved = json.loads((home / "keras.json").read_text(encoding="utf-8"))
    return os.environ.get("KERAS_BACKEND") or saved.get("backend") or "tensorflow"


@contextlib.contextmanager
def cache_lock(name: str) -> Iterator[None]:
    """Hold a lock between all processes that use this cache folder.

    Raises
    ------
    StorageError : the cache folder cannot be written.
    """
    path = cache_folder() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise StorageError(
            "The cache folder must be writable", str(error), "Set GAPSCOPE_CACHE to one that is."
        ) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find_material(name: str, folder: Path | None = None) -> Path:
    """Return the file of a material: a shipped one by name, else a path relative to ``folder``.

    Raises
    ------
    MaterialFileError : neither a shipped material nor an existing file.
    """
    shipped = share_folder() / "data" / "materials"
    for path in (shipped / f"{name}.toml", (folder or Path()) / name):
        if path.is_file():
            return path
    names = ", ".join(sorted(file.stem for file in shipped.glob("*.toml")))
    raise MaterialFileError(
        f"A material is one of {names}, or the path of a file.",
        name,
        "Check the spelling, or give the path of a .toml or _hr.dat file.",
    )


def find_recipe(name: str) -> Path:
    """Return the file of a dataset recipe: a shipped one by name, else a path.

    Raises
    ------
    RecipeError : neither a shipped recipe nor an existing file.
    """
    shipped = share_folder() / "data" / "recipes"
    for path in (shipped / f"{name}.toml", Path(name)):
        if path.is_file():
            return path
    names = ", ".join(sorted(file.stem for file in shipped.glob("*.toml")))
    raise RecipeError(
        f"A recipe is one of {names}, or the path of a TOML file.", name, "Check the spelling."
    )


def shipped_models() -> list[Path]:
    """Return the folders of the trained networks that gapscope brings, by name."""
    return sorted((share_folder() / "data" / "models").glob("*/"))


def find_model(name: str | Path) -> Path:
    """Return the folder of a trained network: a shipped model by name, else a path.

    Raises
    ------
    RunError : neither a shipped model nor an existing folder.
    """
    shipped = share_folder() / "data" / "models"
    for path in (shipped / name, Path(name)):
        if path.is_dir():
            return path
    names = ", ".join(path.name for path in shipped_models()) or "none"
    raise RunError(
        f"A network is a shipped model, here {names}, or the folder of a run or of a model.",
        str(name),
        "Check the spelling, or train a network with `gapscope train`.",
    )
