"""Stable pairings where anybody may dance with anybody. PURE. Irving 1985, with lists that leave people out.

Such a pairing need not exist when people see each other differently. Then the ring of people who cannot be satisfied
together is broken up: one of them waits while the others are paired, and whoever is left over is paired last.
"""

from __future__ import annotations

from collections.abc import Iterable

from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.pairing.base import Floor, Matching, matching
from mrblue_cli.matcher.pairing.plain import Pairs, among, best, between
from mrblue_cli.matcher.pairing.preference import TIE_RULE, blocking, lists, ranks
from mrblue_cli.matcher.registry import Entry, Example

Ring = list[tuple[int, int]]


class _Lists:
    """Lists that shrink on both sides at once."""

    def __init__(self, wish: list[list[int]], place: Ints, without: frozenset[int]) -> None:
        self.place = place
        # Insertion order is the order of the list, and leaving one out keeps it.
        self.of: list[dict[int, None]] = [
            dict.fromkeys(other for other in row if other not in without) if person not in without else {}
            for person, row in enumerate(wish)
        ]

    def second(self, person: int) -> int:
        found = iter(self.of[person])
        next(found)
        return next(found)

    def cut(self, person: int, keep: int) -> list[int]:
        """Takes everybody below `keep` off a list, and this person off theirs; who that was."""
        limit = self.place[person, keep]
        gone: list[int] = []
        while self.of[person]:
            last = next(reversed(self.of[person]))
            if self.place[person, last] <= limit:
                break
            del self.of[person][last], self.of[last][person]
            gone.append(last)
        return gone


def irving(wish: list[list[int]], place: Ints, without: Iterable[int] = ()) -> tuple[Pairs | None, Ring]:
    """A stable pairing of everybody but those `without`, or None and the ring of people who stand in its way."""
    table = _Lists(wish, place, frozenset(without))
    waiting = list(range(len(wish)))[::-1]
    while waiting:
        person = waiting.pop()
        if table.of[person]:
            # Whoever is asked by this person takes nobody worse any more; those turned down ask again.
            waiting.extend(table.cut(next(iter(table.of[person])), person))
    dancing = [person for person, row in enumerate(table.of) if row]
    path: list[int] = []
    for person in dancing:
        while len(table.of[person]) > 1:
            ring, path = _ring(table, path or [person])
            for one, other in ring:
                table.cut(other, one)
            if not all(table.of[member] for pair in ring for member in pair):
                return None, ring
            # Cutting may have left somebody on the way here with one name on the list: start the way anew.
            path = []
    return tuple(
        (person, next(iter(table.of[person]))) for person in dancing if person < next(iter(table.of[person]))
    ), []


def _ring(table: _Lists, path: list[int]) -> tuple[Ring, list[int]]:
    """People each of whom, refused by the first of their list, would ask the second, who would refuse the next one."""
    at = {person: index for index, person in enumerate(path)}
    while True:
        person = next(reversed(table.of[table.second(path[-1])]))
        if person in at:
            first = at[person]
            return [(member, table.second(member)) for member in path[first:]], path[:first]
        at[person] = len(path)
        path.append(person)


def roommates_plain(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - no chance here; one signature for all
    """Every pairing tried for the fewest people who would leave. Up to 12 people."""
    place = ranks(floor)
    pairs = best(floor, lambda pairs: (-len(blocking(place, pairs)), len(pairs)))
    return _told(floor, place, pairs)


def roommates(floor: Floor, *, seed: int = 0) -> Matching:  # noqa: ARG001 - as above
    """Irving's two phases; 400 people in about a second, a few more where no stable pairing exists.

    Where no stable pairing exists, `blocking` of the result names who would leave, and the note says so. That pairing
    is stable but for a few people; fewer might do, which nobody knows how to find fast.
    """
    wish, place = lists(floor), ranks(floor)
    waits: set[int] = set()
    pairs, ring = irving(wish, place)
    while pairs is None:
        tried = []
        for person in sorted({member for member, _ in ring}):
            found, another = irving(wish, place, waits | {person})
            done = _completed(place, found) if found is not None else ()
            tried.append((found is None, len(blocking(place, done)), -person, done, another))
        # Of several who could wait, the one of largest id does.
        missing, _, person, done, ring = min(tried, key=lambda item: item[:3])
        waits.add(-person)
        pairs = None if missing else done
    return _told(floor, place, pairs)


def _completed(place: Ints, pairs: Pairs) -> Pairs:
    """With those left over paired as well, where they can be: it leaves nobody worse off."""
    free = set(range(len(place))) - {person for pair in pairs for person in pair}
    found = list(pairs)
    able = sorted(
        (int(place[a, b] + place[b, a]), a, b) for a in free for b in free if a < b and place[a, b] <= len(place)
    )
    for _, a, b in able:
        if a in free and b in free:
            found.append((a, b))
            free -= {a, b}
    return tuple(found)


def _told(floor: Floor, place: Ints, pairs: Pairs) -> Matching:
    leaving = blocking(place, pairs)
    if not leaving:
        return matching(pairs, TIE_RULE, [])
    shown = ", ".join(f"{floor.ids[a]} and {floor.ids[b]}" for a, b in leaving[:3])
    more = f" and {len(leaving) - 3} more" if len(leaving) > 3 else ""
    words = "pair of people would rather dance" if len(leaving) == 1 else "pairs of people would rather dance"
    return matching(
        pairs,
        f"no stable pairing exists on this floor; shown instead is one in which {len(leaving)} {words} with each other:"
        f" {shown}{more}; {TIE_RULE}",
        leaving,
    )


_RING = among([[None, 90, 80], [80, None, 90], [90, 80, None]])
_PAIR = [[None, 90, 20, 40], [90, None, 60, 30], [20, 60, None, 50], [40, 30, 50, None]]
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pair.roommates",
        words="a pairing that no two people would leave, also where people dance both roles; it may not exist",
        formula="no two people both prefer each other to their partners; else few who do, and they are named",
        source="Irving 1985",
        scalar=roommates_plain,
        fast=roommates,
        examples=(
            Example(given={"floor": among(_PAIR)}, expected=matching([(0, 1), (2, 3)], TIE_RULE, [])),
            Example(
                given={"floor": between([[90, 80], [80, 10]])},
                expected=matching([(0, 2), (1, 3)], TIE_RULE, []),
                note="between two sides it is the stable pairing",
            ),
            Example(
                given={"floor": _RING},
                expected=_told(_RING, ranks(_RING), ((0, 1),)),
                note="each likes the next one best: whoever two dance, one of them and the third would leave",
            ),
        ),
    ),
)
