"""The missing shards of a dataset, computed by Dask's workers."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from dask.system import CPU_COUNT
from distributed import Client
from tqdm import tqdm

from gapscope.dataset.cluster import WorkersLostError, connect, neighbours, run
from gapscope.dataset.compute import Job, compute_shard
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.preflight import suitable_workers
from gapscope.kernel.client import default_threads

logger = logging.getLogger(__name__)
CLUSTERS = 4
"""Sets of local workers that are started, each after the loss of the one before."""


def computed(job: Job, workers: int | None, scheduler: str | None, progress: bool) -> Manifest:
    """The finished manifest; workers of this machine that are lost are replaced, CLUSTERS times.

    Parameters
    ----------
    workers : of this machine; without a number or a scheduler, as many as suit it.
    """
    if scheduler is None and workers is None:
        cores = min(CPU_COUNT, default_threads())
        workers = suitable_workers(job.manifest.recipe, len(job.manifest.missing), cores)
    for left in reversed(range(CLUSTERS)):
        try:
            with connect(workers, scheduler) as client:
                return _compute(client, replace(job, neighbours=neighbours(client)), progress)
        except WorkersLostError as error:
            if scheduler is not None or not left:
                raise
            logger.warning("New workers, since all were lost: %s", error.received)
            job = replace(job, manifest=Manifest.read(job.folder))
    raise AssertionError("the last failure is raised")


def _compute(client: Client, job: Job, progress: bool) -> Manifest:
    """Compute the missing shards and enter each into the manifest as it is finished."""
    manifest = job.manifest
    if not manifest.shards:
        ((_, begun),) = run(client, job.simulator.versions, [job.neighbours])
        manifest = replace(manifest, versions=begun)
    manifest.write(job.folder)
    job = replace(job, manifest=manifest)
    shards, total = manifest.recipe.shards(), manifest.recipe.samples
    done = total - sum(len(shards[index]) for index in manifest.missing)
    with tqdm(total=total, initial=done, unit="map", disable=not progress) as bar:
        for index, entry in run(client, partial(compute_shard, job), manifest.missing):
            manifest = manifest.with_shard(index, entry)
            manifest.write(job.folder)
            bar.update(len(shards[index]))
    return manifest
