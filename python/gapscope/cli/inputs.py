"""What a command is going to read is checked before the libraries are loaded that work on it.

Keras with TensorFlow takes some 4 CPU seconds to import, Dask 2: too long for a misspelt name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gapscope.errors import GapscopeError
from gapscope.support.networks import require_keras, require_network
from gapscope.support.resources import find_model


def require_learning(
    networks: Sequence[Path] = (), datasets: Sequence[Path] = (), models: Sequence[str] = ()
) -> None:
    """Raise unless Keras is there, and folders are those of networks and of datasets.

    Parameters
    ----------
    networks : folders of runs or models.
    datasets : folders.
    models : names of shipped models, or folders.

    Raises
    ------
    SettingError : no Keras, or no backend.
    RunError, DatasetError, SchemaVersionError : a folder that is something else.
    """
    require_keras()
    for folder in networks:
        require_network(folder)
    for name in models:
        require_network(find_model(name))
    if datasets:
        from gapscope.dataset.manifest import Manifest

        for folder in datasets:
            Manifest.read(folder)


def require_some_map(files: Sequence[Path], tell: Callable[[Path, GapscopeError], None]) -> None:
    """Raise unless one of the files can be read; before, ``tell`` what is wrong with the others.

    Raises
    ------
    MapFileError, SchemaVersionError : of the last file.
    """
    from gapscope.simulation.mapfile import read_map

    faults = []
    for file in files:
        try:
            read_map(file)
        except GapscopeError as error:
            faults.append((file, error))
        else:
            return
    for file, fault in faults[:-1]:
        tell(file, fault)
    raise faults[-1][1]
