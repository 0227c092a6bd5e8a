"""Typer commands, one file each; output formats and exit codes. Imports heavy parts inside the command."""
