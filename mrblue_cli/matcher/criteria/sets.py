"""What two people's sets of tags share. PURE. The baseline reads styles; `of` names another set."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.registry import Entry, Example

Of = Literal["styles", "music"]


def tags(user: User, of: Of) -> frozenset[str]:
    """A person's tags; empty: unknown."""
    return frozenset(user.styles if of == "styles" else (tag for tag, _ in user.music))


def counts(community: Community, left: Ints, right: Ints, of: Of) -> tuple[Floats, Floats, Floats]:
    """[n] sizes: in common, of A's set, of B's set."""
    bits = community.styles if of == "styles" else community.music
    a, b = bits[left], bits[right]
    common, ours, theirs = (np.bitwise_count(words).sum(axis=1).astype(np.float64) for words in (a & b, a, b))
    return common, ours, theirs


def reasoned(value: float, a: User, b: User, of: Of) -> Score:
    """The score of two sets that are both known, with its reason."""
    common = sorted(tags(a, of) & tags(b, of))
    if not common:
        return Score(value, f"{called(a)} and {called(b)} have no {of} in common", f"no {of} in common")
    shown = listed(common[:4] + ([f"{len(common) - 4} more"] if len(common) > 4 else []))
    return Score(value, f"both like {shown}", f"both like {shown}")


def unsaid(a: User, b: User, of: Of) -> Score | None:
    """The unknown score when either set is empty."""
    lacking = [called(user) for user in (a, b) if not tags(user, of)]
    return Score(None, f"{listed(lacking)} named no {of}") if lacking else None


def jaccard(a: User, b: User, *, of: Of = "styles") -> Score:
    """Common over union."""
    ours, theirs = tags(a, of), tags(b, of)
    return unsaid(a, b, of) or reasoned(100.0 * len(ours & theirs) / len(ours | theirs), a, b, of)


def jaccard_fast(community: Community, left: Ints, right: Ints, *, of: Of = "styles") -> Floats:
    """`jaccard` for many pairs; NaN: unknown."""
    common, ours, theirs = counts(community, left, right, of)
    return known(100.0 * common / np.maximum(ours + theirs - common, 1.0), ours, theirs)


def known(values: Any, ours: Floats, theirs: Floats) -> Floats:
    """NaN where either set is empty."""
    return np.where((ours == 0) | (theirs == 0), np.nan, values)


def _likes(name: str, *words: str) -> User:
    return User(id=name, roles=Role.BOTH, styles=tuple(sorted(words)))


_TWO_OF_FOUR = {"a": _likes("a", "salon", "vals", "milonga"), "b": _likes("b", "salon", "vals", "nuevo")}
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="set.jaccard",
        words="tags in common out of all tags of the two",
        formula="|A and B| / |A or B|",
        source="Jaccard 1912",
        scalar=jaccard,
        fast=jaccard_fast,
        examples=(Example(given=_TWO_OF_FOUR, expected=50.0),),
        parameters={"of": "styles"},
    ),
)
