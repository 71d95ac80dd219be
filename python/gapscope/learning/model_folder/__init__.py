"""A trained network on disk: the folder of a run, or of an exported model."""
