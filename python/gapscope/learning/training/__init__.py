"""Training and calibration, from datasets to the folder of a run."""
