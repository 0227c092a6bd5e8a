"""What is done to a list of the best before it is shown. PURE."""

from __future__ import annotations

from mrblue_cli.matcher.registry import Entry

ENTRIES: tuple[Entry, ...] = ()
