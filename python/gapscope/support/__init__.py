"""Files that are whole or absent, memory, progress, resources: nothing of physics."""
