"""The ways to the best k, as entries of the catalogue. PURE."""

from __future__ import annotations

from mrblue_cli.matcher.registry import Entry

ENTRIES: tuple[Entry, ...] = ()
