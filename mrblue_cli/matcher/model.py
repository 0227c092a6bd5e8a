"""A community as checked values: people, what they said of themselves, and how two of them fit. PURE.

Field rules: reference section 2 (users.json). Nothing here is inferred: what a person did not say is unknown, never
zero.
"""

from __future__ import annotations

import enum

import msgspec

WEEK = 7 * 24 * 60
"""Minutes."""
UNKNOWN_COUNTS = 50.0
"""What an unknown criterion counts (reference rule 7)."""


class Role(enum.IntFlag):
    """What a person dances; both is the sum."""

    LEADER = 1
    FOLLOWER = 2
    BOTH = 3


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody lives. Coordinates are degrees and come in pairs; names are as given."""

    lat: float | None = None
    lon: float | None = None
    city: str = ""
    country: str = ""
    """ISO 3166 alpha-2, upper case; empty: unknown."""
    region: str = ""


class AgeRange(msgspec.Struct, frozen=True, kw_only=True):
    """Years, both ends included; None: open."""

    min: float | None = None
    max: float | None = None


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks of a partner: hard filters with `--strict`, else directed scores."""

    max_km: float | None = None
    level_min: float | None = None
    level_max: float | None = None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One person."""

    id: str
    name: str = ""
    roles: Role
    leader_level: float | None = None
    """1..10 in half steps; None: unknown, also for a role not danced."""
    follower_level: float | None = None
    place: Place = Place()
    styles: tuple[str, ...] = ()
    """Tags, folded, sorted, without repeats; empty: unknown."""
    music: tuple[tuple[str, float], ...] = ()
    """(tag, weight > 0), sorted by tag."""
    hours: tuple[tuple[int, int], ...] = ()
    """Free time in UTC minutes of the week (Monday 00:00 is 0), half open, merged, sorted; empty: unknown."""
    age: float | None = None
    age_pref: AgeRange | None = None
    wishes: Wishes = Wishes()
    blocked: frozenset[str] = frozenset()
    partners: tuple[str, ...] = ()
    history: tuple[tuple[str, float], ...] = ()
    """(id, times danced > 0), sorted by id."""
    lead_share: float | None = None
    """0..1: share of tandas a dual-role person wants to lead (`role.chance`); None: unknown."""

    def level_as(self, role: Role) -> float | None:
        """The level in one role."""
        return self.leader_level if role is Role.LEADER else self.follower_level


class Leads(enum.StrEnum):
    """Who leads in a pair."""

    A = "a"
    B = "b"
    EITHER = "either"


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion's share of a score (reference rule 9)."""

    score: float | None
    """0..100 unrounded; None: unknown, counted as 50."""
    weight: float
    """After rescaling: the weights of all terms sum to 1."""
    points: float
    """What it adds to the overall score."""
    known: bool
    why: str
    """One plain sentence, true for both sides."""
    brief: str = ""
    """A few words of it for a one-line reason; empty: nothing worth saying."""
    views: tuple[float | None, float | None] | None = None
    """For a criterion that each side sees differently: how a sees b, how b sees a; `score` is both, fused."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """How two people fit. `a` is the smaller id, unless a command asks about one person: then `a` is that person."""

    a: str
    b: str
    overall: float
    """0..100, unrounded; print and label the value rounded to 2 decimals."""
    feasible: bool
    leads: Leads | None
    low: float
    high: float
    coverage: float
    """Sum of the weights of what is known."""
    breakdown: dict[str, Term]
    barred: str = ""

    """Why a pair that could dance is left out all the same (a blocked list, a wish under --strict); empty: not."""

    @property
    def label(self) -> str:
        """See `label_of`."""
        return label_of(self.overall, self.coverage)


def label_of(overall: float, coverage: float) -> str:
    """excellent > 80, good > 60, else fair, by the rounded score; "not enough data" under 0.70 coverage."""
    if coverage < 0.70 - 1e-9:
        return "not enough data"
    shown = round(overall, 2)
    return "excellent" if shown > 80 else "good" if shown > 60 else "fair"
