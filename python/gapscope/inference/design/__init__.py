"""What to measure next: expected information about class and unknowns of a map's superconductor."""
