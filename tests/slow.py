"""Which tests are slow."""

from __future__ import annotations

WITHOUT_JULIA = {
    "measured/test_fuzz_corpus.py": "thousands of files",
    "measured/test_hdf5_maps.py": "a process for each file",
    "measured/test_matlab.py": "a process for many files",
    "measured/test_readers_fuzz.py": "thousands of files",
    "measured/test_usid.py": "a process for each file",
    "measured_preparation/test_any_lattice.py": "many images",
    "measured_preparation/test_bragg.py": "many images",
    "measured_preparation/test_bragg_vectors.py": "many images",
    "measured_preparation/test_false_alarms.py": "hundreds of images",
    "measured_preparation/test_nbs2_maps.py": "large images",
    "measured_preparation/test_plausible_lattice.py": "many images",
    "measured_preparation/test_preparation_pipeline.py": "many images",
    "measured_preparation/test_prepare_command.py": "many images",
}
"""What takes more than 10 CPU seconds, but no Julia: ``make test`` hides Julia from it, as from
what is quick, and runs it while the kernel is compiled."""

SLOW = WITHOUT_JULIA | {
    "explore": "Julia, networks, a browser",
    "kernel": "Julia",
    "test_cli.py": "Julia, a training",
    "test_crystal_commands.py": "Julia",
    "test_mapfile.py": "large files",
    "test_simulate.py": "Julia",
    "test_without_keras.py": "Julia",
    "dataset/test_build.py": "Julia, Dask",
    "dataset/test_greens.py": "Julia, Dask",
    "dataset/test_interruptions.py": "Dask",
    "dataset/test_kills.py": "Dask",
    "dataset/test_others.py": "Julia",
    "dataset/test_resolutions.py": "Julia",
    "dataset/test_setpoints.py": "Julia",
    "inference/test_network_energy.py": "imports Keras",
    "learning/test_alternatives.py": "Julia, networks",
    "learning/test_averaging.py": "networks",
    "learning/test_backbone.py": "networks",
    "learning/test_calibration.py": "a training",
    "learning/test_changed_maps.py": "a training",
    "learning/test_fresh_impurities.py": "a training",
    "learning/test_hostile_folder.py": "networks",
    "learning/test_hostile_maps.py": "networks",
    "learning/test_learning_commands.py": "a training",
    "learning/test_measured_energies.py": "a training",
    "learning/test_measured_prediction.py": "networks",
    "learning/test_measured_training.py": "a training",
    "learning/test_model_folder.py": "a training",
    "learning/test_predict.py": "a training",
    "learning/test_quiet.py": "processes that import Keras",
    "learning/test_results_page.py": "a training",
    "learning/test_shipped_networks.py": "networks",
    "learning/test_start.py": "a training",
    "learning/test_surface.py": "networks",
    "learning/test_train.py": "a training",
    "learning/test_verdict.py": "Julia, networks",
    "measured_simulation": "Julia, networks",
    "physics/test_gaps_alike.py": "Julia",
    "problem/test_built.py": "Julia, Dask",
    "problem/test_merges.py": "Julia",
    "problem/test_moves.py": "Julia",
    "problem/test_names.py": "Julia",
    "problem/test_new_unknown.py": "Julia, trainings",
    "problem/test_shipped_cards.py": "networks",
}
"""What ``make quick`` leaves out, and why: it starts Julia, Dask or a browser, trains or loads a
network, or takes more than 10 CPU seconds. What is not listed is quick; ``make quick`` hides Julia,
so that a test in it that starts a kernel fails."""


def is_slow(file: str) -> bool:
    """Whether a file, or its folder, is listed; by its path relative to tests/."""
    return file in SLOW or file.split("/")[0] in SLOW


def needs_julia(file: str) -> bool:
    """Whether ``make test`` runs a file once the kernel is compiled."""
    return is_slow(file) and file not in WITHOUT_JULIA
