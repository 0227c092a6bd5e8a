"""Two people's sets of tags: what they are, what they share, and how to say so. PURE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from mrblue_cli.matcher.columns import Ragged, Vocabulary, Words
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.model import Role, User

Of = Literal["styles", "music"]


def tags(user: User, of: Of) -> frozenset[str]:
    """A person's tags; empty: unknown."""
    return frozenset(user.styles if of == "styles" else (tag for tag, _ in user.music))


def rows_of(community: Community, of: Of) -> tuple[Ragged, Vocabulary]:
    """Everybody's tags as codes, and the names of the codes."""
    if of == "styles":
        return community.style_tags, community.style_names
    return community.music_tags, community.music_names


def bits_of(community: Community, of: Of) -> Words:
    """[people, words] everybody's tags as bits."""
    return community.styles if of == "styles" else community.music


def counts(community: Community, left: Ints, right: Ints, of: Of) -> tuple[Floats, Floats, Floats]:
    """[n] sizes: in common, of A's set, of B's set."""
    bits, sizes = bits_of(community, of), rows_of(community, of)[0].sizes
    common = np.bitwise_count(bits[left] & bits[right]).sum(axis=1).astype(np.float64)
    return common, sizes[left].astype(np.float64), sizes[right].astype(np.float64)


def each_tag(community: Community, rows: Ints, of: Of) -> tuple[Ints, Ints]:
    """(pair, code): the tags of `rows[i]` one under the other, with i beside each; ascending."""
    ragged = rows_of(community, of)[0]
    taken = ragged.take(rows)
    return np.repeat(np.arange(len(rows), dtype=np.int64), taken.sizes), taken.values.astype(np.int64)


_NOUN = {"styles": "styles", "music": "kinds of music"}


def reasoned(value: float, a: User, b: User, of: Of) -> Score:
    """The score of two sets that are both known, with its reason."""
    common = sorted(tags(a, of) & tags(b, of))
    if not common:
        return Score(value, f"{called(a)} and {called(b)} have no {of} in common", f"no {of} in common")
    shown = listed(common[:4] + ([f"{len(common) - 4} more"] if len(common) > 4 else []))
    named = len(tags(a, of) | tags(b, of))
    brief = f"both like {shown}" if value >= 50 else f"only {shown} in common"
    return Score(value, f"both like {shown}: {len(common)} of the {named} {_NOUN[of]} that they name", brief)


def unsaid(a: User, b: User, of: Of) -> Score | None:
    """The unknown score when either set is empty."""
    lacking = sorted((user.id, called(user)) for user in (a, b) if not tags(user, of))
    return Score(None, f"{listed([name for _, name in lacking])} named no {of}") if lacking else None


def known(values: Any, ours: Floats, theirs: Floats) -> Floats:
    """NaN where either set is empty."""
    return np.where((ours == 0) | (theirs == 0), np.nan, values)


Formula = Callable[..., Any]
"""`formula(common, ours, theirs, **parameters)` on sizes, numbers or arrays, neither set empty: 0..1."""


def counted(formula: Formula, a: User, b: User, *, of: Of = "styles", **parameters: Any) -> Score:
    """A formula over the sizes of two sets and of what they share."""
    ours, theirs = tags(a, of), tags(b, of)
    if not ours or not theirs:
        return unsaid(a, b, of) or Score(None, "")
    value = 100.0 * float(formula(len(ours & theirs), len(ours), len(theirs), **parameters))
    return reasoned(min(100.0, value), a, b, of)


def counted_fast(
    formula: Formula, community: Community, left: Ints, right: Ints, *, of: Of = "styles", **parameters: Any
) -> Floats:
    """`counted` for many pairs; NaN: unknown."""
    common, ours, theirs = counts(community, left, right, of)
    values = 100.0 * formula(common, np.maximum(ours, 1.0), np.maximum(theirs, 1.0), **parameters)
    return known(np.minimum(100.0, values), ours, theirs)


def likes(name: str, *words: str) -> User:
    """A person of the worked examples."""
    return User(id=name, roles=Role.BOTH, styles=tuple(sorted(words)))


TWO_OF_FOUR = {"a": likes("a", "salon", "vals", "milonga"), "b": likes("b", "salon", "vals", "nuevo")}
"""Two of three each, two of four together."""
TWO_OF_TWO_AND_FOUR = {"a": likes("a", "salon", "vals"), "b": likes("b", "milonga", "nuevo", "salon", "vals")}
"""All of the smaller set, half of the larger."""
NOTHING = {"a": likes("a", "salon"), "b": likes("b", "nuevo")}
