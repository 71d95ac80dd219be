"""Datasets of simulated maps: recipe, build, verify, load."""
