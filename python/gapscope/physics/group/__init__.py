"""Point groups of planar crystals: operations, irreps, and how they are found."""
