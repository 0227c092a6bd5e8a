"""What people chose before: whether somebody is like those one danced with. PURE.

Values compared: the roles danced, the level (highest known, in bands 1-2.5, 3-4.5, 5-6.5, 7-8.5, 9-10), city with its
country, country, decade of age, and each style and music tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mrblue_cli.matcher.columns import Ragged
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, here, listed
from mrblue_cli.matcher.criteria.history_graph import contacts, ones, rows_of
from mrblue_cli.matcher.criteria.taste_base import entries
from mrblue_cli.matcher.model import Place, Role, User
from mrblue_cli.matcher.registry import Entry, Example

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Values = dict[str, tuple[str, ...]]


def values(user: User) -> Values:
    """What a person is, by attribute; attributes that are not known are absent."""
    levels = [level for level in (user.leader_level, user.follower_level) if level is not None]
    city = f"{user.place.city.casefold()}|{user.place.country}" if user.place.city else ""
    found: Values = {
        "roles": (str(user.roles.value),),
        "level": (str(_band(max(levels))),) if levels else (),
        "city": (city,) if city else (),
        "country": (user.place.country,) if user.place.country else (),
        "age": (str(int(user.age // 10)),) if user.age is not None else (),
        "styles": user.styles,
        "music": tuple(tag for tag, _ in user.music),
    }
    return {name: kept for name, kept in found.items() if kept}


def _band(level: float) -> int:
    return int((level - 1) // 2)


def recon(a: User, b: User, *, community: Community | None = None) -> Score:
    """How common b's values are among the people a danced with; each person counts once, however often they danced.

    For each attribute: the share of a's contacts with b's value, out of those who stated one; of tags the mean over
    b's tags. The score is the mean over the attributes that can be compared. It is a's view of b. Raises `UsageError`
    without a community.
    """
    community = here(community, "pref.recon")
    one, _ = rows_of(community, a, b)
    met = [values(community.user(row)) for row in contacts(community)[one]]
    if not met:
        return Score(None, f"nobody is known to have danced with {called(a)}")
    shares: dict[str, float] = {}
    for name, wanted in values(b).items():
        stated = [set(known[name]) for known in met if name in known]
        if stated:
            shares[name] = sum(tag in known for tag in wanted for known in stated) / (len(wanted) * len(stated))
    # Roles are always stated, so that there is at least one share.
    value = min(100.0, 100.0 * sum(shares.values()) / len(shares))
    best = sorted((name for name in shares if shares[name] > 0), key=lambda name: (-shares[name], name))[:3]
    if not best:
        return Score(value, f"{called(a)} has not danced with people like {called(b)}", "unlike earlier partners")
    said = listed([f"{name} ({100 * shares[name]:.0f} %)" for name in best])
    return Score(value, f"people {called(a)} danced with share {called(b)}'s {said}", f"like {called(a)}'s partners")


class Habit(NamedTuple):
    """One attribute of everybody, and how often each person met each value of it."""

    codes: Ragged
    """[people] codes of each person's values."""
    met: Floats
    """Ascending keys: row * width + code."""
    times: Floats
    """How many of that row's contacts have the value."""
    stated: Floats
    """[people] how many of their contacts stated one."""
    width: int


def recon_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`recon` for many pairs; NaN: unknown."""
    habits = community.derived("habits", lambda: [_habit(community, codes) for codes in _codes(community)])
    total, count = np.zeros(len(left)), np.zeros(len(left))
    for habit in habits:
        size, stated = habit.codes.sizes[right], habit.stated[left]
        owner, at = entries(habit.codes, right)
        keys = left[owner] * habit.width + habit.codes.values[at].astype(np.int64)
        found = np.bincount(owner, weights=_looked_up(habit, keys), minlength=len(left))
        known = (size > 0) & (stated > 0)
        total += np.where(known, found / np.where(known, size * stated, 1.0), 0.0)
        count += known
    return np.where(count > 0, np.minimum(100.0, 100.0 * total / np.maximum(count, 1.0)), np.nan)


def _looked_up(habit: Habit, keys: Ints) -> Floats:
    at = np.searchsorted(habit.met, keys)
    there = at < len(habit.met)
    there[there] = habit.met[at[there]] == keys[there]
    found = np.zeros(len(keys))
    found[there] = habit.times[at[there]]
    return found


def _codes(community: Community) -> list[Ragged]:
    """Everybody's values by attribute."""
    level = np.fmax(community.leader_level, community.follower_level)
    columns = (
        community.roles.astype(np.int64),
        np.where(np.isnan(level), -1, (np.nan_to_num(level) - 1) // 2).astype(np.int64),
        community.city,
        community.country,
        np.where(np.isnan(community.age), -1, np.nan_to_num(community.age) // 10).astype(np.int64),
    )
    return [*(_single(column) for column in columns), community.style_tags, community.music_tags]


def _single(codes: Ints) -> Ragged:
    """One value a person, none for -1."""
    start = np.zeros(len(codes) + 1, dtype=np.int64)
    np.cumsum(codes >= 0, out=start[1:])
    return Ragged(start, codes[codes >= 0])


def _habit(community: Community, codes: Ragged) -> Habit:
    from scipy.sparse import csr_array

    people, width = len(community), 1 + int(codes.values.max(initial=0))
    owned: csr_array = csr_array(
        (np.ones(len(codes.values)), codes.values.astype(np.int64), codes.start), shape=(people, width)
    )
    met = (ones(community) @ owned).tocsr()
    met.sort_indices()
    rows = np.repeat(np.arange(people, dtype=np.int64), np.diff(met.indptr))
    stated = np.asarray(ones(community) @ (codes.sizes > 0).astype(np.float64))
    return Habit(codes, rows * width + met.indices, met.data, stated, width)


def _person(name: str, level: float, city: str, *styles: str, met: tuple[str, ...] = ()) -> User:
    return User(
        id=name,
        roles=Role.LEADER if met else Role.FOLLOWER,
        leader_level=level if met else None,
        follower_level=None if met else level,
        place=Place(city=city, country="DE"),
        styles=styles,
        history=tuple((other, 1.0) for other in met),
    )


_ANA = _person("ana", 5, "Berlin", met=("x", "y"))
_OTHERS = (_person("x", 5, "Berlin", "salon"), _person("y", 8, "Potsdam", "salon", "vals"))
_BEA = _person("bea", 6, "Berlin", "milonga", "vals")
_FOUR = Community((_ANA, *_OTHERS, _BEA))

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pref.recon",
        words="share of the people one danced with who share the other's roles, level, city, country, age and tags",
        formula="mean over attributes of (a's contacts with b's value / a's contacts who stated one)",
        source="Pizzato et al. 2010",
        scalar=recon,
        fast=recon_fast,
        symmetric=False,
        needs_community=True,
        needs_history=True,
        examples=(
            Example(
                given={"a": _ANA, "b": _BEA, "community": _FOUR},
                expected=65.0,
                note="roles 2/2, level 1/2, city 1/2, country 2/2, styles (0 + 1) / 4: 3.25 / 5",
            ),
            Example(
                given={"a": _OTHERS[0], "b": _BEA, "community": _FOUR},
                expected=75.0,
                note="x danced with ana alone: roles 0, level 1, city 1, country 1; ana named no style",
            ),
            Example(given={"a": _BEA, "b": _ANA, "community": _FOUR}, expected=None, note="bea danced with nobody"),
        ),
    ),
)
