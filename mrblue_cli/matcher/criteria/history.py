"""Who danced with whom: the entries of the family. PURE.

Each stands in a file of its own kind: what two people share (`history_shared`), walks and similarity over the whole
graph (`history_walks`), learnt factors (`history_factors`). What they read is `history_graph`.
"""

from __future__ import annotations

from mrblue_cli.matcher.criteria import history_factors, history_shared, history_walks
from mrblue_cli.matcher.registry import Entry

ENTRIES: tuple[Entry, ...] = (*history_shared.ENTRIES, *history_walks.ENTRIES, *history_factors.ENTRIES)
