"""From training maps to what tells them from changed ones, a discriminator.

Every training map is looked at PASSES times, as it is or changed, with noise as in training and
moved by an operation of the point group. Principal components of shapes stand between them and the
hidden layer while it learns, and are multiplied into its filters afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import keras
import numpy as np
from numpy.typing import NDArray

from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.moves import move_images, pixel_gathers
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.data.samples import CHUNK, Samples
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.uncertainty.changes import AS_IT_IS, changed, kinds_of
from gapscope.learning.uncertainty.discriminator import Discriminator, described, standardised
from gapscope.learning.uncertainty.novelty import principal
from gapscope.physics.lattice import Lattice
from gapscope.problem.moves import Move
from gapscope.support.array_file import half_precision
from gapscope.support.progress import counting

FEWEST, MOST = 500, 10000
"""Training maps: fewer teach little; more are not kept in memory."""
PASSES, EPOCHS = 6, 25
AS_THEY_ARE = 0.3
"""Share of maps that nothing is done to."""
MOST_BASIS_MAPS, COMPONENTS, HIDDEN = 6000, 300, 64
BATCH, RATE, DECAY, DROPOUT = 256, 2e-3, 0.02, 0.1
SEED = 0
ROUNDING = 1e-5
"""Components that spread less are rounding."""

Array = NDArray[np.float64]
Images = NDArray[np.float32]


def learn_discriminator(
    maps: Images, lattice: Lattice, moves: Sequence[Move], noise: SiteNoise
) -> Discriminator:
    """A discriminator without scores of calibration maps, from clean training maps (n, energies, L,
    L) in 1/meV, of a problem with these moves."""
    rng = np.random.default_rng(SEED)
    kinds = (AS_IT_IS, *kinds_of(lattice))
    share = np.array([AS_THEY_ARE, *[(1 - AS_THEY_ARE) / (len(kinds) - 1)] * (len(kinds) - 1)])
    model, gathers = NoiseModel.on(lattice, maps.shape[-1]), pixel_gathers(moves, maps.shape[-1])

    def look(rows: NDArray[np.int64], drawn: NDArray[np.int64]) -> tuple[Images, Array]:
        """Shapes and log u of maps changed as drawn."""
        seen = []
        for one, number in zip(maps[rows], drawn, strict=True):
            # What is turned was measured turned, or turned afterwards.
            before = rng.random() < 0.5
            one = noise.added(model, one, rng) if before else one
            one = changed(one, kinds[number], lattice, rng)
            seen.append(one if before else noise.added(model, one, rng))
        images = momentum_images(np.stack(seen), lattice, odd=True)
        return described(move_images(images, rng.integers(len(gathers), size=len(seen)), gathers))

    def pass_through(count: int) -> Iterator[tuple[Images, Array, NDArray[np.int64]]]:
        """Shapes, log u and kinds of that many maps, about CHUNK at a time."""
        rows = rng.permutation(len(maps))[:count]
        for some in np.array_split(rows, -(-len(rows) // CHUNK)):
            drawn = rng.choice(len(kinds), len(some), p=share)
            yield *look(some, drawn), drawn
            bar.update(len(some))

    first_looks = min(MOST_BASIS_MAPS, len(maps))
    with counting(first_looks + PASSES * len(maps), "map/maps") as bar:
        shapes = np.concatenate([shape for shape, *_ in pass_through(first_looks)])
        centre = shapes.mean(axis=0)
        basis = principal(shapes - centre, rng)[0][:, :COMPONENTS]
        parts = [
            ((shape - centre) @ basis, log_unit, drawn)
            for _ in range(PASSES)
            for shape, log_unit, drawn in pass_through(len(maps))
        ]
    components, log_unit, drawn = (np.concatenate(part) for part in zip(*parts, strict=True))
    untouched = log_unit[drawn == 0]
    mean, deviation = untouched.mean(axis=0), untouched.std(axis=0)
    spread = np.maximum(components.std(axis=0), ROUNDING)
    amplitude = standardised(log_unit, mean, deviation)
    given = np.concatenate([components / spread, amplitude], axis=1)
    first, bias, second, second_bias = _fitted(given, drawn, len(kinds))
    filters = half_precision(basis @ (first[: len(spread)] / spread[:, None]))
    return Discriminator(
        kinds[1:],
        filters,
        mean.astype(np.float32),
        deviation.astype(np.float32),
        first[len(spread) :],
        bias - centre @ filters,
        second,
        second_bias,
        np.empty((0, len(kinds) - 1)),
    )


def with_scores(
    discriminator: Discriminator, predictor: Predictor, samples: Samples
) -> Discriminator:
    """A discriminator with the scores of calibration maps, as a file keeps them."""
    scores = [
        predictor.discriminated(samples.maps(rows), discriminator) for rows in samples.chunks()
    ]
    return replace(
        discriminator, scores=np.concatenate(scores).astype(np.float32).astype(np.float64)
    )


def _fitted(given: Images, drawn: NDArray[np.int64], outputs: int) -> tuple[Images, ...]:
    """Weights and biases of both layers, after EPOCHS."""
    keras.utils.set_random_seed(SEED)
    network = keras.Sequential(
        [
            keras.layers.Input((given.shape[1],)),
            keras.layers.Dropout(DROPOUT),
            keras.layers.Dense(HIDDEN, activation=keras.activations.gelu),
            keras.layers.Dropout(DROPOUT),
            keras.layers.Dense(outputs),
        ]
    )
    steps = EPOCHS * -(-len(given) // BATCH)
    network.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(RATE, steps), weight_decay=DECAY
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    network.fit(given, drawn, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return tuple(np.asarray(one, dtype=np.float32) for one in network.get_weights())
