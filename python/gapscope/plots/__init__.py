"""Figures; every function returns a Matplotlib figure and draws nothing on a screen."""
