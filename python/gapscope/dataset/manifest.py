"""The manifest: what a dataset folder is going to hold, and what of it is finished."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gapscope.dataset.recipe import Recipe
from gapscope.dataset.schema import MANIFEST, require_readable, shard_name
from gapscope.dataset.shards import Origin, ShardEntry, corrupt
from gapscope.errors import DatasetError, RecipeError
from gapscope.physics import Material
from gapscope.problem.paper import stored_problem
from gapscope.problem.problem import Problem
from gapscope.support.reading import read_json
from gapscope.support.storage import write_whole

MANIFEST_BYTES = 64_000_000
"""Largest manifest that is read: 300,000 shards."""


@dataclass(frozen=True)
class Manifest:
    """Recipe, material and problem of a dataset, what computes it, and its shards by index.

    ``identity``, a hash of recipe and material, is what shards and ``dataset.h5`` are known by. The
    problem follows from the two, and is no part of it: what a later gapscope finds out and stores
    besides leaves identities as they are.
    """

    recipe: Recipe
    material: dict[str, Any]
    problem: Problem
    identity: str
    versions: dict[str, str] = field(default_factory=dict)
    shards: dict[int, ShardEntry] = field(default_factory=dict)

    @classmethod
    def start(cls, recipe: Recipe, material: Material, problem: Problem) -> Manifest:
        """The manifest of a dataset without shards."""
        content = {"recipe": recipe.deciding(), "material": material.to_dict()}
        text = json.dumps(content, sort_keys=True)
        identity = hashlib.sha256(text.encode()).hexdigest()
        own = recipe.for_orbitals(material.orbitals)
        return cls(own, json.loads(text)["material"], problem, identity)

    @property
    def origin(self) -> Origin:
        """What the dataset's shards say of themselves."""
        return Origin(self.identity, self.versions)

    @property
    def missing(self) -> list[int]:
        """Indices of the shards that are not finished."""
        return [i for i in range(len(self.recipe.shards())) if i not in self.shards]

    def require_entered(self, index: int, sha256: str) -> None:
        """Raise CorruptShardError if a shard was entered with another checksum."""
        entry = self.shards.get(index)
        if entry is not None and entry.sha256 != sha256:
            name = Path(shard_name(index)).name
            raise corrupt(name, "content that differs from the manifest's checksum")

    def require_finished(self) -> None:
        """Raise DatasetError unless every shard is entered."""
        if self.missing:
            raise DatasetError(
                "A dataset is used when all its shards are finished.",
                f"{len(self.shards)} of {len(self.recipe.shards())} shards of {self.recipe.name}",
                "Run its build again; it goes on where it was interrupted.",
            )

    def require_present(self, folder: Path) -> None:
        """Raise CorruptShardError unless every entered shard lies in the folder with its size."""
        for index, entry in self.shards.items():
            path = folder / shard_name(index)
            size = path.stat().st_size if path.is_file() else None
            if size != entry.size:
                found = "no file" if size is None else f"{size} bytes, not {entry.size}"
                raise corrupt(path.name, found)

    def with_shard(self, index: int, entry: ShardEntry) -> Manifest:
        """The manifest after one more shard."""
        return replace(self, shards={**self.shards, index: entry})

    def require_same(self, other: Manifest) -> None:
        """Raise RecipeError if the other manifest is of another recipe or material."""
        mine, theirs = self.recipe.deciding(), other.recipe.deciding()
        differing = [
            f"{key} = {mine.get(key)!r} here, {theirs.get(key)!r} now"
            for key in mine | theirs
            if mine.get(key) != theirs.get(key)
        ]
        if self.material != other.material:
            differing.append(f"the content of the material {self.recipe.material}")
        if differing:
            raise RecipeError(
                "A dataset folder holds one recipe with one material.",
                "; ".join(differing),
                "Build into another folder, or finish this one with the recipe it was begun with.",
            )

    def write(self, folder: Path) -> None:
        """Write ``manifest.json``; raises StorageError where the system refuses."""
        problem = {} if self.recipe.schema_version == 1 else {"problem": self.problem.to_dict()}
        content = {
            "schema": self.recipe.schema_version,
            "recipe": self.recipe.to_dict(),
            **problem,
            "material": self.material,
            "identity": self.identity,
            "versions": self.versions,
            "shards": [
                {"index": index, "file": shard_name(index), **asdict(entry)}
                for index, entry in sorted(self.shards.items())
            ],
        }
        write_whole(folder / MANIFEST, json.dumps(content, indent=1).encode())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read ``manifest.json``.

        Raises
        ------
        DatasetError : there is none, or it is damaged.
        SchemaVersionError : it was written by a newer gapscope.
        """
        path = folder / MANIFEST
        try:
            content = read_json(path, MANIFEST_BYTES)
            require_readable(int(content["schema"]), MANIFEST)
            orbitals = len(content["material"]["bonds"]["real"][0]) // 2
            recipe = Recipe.from_dict(content["recipe"], MANIFEST).for_orbitals(orbitals)
            shards = {
                e["index"]: ShardEntry(e["sha256"], e["size"], e["seconds"])
                for e in content["shards"]
            }
            return cls(
                recipe,
                content["material"],
                stored_problem(content),
                content["identity"],
                content["versions"],
                shards,
            )
        except FileNotFoundError as error:
            raise DatasetError(
                f"A dataset folder has a {MANIFEST}.", str(folder), "Build a dataset there."
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(
                f"A dataset's {MANIFEST} is readable.",
                f"{path}: {type(error).__name__}: {error}",
                "Remove it and build again with the same recipe: intact shards are kept.",
            ) from error
