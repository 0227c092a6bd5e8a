"""What a criterion is: two forms of one formula over two people. PURE.

`scalar(a, b, **parameters) -> Score` is written to be read. `fast(community, left, right, **parameters) -> [n]` gives
the same values for n pairs of rows at once, NaN where unknown. Both are 0..100. A symmetric criterion gives
`scalar(a, b) == scalar(b, a)`; a directed one gives a's view of b and says so in its entry. A criterion over the whole
community (`needs_community`) takes it as `community=` in its scalar form.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community, Ints
from mrblue_cli.matcher.model import Leads, User


class Score(msgspec.Struct, frozen=True):
    """One criterion's verdict."""

    value: float | None
    """0..100; None: one side did not say."""
    why: str
    """One plain sentence."""
    brief: str = ""
    """A few words of it for a one-line reason; empty: nothing worth saying."""
    leads: Leads | None = None
    """Set by criteria that decide who leads."""


def called(user: User) -> str:
    """How sentences name a person."""
    return user.name or user.id


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def here(community: Community | None, entry: str) -> Community:
    """The community that a plain form was given. Raises `UsageError` without one."""
    if community is None:
        raise UsageError(f"{entry} needs the whole community", hint="score the two out of their file")
    return community


def everyone(row: int, others: npt.NDArray[np.int64]) -> Ints:
    """The row as often as there are others: one person against many, as `fast` wants it."""
    return np.full(len(others), row, dtype=np.int64)
