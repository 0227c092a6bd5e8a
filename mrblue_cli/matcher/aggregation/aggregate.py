"""Many criteria into one score, 0..100: the family `agg`. PURE.

Pointwise entries: `scalar(scores, weights, **parameters) -> float`, `fast(matrix [n, m], weights [m]) -> [n]`.
List-wise entries compare alternatives with each other: `scalar(rows, weights, **parameters) -> list[float]`, `fast` as
above. Scores hold no unknowns: those are filled before. Criteria without weight say nothing; if none has weight, all
count alike. No rows give no scores.
"""

from __future__ import annotations

from mrblue_cli.matcher.aggregation import fuzzy, ideals, means, odds, ranks
from mrblue_cli.matcher.aggregation.means import mean, mean_fast
from mrblue_cli.matcher.registry import Entry

__all__ = ["ENTRIES", "mean", "mean_fast"]
ENTRIES: tuple[Entry, ...] = (*means.ENTRIES, *fuzzy.ENTRIES, *ideals.ENTRIES, *ranks.ENTRIES, *odds.ENTRIES)
