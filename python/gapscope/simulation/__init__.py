"""From a specification to maps and spectra: numerics, requests, results and their files."""
