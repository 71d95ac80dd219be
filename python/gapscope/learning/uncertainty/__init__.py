"""Calibrated probabilities, sets, intervals and p-values."""
