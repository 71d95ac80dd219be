"""The Python lines that compute what the page shows."""

from __future__ import annotations

from gapscope.explore.state import CONVERGED, State


def python_lines(state: State, model: str) -> str:
    """A script that computes the converged view of a state and writes its map to ``map.nc``.

    It names ``maps``, ``dos``, ``spectral`` (A(k) on a grid of reduced momenta) and, where a
    network knows crystal and energy, ``prediction``; without an impurity, ``dos`` and ``spectral``.

    Parameters
    ----------
    model : that network's name; "" where there is none.
    """
    angles = "".join(f", {name}={value!r}" for name, value in state.angles.items())
    parts = []
    if state.impurity:
        parts.append(f"gs.Impurity.scalar({state.impurity!r})")
    if state.moment:
        parts.append(f"gs.Impurity.magnetic((0, 0, {state.moment!r}))")
    impurity = "\n    + ".join(parts) or "gs.Impurity.scalar(0.0)"
    reach = state.dos_energies()[-1]
    choice = state.choice
    function = "".join(f", {name}={value!r}" for name, value in choice.function.items())
    maker = "gs.Pairing.of(crystal, " if function else "gs.Pairing("
    mapped = f"""\
maps = gs.simulate(
    state,
    gs.Numerics(
        [{state.energy!r}],
        broadening={state.broadening!r},
        window={state.window!r},
        method=gs.Converged({CONVERGED.accuracy!r}),
    ),
)
gs.write_netcdf(maps, "map.nc")
"""
    lines = f"""\
import numpy as np
import gapscope as gs

crystal = gs.material({state.crystal!r})
state = gs.Specification(
    crystal,
    {maker}{choice.irrep!r}, gap={state.gap!r}{function}{angles}),
    {impurity},
    eps0={state.eps0!r},
)
{mapped if state.scatters else ""}dos = gs.density_of_states(
    state,
    np.linspace(-{reach!r}, {reach!r}, {len(state.dos_energies())}),
    broadening={state.broadening!r},
    accuracy={CONVERGED.accuracy!r},
)
k = np.linspace(-0.75, 0.75, 400)
spectral = gs.spectral_function(
    state,
    np.stack(np.meshgrid(k, k, indexing="ij"), axis=-1),
    [{state.energy!r}],
    broadening={state.broadening!r},
)
"""
    if model and state.scatters:
        lines += f"prediction = gs.predict(maps, {model!r})\n"
    return lines
