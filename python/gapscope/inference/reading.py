"""Maps that are read one by one, and the network that is loaded once the first has been."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import GapscopeError, MapFileError
from gapscope.inference.kinds import Kind, kind_of
from gapscope.measured.preparation import Prepared
from gapscope.support.networks import require_keras
from gapscope.support.resources import find_model

if TYPE_CHECKING:
    from gapscope.learning.network.run_config import RunConfig
    from gapscope.learning.prediction.predictor import Predictor

Given = str | Path | xr.Dataset | Prepared
LeftOut = Callable[[str, GapscopeError], None]
Used = Callable[[xr.Dataset], None]
Window = NDArray[np.floating]
Seen = Callable[[Window], None]
Read = TypeVar("Read")


class Network:
    """A network that is loaded when the first map has been read; that takes seconds."""

    def __init__(self, model: str | Path | Predictor, levels: dict[str, Any]) -> None:
        self._given = None if isinstance(model, str | Path) else model
        self.folder = None
        if isinstance(model, str | Path):
            require_keras()
            self.folder = find_model(model)
        self._levels = {name: value for name, value in levels.items() if value is not None}

    @cached_property
    def predictor(self) -> Predictor:
        """The network; raises as ``Predictor.load`` does."""
        if self._given is not None:
            return self._given
        from gapscope.learning.prediction.loaded import load_predictor

        assert self.folder is not None
        return load_predictor(self.folder, **self._levels)

    @cached_property
    def config(self) -> RunConfig:
        """Its configuration; raises RunError, SchemaVersionError."""
        if self._given is not None:
            return self._given.config
        from gapscope.learning.model_folder.run import RunFolder

        assert self.folder is not None
        return RunFolder(self.folder).config()


class Reading:
    """Maps that are read one by one, those that cannot be left out.

    Attributes
    ----------
    names : of those that were read.
    """

    def __init__(
        self,
        asked: Sequence[tuple[str, Given]],
        left_out: LeftOut | None,
        used: Used | None = None,
        seen: Seen | None = None,
    ) -> None:
        self.asked, self._left_out, self._used, self._seen = asked, left_out, used, seen
        self.names: list[str] = []

    def all(self, read: Callable[[str, Any], tuple[xr.Dataset, Window, Read]]) -> list[Read]:
        """What ``read`` makes of each, beside the map and its window; raises the
        error of the last where none is left, and every error where nobody is told."""
        found, faults = [], 0
        for name, one in self.asked:
            try:
                dataset, window, made = read(name, one)
            except GapscopeError as error:
                faults += 1
                if self._left_out is None or faults == len(self.asked):
                    raise
                self._left_out(name, error)
                continue
            found.append(made)
            self.names.append(name)
            if self._used is not None:
                self._used(dataset)
            if self._seen is not None:
                self._seen(window)
        return found


def listed(maps: Any) -> list[Given]:
    """The maps one by one; raises MapFileError where there are none, or what is no map."""
    one = isinstance(maps, str | Path | xr.Dataset | Prepared)
    given = [maps] if one or not _has_parts(maps) else list(maps)
    if not given:
        raise MapFileError("A prediction needs maps.", "no map", "Name at least one.")
    for found in given:
        if not isinstance(found, str | Path | xr.Dataset | Prepared):
            raise MapFileError(
                "A map is a file, or the whole dataset that simulate, prepare or xarray's"
                " open_dataset returns: its attributes name the lattice.",
                f"{type(found).__module__}.{type(found).__qualname__}",
                "Give the dataset, not a variable or the numbers of it, or several in a list.",
            )
    return given


def _has_parts(maps: Any) -> bool:
    """Whether it is a collection of maps, and no array."""
    return isinstance(maps, Iterable) and not hasattr(maps, "dtype")


def is_file(one: Given) -> bool:
    """Whether a map is given by its file."""
    return isinstance(one, str | Path)


def name_of(one: Given, number: int) -> str:
    """What a map is called: its file, or its number among the maps given."""
    return str(one) if isinstance(one, str | Path) else f"map {number}"


def map_kind(one: Given) -> Kind:
    """Whether a map is simulated, prepared or as an instrument wrote it."""
    if isinstance(one, str | Path):
        return kind_of(Path(one))
    if isinstance(one, Prepared):
        return "prepared"
    # Measured maps of several energies say at which bias. Simulated ones keep their attributes
    # where one energy has been chosen.
    simulated = "energy" in one.coords or "method" in one.attrs
    on_sites = "ldos_change" in one and ("bias" in one.coords or not simulated)
    return "prepared" if on_sites else "map"
