"""What a tip above the crystal sees: Wannier functions, their densities, maps on pixels."""
