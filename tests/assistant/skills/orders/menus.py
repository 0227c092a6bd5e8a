"""The sample menu, read once."""

from __future__ import annotations

from mrblue_cli.app.profiles import read_menu

TRATTORIA = read_menu("trattoria")
