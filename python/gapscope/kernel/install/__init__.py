"""Finds, unpacks and compiles Julia, and says what there is of it."""
