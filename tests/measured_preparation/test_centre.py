"""A centre is a place in the scan as it was measured, and so are the errors about it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gapscope.errors import PreparationError
from gapscope.inference.measured_maps import sites_of
from gapscope.measured.centre import centre_site
from gapscope.measured.preparation import Prepared, prepare
from lattice_maps import NBS2, lattice_map

DISTORTION = ((1.05, 0.04), (0.0, 0.97))


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """A map of the upper lines of a scan, y from 1.8 nm on."""
    image = lattice_map(degrees=7.0, noise=0.1, distortion=DISTORTION)
    return prepare(image.isel(y=slice(30, None)), NBS2)


def test_the_site_is_next_to_the_place(prepared: Prepared) -> None:
    place = (4.6, 5.1)
    x, y = prepared.recorded(centre_site(prepared, place))
    assert np.hypot(x - place[0], y - place[1]) < 0.6 * NBS2 / 10
    assert centre_site(prepared) == prepared.site()


@pytest.mark.parametrize("place", [(9.0, 4.0), (4.0, 1.5), (np.nan, 4.0)])
def test_outside_of_the_scan_its_own_range_is_told(
    place: tuple[float, float], prepared: Prepared
) -> None:
    with pytest.raises(PreparationError, match="within the scan") as caught:
        centre_site(prepared, place)
    assert "x runs from 0 to 7.62 and y from 1.8 to 7.62" in str(caught.value)
    assert f"({place[0]:.4g}, {place[1]:.4g})" in str(caught.value)


def test_where_the_correction_cuts_the_range_in_the_scan_is_told(prepared: Prepared) -> None:
    raw, final = prepared.images["raw"], prepared.final
    corners = [(x, y) for x in raw.x.values[[0, -1]] for y in raw.y.values[[0, -1]]]
    cut = 0
    for corner in corners:
        x, y = prepared.corrected(corner)
        if final.x[0] <= x <= final.x[-1] and final.y[0] <= y <= final.y[-1]:
            continue
        cut += 1
        with pytest.raises(PreparationError, match="drift correction keeps") as caught:
            centre_site(prepared, corner)
        told = re.findall(r"from (\S+) to (\S+)", str(caught.value.received))
        (left, right), (low, high) = ((float(a), float(b)) for a, b in told)
        for x in (left + 1e-3, right - 1e-3):
            for y in (low + 1e-3, high - 1e-3):
                centre_site(prepared, (x, y))
        assert not (left <= corner[0] <= right and low <= corner[1] <= high)
    assert cut >= 2


def test_too_few_sites_are_told_around_a_place_of_the_scan(prepared: Prepared) -> None:
    final = prepared.final
    place = prepared.recorded((float(final.x[2]), float(final.y[2])))
    with pytest.raises(PreparationError, match="4 x 4 lattice sites") as caught:
        sites_of(prepared, 16, place)
    x, y = prepared.recorded(centre_site(prepared, place))
    assert f"({x:.3g}, {y:.3g}) nm of the scan" in str(caught.value)
