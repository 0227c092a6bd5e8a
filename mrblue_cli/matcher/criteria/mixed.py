"""Several fields of a person compared at once. PURE."""

from __future__ import annotations

from mrblue_cli.matcher.registry import Entry

ENTRIES: tuple[Entry, ...] = ()
