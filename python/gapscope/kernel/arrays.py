"""NumPy arrays on their way to Julia and back, without passing through a message."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.kernel.protocol import ELEMENTS, literal, shared_memory

_PIECE = 1 << 26  # bytes


@dataclass(frozen=True)
class Output:
    """An array that Julia fills: its shape in NumPy's order of axes, and its element type."""

    shape: tuple[int, ...]
    dtype: str = "float64"


@dataclass
class Prepared:
    """The arguments of one call, ready to be sent."""

    items: list[str | dict[str, Any]] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    _outputs: list[tuple[int, Output]] = field(default_factory=list)

    def add(self, argument: object) -> None:
        """Append one argument.

        Raises
        ------
        TypeError : it is no number, text, C-ordered array of an exact type, or ``Output``.
        """
        if isinstance(argument, Output):
            self._outputs.append((self._add_array(argument.dtype, argument.shape), argument))
        elif isinstance(argument, np.ndarray):
            _check(argument)
            _write(self._add_array(argument.dtype.name, argument.shape), argument)
        elif isinstance(argument, np.generic):
            self.items.append(literal(argument.item()))
        else:
            self.items.append(literal(argument))

    def _add_array(self, dtype: str, shape: Sequence[int]) -> int:
        if dtype not in ELEMENTS:
            raise TypeError(f"dtype must be one of {', '.join(ELEMENTS)}, got {dtype}")
        size = ELEMENTS[dtype][1] * math.prod(shape)
        descriptor = shared_memory(size)
        self.descriptors.append(descriptor)
        self.items.append({"element": dtype, "shape": list(shape)})
        return descriptor

    def outputs(self) -> list[NDArray[Any]]:
        """Return the arrays that Julia filled; they belong to the caller alone."""
        return [_received(descriptor, output) for descriptor, output in self._outputs]


@contextmanager
def prepared(arguments: Sequence[object]) -> Iterator[Prepared]:
    """Prepare arguments for a call and close the shared memory after it."""
    call = Prepared()
    try:
        for argument in arguments:
            call.add(argument)
        yield call
    finally:
        for descriptor in call.descriptors:
            os.close(descriptor)


def _check(array: NDArray[Any]) -> None:
    if not array.dtype.isnative:
        raise TypeError(f"arrays must have the machine's byte order, got {array.dtype}")
    if not array.flags.c_contiguous:
        raise TypeError("arrays must be C-contiguous")


def _write(descriptor: int, array: NDArray[Any]) -> None:
    with open(descriptor, "wb", closefd=False) as memory:
        memory.write(_bytes(array))


def _received(descriptor: int, output: Output) -> NDArray[Any]:
    """Return the output as an array of the caller's own, and empty the shared memory.

    A copy, because an array over a mapping keeps the mapping's descriptor as long as it lives.
    It begins at the end and gives back what it has read, so that a large output need not fit into
    memory twice.
    """
    array = np.empty(output.shape, output.dtype)
    whole = _bytes(array)
    with open(descriptor, "rb", closefd=False) as memory:
        for start in reversed(range(0, len(whole), _PIECE)):
            piece = whole[start : start + _PIECE]
            memory.seek(start)
            if memory.readinto(piece) != len(piece):
                raise EOFError("shared memory is shorter than its array")
            os.truncate(descriptor, start)
    return array


def _bytes(array: NDArray[Any]) -> memoryview:
    """Return the bytes of a C-contiguous array; none of an empty one."""
    return array.reshape(-1).view(np.uint8).data
