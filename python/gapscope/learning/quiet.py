"""Import Keras without TensorFlow's notes on how it was built, nor on functions traced again.

The first are written by C++ on the file descriptor of stderr, some of them before TensorFlow looks
at its log level. What fails raises in Python too. The others come where a process asks several
networks, or one for batches of several sizes, and call for nothing to be done.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from gapscope.support.networks import missing

NOTE = re.compile(rb"I0000 |WARNING: All log messages before absl::InitializeLog\(\)")
STDERR = 2
RETRACED = "triggered tf.function retracing"


def _tells_more(record: logging.LogRecord) -> bool:
    return RETRACED not in record.getMessage()


@contextmanager
def without_notes() -> Iterator[None]:
    """Hold back what is written to stderr meanwhile, then write all of it but the notes."""
    with ExitStack() as stack:
        try:
            held = stack.enter_context(tempfile.TemporaryFile())
            terminal = os.dup(STDERR)
        except OSError:  # nowhere to hold it, or no stderr
            yield
            return
        os.dup2(held.fileno(), STDERR)
        try:
            yield
        finally:
            os.dup2(terminal, STDERR)
            os.close(terminal)
            held.seek(0)
            rest = b"".join(line for line in held if not NOTE.match(line))
            with suppress(OSError):
                os.write(STDERR, rest)


logging.getLogger("tensorflow").addFilter(_tells_more)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with without_notes():
    try:
        import keras  # noqa: F401
    except (ImportError, ValueError) as error:  # ValueError: a backend that Keras does not know
        raise missing(error) from None
