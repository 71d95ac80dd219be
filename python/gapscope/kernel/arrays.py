"""NumPy arrays on their way to Julia and back, without passing through a message."""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.kernel.protocol import ELEMENTS, literal, shared_memory


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
        return [_private(descriptor, output) for descriptor, output in self._outputs]


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
    if array.size:
        memory = mmap.mmap(descriptor, array.nbytes)
        np.frombuffer(memory, array.dtype).reshape(array.shape)[...] = array


def _private(descriptor: int, output: Output) -> NDArray[Any]:
    """Return the output as an array that shares its memory with no other process.

    A private mapping reads what Julia wrote and keeps what is written later to itself, also
    after a fork; nothing is copied. The array keeps the mapping alive.
    """
    if math.prod(output.shape) == 0:
        return np.empty(output.shape, output.dtype)
    size = ELEMENTS[output.dtype][1] * math.prod(output.shape)
    memory = mmap.mmap(descriptor, size, flags=mmap.MAP_PRIVATE)
    return np.frombuffer(memory, output.dtype).reshape(output.shape)
