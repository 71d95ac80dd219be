"""TensorFlow's notes on its own build stay away; all else that is written to stderr does not."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

import gapscope.learning  # noqa: F401

WRITES = """
import os
import gapscope.learning.network.two_heads
from gapscope.learning.quiet import without_notes
try:
    with without_notes():
        os.write(2, b"I0000 00:00:1.2 3 port.cc:153] a note\\nkept, ")
        os.system("echo of a child >&2")
        raise ValueError("raised")
finally:
    os.write(2, b"after\\n")
"""


def test_importing_keras_writes_nothing_and_what_is_not_a_note_is_written() -> None:
    """Even if something fails."""
    command = [sys.executable, "-c", WRITES]
    written = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert written.startswith("kept, of a child\nafter\n")
    assert "ValueError: raised" in written
    assert "note" not in written.replace("without_notes", "")


def test_without_stderr() -> None:
    code = "import os; os.close(2); import gapscope.learning.network.two_heads; print('imported')"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "imported\n"


def test_functions_that_are_traced_again_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    """TensorFlow's other warnings are."""
    log = logging.getLogger("tensorflow")
    log.warning("5 out of the last %d calls to %s triggered tf.function retracing. ...", 13, "f")
    log.warning("kept")
    assert [record.getMessage() for record in caplog.records] == ["kept"]
