"""Mixed precision follows the hardware, unless it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gapscope.errors import TrainingError
from gapscope.learning.network import precision

OLD = "processor\t: 0\nmodel name\t: old\nflags\t\t: fpu sse2 avx2\nbugs\t\t: none\n"
NEW = OLD.replace("avx2", "avx2 avx512_bf16")


@pytest.mark.parametrize(
    ("cpuinfo", "backend", "gpu", "expected"),
    [
        (OLD, "tensorflow", False, "float32"),
        (NEW, "tensorflow", False, "mixed_bfloat16"),
        (NEW.replace("avx512_bf16", "amx_bf16"), "torch", False, "mixed_bfloat16"),
        (NEW, "jax", False, "float32"),
        (OLD, "jax", True, "mixed_bfloat16"),
        (None, "tensorflow", False, "float32"),
    ],
)
def test_bfloat16_is_taken_where_the_hardware_multiplies_in_it(
    cpuinfo: str | None,
    backend: str,
    gpu: bool,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "cpuinfo"
    if cpuinfo is not None:
        path.write_text(cpuinfo)
    monkeypatch.setattr(precision, "CPUINFO", path)
    monkeypatch.setattr(precision, "_has_gpu", lambda: gpu)
    monkeypatch.setattr("keras.backend.backend", lambda: backend)
    assert precision.choose_precision() == expected


def test_a_backend_that_raises_where_there_is_no_gpu_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(kind: str) -> list[str]:
        raise RuntimeError(f"Unknown backend: '{kind}' requested")

    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "none")
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    monkeypatch.setattr("keras.distribution.list_devices", raises)
    assert precision.choose_precision() == "float32"


@pytest.mark.parametrize("name", precision.PRECISIONS)
def test_an_option_overrides_the_hardware(name: str) -> None:
    assert precision.choose_precision(name) == name


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(TrainingError, match="float16"):
        precision.choose_precision("float16")
