"""What is checked before anything is written or computed: recipe, material, workers."""

from __future__ import annotations

from gapscope.dataset.compute import specification
from gapscope.dataset.recipe import BALANCE, Recipe
from gapscope.errors import RecipeError, SettingError, SpecificationError
from gapscope.physics import Material
from gapscope.physics.lattice import require_triangular
from gapscope.physics.symmetry import band_asymmetry

ASYMMETRY = 0.01
"""Part of the bands' width by which they may depart from the symmetry. The Wannier90 Hamiltonian of
NbS2, whose crystal has it, departs by 0.0006."""


def require_computable(recipe: Recipe, material: Material) -> None:
    """Check that the classes of a dataset are defined for its material.

    They are irreps of D3h, so the lattice is triangular and the bands have that symmetry, which is
    necessary, and all that can be said without knowing what the orbitals are. The first samples,
    one of every irrep, show whether gap and impurity go with the orbitals.

    Raises
    ------
    RecipeError : where they are not.
    """
    try:
        require_triangular(material.lattice, "A dataset, whose classes are irreps of D3h,")
        sampler, impurity = recipe.sampler(), recipe.impurity.impurity()
        for sample in range(BALANCE):
            specification(sampler.draw(sample), material, impurity)
    except SpecificationError as error:
        raise RecipeError(
            f"{recipe.name}: {error.rule}", f"{material.name}: {error.received}", error.remedy
        ) from error
    departure = band_asymmetry(material.bonds)
    if departure > ASYMMETRY:
        raise RecipeError(
            f"{recipe.name}: the classes of a dataset are irreps of D3h, and its material has that"
            f" symmetry: its bands differ by at most {ASYMMETRY:.0%} of their width under it.",
            f"{material.name}: {departure:.1%}",
            "Check the bonds of the material: a vector without its images under rotations by 60"
            " degrees, or another crystal; the latter can be simulated with gaps by their bonds.",
        )


def check_workers(workers: int | None, scheduler: str | None) -> None:
    """Raise SettingError unless the numbers of workers and the scheduler go together."""
    if workers is not None and scheduler is not None:
        raise SettingError(
            "A running cluster brings its own workers.",
            f"workers = {workers}, scheduler = {scheduler}",
            "Leave one of the two out.",
        )
    if workers is not None and (isinstance(workers, bool) or workers < 1):
        raise SettingError("A build has at least one worker.", workers, "Give a whole number.")
