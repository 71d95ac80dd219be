"""Runs commands that are to be refused, each in a fork of its own, and says what they loaded.

    python refused_commands.py < cases.json

Reads a list of lists of words; writes, for each, the exit code, the output, the modules that are
loaded, and the processes that were started. What many commands load is loaded once, before.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from typing import Any

import gapscope.cli
import gapscope.dataset.manifest
import gapscope.measured.preparation
import gapscope.simulation.maps


def outcome(words: list[str]) -> dict[str, Any]:
    """What a command does, in this process."""
    started: list[str] = []
    sys.addaudithook(
        lambda event, given: (
            started.append(str(given[0]))
            if event in ("subprocess.Popen", "os.posix_spawn", "os.system", "os.exec")
            else None
        )
    )
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = gapscope.cli.main(words)
        except SystemExit as end:
            code = end.code
    modules = sorted({name.partition(".")[0] for name in sys.modules})
    return {"code": code, "said": said.getvalue(), "modules": modules, "started": started}


def forked(words: list[str]) -> Any:
    """What a command does, in a child that has run none before it."""
    with tempfile.TemporaryFile("w+") as answer:
        child = os.fork()
        if child == 0:
            json.dump(outcome(words), answer)
            answer.flush()
            os._exit(0)
        os.waitpid(child, 0)
        answer.seek(0)
        return json.load(answer)


if __name__ == "__main__":
    print(json.dumps([forked(words) for words in json.load(sys.stdin)]))
