"""Finds, unpacks and compiles Julia."""
