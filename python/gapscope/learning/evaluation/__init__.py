"""Accuracy on held-out maps, and predictions as tables for people."""
