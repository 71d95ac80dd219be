"""Sliders and choices, and the state that they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import panel as pn

from gapscope.explore.gap_choices import gap_choices
from gapscope.explore.state import WINDOWS, State, ranges

DIGITS = 6
WIDTH = 216


class Slider(pn.widgets.FloatSlider):
    """A slider whose moves are heard at once.

    Panel waits 50 ms for further changes of a widget; here a newer move takes the place of an older
    one in the worker.
    """

    _debounce = 0


class Controls:
    """Widgets of a state; calls back at every move.

    Parameters
    ----------
    state : where they stand first.
    moved : called with the new state.
    """

    def __init__(self, state: State, moved: Callable[[State], None]) -> None:
        self._moved = moved
        self._first = state
        self.irrep = pn.widgets.Select(
            name="irrep of the gap",
            options=list(gap_choices(state.crystal)),
            value=state.irrep,
            width=WIDTH,
        )
        self.window = pn.widgets.Select(
            name="sites per side", options=list(WINDOWS), value=state.window, width=WIDTH
        )
        self.sliders: dict[str, Any] = {
            name: Slider(
                name=f"{r.symbol} ({r.unit})",
                start=min(r.low, getattr(state, name)),
                end=max(r.high, getattr(state, name)),
                step=r.step,
                value=getattr(state, name),
                width=WIDTH,
                margin=(2, 10, 5, 10),
                tooltips=False,
                format="0" if float(r.step).is_integer() else "0.00",
            )
            for name, r in ranges(state.scale).items()
        }
        for widget in (self.irrep, self.window, *self.sliders.values()):
            widget.param.watch(self._changed, "value")
        self._show_angles(state)

    @property
    def state(self) -> State:
        """The state that the widgets say."""
        # A slider's steps add up to 0.30000000000000004.
        numbers: dict[str, Any] = {
            name: round(float(slider.value), DIGITS) for name, slider in self.sliders.items()
        }
        irrep, window = self.irrep.value, self.window.value
        return replace(self._first, irrep=irrep, window=window, **numbers)

    def column(self) -> pn.Column:
        """All of them, one below the other."""
        group = self.sliders
        return pn.Column(
            pn.pane.HTML("<h2>Superconductor</h2>", margin=(0, 10)),
            self.irrep,
            *(group[name] for name in ("gap", "theta", "phi", "eps0")),
            pn.pane.HTML("<h2>Impurity</h2>", margin=(0, 10)),
            *(group[name] for name in ("impurity", "moment")),
            pn.pane.HTML("<h2>Measurement</h2>", margin=(0, 10)),
            *(group[name] for name in ("energy", "broadening")),
            self.window,
            width=WIDTH + 20,
        )

    def _changed(self, event: object) -> None:
        state = self.state
        self._show_angles(state)
        self._moved(state)

    def _show_angles(self, state: State) -> None:
        for name in ("theta", "phi"):
            has = name in state.has
            self.sliders[name].param.update(
                disabled=not has, styles={"opacity": "1" if has else "0.35"}
            )
