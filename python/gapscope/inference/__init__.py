"""From files and measured maps to answers: where networks, the kernel and measured maps meet."""
