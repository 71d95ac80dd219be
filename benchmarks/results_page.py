"""What the parts of the results page share: folders, cache, tables, figures, absent parts."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from gapscope.dataset.load import open_dataset
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import Recipe
from gapscope.learning.evaluation.evaluate import evaluate
from gapscope.learning.evaluation.metrics import Estimate
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.prediction.predictor import Predictor
from gapscope.plots.style import save_figure
from gapscope.support.netcdf import write_netcdf
from reference import FRESH, LARGE, REFERENCE, recipe_name


@dataclass(frozen=True)
class Page:
    """Folders of datasets, runs, cache and figures; ``quick`` shrinks every count of samples."""

    data: Path
    runs: Path
    cache: Path
    images: Path
    reference: str = LARGE
    quick: bool = False

    def count(self, full: int, quick: int) -> int:
        """A number of samples."""
        return quick if self.quick else full

    def has_run(self, name: str) -> bool:
        """Whether a run holds weights; they may still be improving."""
        folder = RunFolder(self.runs / name)
        return folder.begun and folder.best.is_file()

    def has_dataset(self, name: str) -> bool:
        """Whether a dataset has been finished."""
        return (self.data / name / "dataset.h5").is_file()

    def absent_run(self, name: str) -> str:
        """A line that says that a run is missing, and how to make it."""
        return (
            f"The run `{name}` was not trained: `python benchmarks/reference.py"
            f" {self.runs.name} {name}`."
        )

    def absent_dataset(self, name: str) -> str:
        """A line that says that a dataset is missing, and how to make it."""
        command = f"gapscope dataset build {recipe_name(name)} -o {self.data.name}/{name}"
        return f"The dataset `{name}` was not built: `{command}`."

    @cached_property
    def predictor(self) -> Predictor:
        """The reference network."""
        return Predictor.load(self.runs / self.reference)

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe of the unseen maps."""
        return Manifest.read(self.data / self.largest).recipe

    def evaluated(self, run: str, dataset: str) -> xr.Dataset:
        """Predictions for a dataset's test split beside their truth."""
        return self.cached(
            f"{run} on {dataset}",
            predictions_of,
            self.runs / run,
            self.data / dataset,
            run=fingerprint(self.runs / run),
            dataset=identity(self.data / dataset),
        )

    @property
    def largest(self) -> str:
        """The dataset with the most unseen maps."""
        return FRESH if self.has_dataset(FRESH) else REFERENCE

    def for_reference(
        self, name: str, make: Callable[..., xr.Dataset], *arguments: object
    ) -> xr.Dataset:
        """``make(page, *arguments)`` for the reference network and largest dataset, or its cache.

        Raises
        ------
        RunError : the reference network was not trained.
        """
        run = fingerprint(self.runs / self.reference)
        dataset = identity(self.data / self.largest)
        return self.cached(name, make, self, *arguments, run=run, dataset=dataset)

    def cached(
        self, name: str, make: Callable[..., xr.Dataset], *arguments: object, **inputs: str
    ) -> xr.Dataset:
        """``make(*arguments)``, from the cache where the same inputs and code have made it."""
        sources = [Path(inspect.getfile(make)), Path(__file__).with_name("results_states.py")]
        code = [source.read_text(encoding="utf-8") for source in sources]
        text = json.dumps([self.quick, code, inputs], sort_keys=True)
        path = (
            self.cache
            / f"{name.replace(' ', '-')}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.nc"
        )
        if not path.is_file():
            self.cache.mkdir(parents=True, exist_ok=True)
            write_netcdf(make(*arguments), path)
        return xr.load_dataset(path, engine="h5netcdf")

    def figure(self, name: str, figure: Figure, caption: str) -> str:
        """Save a figure; the line of Markdown that shows it."""
        self.images.mkdir(parents=True, exist_ok=True)
        path = save_figure(figure, self.images / f"results-{name}.png")
        return f"![{caption}](images/{path.name})\n\n*{caption}.*"


def predictions_of(run: Path, dataset: Path) -> xr.Dataset:
    """Predictions of a run for the test split of a dataset, beside their truth."""
    return evaluate(run, dataset).predictions


@lru_cache
def identity(dataset: Path) -> str:
    """Digest of a finished dataset's recipe and material."""
    with open_dataset(dataset) as opened:
        return str(opened.attrs["identity"])


@lru_cache
def fingerprint(run: Path) -> str:
    """Digest of all that decides a run's predictions: its files, and the code of learning."""
    digest = hashlib.sha256()
    for source in sorted(Path(inspect.getfile(Predictor)).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for name in ("config.json", "best.weights.h5", "surfaces.npz", "calibration.npz"):
        if (run / name).is_file():
            digest.update((run / name).read_bytes())
    return digest.hexdigest()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; the first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def shown(estimate: Estimate, digits: int, scale: float = 1.0) -> str:
    """An estimate with its interval."""
    value, low, high = (scale * x for x in (estimate.value, estimate.low, estimate.high))
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
