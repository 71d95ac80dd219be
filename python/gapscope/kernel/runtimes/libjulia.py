"""An installed Julia, embedded through its C API: no Julia package is needed."""

from __future__ import annotations

import ctypes
from typing import Any

from gapscope.errors import JuliaNotFoundError, KernelError
from gapscope.kernel.runtimes.answer import EVALUATE, value_of

# The function that starts Julia, newest first (Julia 1.12, 1.7 and older).
_STARTERS = ("jl_init_with_image_file", "jl_init_with_image", "jl_init_with_image__threading")

# `Any` as a return type of ccall keeps the exception a Julia value.
_LAST_ERROR = b"sprint(showerror, ccall(:jl_exception_occurred, Any, ()))"


class LibJulia:
    """Julia inside this process; every call must come from the thread that created it."""

    name = "libjulia"

    def __init__(self, libjulia: str, bindir: str, sysimage: str) -> None:
        self._library = _declared(ctypes.CDLL(libjulia, mode=ctypes.RTLD_GLOBAL))
        start = next(
            (getattr(self._library, name) for name in _STARTERS if hasattr(self._library, name)),
            None,
        )
        if start is None:
            raise JuliaNotFoundError("libjulia must have an embedding interface", libjulia)
        start.argtypes, start.restype = [ctypes.c_char_p, ctypes.c_char_p], None
        start(bindir.encode(), sysimage.encode())
        self._checked(self._library.jl_eval_string(EVALUATE.encode()))
        self._evaluate = self._checked(self._library.jl_eval_string(b"GapscopeEvaluate.evaluate"))

    def evaluate(self, code: str) -> str:
        """Evaluate Julia code in ``Main`` and return its value as text."""
        text = self._library.jl_cstr_to_string(code.encode())
        answer = self._checked(self._library.jl_call1(self._evaluate, text))
        return value_of(ctypes.string_at(self._library.jl_string_ptr(answer)).decode())

    def close(self) -> None:
        """End Julia: run its exit hooks and stop its threads."""
        self._library.jl_atexit_hook(0)

    def _checked(self, value: int | None) -> int:
        """Return a Julia value, or raise the exception that took its place."""
        if value is not None and not self._library.jl_exception_occurred():
            return value
        message = self._library.jl_eval_string(_LAST_ERROR)
        if message is None:
            raise KernelError("Julia failed without a message")
        raise KernelError(ctypes.string_at(self._library.jl_string_ptr(message)).decode())


def _declared(library: Any) -> Any:
    """Give the functions of Julia's C API their types; a Julia value is a pointer."""
    pointer = ctypes.c_void_p
    for name, arguments, result in (
        ("jl_eval_string", [ctypes.c_char_p], pointer),
        ("jl_cstr_to_string", [ctypes.c_char_p], pointer),
        ("jl_string_ptr", [pointer], pointer),
        ("jl_call1", [pointer, pointer], pointer),
        ("jl_exception_occurred", [], pointer),
        ("jl_atexit_hook", [ctypes.c_int], None),
    ):
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, result
    return library
