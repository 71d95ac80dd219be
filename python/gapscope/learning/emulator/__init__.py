"""Regression on noise-free maps: gap, theta and eps0 from the surface that an irrep fills."""
