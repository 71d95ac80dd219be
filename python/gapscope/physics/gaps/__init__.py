"""Gaps that a crystal's symmetry allows: irrep by irrep, shell by shell, channel by channel."""
