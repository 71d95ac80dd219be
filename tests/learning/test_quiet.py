"""TensorFlow's notes on its own build stay away; all else that is written to stderr does not."""

from __future__ import annotations

import subprocess
import sys

WRITES = """
import os
from gapscope.learning.quiet import without_notes
try:
    with without_notes():
        os.write(2, b"I0000 00:00:1.2 3 port.cc:153] a note\\nkept, ")
        os.system("echo of a child >&2")
        raise ValueError("raised")
finally:
    os.write(2, b"after\\n")
"""


def stderr(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_importing_keras_writes_nothing() -> None:
    assert stderr("import gapscope.learning.network.two_heads") == ""


def test_what_is_not_a_note_is_written_even_if_something_fails() -> None:
    written = stderr(WRITES)
    assert written.startswith("kept, of a child\nafter\n")
    assert "ValueError: raised" in written
    assert "note" not in written.replace("without_notes", "")


def test_without_stderr() -> None:
    code = "import os; os.close(2); import gapscope.learning.network.two_heads; print('imported')"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "imported\n"
