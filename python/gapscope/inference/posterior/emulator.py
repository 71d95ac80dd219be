"""Responses around a maximum of the likelihood, by polynomials of second degree.

Within a few standard deviations of a maximum z* the images A and the local Green's function g of a
:class:`~gapscope.inference.posterior.response.Response` are smooth functions of the expensive
coordinates u. With x = C^-1 (u - u*), C C^T their covariance by Laplace's approximation,

    A(u) = sum_f phi_f(x) A_f,   g(u) = sum_f phi_f(x) g_f,   phi = (1, x_i, x_i x_j),

fitted by ridge regression to all responses that are known there, the nearer ones weighing more.
Residual sums of squares need no images then: A^T A is a quadratic form of phi. What such a
likelihood is good for is a proposal; weights are taken from simulated maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.inference.posterior.mixture import shorter
from gapscope.inference.posterior.response import Response, coefficients, squares

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
NEAR = 3.0
"""Standard deviations at which a response weighs half as much as at the maximum."""
FAR = 10.0
"""Standard deviations beyond which responses are left out."""
RIDGE = (0.0, 1e-6, 1e-2)
"""Penalties of coefficients of degree zero, one and two."""


@dataclass(frozen=True, eq=False)
class Emulator:
    """Responses as functions of the expensive coordinates, around one maximum.

    Parameters
    ----------
    center, root : u* and C, (o,) and (o, o).
    circles : (o,), which coordinates are on circles.
    local : g_f, (f, energies, nodes, t, t).
    gram, mixed : A_f^T A_f' (f f', energies, columns, columns) and A_f^T y (f, energies, columns).
    own : y.y, (energies,).
    """

    center: Array
    root: Array
    circles: NDArray[np.bool_]
    local: Complex
    gram: Array
    mixed: Array
    own: Array

    @classmethod
    def fitted(
        cls,
        center: Array,
        covariance: Array,
        circles: NDArray[np.bool_],
        known: Sequence[tuple[Array, Response]],
        target: Array,
    ) -> Emulator | None:
        """The emulator of known responses; None where fewer lie near than there are slopes.

        Parameters
        ----------
        covariance : of the expensive coordinates, (o, o).
        known : coordinates (o,) and responses.
        target : y, (energies, sites).
        """
        root = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
        x = _whitened(np.stack([u for u, _ in known]), center, root, circles)
        distance = np.linalg.norm(x, axis=1)
        near = np.flatnonzero(distance < FAR).tolist()
        if len(near) <= len(center):
            return None
        phi = _monomials(x[near])
        o = len(center)
        ridge = np.repeat(RIDGE, (1, o, phi.shape[1] - 1 - o))
        weighted = phi * (1 / (1 + (distance[near] / NEAR) ** 2))[:, None]
        solved = np.linalg.solve(weighted.T @ phi + np.diag(ridge), weighted.T)
        responses = [known[k][1] for k in near]
        local = np.tensordot(solved, np.stack([one.local for one in responses]), 1)
        grams, mixed = [], []
        for energy, y in enumerate(target):
            images = np.stack([one.design[energy].ravel() for one in responses])
            made = (solved @ images).reshape(phi.shape[1], *responses[0].design[energy].shape)
            flat = np.moveaxis(made, 1, 0).reshape(len(y), -1)
            pairs = (flat.T @ flat).reshape(*made.shape[::2], *made.shape[::2])
            grams.append(pairs.transpose(0, 2, 1, 3).reshape(-1, *pairs.shape[1::2]))
            mixed.append((y @ flat).reshape(made.shape[::2]))
        gram, mixed_all = np.stack(grams, axis=1), np.stack(mixed, axis=1)
        return cls(center, root, circles, local, gram, mixed_all, responses[0].own)

    def squares(self, outer: Array, potentials: Complex) -> Array:
        """Residual sums of squares, (n, m, energies).

        Parameters
        ----------
        outer : u, (n, o).
        potentials : V of the touched components, (n, m, t, t) in meV.
        """
        phi = _monomials(_whitened(outer, self.center, self.root, self.circles))
        pairs = (phi[:, :, None] * phi[:, None, :]).reshape(len(phi), -1)
        local, mixed = np.tensordot(phi, self.local, 1), np.tensordot(phi, self.mixed, 1)
        gram = np.tensordot(pairs, self.gram, 1)
        x = coefficients(local[:, None], potentials)
        return squares(x, gram[:, None], mixed[:, None], self.own)


def _whitened(outer: Array, center: Array, root: Array, circles: NDArray[np.bool_]) -> Array:
    return np.asarray(np.linalg.solve(root, shorter(outer - center, circles).T).T)


def _monomials(x: Array) -> Array:
    """(n, f): one, coordinates, and their products."""
    rows, columns = np.triu_indices(x.shape[1])
    products = x[:, rows] * x[:, columns]
    return np.concatenate([np.ones((len(x), 1)), x, products], axis=1)
