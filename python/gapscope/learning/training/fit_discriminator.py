"""From training maps to what tells them from changed ones, a discriminator.

Every training map is looked at PASSES times, as it is or changed, with noise or measured as in
training, and moved by an operation of the point group. Principal components of shapes stand between
them and the hidden layer while it learns, and are multiplied into its filters afterwards; where the
network's features are looked at, they stand there themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray

from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.moves import move_images, pixel_gathers
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.data.samples import CHUNK, Samples
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.uncertainty.changes import AS_IT_IS, EMPTY, changed, kinds_of
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
QUIETEST = 0.1
"""Features that spread less than this part of what most do count as if they did."""

Array = NDArray[np.float64]
Images = NDArray[np.float32]


@dataclass(frozen=True)
class Looks:
    """Training maps that are looked at.

    Parameters
    ----------
    count : number of maps.
    lattice, size : of the maps, and their sites per side.
    kinds : changes that are told.
    look : the map (energies, L, L) of a row, changed by a kind or AS_IT_IS, with noise or measured.
    """

    count: int
    lattice: Lattice
    size: int
    kinds: tuple[str, ...]
    look: Callable[[int, str, np.random.Generator], Images]


def noisy_looks(maps: Images, lattice: Lattice, noise: SiteNoise) -> Looks:
    """Clean maps (n, energies, L, L) in 1/meV, with noise; all kinds that the lattice has."""
    size = maps.shape[-1]
    model = NoiseModel.on(lattice, size)

    def look(row: int, kind: str, rng: np.random.Generator) -> Images:
        one = maps[row]
        # What is turned was measured turned, or turned afterwards.
        before = rng.random() < 0.5
        one = noise.added(model, one, rng) if before else one
        one = changed(one, kind, lattice, rng)
        return one if before else noise.added(model, one, rng)

    return Looks(len(maps), lattice, size, kinds_of(lattice), look)


def measured_looks(samples: Samples) -> Looks:
    """Samples with a measurement, drawn anew at every look. They have no scale: kinds are those of
    the lattice but a factor, and EMPTY, which no amplitude and no distance tells."""
    lattice = samples.lattice
    kinds = tuple(kind for kind in kinds_of(lattice) if kind != "scaled")

    def look(row: int, kind: str, rng: np.random.Generator) -> Images:
        (one,) = samples.maps(np.array([row]), [rng])
        return changed(one, kind, lattice, rng)

    return Looks(len(samples), lattice, samples.size, (*kinds, EMPTY), look)


class _Drawn:
    """Looks at random rows, changed at random."""

    def __init__(self, looks: Looks, moves: Sequence[Move], odd: bool) -> None:
        self.looks, self.odd = looks, odd
        self.kinds = (AS_IT_IS, *looks.kinds)
        changes = len(self.kinds) - 1
        self._share = [AS_THEY_ARE, *[(1 - AS_THEY_ARE) / changes] * changes]
        self._gathers = pixel_gathers(moves, looks.size)
        self.rng = np.random.default_rng(SEED)

    def passed(self, count: int) -> Iterator[tuple[Images, NDArray[np.int64]]]:
        """Images and kinds of that many rows, about CHUNK at a time."""
        rng, gathers = self.rng, self._gathers
        rows = rng.permutation(self.looks.count)[:count]
        for some in np.array_split(rows, -(-len(rows) // CHUNK)):
            drawn = rng.choice(len(self.kinds), len(some), p=np.array(self._share))
            pairs = zip(some.tolist(), drawn.tolist(), strict=True)
            seen = np.stack([self.looks.look(row, self.kinds[kind], rng) for row, kind in pairs])
            images = momentum_images(seen, self.looks.lattice, odd=self.odd)
            moved = rng.integers(len(gathers), size=len(seen))
            yield move_images(images, moved, gathers), drawn


def learn_discriminator(looks: Looks, moves: Sequence[Move]) -> Discriminator:
    """A discriminator of shapes without scores of calibration maps, from training maps of a problem
    with these moves."""
    drawing, first_looks = _Drawn(looks, moves, odd=True), min(MOST_BASIS_MAPS, looks.count)
    with counting(first_looks + PASSES * looks.count, "map/maps") as bar:

        def passed(count: int) -> Iterator[tuple[Images, Array, NDArray[np.int64]]]:
            for images, drawn in drawing.passed(count):
                yield *described(images), drawn
                bar.update(len(drawn))

        shapes = np.concatenate([shape for shape, *_ in passed(first_looks)])
        centre = shapes.mean(axis=0)
        basis = principal(shapes - centre, drawing.rng)[0][:, :COMPONENTS]
        parts = [
            ((shape - centre) @ basis, log_unit, drawn)
            for _ in range(PASSES)
            for shape, log_unit, drawn in passed(looks.count)
        ]
    components, log_unit, drawn = (np.concatenate(part) for part in zip(*parts, strict=True))
    untouched = log_unit[drawn == 0]
    mean, deviation = untouched.mean(axis=0), untouched.std(axis=0)
    spread = np.maximum(components.std(axis=0), ROUNDING)
    amplitude = standardised(log_unit, mean, deviation)
    given = np.concatenate([components / spread, amplitude], axis=1)
    first, bias, second, second_bias = _fitted(given, drawn, len(drawing.kinds))
    filters = half_precision(basis @ (first[: len(spread)] / spread[:, None]))
    return Discriminator(
        drawing.kinds[1:],
        filters,
        mean.astype(np.float32),
        deviation.astype(np.float32),
        first[len(spread) :],
        bias - centre @ filters,
        second,
        second_bias,
        np.empty((0, len(drawing.kinds) - 1)),
    )


def learn_from_features(
    looks: Looks, moves: Sequence[Move], features: Callable[[Images], Images]
) -> Discriminator:
    """The same of features (n, columns) of images Re rho(q), (n, L, L, energies) in 1/meV."""
    drawing = _Drawn(looks, moves, odd=False)
    with counting(PASSES * looks.count, "map/maps") as bar:
        parts = []
        for _ in range(PASSES):
            for images, drawn in drawing.passed(looks.count):
                parts.append((features(images), drawn))
                bar.update(len(drawn))
    given, drawn = (np.concatenate(part) for part in zip(*parts, strict=True))
    centre, spread = given.mean(axis=0), given.std(axis=0)
    # What is silent for all of these maps says nothing of others; what mostly is, little.
    heard = spread > ROUNDING
    scale = np.maximum(spread, QUIETEST * np.median(spread[heard]))
    scaled, count = np.where(heard, (given - centre) / scale, 0), len(drawing.kinds)
    first, bias, second, second_bias = _fitted(scaled, drawn, count)
    filters = half_precision(np.where(heard, 1 / scale, 0)[:, None] * first)
    nothing = np.empty(0, np.float32)
    return Discriminator(
        drawing.kinds[1:],
        filters,
        nothing,
        nothing,
        np.empty((0, HIDDEN), np.float32),
        bias - centre @ filters,
        second,
        second_bias,
        np.empty((0, count - 1)),
        of_features=True,
    )


def with_scores(
    discriminator: Discriminator, predictor: Predictor, samples: Samples
) -> Discriminator:
    """A discriminator with the scores of calibration maps, as a file keeps them."""
    scores = [
        predictor.scores.discriminated(predictor.look(samples.maps(rows)), discriminator)
        for rows in samples.chunks()
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
