"""The paper's equations as printed, in Cartesian momenta kx a, ky a: what bonds are compared with.

Nothing here uses gapscope: eqs 2-5, 6-11, A1-A3, A5, A6. Energies in meV.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

T = (33.52, 97.26, -2.11, -13.53, -10.30, 3.48, 1.69)
L1, L3 = 13.27, -1.94
RECIPROCAL = 2 * np.pi * np.array([[1, -1 / np.sqrt(3)], [0, 2 / np.sqrt(3)]])

D0 = np.array([[0, 1], [-1, 0]], dtype=complex)
DZ = -np.array([[0, 1], [1, 0]], dtype=complex)
DX = np.diag([1, -1]).astype(complex)
DY = 1j * np.eye(2)

Field = NDArray[np.float64]
Hamiltonian = Callable[[NDArray[np.float64]], NDArray[np.complex128]]


def cartesian(m: ArrayLike) -> NDArray[np.float64]:
    """(kx a, ky a) of k = m1 b1 + m2 b2."""
    return np.asarray(m) @ RECIPROCAL


def epsilon(kx: Field, ky: Field, eps0: float = 0.0, t6: str = "shell") -> Field:
    """Eq. 4; ``t6="printed"`` puts t6 on the second shell as the paper does."""
    a, b = kx / 2, np.sqrt(3) * ky / 2
    t1, t2, t3, t4, t5, t6_, t7 = T

    def f(x: Field, y: Field) -> Field:
        return np.cos(2 * x) + 2 * np.cos(x) * np.cos(y)

    def second(x: Field, y: Field) -> Field:
        return np.cos(2 * y) + 2 * np.cos(3 * x) * np.cos(y)

    sixth = second(a, b) if t6 == "printed" else np.cos(4 * b) + 2 * np.cos(6 * a) * np.cos(2 * b)
    fourth = np.cos(a) * np.cos(3 * b) + np.cos(4 * a) * np.cos(2 * b) + np.cos(5 * a) * np.cos(b)
    seventh = (
        np.cos(7 * a) * np.cos(b) + np.cos(5 * a) * np.cos(3 * b) + np.cos(2 * a) * np.cos(4 * b)
    )
    return (
        eps0
        + 2 * t1 * f(a, b)
        + 2 * t2 * second(a, b)
        + 2 * t3 * f(2 * a, 2 * b)
        + 4 * t4 * fourth
        + 2 * t5 * f(3 * a, 3 * b)
        + 2 * t6_ * sixth
        + 4 * t7 * seventh
    )


def ising(kx: Field, ky: Field) -> Field:
    """lambda(k) of eq. 5."""
    a, b = kx / 2, np.sqrt(3) * ky / 2

    def g(x: Field, y: Field) -> Field:
        return np.sin(2 * x) - 2 * np.sin(x) * np.cos(y)

    return 2 * (L1 * g(a, b) + L3 * g(2 * a, 2 * b))


def form_factor(name: str, kx: Field, ky: Field) -> NDArray[np.complex128]:
    """One row of eqs A1-A3, for example ``Eg1(s)``, as a (..., 2, 2) matrix."""
    a, b, s3 = kx / 2, np.sqrt(3) * ky / 2, np.sqrt(3)
    sin, cos = np.sin, np.cos
    rows: dict[str, tuple[tuple[Field, NDArray[np.complex128]], ...]] = {
        "A1g(s)": ((2 * cos(2 * a) + 4 * cos(a) * cos(b), D0),),
        "A2g(s)": (
            (2 * (sin(a) * sin(3 * b) - sin(4 * a) * sin(2 * b) + sin(5 * a) * sin(b)), D0),
        ),
        "Eg1(s)": ((cos(2 * a) - cos(a) * cos(b), D0),),
        "Eg2(s)": ((s3 * sin(a) * sin(b), D0),),
        "A1g(t,z)": (((cos(a) - cos(b)) * sin(a), DZ),),
        "A2g(t,z)": ((sin(2 * b) - 2 * sin(b) * cos(3 * a), DZ),),
        "Eg1(t,z)": ((sin(2 * a) + sin(a) * cos(b), DZ),),
        "Eg2(t,z)": ((s3 * cos(a) * sin(b), DZ),),
        "A1u(t,xy)": (
            (3 * cos(a) * sin(b), DX),
            (-s3 * (2 * cos(a) + cos(b)) * sin(a), DY),
        ),
        "A2u(t,xy)": (((2 * cos(a) + cos(b)) * sin(a), DX), (s3 * cos(a) * sin(b), DY)),
        "Eu1(t,xy)": (
            (2 * sin(2 * b) - cos(3 * a) * sin(b), DX),
            (s3 * sin(3 * a) * cos(b), DY),
        ),
        "Eu2(t,xy)": (
            (s3 * sin(3 * a) * cos(b), DX),
            (-3 * cos(3 * a) * sin(b), DY),
        ),
    }
    return np.asarray(sum(np.asarray(f)[..., None, None] * d for f, d in rows[name]))


def gap_matrix(
    irrep: str,
    gap: complex,
    kx: Field,
    ky: Field,
    *,
    theta: float = 0.0,
    phi: float = 0.0,
    theta_s: float | None = None,
    phi_s: float = 0.0,
    theta_t: float = 0.0,
    phi_t: float = 0.0,
) -> NDArray[np.complex128]:
    """Delta(k) of eqs 6-11; with phi eq. A5, with theta_s the five-parameter state of eq. A6."""

    def mixed(one: str, two: str, angle: float, phase: float) -> NDArray[np.complex128]:
        first, second = form_factor(one, kx, ky), form_factor(two, kx, ky)
        return np.cos(angle) * first + np.exp(1j * phase) * np.sin(angle) * second

    if irrep in ("A1u", "A2u"):
        return gap * form_factor(f"{irrep}(t,xy)", kx, ky)
    if irrep in ("A1g", "A2g"):
        return gap * mixed(f"{irrep}(s)", f"{irrep}(t,z)", theta, 0.0)
    if irrep == "Eu":
        return gap * mixed("Eu1(t,xy)", "Eu2(t,xy)", theta, phi)
    if theta_s is None:
        return gap * mixed("Eg1(s)", "Eg2(s)", theta, phi)
    singlet = mixed("Eg1(s)", "Eg2(s)", theta_s, phi_s)
    triplet = mixed("Eg1(t,z)", "Eg2(t,z)", theta_t, phi_t)
    return gap * (np.cos(theta) * singlet + np.sin(theta) * triplet)


def electron_matrix(kx: Field, ky: Field, eps0: float, t6: str = "shell") -> NDArray[np.complex128]:
    """He(k) = epsilon s0 + lambda sz of eqs 3-5."""
    band, soc = epsilon(kx, ky, eps0, t6), ising(kx, ky)
    return np.stack([band + soc, band - soc], axis=-1)[..., None] * np.eye(2)


def nbse2(irrep: str, gap: complex, eps0: float, **angles: float) -> Hamiltonian:
    """BdG matrix of eq. 2 as a function of reduced momenta (..., 2), (..., 4, 4) in meV."""

    def bdg(m: NDArray[np.float64]) -> NDArray[np.complex128]:
        k = cartesian(m)
        kx, ky = k[..., 0], k[..., 1]
        delta = gap_matrix(irrep, gap, kx, ky, **angles)
        hole = -electron_matrix(-kx, -ky, eps0).swapaxes(-1, -2)
        top = np.concatenate([electron_matrix(kx, ky, eps0).astype(complex), delta], axis=-1)
        bottom = np.concatenate([delta.conj().swapaxes(-1, -2), hole], axis=-1)
        return np.concatenate([top, bottom], axis=-2)

    return bdg
