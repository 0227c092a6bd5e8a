"""What people ask of a partner, and whom they do not want to meet. PURE. Reference section 2: blocked, wishes,
age_pref.

With `strict` a wish that is known not to be met excludes the pair; otherwise wishes are a directed score, with weight 0
until given weight. A wish that cannot be checked excludes nobody. No entry of the catalogue: the project's own rule.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called
from mrblue_cli.matcher.criteria.geo import great_circle_km, great_circle_km_fast
from mrblue_cli.matcher.criteria.role import can_lead
from mrblue_cli.matcher.model import User
from mrblue_cli.matcher.registry import Entry


def checks(a: User, b: User) -> list[tuple[str, bool | None]]:
    """Each wish that a has, and whether b meets it; None: cannot be known."""
    found: list[tuple[str, bool | None]] = []
    if a.wishes.max_km is not None:
        km = great_circle_km(a.place, b.place)
        found.append((f"at most {a.wishes.max_km:g} km away", None if km is None else km <= a.wishes.max_km))
    if a.wishes.level_min is not None or a.wishes.level_max is not None:
        low, high = a.wishes.level_min or 0.0, a.wishes.level_max or np.inf
        met = [low <= level <= high for level in _levels(a, b) if level is not None]
        words = f"at level {low:g} to {high:g}" if np.isfinite(high) else f"at level {low:g} or more"
        found.append((words, any(met) if met else None))
    if a.age_pref is not None:
        low, high = a.age_pref.min or 0.0, a.age_pref.max or np.inf
        # An age range counts only between people who both gave age and range (reference section 2).
        said = b.age is not None and b.age_pref is not None and a.age is not None
        words = f"aged {low:g} to {high:g}" if np.isfinite(high) else f"aged {low:g} or more"
        found.append((words, low <= (b.age or 0.0) <= high if said else None))
    return found


def _levels(a: User, b: User) -> list[float | None]:
    """b's level in each role that b could dance with a."""
    return [b.leader_level] * can_lead(b, a) + [b.follower_level] * can_lead(a, b)


def met(a: User, b: User) -> Score:
    """The share of a's wishes that b meets, among those that can be checked; None: none can."""
    found = [(words, kept) for words, kept in checks(a, b) if kept is not None]
    if not found:
        return Score(None, f"{called(a)} has no wish that can be checked with what is known of {called(b)}")
    missed = [words for words, kept in found if not kept]
    value = 100.0 * (len(found) - len(missed)) / len(found)
    if missed:
        wished = f"{called(a)} wished for somebody {' and '.join(missed)}"
        return Score(value, f"{wished}, which {called(b)} is not", wished)
    return Score(value, f"{called(b)} is what {called(a)} wished for", f"as {called(a)} wished")


def met_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`met` for many pairs; NaN: unknown."""
    kept, broken = _counts(community, left, right)
    total = kept + broken
    return np.where(total == 0, np.nan, 100.0 * kept / np.maximum(total, 1))


def barred(a: User, b: User, *, strict: bool) -> str:
    """Why two people are kept apart, in words that tell nobody who asked; empty: they are not."""
    if b.id in a.blocked or a.id in b.blocked:
        return "one of the two asked not to be paired with the other"
    if strict and any(kept is False for _, kept in (*checks(a, b), *checks(b, a))):
        return "a wish of one of the two is not met"
    return ""


def allowed(community: Community, left: Ints, right: Ints, *, strict: bool) -> npt.NDArray[np.bool_]:
    """[n] whether nothing keeps the two apart."""
    n = len(community)
    pairs = community.derived("blocked pairs", lambda: _blocked_pairs(community))
    fine = np.ones(len(left), dtype=np.bool_)
    if len(pairs):
        keys = np.minimum(left, right) * n + np.maximum(left, right)
        at = np.minimum(np.searchsorted(pairs, keys), len(pairs) - 1)
        fine = pairs[at] != keys
    if strict:
        for one, other in ((left, right), (right, left)):
            fine &= _counts(community, one, other)[1] == 0
    return fine


def _blocked_pairs(community: Community) -> Ints:
    """Sorted keys (smaller row * n + larger row)."""
    owner = np.repeat(np.arange(len(community), dtype=np.int64), community.blocked.sizes)
    other = community.blocked.values.astype(np.int64)
    return np.unique(np.minimum(owner, other) * len(community) + np.maximum(owner, other))


def _counts(community: Community, left: Ints, right: Ints) -> tuple[Floats, Floats]:
    """[n] of the left one's wishes that can be checked: met, not met."""
    column = community.number
    checks = []
    km = great_circle_km_fast(community, left, right)
    limit = column("max_km")[left]
    checks.append((~np.isnan(limit) & ~np.isnan(km), km <= limit))
    low, high = np.nan_to_num(column("level_min")[left]), np.nan_to_num(column("level_max")[left], nan=np.inf)
    asks = ~np.isnan(column("level_min")[left]) | ~np.isnan(column("level_max")[left])
    a, b = community.roles[left], community.roles[right]
    known, inside = np.zeros(len(left), dtype=np.bool_), np.zeros(len(left), dtype=np.bool_)
    for mine, theirs, name in ((2, 1, "leader_level"), (1, 2, "follower_level")):
        level = column(name)[right]
        there = (a & mine > 0) & (b & theirs > 0) & ~np.isnan(level)
        known |= there
        inside |= there & (low <= level) & (level <= high)
    checks.append((asks & known, inside))
    low, high = np.nan_to_num(column("age_min")[left]), np.nan_to_num(column("age_max")[left], nan=np.inf)
    age = column("age")
    both = community.asks_age[left] & community.asks_age[right] & ~np.isnan(age[left]) & ~np.isnan(age[right])
    checks.append((both, (low <= age[right]) & (age[right] <= high)))
    kept = sum((there & fine).astype(np.float64) for there, fine in checks)
    broken = sum((there & ~fine).astype(np.float64) for there, fine in checks)
    return np.asarray(kept), np.asarray(broken)


ENTRY = Entry(
    name="wishes",
    words="share of what one person asked for that the other meets",
    formula="met / (met + not met), of the wishes that can be checked",
    source="project",
    scalar=met,
    fast=met_fast,
    symmetric=False,
)
