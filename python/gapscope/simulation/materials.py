"""Materials by name or file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gapscope.errors import MaterialFileError
from gapscope.physics.kinds import require_kind
from gapscope.physics.lattice import Lattice
from gapscope.physics.material import Material
from gapscope.physics.wannier_crystal import read_wannier_crystal
from gapscope.support.resources import find_material


def material(
    name: str,
    *,
    folder: Path | None = None,
    fermi_energy: float | None = None,
    filling: float | None = None,
    spin: str | None = None,
    lattice_constant: float | None = None,
    kz: str | None = None,
    surface: str | None = None,
) -> Material:
    """A shipped material by name, or one from a TOML file or a Wannier90 ``_hr.dat``.

    Parameters
    ----------
    name : name of a shipped material, or the path of a file.
    folder : where relative paths start.
    fermi_energy or filling, lattice_constant, spin, kz or surface : eV or electrons per cell,
        Angstrom, how a ``_hr.dat`` holds spin, and the plane or the open side of a bulk one
        (:meth:`Material.from_wannier90`); for such a file and only for it. The lattice constant may
        be left to a ``.win`` beside it.

    Raises
    ------
    SpecificationError : a name that is no text, or a folder that is none.
    MaterialFileError : no such material, an unreadable file, or a ``_hr.dat`` without the
        numbers that it does not hold.
    """
    require_kind(name, (str, Path), "The name of a material", '"nbse2", or the path of a file')
    if folder is not None:
        require_kind(folder, (str, Path), "A folder", '"crystals", say')
        folder = Path(folder)
    path = find_material(name, folder)
    if path.suffix == ".toml":
        told = {
            "fermi_energy": fermi_energy,
            "filling": filling,
            "spin": spin,
            "lattice_constant": lattice_constant,
            "kz": kz,
            "surface": surface,
        }
        given = {key: value for key, value in told.items() if value is not None}
        if given:
            raise MaterialFileError(
                f"{', '.join(given)} belong{'s' if len(given) == 1 else ''} to a Wannier90 _hr.dat;"
                " a material's TOML says all that it needs.",
                f"{', '.join(f'{key} = {value}' for key, value in given.items())} with {path.name}",
                f"Leave {', '.join(given)} out; eps0 moves the bands against the Fermi level.",
            )
        return Material.from_toml(path)
    if fermi_energy is None and filling is None:
        raise MaterialFileError(
            "A Wannier90 Hamiltonian has no zero of energy of its own.",
            name,
            "Give the Fermi energy (eV) or a filling (and the lattice constant in Angstrom where no"
            " .win stands beside it), or write a material's TOML with a [wannier90] table.",
        )
    return Material.from_wannier90(
        path,
        fermi_energy=fermi_energy,
        filling=filling,
        spin=spin,
        lattice_constant=lattice_constant,
        kz=kz,
        surface=surface,
    )


def lattice_of_material(name: str, constant: float | None = None) -> tuple[Lattice, str]:
    """The lattice of a material, which a Wannier90 file has without its zero of energy, and a name.

    Parameters
    ----------
    constant : Angstrom, in place of the material's.

    Raises
    ------
    MaterialFileError : as :func:`material` does, but for what the bands alone need.
    """
    path = find_material(name)
    if path.suffix != ".toml":
        found = read_wannier_crystal(path, lattice_constant=constant, kz="Gamma")
        return found.lattice, path.name.removesuffix("_hr.dat")
    own = material(name)
    return (own.lattice if constant is None else replace(own.lattice, constant=constant)), own.name
