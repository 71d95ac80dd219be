"""One reader per format of an instrument's files, and what a file may ask for."""
