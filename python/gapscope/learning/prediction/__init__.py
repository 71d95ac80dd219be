"""A trained network as a function of maps."""
