"""Which floating-point precision training uses on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

from gapscope.errors import TrainingError

PRECISIONS = ("float32", "mixed_bfloat16")
"""Keras dtype policies; mixed: activations in bfloat16, weights and both heads in float32."""

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
CPUINFO = Path("/proc/cpuinfo")


def choose_precision(requested: str = "auto") -> str:
    """The requested policy, or for ``auto`` bfloat16 where the hardware multiplies in it.

    That is a GPU, or a CPU with AVX512-BF16 or AMX-BF16 under TensorFlow or PyTorch, whose CPU
    convolutions use them (XLA's do not).

    Raises
    ------
    TrainingError : an unknown policy.
    """
    if requested == "auto":
        return "mixed_bfloat16" if _has_gpu() or _cpu_has_bfloat16() else "float32"
    if requested not in PRECISIONS:
        raise TrainingError(
            f"A precision is auto, {' or '.join(PRECISIONS)}.", requested, "Choose one of them."
        )
    return requested


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build layers with a dtype policy and leave Keras' global one as it was."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def cpu_flags() -> frozenset[str]:
    """Instruction-set flags of the CPU as Linux lists them; none on other systems."""
    if not CPUINFO.is_file():
        return frozenset()
    lines = CPUINFO.read_text(encoding="ascii", errors="replace").splitlines()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())


def _cpu_has_bfloat16() -> bool:
    return keras.backend.backend() != "jax" and not BFLOAT16_FLAGS.isdisjoint(cpu_flags())


def _has_gpu() -> bool:
    if keras.backend.backend() == "torch":  # Keras lists no devices for it
        return bool(sys.modules["torch"].cuda.is_available())
    try:
        return bool(keras.distribution.list_devices("gpu"))
    except RuntimeError:  # JAX says so where it has none
        return False
