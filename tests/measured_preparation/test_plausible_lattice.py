"""The lattice below a superlattice that is brighter: found at all angles, or told to be unsure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gapscope.cli.main import main
from gapscope.errors import LatticeNotFoundError
from gapscope.explore.prepared_map import Placed, facts, prepared_transform
from gapscope.measured.preparation import FoundLattice, Steps, find_lattice, prepare
from gapscope.measured.preparation.bravais import TRIANGULAR
from gapscope.measured.preparation.found import Rival
from gapscope.measured.preparation.plausible import Bounds, explained
from gapscope.measured.preparation.report import prepared_dataset, read_prepared, report
from lattice_maps import NBS2, ideal_reciprocal, lattice_map, rotation
from superlattice_maps import SUPERLATTICES as NAMED
from superlattice_maps import Scan, agrees, satellites, superlattice_scan

ANGLES = range(-30, 30, 12)


def distorted(name: str, kind: str, ratio: float, degrees: float) -> Scan:
    """A scan whose lengths are off by up to 5 %, sheared by a few per cent, and noisy."""
    rng = np.random.default_rng(int(1000 * ratio) + int(degrees) + 30)
    return superlattice_scan(
        NAMED[name],
        kind,
        ratio=ratio,
        degrees=degrees + rng.uniform(0, 12),
        scale=1 + rng.uniform(-0.05, 0.05),
        shear=rng.normal(0, 0.015, 2),
        seed=int(rng.integers(2**31)),
    )


def found(scan: Scan) -> FoundLattice:
    lattice = find_lattice(scan.image, NBS2)
    right = agrees(lattice.reciprocal, scan.reciprocal)
    # Never wrong without a word.
    assert right or any(agrees(one.reciprocal, scan.reciprocal) for one in lattice.rivals)
    return lattice


@pytest.mark.parametrize("ratio", [0.3, 1.3, 5.0])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("3 x 3", "waves"),
        ("3 x 3", "mixed"),
        ("sqrt3", "waves"),
        ("sqrt7", "waves"),
        ("7 x 7", "mixed"),
    ],
)
def test_the_lattice_is_found_at_all_angles(name: str, kind: str, ratio: float) -> None:
    for degrees in ANGLES:
        scan = distorted(name, kind, ratio, degrees)
        assert agrees(found(scan).reciprocal, scan.reciprocal), degrees


@pytest.mark.parametrize("ratio", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("name", ["sqrt3", "2 x 2", "sqrt7", "sqrt13", "7 x 7"])
def test_it_is_found_or_told(name: str, ratio: float) -> None:
    for degrees in range(-30, 30, 15):
        found(distorted(name, "full", ratio, degrees))


@pytest.mark.parametrize("ratio", [0.3, 1.3, 5.0])
def test_a_bright_wave_is_found_with_the_lattice(ratio: float) -> None:
    scan = superlattice_scan((3, 0), ratio=ratio, degrees=9.0, constant=3.44)
    done = prepare(scan.image, 3.44)
    lattice = done.lattice
    assert lattice.constant.value == pytest.approx(3.44, rel=2e-3)
    assert lattice.orientation.value == pytest.approx(9.0, abs=0.2)
    assert lattice.anisotropy.value == pytest.approx(1.0, abs=3e-3)
    assert done.wave is not None
    assert done.wave.found
    assert done.wave.commensurate
    assert not lattice.ambiguous


@pytest.mark.parametrize("degrees", [-22.0, 3.0, 17.0])
def test_seven_by_seven_of_silicon(degrees: float) -> None:
    """Satellites of very different brightness, up to several times that of the 1 x 1 peaks."""
    for seed in range(2):
        scan = superlattice_scan(
            (7, 0),
            "full",
            ratio=1.0,
            degrees=degrees,
            scale=1.015,
            constant=3.84,
            width=22.0,
            pixels=256,
            seed=seed,
        )
        lattice = find_lattice(scan.image, 3.84)
        assert agrees(lattice.reciprocal, scan.reciprocal)
        assert 3.84 < lattice.constant.value < 3.95
        assert lattice.anisotropy.value == pytest.approx(1.0, abs=5e-3)


def adatoms(superlattice: tuple[int, int], noise: float, seed: int) -> list[Scan]:
    """Scans of adatoms that are somewhat more corrugated than the lattice below."""
    rng = np.random.default_rng(seed)
    return [
        superlattice_scan(
            superlattice,
            "adatoms",
            ratio=1.3,
            degrees=rng.uniform(-30, 30),
            scale=1 + rng.uniform(-0.04, 0.04),
            shear=rng.normal(0, 0.012, 2),
            noise=noise,
            width=17.3,
            pixels=200,
            seed=int(rng.integers(2**31)),
        )
        for _ in range(6)
    ]


def test_adatoms_are_not_taken_for_the_lattice_below() -> None:
    """Their satellites fade with q: what is a Bragg peak stands out, wherever the others are."""
    for scan in adatoms((7, 0), 1.0, 3):
        lattice = found(scan)
        assert agrees(lattice.reciprocal, scan.reciprocal)
        assert not lattice.ambiguous


def test_a_lattice_that_is_less_strained_is_told_where_it_is_less_probable() -> None:
    """2 sqrt3 adatoms, which are 3 x 3 ones on a lattice that is longer by 15 %."""
    for scan in adatoms((2, 2), 0.3, 0):
        found(scan)


def test_bragg_peaks_that_do_not_stand_out_are_not_replaced_without_a_word() -> None:
    """All that is seen is the superlattice: other stars of it would do as Bragg peaks, too."""
    for seed in range(6):
        scan = superlattice_scan((7, 0), "full", ratio=60.0, noise=30.0, degrees=4.0, seed=seed)
        try:
            lattice = find_lattice(scan.image, NBS2)
        except LatticeNotFoundError:
            continue
        assert agrees(lattice.reciprocal, scan.reciprocal) or lattice.ambiguous


def doubtful() -> Scan:
    """A sqrt7 superlattice that shows all momenta: its mirror image would do as well."""
    return superlattice_scan((2, 1), "full", ratio=1.0, degrees=4.0, noise=0.5, seed=3)


def test_a_near_tie_is_told_and_the_errors_know_of_it(tmp_path: Path) -> None:
    scan = doubtful()
    done = prepare(scan.image, NBS2, Steps(wavevector=None))
    lattice = done.lattice
    assert lattice.ambiguous
    apart = [float(lattice.instead(r).orientation.value) for r in lattice.rivals]
    mirror = [abs((other - float(lattice.orientation.value) + 30) % 60 - 30) for other in apart]
    assert min(abs(one - 21.79) for one in mirror) < 0.3  # 60 degrees less 2 x 19.1
    assert lattice.orientation.error > 3.0
    assert lattice.orientation.noise < 0.2
    assert 0 < sum(one.probability for one in lattice.rivals) < 1
    assert report(done).count("ambiguous") == len(lattice.rivals)
    placed = Placed(done, done.network_input(), prepared_transform(done), (0, 0), (0, 0), "")
    assert [name for name, _ in facts(placed)].count("ambiguous") == len(lattice.rivals)
    written = prepared_dataset(done, done.network_input())
    written.to_netcdf(tmp_path / "p.nc", engine="h5netcdf")
    attrs = read_prepared(tmp_path / "p.nc").attrs
    assert attrs["lattice_ambiguous"] == 1
    np.testing.assert_allclose(np.ravel(attrs["rival_orientations"]), apart)
    assert attrs["lattice_orientation_error"] == float(lattice.orientation.error)


def test_the_command_tells_a_near_tie(tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", doubtful().image.values[::-1])
    given = ["prepare", str(tmp_path / "scan.npy"), "--width", "13"]
    output = ["--lattice-constant", str(NBS2), "-o", str(tmp_path / "out.nc")]
    result = CliRunner().invoke(main, [*given, *output])
    assert result.exit_code == 0, result.output
    assert "ambiguous           or 3.3" in result.output


def test_a_clear_lattice_has_no_rivals() -> None:
    lattice = find_lattice(lattice_map(noise=0.3, wave=0.4, degrees=7.0), NBS2)
    assert not lattice.ambiguous
    assert lattice.constant.choice == 0.0


def test_the_error_is_that_of_the_mixture() -> None:
    """Three quarters at a, one quarter at 1.1 a, turned by 20 degrees: sqrt(1/4) of each."""
    lattice = find_lattice(lattice_map(degrees=25.0), NBS2)
    other = Rival(ideal_reciprocal(-15.0, 1.1 * NBS2), 0.25, ((3, 0), (0, 3)), True)
    torn = FoundLattice(**{**vars(lattice), "rivals": (other,)})
    assert torn.constant.choice == pytest.approx(0.05 * NBS2, rel=1e-3)
    assert torn.orientation.choice == pytest.approx(10.0, rel=1e-2)  # 25 to -15 + 60


@pytest.mark.parametrize("name", NAMED)
def test_a_superlattice_is_known_by_its_momenta(name: str) -> None:
    b = 40 * ideal_reciprocal(7.0) / np.linalg.norm(ideal_reciprocal(0.0)[0])
    h = np.concatenate([satellites(NAMED[name], "full"), [[1, 0], [0, 1], [1, 1]]])
    best = TRIANGULAR.superlattices[explained(b, h @ b, 150.0**2).argmax(), 0]
    assert tuple(best) == NAMED[name]


def test_superlattices_are_all_there_once() -> None:
    """The numbers m^2 + m n + n^2, Loeschian ones, each as often as there are ways to turn."""
    assert sorted(TRIANGULAR.cells[TRIANGULAR.cells < 22]) == [
        1,
        3,
        4,
        7,
        7,
        9,
        12,
        13,
        13,
        16,
        19,
        19,
        21,
        21,
    ]


def test_shape_counts_in_standard_deviations() -> None:
    bounds = Bounds(ideal_reciprocal(0.0), (1 / 1.15, 1.15), 1.25)
    stretched = ideal_reciprocal(20.0) / 1.1
    sigma = np.log(1.15) / 2.8
    assert bounds.log_prior(stretched) == pytest.approx(-0.5 * (np.log(1.1) / sigma) ** 2)
    sheared = ideal_reciprocal(20.0) @ np.diag([1.05**0.5, 1.05**-0.5])
    sigma = np.log(1.25) / 5.6
    assert bounds.log_prior(sheared) == pytest.approx(-0.5 * (np.log(1.05) / sigma) ** 2)
    assert bounds.within(ideal_reciprocal(0.0) @ rotation(33.0))
    assert not bounds.within(ideal_reciprocal(0.0)[::-1])
