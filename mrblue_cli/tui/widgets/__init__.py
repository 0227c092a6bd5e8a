"""One widget per file; each holds view state only."""
