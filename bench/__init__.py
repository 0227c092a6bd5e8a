"""Benchmarks: each script prints a small table and, with --json FILE, writes the figures."""
