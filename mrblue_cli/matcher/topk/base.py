"""What a search for the best k gives back. PURE."""

from __future__ import annotations

import msgspec

from mrblue_cli.matcher.columns import Floats, Ints


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The best of m people, by falling unrounded score, ties by smaller id (row)."""

    rows: Ints
    """[m, k] rows of the community; -1 where there are fewer than k."""
    scores: Floats
    """[m, k] 0..100; NaN where there are fewer than k."""
