"""`rot.golfer`: groups that dance among themselves for a while, then mix anew (the social golfer problem). PURE.

Approximate: who meets whom again in a group is lowered by local search, not proven least. What the rules ask for comes
first all the same: no pair dances twice and sit-outs are as even as can be, if need be by a dance outside the group.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.pairing.base import Floor
from mrblue_cli.matcher.rotation.base import Rotation
from mrblue_cli.matcher.rotation.colouring import split
from mrblue_cli.matcher.rotation.fold import fold, ideal_squares, least_squares, sat_out
from mrblue_cli.matcher.rotation.plain import fold_plain, split_plain
from mrblue_cli.matcher.rotation.room import Couples, Mask, Pairs, Sides, lasting, mask_of, sides_of, squared
from mrblue_cli.matcher.rotation.sheet import sheet

GROUP = 4
"""People."""
_INSIDE = 1000.0
"""What a dance inside the group is worth above any score, so that few leave their group."""
_DEALS = 6
_DANCED = 25
"""A pair that cannot dance (any more) is of as little use in a group as 12 earlier meetings."""
Pick = Callable[[Ints, Ints, np.random.Generator], Ints]
"""(cost of two people in one group [n, n], sizes [groups, 2] of leaders and followers, chance) -> group of each."""
Choose = Callable[[Floats, Mask, int, Ints], Mask]
Part = Callable[[Mask, int], list[Pairs]]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """The groups of one round and the tandas that they dance."""

    groups: tuple[tuple[int, ...], ...]
    """Rows of the floor."""
    tandas: tuple[tuple[tuple[int, int], ...], ...]
    """(leader, follower) rows."""


def golfer(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = (), group: int = GROUP) -> Rotation:
    """Groups of about `group` people, half of them leaders; each round has as many tandas as a group has couples.

    Raises `UsageError` for an odd or too small group.
    """
    return _rotation(floor, tandas, together, group, rounds(floor, tandas, seed=seed, together=together, group=group))


def golfer_plain(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = (), group: int = GROUP) -> Rotation:
    """The same with groups dealt in turn, shifted by one group each round, and each choice of pairs tried out."""
    sides = sides_of(floor, together)
    found = _rounds(sides, tandas, group, _dealer(), fold_plain, split_plain, seed)
    return _rotation(floor, tandas, together, group, found)


def rounds(
    floor: Floor, tandas: int, *, seed: int = 0, together: Couples = (), group: int = GROUP
) -> tuple[Round, ...]:
    """`golfer` with its groups, couples kept together left out."""
    return _rounds(sides_of(floor, together), tandas, group, search, fold, split, seed)


def _rounds(
    sides: Sides, tandas: int, group: int, pick: Pick, choose: Choose, part: Part, seed: int
) -> tuple[Round, ...]:
    if group < 4 or group % 2:
        raise UsageError(f"a group of {group} cannot be", hint="give an even number of people from 4 up")
    lasts, chance = lasting(sides.able, tandas), np.random.default_rng(seed)
    leaders, followers = sides.able.shape
    able, before = sides.able.copy(), np.zeros(leaders + followers, dtype=np.int64)
    meetings = np.zeros((leaders + followers,) * 2, dtype=np.int64)
    goal = _least(able, lasts, before, choose)
    found, left = [], lasts
    while left:
        steps = min(group // 2, left)
        costs = 2 * meetings + 1
        costs[:leaders, leaders:] += np.where(able, 0, _DANCED)
        costs[leaders:, :leaders] += np.where(able, 0, _DANCED).T
        member = pick(costs, _sizes(leaders, followers, group), chance)
        inside = member[:leaders, None] == member[None, leaders:]
        worth = sides.scores + _INSIDE * inside
        chosen = choose(worth, able, steps, before)
        if _least(able & ~chosen, left - steps, before + sat_out(chosen, steps), choose) > goal:
            # These tandas would leave no fair end: take them out of the best fair end instead.
            end = part(choose(worth, able, left, before), left)
            end.sort(key=lambda pairs: (-sum(inside[pair] for pair in pairs), pairs))
            chosen = mask_of(end[:steps], able.shape)
        able, before, left = able & ~chosen, before + sat_out(chosen, steps), left - steps
        meetings += member[:, None] == member[None, :]
        rows = np.concatenate([sides.leaders, sides.followers])
        found.append(
            Round(
                groups=tuple(
                    tuple(sorted(int(row) for row in rows[member == g])) for g in range(int(member.max()) + 1)
                ),
                tandas=tuple(tuple(sides.rows(pairs)) for pairs in part(chosen, steps)),
            )
        )
    return tuple(found)


def _least(able: Mask, tandas: int, before: Ints, choose: Choose) -> int:
    if choose is fold:
        return least_squares(able, tandas, before) if tandas else ideal_squares(able, 0, before)
    counts = before + sat_out(choose(np.zeros(able.shape), able, tandas, before), tandas)
    return squared(counts)


def _sizes(leaders: int, followers: int, group: int) -> Ints:
    """[groups, 2] as even as can be; where both sides leave a remainder, the larger parts share groups."""
    count = max(1, round((leaders + followers) / group))
    return np.array(
        [[side // count + (number < side % count) for side in (leaders, followers)] for number in range(count)]
    )


def search(costs: Ints, sizes: Ints, chance: np.random.Generator) -> Ints:
    """Groups by local search from several random deals: the swap within a role that saves most, until none saves."""
    weights = costs.astype(np.float64)  # whole numbers all the same; products of floats are much faster
    np.fill_diagonal(weights, 0)
    found = [_settled(weights, sizes, chance) for _ in range(_DEALS)]
    return min(found, key=lambda member: int(weights[member[:, None] == member[None, :]].sum()))


def _settled(costs: Floats, sizes: Ints, chance: np.random.Generator) -> Ints:
    people, leaders = len(costs), int(sizes[:, 0].sum())
    member = np.empty(people, dtype=np.int64)
    sides = (np.arange(leaders), np.arange(leaders, people))
    for column, side in enumerate(sides):
        member[side] = chance.permutation(np.repeat(np.arange(len(sizes)), sizes[:, column]))
    for _ in range(4 * people):
        swapped = [_swapped(costs, member, side, len(sizes)) for side in sides]
        if not any(swapped):
            break
    return member


def _swapped(costs: Floats, member: Ints, side: Ints, groups: int) -> bool:
    """The best swap of two people of one side, if any saves."""
    here = member[side]
    # bond[p, g]: what p costs in group g. A swap counts the two's own cost twice, which does not change: off again.
    bond = costs[side] @ (member[:, None] == np.arange(groups)).astype(np.float64)
    there, own = bond[:, here], bond[np.arange(len(side)), here]
    change = there + there.T - own[:, None] - own[None, :] - 2 * costs[np.ix_(side, side)]
    change[here[:, None] == here[None, :]] = 0
    if not change.size or change.min() >= 0:
        return False
    one, other = np.unravel_index(int(change.argmin()), change.shape)
    member[side[one]], member[side[other]] = here[other], here[one]
    return True


def _dealer() -> Pick:
    rounds_dealt = 0

    def deal(costs: Ints, sizes: Ints, chance: np.random.Generator) -> Ints:  # noqa: ARG001 - no chance in it
        nonlocal rounds_dealt
        leaders = np.repeat(np.arange(len(sizes)), sizes[:, 0])
        followers = np.roll(np.repeat(np.arange(len(sizes)), sizes[:, 1]), int(sizes[0, 1]) * rounds_dealt)
        rounds_dealt += 1
        return np.concatenate([leaders, followers])

    return deal


def _rotation(floor: Floor, tandas: int, together: Couples, group: int, found: tuple[Round, ...]) -> Rotation:
    plan = [list(pairs) for part in found for pairs in part.tandas]
    return sheet(floor, plan, sides_of(floor, together).couples, tandas, [_told(found, group)] if found else [])


def _told(found: tuple[Round, ...], group: int) -> str:
    met: dict[tuple[int, int], int] = {}
    outside = dances = 0
    for part in found:
        home = {row: number for number, rows in enumerate(part.groups) for row in rows}
        for rows in part.groups:
            for place, a in enumerate(rows):
                for b in rows[place + 1 :]:
                    met[a, b] = met.get((a, b), 0) + 1
        dances += sum(len(pairs) for pairs in part.tandas)
        outside += sum(home[a] != home[b] for pairs in part.tandas for a, b in pairs)
    again = sum(times > 1 for times in met.values())
    told = (
        f"groups of about {group} mix anew every {group // 2} tandas; "
        f"{again} of {len(met)} pairs of people share a group twice or more"
    )
    return told + (f"; {outside} of {dances} dances are with somebody of another group" if outside else "")
