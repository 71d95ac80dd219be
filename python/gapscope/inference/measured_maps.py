"""What a network says of a measured map.

A prepared map comes as drho on lattice sites (``network_input``). It is laid into the network's
window; sites that were not measured are zero, which interpolates rho(q) between its own q points.
A measured map has no absolute scale unless ``unit`` gives it one: without, it is multiplied so that
its <|rho|> is that of the training maps, and the gap is read off the image's shape alone.

A map is laid on its sites by one of the lattice's rotations. Re rho(q) is even in q:
a half turn changes nothing. Of what is predicted only the angles between partners of an irrep and
the azimuth of a moment depend on the other rotations, as
:meth:`gapscope.problem.problem.Problem.moved` says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.recipe import Recipe
from gapscope.errors import PreparationError, SpecificationError
from gapscope.inference.lattices import STRAIN, in_words, lattice_of
from gapscope.inference.nearest import nearest_states
from gapscope.learning.data.inputs import lacks, momentum_images, strength
from gapscope.learning.prediction.predictor import (
    NO_CONTRAST,
    Predictor,
    without_meaningless_angles,
)
from gapscope.measured.centre import centre_site
from gapscope.measured.preparation import Prepared, largest_window
from gapscope.physics.lattice import symmetric_window


def sites_of(
    prepared: Prepared, size: int, centre: Sequence[float] | None = None, turns: int = 0
) -> xr.Dataset:
    """drho on at most ``size`` sites per side, as many as the map has around the centre's atom.

    Parameters
    ----------
    centre : (x, y) in nm in the map as it was measured; the atom next to it, or to the middle
        where not given, is the impurity's site.
    turns : turns of a1 by the lattice's smallest rotation, counterclockwise.

    Raises
    ------
    PreparationError : a centre outside of the map, or fewer than 4 sites around it.
    """
    at = centre_site(prepared, centre)
    fits = largest_window(prepared.final, prepared.final_lattice, at)
    if fits < 4:
        x, y = prepared.recorded(at)
        raise PreparationError(
            "An image of a map needs at least 4 x 4 lattice sites around its centre.",
            f"{fits} x {fits} around ({x:.3g}, {y:.3g}) nm of the scan",
            "Choose a centre farther from the edge, or a larger map.",
        )
    return prepared.network_input(min(size, fits), at, turns)


def predict_sites(
    maps: Sequence[xr.Dataset], predictor: Predictor, *, unit: float | None = None
) -> xr.Dataset:
    """A network's predictions for measured maps on lattice sites, one sample each.

    Variables are those of :func:`gapscope.predict`, and over (sample, rank) the simulated training
    maps whose images, apart from a factor, are nearest: nearest_label (index into the attribute
    labels), nearest_NAME of each unknown, nearest_setpoint, the bias in mV at which their current
    is constant, NaN at constant height, and nearest_distance, relative to the image, on the scale
    of asinh(rho / <|rho|>). And bias, in mV, what a map was taken at, NaN where not known, over
    (sample, at) of several energies; the attribute energy, in meV, are the network's.

    Parameters
    ----------
    maps : with ldos_change (r1, r2) and the attribute lattice, as ``network_input`` gives them, or
        over (energy, r1, r2), as :func:`gapscope.inference.measured_energies.energy_sites` does;
        windows smaller than the network's are filled up with zeros, larger ones cut.
    predictor : the network.
    unit : 1/meV, what a change of the maps by one stands for; their scale is unknown without it.

    Raises
    ------
    PreparationError : maps of another lattice, at other energies than the network's, or without
        contrast.
    """
    energies = predictor.config.energies
    windows = np.stack([network_windows(one, predictor) for one in maps])
    scaled = windows * unit if unit is not None else _normalised(windows, predictor)
    predictions = without_meaningless_angles(predictor([scaled.astype(np.float32)]))
    predictions.attrs["scale"] = "unknown" if unit is None else f"{unit:g} 1/meV"
    told = [float(w) for w in energies]
    predictions.attrs["energy"] = told[0] if len(told) == 1 else told
    recipe = Recipe.from_dict(predictor.config.dataset["recipe"])
    predictions.attrs["broadening"] = recipe.numerics().broadening
    bias = np.array([_taken(one, len(energies)) for one in maps])
    over, bias = (("sample",), bias[:, 0]) if len(energies) == 1 else (("sample", "at"), bias)
    predictions = predictions.assign(bias=(over, bias, {"units": "mV"}))
    return predictions.assign(nearest_states(scaled, predictor))


def departures(predictions: xr.Dataset) -> list[list[str]]:
    """Text for each map: where it was not measured as the training maps were made.

    Parameters
    ----------
    predictions : result of :func:`predict_sites`. A bias within the broadening of the network's
        energy is taken for that.
    """
    energies = np.ravel(predictions.attrs["energy"])
    reach = predictions.attrs["broadening"]
    bias = predictions["bias"].values.reshape(predictions.sizes["sample"], -1)
    return [
        [
            f"taken at {one:g} mV, the network has learned from maps at {energy:g} mV"
            for one, energy in zip(taken, energies, strict=True)
            if abs(one - energy) > reach
        ]
        for taken in bias
    ]


def _taken(sites: xr.Dataset, energies: int) -> list[float]:
    """What a map was taken at for each energy, in mV; NaN where not known."""
    if "bias" in sites.coords:
        return [float(bias) for bias in np.ravel(sites["bias"].values)]
    return [float(sites.attrs.get("bias", np.nan))] * energies


def network_windows(sites: xr.Dataset, predictor: Predictor) -> NDArray[np.float64]:
    """drho (energies, size, size) of a map on lattice sites, as :func:`network_window` has one.

    Raises
    ------
    PreparationError : see :func:`predict_sites`.
    """
    wanted = predictor.config.energies
    own = sites["energy"].values if "energy" in sites["ldos_change"].dims else None
    if own is None and len(wanted) == 1:
        return network_window(sites, predictor)[None]
    if own is None or len(own) != len(wanted) or not np.allclose(own, wanted):
        held = "one energy" if own is None else f"{own.tolist()} meV"
        raise PreparationError(
            "A map has the energies that its network has learned.",
            f"{held}, a network for {list(wanted)} meV",
            "Give predict the file with the grid of spectra itself, or use a network for one"
            " energy (--model).",
        )
    return np.stack([network_window(sites.isel(energy=i), predictor) for i in range(len(own))])


def network_window(sites: xr.Dataset, predictor: Predictor) -> NDArray[np.float64]:
    """drho (size, size) of a map on lattice sites, zero where nothing was measured.

    Raises
    ------
    PreparationError : see :func:`predict_sites`.
    """
    lattice, size = predictor.lattice, predictor.size
    try:
        own = lattice_of(sites.attrs)
    except (KeyError, SpecificationError) as error:
        raise PreparationError(
            "A map on lattice sites names its lattice among the attributes.",
            str(error),
            "Give it as network_input of a preparation returns it.",
        ) from error
    if not own.is_alike(lattice, STRAIN):
        raise PreparationError(
            f"This network was trained on the {in_words(lattice)} lattice.",
            in_words(own),
            "Use a network that was trained on such maps.",
        )
    values = sites["ldos_change"].transpose("r1", "r2").values
    if values.dtype.kind not in "fiu":
        raise PreparationError(
            "A measured map holds real numbers.",
            f"ldos_change of the type {values.dtype}",
            "Give its real part, or its amplitude.",
        )
    cut = max(len(values) - size, 0) // 2
    values = values[cut : len(values) - cut, cut : len(values) - cut]
    inside = symmetric_window(lattice, len(values))
    if cut:  # the mean was that of the larger window
        values = values - values[inside].mean()
    kept = np.where(inside, values, 0.0)
    # What remains of a constant map after its mean is subtracted is the rounding of its values.
    reason = lacks(values, lattice) or lacks(kept, lattice)
    if reason is not None:
        raise PreparationError(NO_CONTRAST, reason, "Use another channel or map.")
    return np.pad(kept, (size - len(values)) // 2)


def _normalised(windows: NDArray[np.float64], predictor: Predictor) -> NDArray[np.float64]:
    """Maps (n, energies, size, size) with the training maps' <|rho|>, by a factor for each map."""
    images = momentum_images(windows, predictor.lattice)
    unit = np.array(predictor.config.inputs.unit[: windows.shape[1]])
    # Energies of one scan have one unknown scale, that of the current.
    return np.asarray(windows / strength(images, unit))
