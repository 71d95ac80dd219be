"""juliacall: Julia and PythonCall as juliapkg installs them."""

from __future__ import annotations

from gapscope.errors import JuliaNotFoundError
from gapscope.kernel.runtimes.answer import EVALUATE, value_of

# With the GIL released, other Python threads of the host (its watchdog) run during a call.
_UNLOCKED = "code -> PythonCall.GIL.unlock(() -> GapscopeEvaluate.evaluate(code))"


class JuliaCall:
    """Julia started by importing juliacall; its environment variables must be set before."""

    name = "juliacall"

    def __init__(self) -> None:
        try:
            import juliacall  # starts Julia, so not before a host asks for it
        except Exception as error:  # juliapkg raises nothing more special
            raise JuliaNotFoundError(
                "juliacall must start Julia",
                f"{type(error).__name__}: {error}",
                "Run `gapscope julia install` where Julia's servers can be reached, or point "
                "GAPSCOPE_JULIA at an installed Julia and use the runtime libjulia.",
            ) from error
        juliacall.Main.seval(EVALUATE)
        self._evaluate = juliacall.Main.seval(_UNLOCKED)

    def evaluate(self, code: str) -> str:
        """Evaluate Julia code in ``Main`` and return its value as text."""
        return value_of(str(self._evaluate(code)))

    def close(self) -> None:
        """Leave the end to juliacall, which stops Julia when the interpreter exits."""
