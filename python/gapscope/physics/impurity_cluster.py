"""Maps of several impurities from a Green's function, of which only elements that count are kept.

The change of the density of states around impurities with potentials V_a on sites R_a,

    drho(r; w) = -(1/pi) Im sum_e sum_ab [G(r - R_a) T_ab G(R_b - r)]_ee,
    T = V (1 - g V)^-1,  g_ab = G(R_a - R_b),

e running over electron components, is that of :mod:`gapscope.physics.scattering`, for many maps of
one superconductor: G is needed from r between electrons and the components on which potentials act,
and between these from site to site, and many of its elements are zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complexfloating]
Real = NDArray[np.floating]


@dataclass(frozen=True)
class Elements:
    """Which elements of G, (d, d), count.

    Parameters
    ----------
    acting : components on which potentials act.
    between : rows and columns (k, 2), among the acting ones, of what is not zero between these.
    outer : rows and columns (f, 2) of what is not zero between electrons and acting components.
    into, out : for each electron e that an impurity is seen by, numbers among ``outer`` and places
        among the acting components of the elements G_ej, and of the elements G_ie.
    """

    acting: NDArray[np.int64]
    between: NDArray[np.int64]
    outer: NDArray[np.int64]
    into: tuple[NDArray[np.int64], ...]
    out: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, nonzero: NDArray[np.bool_], acting: NDArray[np.bool_]) -> Elements:
        """Those of a G with such elements, (d, d), around potentials on such components, (d,)."""
        electron = np.arange(len(acting)) < len(acting) // 2
        seen = np.logical_or(np.outer(electron, acting), np.outer(acting, electron))
        outer = np.argwhere(seen & nonzero)
        number = {(i, j): n for n, (i, j) in enumerate(outer.tolist())}
        places = np.flatnonzero(acting)
        into, out = [], []
        for e in np.flatnonzero(electron).tolist():
            columns = [(number[e, j], n) for n, j in enumerate(places.tolist()) if nonzero[e, j]]
            rows = [(number[i, e], n) for n, i in enumerate(places.tolist()) if nonzero[i, e]]
            if columns and rows:
                into.append(np.array(columns))
                out.append(np.array(rows))
        between = np.argwhere(nonzero[np.ix_(acting, acting)])
        return cls(places, between, outer, tuple(into), tuple(out))


def cluster_t(
    between: Complex, elements: Elements, sites: NDArray[np.int64], potentials: Complex
) -> Complex:
    """T, (energies, n, c, n, c), of n sites and the c acting components.

    Parameters
    ----------
    between : elements between acting components of G(r), (energies, 2s + 1, 2s + 1, k) per meV,
        r = 0 at s; s is at least the distance of two sites.
    sites, potentials : (n, 2), and V of each in meV between acting components, (n, c, c).
    """
    apart = sites[:, None] - sites[None, :] + between.shape[1] // 2
    count, c = potentials.shape[:2]
    g = np.zeros((len(between), count, count, c, c), np.complex128)
    i, j = elements.between.T
    g[..., i, j] = between[:, apart[..., 0], apart[..., 1]]
    v = np.zeros((count, c, count, c), np.complex128)
    v[np.arange(count), :, np.arange(count)] = potentials
    size = count * c
    whole = v.reshape(size, size)
    gv = g.transpose(0, 1, 3, 2, 4).reshape(len(g), size, size) @ whole
    turned = np.linalg.solve((np.eye(size) - gv).swapaxes(1, 2), np.broadcast_to(whole.T, gv.shape))
    return np.asarray(turned.swapaxes(1, 2).reshape(-1, count, c, count, c))


def cluster_map(
    outer: Real, elements: Elements, sites: NDArray[np.int64], t: Complex, window: int
) -> Real:
    """drho (energies, L, L) in 1/meV, in the precision of ``outer``.

    Products are written in real numbers: -(1/pi) Im sum_pq F_p T_pq H_q of F = G(r - R_a) and H =
    G(R_b - r) is the sum of (Re F, Im F) M (Re H, Im H), with M = -(1/pi) [[Im T, Re T], [Re T,
    -Im T]].

    Parameters
    ----------
    outer : real and imaginary parts of the elements of G(r), (energies, f, 2, 2s + 1, 2s + 1) per
        meV, r = 0 at s; s is at least L/2 plus the largest \\|R1\\| or \\|R2\\| of a site.
    t : as :func:`cluster_t` gives it.
    """
    energies, count, first = len(outer), len(sites), outer.shape[3] // 2 - window // 2
    both = np.stack([np.stack([t.imag, t.real], -1), np.stack([t.real, -t.imag], -1)], -2)
    both = (both / -np.pi).astype(outer.dtype)
    total = np.zeros((energies, window**2), outer.dtype)

    def seen_from_sites(values: Real, numbers: NDArray[np.int64]) -> Real:
        """(energies, sites x elements x 2, L^2)."""
        parts = np.empty((energies, count, len(numbers), 2, window, window), outer.dtype)
        for a, (a1, a2) in enumerate(sites.tolist()):
            here = values[..., first - a1 :, first - a2 :][..., :window, :window]
            for n, number in enumerate(numbers.tolist()):
                parts[:, a, n] = here[:, number]
        return parts.reshape(energies, -1, window**2)

    turned = outer[..., ::-1, ::-1]  # G(-r)
    for into, out in zip(elements.into, elements.out, strict=True):
        forth, home = seen_from_sites(outer, into[:, 0]), seen_from_sites(turned, out[:, 0])
        own = both[:, :, into[:, 1]][:, :, :, :, out[:, 1]]  # energy, a, j, b, i, and parts
        matrix = own.transpose(0, 1, 2, 5, 3, 4, 6).reshape(energies, forth.shape[1], -1)
        total += np.einsum("wpx,wpx->wx", forth, matrix @ home)
    return total.reshape(energies, window, window)
