"""The number of threads changes the time, never a bit of the result."""

from __future__ import annotations

import numpy as np

from comparison import STATES
from gapscope.kernel.client import configure, default_threads, get_host
from gapscope.physics import Impurity, Material, Pairing, Specification
from gapscope.simulate import Grid, Maps, Numerics, simulate_batch
from gapscope.spectrum import density_of_states


def test_one_thread_and_two_give_the_same_bits(nbse2: Material) -> None:
    impurities = (Impurity.scalar(50.0), Impurity.magnetic((30.0, 10.0, 0.0)))
    specifications = [
        Specification(nbse2, Pairing(irrep, 1.0, **angles), impurities[i % 2], 20.0)
        for i, (irrep, angles) in enumerate(STATES)
    ]
    numerics = Numerics((0.0, 0.7, -1.3), 0.1, 32, Grid(256))

    def compute(threads: int) -> tuple[list[Maps], np.ndarray]:
        configure(threads=threads)
        assert get_host().info().threads == threads
        alone = simulate_batch(specifications[:1], numerics)
        dos = density_of_states(specifications[0], [0.0, 0.7], 0.1, 256)
        return [simulate_batch(specifications, numerics), alone], dos.to_numpy()

    try:
        (one, dos_one), (two, dos_two) = compute(1), compute(2)
    finally:
        configure(threads=default_threads())
    for left, right in zip(one, two, strict=True):
        assert np.array_equal(left.trace, right.trace)
        assert np.array_equal(left.local_green, right.local_green)
        assert np.array_equal(left.dos, right.dos)
    assert np.array_equal(dos_one, dos_two)
