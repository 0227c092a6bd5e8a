"""Errors, clock and id protocols, small value types. Standard library only; imports nothing of ours."""
