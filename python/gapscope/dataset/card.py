"""A dataset card: what a dataset holds and how it came about, as Markdown."""

from __future__ import annotations

from pathlib import Path

from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import Recipe
from gapscope.dataset.verify import verify
from gapscope.problem.impurities import own_impurity
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import quantity
from gapscope.problem.told import told
from gapscope.problem.unknown import Unknown

EQUATION = (
    "drho(r; w) = -(1/pi) Im Tr_e [G(r) T G(-r)], T = V (1 - g0 V)^-1, in states per meV and site;"
    " r = 0 carries the impurity."
)
SEVERAL = (
    "drho(r; w) = -(1/pi) Im sum_ab Tr_e [G(r - R_a) T_ab G(R_b - r)], T = V (1 - g V)^-1, g_ab ="
    " G(R_a - R_b), in states per meV and site; r = 0 carries an impurity."
)


def card(directory: str | Path) -> str:
    """Equation, ranges, numbers of samples, size and digest of a finished dataset.

    Raises
    ------
    CorruptShardError, DatasetError, SchemaVersionError : see
        :func:`gapscope.dataset.verify.verify`, which runs over the whole of it.
    """
    folder = Path(directory)
    found = verify(folder)
    manifest = Manifest.read(folder)
    recipe = manifest.recipe
    size = sum(entry.size for entry in manifest.shards.values())
    seconds = sum(entry.seconds for entry in manifest.shards.values())
    irreps = list(next(iter(found.counts.values())))
    counts = "\n".join(
        f"| {split} | {sum(by.values())} | " + " | ".join(str(n) for n in by.values()) + " |"
        for split, by in found.counts.items()
    )
    return f"""# Dataset {recipe.name}

{EQUATION if recipe.others is None else SEVERAL}

| | |
|---|---|
{_settings(manifest)}
| holds | {"Green's functions, of which maps follow" if recipe.holds_green else "maps"} |
| size | {size / 1e6:.0f} MB in {found.shards} shards, {recipe.dtype} |
| simulated in | {seconds / 60:.1f} minutes of workers ({seconds / recipe.samples:.3f} s/map) |
| computed by | {", ".join(f"{name} {value}" for name, value in manifest.versions.items())} |
| identity (recipe and material) | `{manifest.identity}` |
| digest of all arrays | `{found.digest}` |

| split | maps | {" | ".join(irreps)} |
|---|---|{"---|" * len(irreps)}
{counts}

The digest is of numbers: another processor or Julia rounds differently, and a newer kernel may
choose other rows of k points. Maps then agree within the accuracy above.
"""


def _settings(manifest: Manifest) -> str:
    recipe, problem = manifest.recipe, manifest.problem
    method = recipe.method.model_dump()
    rows = {
        "material": recipe.material,
        "impurity": _impurity(recipe, problem),
        **({} if (others := recipe.others) is None else {"others": others.others().told}),
        "energies": f"{list(recipe.energies)} meV",
        **({"integrated up to": f"{list(recipe.setpoints)} meV"} if recipe.setpoints else {}),
        **({"also at": _resolutions(recipe)} if recipe.resolutions else {}),
        **({"broadening": f"{recipe.broadening:g} meV"} if recipe.broadening else {}),
        "window": f"{recipe.window} x {recipe.window} sites",
        "method": ", ".join(f"{key} {value}" for key, value in method.items()),
        **{one.name: _range(one) for one in problem.shown},
        **{name: f"{value:g} {quantity(name).unit}" for name, value in problem.fixed.items()},
        **({"classes": "; ".join(merged)} if (merged := list(told(problem))) else {}),
        "seed": str(recipe.seed),
    }
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def _impurity(recipe: Recipe, problem: Problem) -> str:
    """Potential and moment, as far as they are no unknowns."""
    drawn, one = own_impurity(problem), recipe.impurity
    parts = [] if "potential" in drawn else [f"v = {one.scalar:g} meV"]
    if not set(drawn) - {"potential"}:
        parts.append(f"J = {list(one.moment)} meV")
    return ", ".join(parts) or "drawn for each sample"


def _range(unknown: Unknown) -> str:
    scale = "logarithm uniform" if unknown.scale == "logarithmic" else "uniform"
    unit = "" if unknown.unit == "1" else f" {unknown.unit}"
    least = f", magnitudes of at least {unknown.least:g}{unit}" if unknown.least else ""
    return f"{scale} in {[unknown.low, unknown.high]}{unit}{least}"


def _resolutions(recipe: Recipe) -> str:
    return ", ".join(f"{t:g} K and {m:g} meV rms" for t, m in recipe.resolutions)
