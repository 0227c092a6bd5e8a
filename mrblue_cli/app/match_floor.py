"""Use cases of one dance floor: pairs for a practica, a rotation over several tandas, who takes which role."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from mrblue_cli.app.match import Case, find_method
from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import Floor, floor_of
from mrblue_cli.matcher.scoring import leads, score

CHANCE = frozenset({"pair.lottery", "pair.online", "rot.golfer", "rot.vizing", "rot.circle"})
"""Methods whose result may depend on the seed, which is then told."""
Couples = tuple[tuple[int, int], ...]


class Couple(msgspec.Struct, frozen=True, kw_only=True):
    """Two people who dance, as rows."""

    left: int
    """The smaller row."""
    right: int
    leader: int | None
    """The row of who leads; None: either may."""
    score: float
    """0..100, unrounded."""
    kept: bool = False
    """A couple that stays together, whatever the scores say."""


class Dance(msgspec.Struct, frozen=True, kw_only=True):
    """One tanda, or one practica: who dances with whom, and who does not."""

    couples: tuple[Couple, ...]
    sits_out: tuple[int, ...]

    @property
    def total(self) -> float:
        """The sum of the scores."""
        return float(sum(couple.score for couple in self.couples))

    @property
    def mean(self) -> float | None:
        """None when nobody dances."""
        return self.total / len(self.couples) if self.couples else None

    @property
    def worst(self) -> Couple | None:
        """The pair with the lowest score, the one of smaller ids in a tie; None when nobody dances."""
        return min(self.couples, key=lambda couple: (couple.score, couple.left, couple.right), default=None)


class Balanced(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes which role for the evening."""

    roles: tuple[Role, ...]
    """By row: leader or follower."""
    chosen: tuple[int, ...]
    """Rows of those who dance both roles, whose role was chosen."""
    leaders: int
    followers: int


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """Pairs for one practica."""

    case: Case
    """The people as they dance: with one role each where roles were fixed."""
    dance: Dance
    balanced: Balanced | None
    """Roles that were fixed first."""
    method: str
    note: str
    seed: int | None
    """Where chance took part."""


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """Several tandas."""

    case: Case
    """As in `Paired`."""
    balanced: Balanced | None
    tandas: tuple[Dance, ...]
    asked: int
    method: str
    note: str
    seed: int | None


def paired(
    case: Case,
    method: str,
    *,
    seed: int | None = None,
    proposes: str | None = None,
    together: bool = False,
    fix_roles: bool = False,
) -> Paired:
    """One practica. Raises `UsageError` for a method that is not there, or that this floor is not made for."""
    from mrblue_cli.matcher.pairing.methods import OPEN_ROLES, pair
    from mrblue_cli.matcher.pairing.together import couples, split

    entry = find_method("pair", method)
    kept = couples(case.community) if together else ()
    # A method for two sides cannot begin before everybody has one role; the result says which roles were chosen.
    fix_roles = fix_roles or (_some_dance_both(case) and entry.name not in OPEN_ROLES)
    case, floor, fixed_roles = _prepared(case, kept, fix_roles=fix_roles)
    fixed, rest, rows = split(floor, kept)
    more: dict[str, Any] = {} if proposes is None else {"proposes": proposes}
    if "current" in entry.parameters:
        # Who has a partner has somebody to trade.
        place = {int(row): index for index, row in enumerate(rows)}
        now = couples(case.community)
        more["current"] = tuple((place[one], place[other]) for one, other in now if one in place and other in place)
    matching = pair(rest, entry.name, seed=seed or 0, **more)
    found = [(int(rows[one]), int(rows[other])) for one, other in matching.pairs]
    dance = _dance(case, [*found, *fixed], frozenset(tuple(sorted(couple)) for couple in fixed))
    told = (seed or 0) if entry.name in CHANCE else None
    return Paired(case=case, dance=dance, balanced=fixed_roles, method=entry.name, note=matching.note, seed=told)


