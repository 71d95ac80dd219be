"""Regression on noise-free maps: unknowns from the surface that an irrep fills."""
