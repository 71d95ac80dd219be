from __future__ import annotations

import os

import pytest

from gapscope.kernel import doctor


def test_the_doctor_sees_a_kernel_that_runs() -> None:
    found = {finding.name: finding for finding in doctor.findings()}
    assert doctor.simulations_run(list(found.values()))
    assert "GapScope" in found["kernel"].detail
    if "kernel compiled" in found:
        assert found["kernel compiled"].detail.endswith(".so")
    assert int(found["threads"].detail) >= 1
    assert "fftw3" in found["libfftw3"].detail
    assert found["runtime"].detail.startswith(
        f"{os.environ.get('GAPSCOPE_RUNTIME') or 'auto'} takes "
    )
    assert found["Keras"].ok


def test_the_doctor_says_why_no_kernel_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPSCOPE_JULIA", "/no/julia")
    monkeypatch.setenv("GAPSCOPE_RUNTIME", "libjulia")
    monkeypatch.setenv("KERAS_BACKEND", "abacus")
    found = doctor.findings()
    assert not doctor.simulations_run(found)
    details = {finding.name: finding.detail for finding in found if not finding.ok}
    assert "/no/julia" in details["GAPSCOPE_JULIA"]
    assert details["runtime"] == "libjulia takes none"
    assert "/no/julia" in details["kernel"]
    assert "abacus" in details["Keras"]


def test_the_doctor_reports_a_wrong_setting_instead_of_failing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GAPSCOPE_THREADS", "none")
    found = doctor.findings()
    assert not doctor.simulations_run(found)
    assert any("GAPSCOPE_THREADS" in finding.detail for finding in found)