def rotated(
    case: Case,
    tandas: int,
    *,
    method: str | None = None,
    seed: int | None = None,
    together: bool = False,
    fix_roles: bool = False,
) -> Rotated:
    """Several tandas: by default the best ones (rot.exact, or rot.vizing where people dance both roles)."""
    from mrblue_cli.matcher.pairing.together import couples
    from mrblue_cli.matcher.rotation.methods import OPEN_ROLES, rotate

    kept = couples(case.community) if together else ()
    dual = _some_dance_both(case) and not fix_roles
    entry = find_method("rot", method or ("vizing" if dual else "exact"))
    fix_roles = fix_roles or (dual and entry.name not in OPEN_ROLES)
    case, floor, fixed_roles = _prepared(case, kept, fix_roles=fix_roles)
    found = rotate(floor, tandas, entry.name, seed=seed or 0, together=kept)
    always = frozenset((min(couple), max(couple)) for couple in kept)
    dances = tuple(_dance(case, list(tanda.pairs), always, led=True) for tanda in found.tandas)
    told = (seed or 0) if entry.name in CHANCE else None
    return Rotated(
        case=case,
        balanced=fixed_roles,
        tandas=dances,
        asked=tandas,
        method=entry.name,
        note=found.note,
        seed=told,
    )


def _some_dance_both(case: Case) -> bool:
    return bool((case.community.roles == Role.BOTH.value).any())


def balanced(case: Case, kept: Couples = ()) -> Balanced:
    """A role for everybody who dances both, so that the evening's pairs are the best; `kept` couples get both."""
    from mrblue_cli.matcher.pairing.balance import balance

    floor = floor_of(case.community, case.recipe)
    roles = balance(floor, together=kept)
    return Balanced(
        roles=tuple(Role(int(role)) for role in roles),
        chosen=tuple(np.flatnonzero(floor.roles == Role.BOTH.value).tolist()),
        leaders=int((roles == Role.LEADER.value).sum()),
        followers=int((roles == Role.FOLLOWER.value).sum()),
    )


def _prepared(case: Case, kept: Couples, *, fix_roles: bool) -> tuple[Case, Floor, Balanced | None]:
    """The people as they dance, their floor, and the roles that were fixed."""
    found = balanced(case, kept) if fix_roles else None
    if found is not None and found.chosen:
        # Not only the floor: with one role each, scores and reasons are those of the way in which they will dance.
        case = case.with_roles(found.roles)
    return case, floor_of(case.community, case.recipe), found


def _dance(
    case: Case,
    pairs: list[tuple[int, int]],
    kept: frozenset[tuple[int, ...]],
    *,
    led: bool = False,
) -> Dance:
    """`led`: the first of each pair leads; otherwise their roles tell, or the levels."""
    ordered = sorted((min(pair), max(pair), pair[0]) for pair in pairs)
    left = np.array([one for one, _, _ in ordered], dtype=np.int64)
    right = np.array([other for _, other, _ in ordered], dtype=np.int64)
    scores = score(case.community, left, right, case.recipe).overall.tolist() if ordered else []
    by_role = _leaders(case, left, right)
    dancing = {row for one, other, _ in ordered for row in (one, other)}
    return Dance(
        couples=tuple(
            Couple(left=one, right=other, leader=first if led else leader, score=value, kept=(one, other) in kept)
            for (one, other, first), leader, value in zip(ordered, by_role, scores, strict=True)
        ),
        sits_out=tuple(row for row in range(len(case.community)) if row not in dancing),
    )


def _leaders(case: Case, left: Ints, right: Ints) -> list[int | None]:
    """The row of who leads each pair, by role and then by level; None: either."""
    if not len(left):
        return []
    codes = leads(case.community, left, right, case.recipe).tolist()
    return [
        one if code == 1 else other if code == 2 else None
        for one, other, code in zip(left.tolist(), right.tolist(), codes, strict=True)
    ]
