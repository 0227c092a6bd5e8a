"""Edge colouring of a general graph: at most one colour more than the busiest person has partners. PURE.

Vizing's theorem, made constructive by Misra & Gries (1992). Whether the spare colour is needed is NP-hard to decide
(Holyer 1981); `squeeze` tries to do without it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np

from mrblue_cli.core.errors import InternalError
from mrblue_cli.matcher.columns import Floats
from mrblue_cli.matcher.rotation.room import Pairs

_TRIES = 400
"""Moves of the search for each pair that lacks a tanda."""


class Table:
    """Who dances with whom in which tanda (colour): `at[person][colour]` is the partner, -1: none."""

    def __init__(self, people: int, colours: int) -> None:
        self.at = [[-1] * colours for _ in range(people)]
        self._colour: dict[tuple[int, int], int] = {}

    def colour(self, a: int, b: int) -> int:
        """The colour of a pair that has one."""
        return self._colour[min(a, b), max(a, b)]

    def put(self, a: int, b: int, colour: int) -> None:
        """Both must be free in this colour. Raises `InternalError`."""
        if self.at[a][colour] >= 0 or self.at[b][colour] >= 0:
            raise InternalError("two pairs of one person in one tanda")
        self.at[a][colour], self.at[b][colour] = b, a
        self._colour[min(a, b), max(a, b)] = colour

    def take(self, a: int, b: int) -> int:
        """The pair loses its colour, which is returned."""
        colour = self._colour.pop((min(a, b), max(a, b)))
        self.at[a][colour] = self.at[b][colour] = -1
        return colour

    def free(self, person: int) -> list[int]:
        """Colours in which this person does not dance, ascending."""
        return [colour for colour, partner in enumerate(self.at[person]) if partner < 0]

    def end(self, start: int, one: int, other: int) -> int:
        """The last person of the chain that leaves `start` in colour `one` and alternates."""
        return self._chain(start, one, other)[-1]

    def swap(self, start: int, one: int, other: int) -> None:
        """Along that chain the two colours change places. `start` must be free in `other`."""
        chain = self._chain(start, one, other)
        colours = [self.take(a, b) for a, b in itertools.pairwise(chain)]
        for (a, b), colour in zip(itertools.pairwise(chain), colours, strict=True):
            self.put(a, b, other if colour == one else one)

    def classes(self) -> list[Pairs]:
        """The pairs of each colour, ascending."""
        found: list[Pairs] = [[] for _ in (self.at[0] if self.at else ())]
        for pair, colour in sorted(self._colour.items()):
            found[colour].append(pair)
        return found

    def _chain(self, start: int, one: int, other: int) -> list[int]:
        chain, colour = [start], one
        while (following := self.at[chain[-1]][colour]) >= 0:
            chain.append(following)
            colour = other if colour == one else one
        return chain


def colour(people: int, pairs: Sequence[tuple[int, int]]) -> list[Pairs]:
    """Matchings that together are `pairs`: one more than the largest number of partners of one person."""
    partners = Counter(person for pair in pairs for person in pair)
    table = Table(people, max(partners.values(), default=0) + 1)
    for a, b in sorted((min(pair), max(pair)) for pair in pairs):
        _add(table, a, b)
    return table.classes()


def _add(table: Table, centre: int, first: int) -> None:
    """One more pair gets a colour."""
    fan = _fan(table, centre, first)
    c, d = table.free(centre)[0], table.free(fan[-1])[0]
    if table.at[centre][d] >= 0:
        # Afterwards d is free at the centre. The fan stays one up to the first person in it who lost d to c.
        table.swap(centre, d, c)
    stop = next(
        place for place in range(len(fan)) if d in table.free(fan[place]) and _is_fan(table, centre, fan, place)
    )
    for place in range(stop):
        moved = table.take(centre, fan[place + 1])
        table.put(centre, fan[place], moved)
    table.put(centre, fan[stop], d)


def _fan(table: Table, centre: int, first: int) -> list[int]:
    """Partners of the centre, each pair in a colour that is free at the one before, as long as there are more."""
    fan = [first]
    while True:
        free = table.free(fan[-1])
        following = [table.at[centre][colour] for colour in free]
        more = next((partner for partner in following if partner >= 0 and partner not in fan), None)
        if more is None:
            return fan
        fan.append(more)


def _is_fan(table: Table, centre: int, fan: list[int], last: int) -> bool:
    return all(table.colour(centre, fan[k + 1]) in table.free(fan[k]) for k in range(last))


def squeeze(people: int, classes: Sequence[Pairs], weights: Floats, seed: int) -> tuple[list[Pairs], Pairs]:
    """One colour fewer: (classes, pairs that found no place).

    `classes` holds at least one. The class with the fewest pairs, among those the lightest, is given up; its pairs are
    put into the others, the heaviest first: by a chain that can be swapped, or in the place of another pair, for which
    the search then goes on (seeded, bounded). Complete graphs of up to 40 people lose nobody.
    """
    order = sorted(range(len(classes)), key=lambda c: (len(classes[c]), sum(weights[pair] for pair in classes[c]), c))
    given_up = order[0]
    table = Table(people, len(classes) - 1)
    kept = [pairs for number, pairs in enumerate(classes) if number != given_up]
    for number, pairs in enumerate(kept):
        for a, b in pairs:
            table.put(a, b, number)
    homeless = sorted(classes[given_up], key=lambda pair: (weights[pair], pair))
    chance = np.random.default_rng(seed)
    for _ in range(_TRIES * len(homeless)):
        if not homeless:
            break
        a, b = homeless.pop()
        other = _settle(table, a, b, chance)
        if other is not None:
            homeless.append(other)
    return table.classes(), sorted(homeless)


def _settle(table: Table, a: int, b: int, chance: np.random.Generator) -> tuple[int, int] | None:
    """The pair gets a colour; the pair that lost its own for it, if any."""
    free_a, free_b = table.free(a), table.free(b)
    for one in free_a:
        if one in free_b:
            table.put(a, b, one)
            return None
        for other in free_b:
            if table.end(b, one, other) != a:
                table.swap(b, one, other)
                table.put(a, b, one)
                return None
    if chance.integers(2):
        a, b, free_a = b, a, free_b
    one = free_a[int(chance.integers(len(free_a)))]
    pushed = table.at[b][one]
    table.take(b, pushed)
    table.put(a, b, one)
    # Without a shake the search often only hands one hole to and fro.
    _shake(table, int(chance.integers(len(table.at))), chance)
    _shake(table, b if chance.integers(2) else pushed, chance)
    return min(b, pushed), max(b, pushed)


def _shake(table: Table, person: int, chance: np.random.Generator) -> None:
    """A chain from this person is swapped, chosen by chance."""
    free = table.free(person)
    one = int(chance.integers(len(table.at[person])))
    if free and table.at[person][one] >= 0:
        table.swap(person, one, free[int(chance.integers(len(free)))])
