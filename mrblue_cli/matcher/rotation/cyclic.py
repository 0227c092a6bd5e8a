"""`rot.latin` and `rot.circle`: patterns known before the evening, blind to scores. PURE."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import Floor
from mrblue_cli.matcher.rotation.base import Rotation
from mrblue_cli.matcher.rotation.exact import split_rows
from mrblue_cli.matcher.rotation.fold import fold
from mrblue_cli.matcher.rotation.general import rounds_of
from mrblue_cli.matcher.rotation.room import Couples, Pairs, lasting, mask_of, mixed_of, sides_of
from mrblue_cli.matcher.rotation.sheet import arrange, sheet

Pattern = Callable[[int, int, int], list[Pairs]]
"""(leaders, followers, tandas) -> the pairs of each tanda as indices."""
_BROKEN = "some pairs of the pattern cannot dance, so it was planned anew with as many of its pairs as fairness leaves"


def latin(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:  # noqa: ARG001 - no chance
    """Each tanda every leader moves on by one follower.

    With a surplus the larger side sits in a ring, the smaller side spread evenly over its seats, so that sit-outs are
    within one of each other after every tanda and nobody waits longer than needed.
    """
    return _two_sided(floor, tandas, together, shifted)


def latin_plain(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:  # noqa: ARG001
    """The same, with a ring that really turns."""
    return _two_sided(floor, tandas, together, shifted_plain)


def circle(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:
    """Everyone meets everyone: one person stays, the others move round one seat a tanda; facing seats dance.

    With leaders and followers only, the two sides turn against each other. With an odd number each sits out once a
    round.
    """
    if (floor.roles != Role.BOTH.value).all():
        return _two_sided(floor, tandas, together, facing)
    return _one_table(floor, tandas, together, seed, met)


def circle_plain(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:
    """The same, with seats that really move."""
    if (floor.roles != Role.BOTH.value).all():
        return _two_sided(floor, tandas, together, facing_plain)
    return _one_table(floor, tandas, together, seed, met_plain)


def seats(few: int, many: int) -> list[int]:
    """`few` seats spread evenly over a ring of `many`: any stretch of t seats holds t few / many of them, rounded."""
    return [place * many // few for place in range(few)]


def shifted(leaders: int, followers: int, tandas: int) -> list[Pairs]:
    """Leader at seat s dances with follower s + t."""
    ring = max(leaders, followers)
    ours, theirs = (seats(side, ring) for side in (leaders, followers))
    follower_at = {seat: j for j, seat in enumerate(theirs)}
    return [
        [(i, follower_at[(seat + t) % ring]) for i, seat in enumerate(ours) if (seat + t) % ring in follower_at]
        for t in range(tandas)
    ]


def shifted_plain(leaders: int, followers: int, tandas: int) -> list[Pairs]:
    """`shifted` with two rings, of which the leaders' turns."""
    inner, outer = _ring(leaders, max(leaders, followers)), _ring(followers, max(leaders, followers))
    plan = []
    for _ in range(tandas):
        faced = [(i, j) for i, j in zip(inner, outer, strict=True) if i is not None and j is not None]
        plan.append(sorted(faced))
        inner.rotate(1)
    return plan


def facing(leaders: int, followers: int, tandas: int) -> list[Pairs]:
    """Leader at seat s dances with the follower at seat t - s."""
    ring = max(leaders, followers)
    ours, theirs = (seats(side, ring) for side in (leaders, followers))
    follower_at = {seat: j for j, seat in enumerate(theirs)}
    return [
        [(i, follower_at[(t - seat) % ring]) for i, seat in enumerate(ours) if (t - seat) % ring in follower_at]
        for t in range(tandas)
    ]


def facing_plain(leaders: int, followers: int, tandas: int) -> list[Pairs]:
    """`facing` with the followers' ring laid out the other way round and turning."""
    inner, outer = _ring(leaders, max(leaders, followers)), _ring(followers, max(leaders, followers))
    outer.reverse()
    outer.rotate(1)
    plan = []
    for _ in range(tandas):
        plan.append(sorted((i, j) for i, j in zip(inner, outer, strict=True) if i is not None and j is not None))
        outer.rotate(1)
    return plan


def _ring(side: int, ring: int) -> deque[int | None]:
    found: deque[int | None] = deque([None] * ring)
    for person, seat in enumerate(seats(side, ring)):
        found[seat] = person
    return found


def met(people: int, tandas: int) -> list[Pairs]:
    """Round t: i and j with i + j = -2t (mod the odd number of moving seats) meet; the one left over meets the last.

    With an odd number of people the last seat is empty.
    """
    ring = people - 1 + people % 2
    plan = []
    for t in range(min(tandas, ring)):
        pairs = [(i, j) for i in range(ring) if i < (j := (-2 * t - i) % ring)]
        if people % 2 == 0:
            pairs.append(((-t) % ring, people - 1))
        plan.append(sorted(pairs))
    return plan


def met_plain(people: int, tandas: int) -> list[Pairs]:
    """`met` with people who really move one seat on."""
    moving: deque[int] = deque(range(people - 1 + people % 2))
    plan = []
    for _ in range(min(tandas, len(moving))):
        row = list(moving)
        pairs = [(row[k], row[-k]) for k in range(1, (len(row) + 1) // 2)]
        if people % 2 == 0:
            pairs.append((row[0], people - 1))
        plan.append(sorted((min(pair), max(pair)) for pair in pairs))
        moving.rotate(1)
    return plan


def _two_sided(floor: Floor, tandas: int, together: Couples, pattern: Pattern) -> Rotation:
    sides = sides_of(floor, together)
    lasts = lasting(sides.able, tandas)
    drawn = pattern(len(sides.leaders), len(sides.followers), lasts) if lasts else []
    if all(sides.able[pair] for pairs in drawn for pair in pairs):
        return sheet(floor, [sides.rows(pairs) for pairs in drawn], sides.couples, tandas)
    wanted = mask_of(drawn, sides.able.shape).astype(np.float64)
    plan = split_rows(sides, fold(wanted, sides.able, lasts), lasts)
    return sheet(floor, arrange(plan, floor), sides.couples, tandas, [_BROKEN])


def _one_table(
    floor: Floor, tandas: int, together: Couples, seed: int, pattern: Callable[[int, int], list[Pairs]]
) -> Rotation:
    mixed = mixed_of(floor, together)
    drawn = pattern(len(mixed.people), tandas) if mixed.able.any() else []
    if all(mixed.able[pair] for pairs in drawn for pair in pairs):
        plan = [[(int(mixed.people[i]), int(mixed.people[j])) for i, j in pairs] for pairs in drawn]
        return sheet(floor, plan, mixed.couples, tandas)
    wanted = np.zeros(mixed.able.shape)
    for pairs in drawn:
        for i, j in pairs:
            wanted[i, j] = wanted[j, i] = 1.0
    classes, notes = rounds_of(wanted, mixed, tandas, seed)
    return sheet(floor, arrange(classes, floor), mixed.couples, tandas, [_BROKEN, *notes])
