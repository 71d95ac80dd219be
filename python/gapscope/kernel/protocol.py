"""What client and host say to each other: length-prefixed JSON, and memory by descriptor.

Only Python's standard library, so that the host starts without NumPy.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import re
import socket
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

# NumPy's name of an element type: Julia's name and the number of bytes.
ELEMENTS = {
    "float64": ("Float64", 8),
    "complex128": ("ComplexF64", 16),
    "int64": ("Int64", 8),
    "float32": ("Float32", 4),
}

_MOST_DESCRIPTORS = 253  # Linux's limit for one message
_FUNCTION = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*!?")
_INT64 = 2**63 - 1


def send(connection: socket.socket, message: object, descriptors: Sequence[int] = ()) -> None:
    """Send a message; the receiver gets descriptors of its own of the same open files."""
    payload = json.dumps(message).encode()
    header = len(payload).to_bytes(8, "big")
    if descriptors:
        socket.send_fds(connection, [header], list(descriptors))
    else:
        connection.sendall(header)
    connection.sendall(payload)


def receive(connection: socket.socket) -> tuple[Any, list[int]]:
    """Wait for a message; raise ``EOFError`` when the other side is gone."""
    header, descriptors, _flags, _address = socket.recv_fds(connection, 8, _MOST_DESCRIPTORS)
    header += _exactly(connection, 8 - len(header)) if header else b""
    if not header:
        raise EOFError
    payload = _exactly(connection, int.from_bytes(header, "big"))
    return json.loads(payload), descriptors


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = connection.recv(min(count, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def shared_memory(size: int) -> int:
    """Return the descriptor of zeroed memory that two processes can map."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("gapscope", os.MFD_CLOEXEC)
    else:
        descriptor, path = tempfile.mkstemp(prefix="gapscope-")
        os.unlink(path)
    os.truncate(descriptor, max(size, 1))  # nothing of length zero can be mapped
    return descriptor


@contextlib.contextmanager
def mapped(descriptor: int, size: int) -> Iterator[int]:
    """Map shared memory, close its descriptor, and give the address while it is mapped."""
    memory = mmap.mmap(descriptor, max(size, 1))
    os.close(descriptor)
    start = ctypes.c_char.from_buffer(memory)
    try:
        yield ctypes.addressof(start)
    finally:
        del start
        memory.close()


def literal(value: object) -> str:
    """Return the Julia literal of a value.

    Raises
    ------
    TypeError : the value is of another type.
    OverflowError : an integer does not fit into 64 bits.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > _INT64:
            raise OverflowError(f"{value} does not fit into Julia's Int64")
        return str(value)
    if isinstance(value, float):
        return {"inf": "Inf", "-inf": "-Inf", "nan": "NaN"}.get(repr(value), repr(value))
    if isinstance(value, str):
        return '"' + "".join(map(_character, value)) + '"'
    raise TypeError(f"no Julia literal for {type(value).__name__}")


def _character(character: str) -> str:
    if character in '\\"$':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def array_expression(element: str, address: int, shape: Sequence[int]) -> str:
    """Return Julia's view of a C-ordered array: the same numbers, axes reversed."""
    dims = "".join(f"{length}, " for length in reversed(shape))
    return f"GapScope.Host.array({ELEMENTS[element][0]}, {address:#018x}, ({dims}))"


def checked_function(name: str) -> str:
    """Return the (qualified) name of a Julia function; raise ``ValueError`` if it is none."""
    if not _FUNCTION.fullmatch(name):
        raise ValueError(f"not the name of a Julia function: {name!r}")
    return name
