"""One question for all kinds of maps: what is it, and can the network know?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import GapscopeError, MapFileError, PreparationError
from gapscope.inference.choice import choice_words, usual_readers
from gapscope.inference.kinds import (
    require_one_impurity,
    require_one_kind,
    require_options,
    usual_measured_model,
)
from gapscope.inference.lattices import STRAIN, in_words
from gapscope.inference.measured_files import Scan, opened_file, prepared_file
from gapscope.inference.reading import (
    Given,
    LeftOut,
    Network,
    Reading,
    Seen,
    Used,
    Window,
    is_file,
    listed,
    map_kind,
    name_of,
)
from gapscope.measured.preparation import Prepared
from gapscope.measured.preparation.report import prepared_dataset, read_prepared
from gapscope.measured.preparation.sought import Sought
from gapscope.simulation.mapfile import read_map
from gapscope.simulation.materials import material

if TYPE_CHECKING:
    from gapscope.learning.network.run_config import RunConfig
    from gapscope.learning.prediction.predictor import Predictor


def predict(
    maps: Given | Sequence[Given],
    model: str | Path | Predictor | None = None,
    *,
    refine: bool = False,
    symmetry: bool | None = None,
    level: float | None = None,
    novelty_level: float | None = None,
    unit: float | None = None,
    centre: tuple[float, float] | None = None,
    left_out: LeftOut | None = None,
    used: Used | None = None,
    seen: Seen | None = None,
    tell: Callable[[str], None] | None = None,
    **scan: Any,
) -> xr.Dataset:
    """What a network says of maps: class and unknowns of each, one sample per map.

    Variables over ``sample`` (coordinate ``file``): probability (sample, class), label (index into
    the attribute labels), and one per unknown of the network's problem by its name, NaN where the
    predicted class has none. Where the network has a calibration, also irrep_set, the ends of
    intervals (gap_low, gap_high, ...) and novelty, as
    :meth:`gapscope.learning.uncertainty.calibration.Calibration.applied` says. For measured maps
    also nearest_* and bias, see :func:`gapscope.inference.measured_maps.predict_sites`; with
    ``refine`` refined_* and chi, see :func:`gapscope.inference.refine.refine_predictions`.

    Parameters
    ----------
    maps : one or several, all simulated or all measured. Simulated: what :func:`gapscope.simulate`
        returns, or its file; where it is NaN at r = 0, as laboratories mask the impurity's site,
        that is filled in, and centre_left, over ``sample``, says what the map whose value it is
        leaves of the others, see :mod:`gapscope.inference.unseen_centre`. Measured: a file as an
        instrument or ``gapscope prepare`` wrote it, a result of
        :func:`gapscope.measured.preparation.prepare`, or a dataset on lattice sites as its
        ``network_input`` returns it.
    model : name of a shipped model, folder of a run or of a model, or a loaded network, whose own
        ``symmetry`` and levels then count; by default the shipped one for this kind of map:
        of simulated maps the one that takes the least for granted of those whose energies all have,
        ``nbse2-open``, ``nbse2-open-one``, ``nbse2-vgg16``, as the attribute ``chosen`` says; of
        measured ones ``nbse2-measured`` where all are grids of spectra with maps at its energies,
        else ``nbse2-measured-one``. The last two that were loaded stay in memory.
    refine : follow simulated maps from the network's answer (simulated maps only).
    symmetry, level, novelty_level : see
        :class:`gapscope.learning.prediction.predictor.Predictor`.
    unit : 1/meV, what a change of a measured map by one stands for.
    centre : (x, y) in nm of a measured map, near the impurity; its middle where not given.
    left_out : called with name and error of each map that cannot be used, which is left out; by
        default, and where no map can be used, the error is raised.
    used : called with each map that is used; of a measured one with the map before and after, too.
    seen : called with drho (energies, L, L) of each, as the network sees it.
    tell : called with lines of text about what is done with a measured file.
    scan : how a file of an instrument is read, see
        :class:`gapscope.inference.measured_files.Scan`. With ``refine``, ``material`` is that of
        the maps, where the one that the model's recipe names is not found.

    Raises
    ------
    MapFileError : no maps, maps of both kinds, options of the other kind, or a unit that is none;
        an unreadable file, maps that lack the lattice, window or energies that the network needs,
        or have no contrast; with ``refine`` a network of several impurities.
    MeasurementFileError, LatticeNotFoundError, PreparationError : see
        :func:`gapscope.inference.measured_files.prepared_file`; maps of another lattice.
    SchemaVersionError : a file or the model was written by a newer gapscope.
    RunError, CalibrationError : see
        :meth:`gapscope.learning.prediction.predictor.Predictor.load`.
    SettingError : no Keras.
    """
    given = listed(maps)
    asked = [(name_of(one, number), one) for number, one in enumerate(given, start=1)]
    kinds = {name: map_kind(one) for name, one in asked}
    simulated = "map" in kinds.values()
    of_measured = {"unit": unit, "centre": centre, **scan}
    if refine:
        of_measured.pop("material", None)
    named = [name for name, value in of_measured.items() if value is not None]
    require_one_kind(kinds)
    require_options(kinds, named, "refine" if refine else "")
    if unit is not None and not (math.isfinite(unit) and unit > 0):
        raise MapFileError(
            "unit is what a change of the map by one stands for, in 1/meV: positive and finite.",
            unit,
            "Leave it out where the scale is not known; a map whose sign is reversed is multiplied"
            " by -1 first.",
        )
    look = Scan(**scan)
    levels = {"symmetry": symmetry, "level": level, "novelty_level": novelty_level}
    fitting = usual_readers(given) if model is None and simulated else []
    if model is None:
        model = fitting[0] if simulated else usual_measured_model(given, look)
    network = Network(model, levels)
    reading = Reading(asked, left_out, used, seen)
    if simulated:
        answers = _simulated(reading, network, refine=refine, crystal=look.material)
    else:
        answers = _measured(reading, network, look, centre, unit, tell or _silent)
    if network.folder is not None:
        answers.attrs |= {"run": str(network.folder)}
    if fitting:
        answers.attrs |= {"chosen": choice_words(fitting)}
    return answers.assign_coords(file=("sample", reading.names))


def _simulated(
    reading: Reading, network: Network, *, refine: bool, crystal: str | None
) -> xr.Dataset:
    from gapscope.inference.refine import Conditions, refine_predictions
    from gapscope.inference.simulated_maps import network_map, predict_windows
    from gapscope.inference.unseen_centre import filled, is_unseen

    config = network.config
    if refine:
        require_one_impurity(config)

    def conditions() -> Conditions:
        own = None if crystal is None else material(crystal)
        return Conditions.of(config, network.predictor.size, own)

    def read(name: str, one: Any) -> tuple[xr.Dataset, Window, tuple[NDArray[np.float32], float]]:
        dataset = one if isinstance(one, xr.Dataset) else read_map(one)
        window, left = network_map(dataset, config, name), np.nan
        if is_unseen(window):
            window, left = filled(window, network.predictor, conditions())
        return dataset, window, (window, left)

    found = reading.all(read)
    windows = np.stack([window for window, _ in found])
    answers = predict_windows(windows, network.predictor)
    left = np.array([one for _, one in found])
    if unseen := not np.isnan(left).all():
        answers = answers.assign(centre_left=("sample", left))
    if not refine:
        return answers
    # Where one map has no value at r = 0, none is compared there.
    compared = replace(conditions(), centre=not unseen)
    return refine_predictions(answers, windows, compared)


def _measured(
    reading: Reading,
    network: Network,
    look: Scan,
    centre: tuple[float, float] | None,
    unit: float | None,
    tell: Callable[[str], None],
) -> xr.Dataset:
    named = any(value is not None for value in (look.material, look.lattice_constant, look.cell))
    files = any(map_kind(one) == "measured" and is_file(one) for _, one in reading.asked)
    if look.material is not None:
        look.wanted()
    if files:
        _require_some_file(reading, look)
    # Refused once, and not for every file.
    wanted = _wanted(look, network.config) if named or files else None

    def read(name: str, one: Any) -> tuple[xr.Dataset, Window, xr.Dataset]:
        from gapscope.inference.measured_maps import network_windows, sites_of

        opened = one
        energies = network.config.energies
        if is_file(one) and map_kind(one) == "measured" and len(energies) > 1:
            from gapscope.inference.measured_energies import energy_sites

            assert wanted is not None
            size = network.config.training.network.input_size
            sites = energy_sites(Path(one), look, wanted, energies, size, centre, tell=tell)
            return sites, network_windows(sites, network.predictor), sites
        if is_file(one) and map_kind(one) == "prepared":
            opened = read_prepared(one)
        elif is_file(one):
            assert wanted is not None
            # Of a grid of spectra, the map at the network's energy.
            energy = float(energies[0])
            opened = prepared_file(Path(one), look, wanted, usual=energy, tell=tell)
        whole = opened
        if isinstance(opened, Prepared):
            prepared, opened = opened, sites_of(opened, network.predictor.size, centre)
            whole = prepared_dataset(prepared, opened)
        return whole, network_windows(opened, network.predictor), opened

    sites = reading.all(read)
    from gapscope.inference.measured_maps import predict_sites

    return predict_sites(sites, network.predictor, unit=unit)


def _require_some_file(reading: Reading, look: Scan) -> None:
    """Refuse maps of which none can be opened, before a network is loaded."""
    for _, one in reading.asked:
        if not isinstance(one, str | Path) or map_kind(one) != "measured":
            return
        try:
            opened_file(Path(one), look)
        except GapscopeError:
            continue
        return

    def read(_: str, one: Any) -> tuple[xr.Dataset, Window, None]:
        return opened_file(Path(one), look), np.empty(0), None

    reading.all(read)


def _wanted(look: Scan, config: RunConfig) -> Sought:
    """The lattice to look for, by default that of the network's material; refused unless it is one
    that the network knows, before maps are prepared."""
    default = str(config.dataset["recipe"]["material"])
    wanted = look.wanted(default, "which the network has learned from")
    if not wanted.lattice.is_alike(config.crystal_lattice, STRAIN):
        raise PreparationError(
            f"This network was trained on the {in_words(config.crystal_lattice)} lattice.",
            str(wanted),
            "Use a network that was trained on such maps; gapscope prepare takes any lattice.",
        )
    return wanted


def _silent(line: str) -> None:
    """Tell nobody."""
