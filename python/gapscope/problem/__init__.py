"""What a network is asked: candidates, unknowns, and what no map can tell apart."""
