"""The posterior p(class, unknowns | map) by importance sampling with the true kernel."""
