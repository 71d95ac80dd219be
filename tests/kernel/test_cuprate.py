"""A d-wave cuprate from the command line: the octet model.

K. McElroy et al., Nature 422, 592 (2003): at an energy w the tips of the contours E_k = w, where
the normal band crosses zero and |Delta_k| = w, are joined by q1 ... q7. The band is the tight
binding fit of M. R. Norman et al., Phys. Rev. B 52, 615 (1995).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.optimize import brentq

import gapscope as gs
from gapscope.cli.main import main

GAP, ENERGY, WINDOW = 35.0, 10.0, 128


def band(kx: float, ky: float) -> float:
    """Norman's band in meV, written out."""
    c1, d1, c2, d2 = np.cos(kx), np.cos(ky), np.cos(2 * kx), np.cos(2 * ky)
    return float(
        130.5
        - 595.1 / 2 * (c1 + d1)
        + 163.6 * c1 * d1
        - 51.9 / 2 * (c2 + d2)
        - 111.7 / 2 * (c2 * d1 + c1 * d2)
        + 51.0 * c2 * d2
    )


def tip() -> tuple[float, float]:
    """The tip with kx > ky > 0: band zero and |Delta_k| the energy."""

    def crossing(angle: float) -> tuple[float, float]:
        def along(r: float) -> tuple[float, float]:
            return np.pi - r * np.cos(angle), np.pi - r * np.sin(angle)

        return along(brentq(lambda r: band(*along(r)), 0.5, 3.1))

    def excess(angle: float) -> float:
        kx, ky = crossing(angle)
        return float(abs(GAP / 2 * (np.cos(kx) - np.cos(ky))) - ENERGY)

    kx, ky = crossing(brentq(excess, np.pi / 4 + 1e-3, np.pi / 2 - 0.05))
    return max(kx, ky), min(kx, ky)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    out = tmp_path_factory.mktemp("cuprate") / "map.nc"
    words = (
        f"simulate --material bi2212 --irrep B1g --gap {GAP:g} --impurity 100 --energy {ENERGY:g}"
        f" --broadening 1 --window {WINDOW} -o {out}"
    )
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 0, result.output
    maps = gs.read_map(Path(out))
    return np.asarray(np.hypot(maps.qpi_re, maps.qpi_im)[0].values)


def test_the_band_is_normans(rng: np.random.Generator) -> None:
    material = gs.material("bi2212")
    for kx, ky in rng.uniform(-np.pi, np.pi, (20, 2)):
        h = material.bonds.at(np.array([kx, ky]) / (2 * np.pi))
        assert np.abs(h - band(kx, ky) * np.eye(2)).max() < 1e-9


def test_the_map_has_the_fourfold_axis(image: np.ndarray) -> None:
    inside = image[1:, 1:]  # the unpaired edge q = -1/2 left out
    assert np.abs(inside - np.rot90(inside)).max() / image.max() < 1e-5


@pytest.mark.parametrize(
    ("name", "pixels"), [("q1", 1.5), ("q2", 1.5), ("q3", 1.5), ("q5", 3.0), ("q6", 1.5)]
)
def test_maxima_lie_where_the_octet_model_says(image: np.ndarray, name: str, pixels: float) -> None:
    long, short = tip()
    q = {
        "q1": (2 * short, 0.0),
        "q2": (long + short, long - short),
        "q3": (long + short, long + short),
        "q5": (0.0, 2 * long),
        "q6": (long - short, long + short),
    }[name]
    # Largest within three pixels on every side: some fifty of 16384 pixels.
    steps = [(i, j) for i in range(-3, 4) for j in range(-3, 4)]
    around = np.max([np.roll(image, step, (0, 1)) for step in steps], axis=0)
    maxima = np.argwhere(image >= around) - WINDOW // 2
    assert len(maxima) < 60
    apart = maxima - np.array(q) / (2 * np.pi) * WINDOW
    apart -= WINDOW * np.rint(apart / WINDOW)
    assert np.linalg.norm(apart, axis=1).min() < pixels
