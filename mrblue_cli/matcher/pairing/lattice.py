"""All stable pairings of two sides, in short: the one that leaders like most, and the rotations that lead from it to
all others. PURE. Irving & Leather 1986; Irving, Leather & Gusfield 1987.

A rotation is a ring of pairs in which each leader moves on to the follower of the next pair. Each stable pairing is the
first one after a set of rotations that holds, with each rotation, those that must come before it.
"""

from __future__ import annotations

from mrblue_cli.matcher.columns import Ints

Rotation = tuple[tuple[int, int], ...]
"""(leader, follower) pairs; each leader moves to the follower of the next pair, the last to that of the first."""


class Lattice:
    """Rotations in an order in which each may be carried out after those before it."""

    def __init__(self, wish: list[list[int]], place: Ints, top: dict[int, int]) -> None:
        """`wish`, `place`: as from `preference`; `top`: each leader's follower where leaders fare best."""
        self.top = top
        self.rotations: list[Rotation] = []
        self.before: list[set[int]] = []
        """Rotations that must come before each."""
        self._wish, self._place = wish, place
        self._joined: dict[tuple[int, int], int] = {}
        """The rotation that brought a leader and a follower together."""
        self._barred: dict[tuple[int, int], int] = {}
        """The rotation that gave a follower somebody better than this leader, who was better than the one before."""
        self._find()

    def cost(self, rotation: int) -> int:
        """By how much carrying out a rotation changes the sum of all ranks."""
        ring, place = self.rotations[rotation], self._place
        change = 0
        for (leader, old), (former, new) in zip(ring, (*ring[1:], ring[0]), strict=True):
            change += int(place[leader, new] - place[leader, old]) + int(place[new, leader] - place[new, former])
        return change

    def after(self, chosen: set[int]) -> dict[int, int]:
        """The pairing after these rotations."""
        now = dict(self.top)
        for index in sorted(chosen):
            ring = self.rotations[index]
            for (leader, _), (_, new) in zip(ring, (*ring[1:], ring[0]), strict=True):
                now[leader] = new
        return now

    def _find(self) -> None:
        now = dict(self.top)
        holds = {follower: leader for leader, follower in now.items()}
        # How far down the list each leader's next possible follower is known not to be.
        down = {leader: int(self._place[leader, follower]) for leader, follower in now.items()}
        stuck: set[int] = set()
        path: list[int] = []
        for start in sorted(now):
            while start not in stuck:
                path = path or [start]
                follower = self._next(path[-1], down, holds)
                if follower is None or holds[follower] in stuck:
                    # No way on for this leader means none for whoever led here: the follower in between stays taken.
                    stuck.add(path.pop())
                elif holds[follower] in path:
                    at = path.index(holds[follower])
                    ring = tuple((person, now[person]) for person in path[at:])
                    del path[at:]
                    self._carry_out(ring, now, holds)
                else:
                    path.append(holds[follower])

    def _next(self, leader: int, down: dict[int, int], holds: dict[int, int]) -> int | None:
        """The first follower below the present one who would rather have this leader; None: there is none."""
        wish = self._wish[leader]
        while down[leader] < len(wish):
            follower = wish[down[leader]]
            # A follower who sits out does so in every stable pairing: no leader ever gets so far down.
            if follower not in holds:
                return None
            if self._place[follower, leader] < self._place[follower, holds[follower]]:
                return follower
            down[leader] += 1
        return None

    def _carry_out(self, ring: Rotation, now: dict[int, int], holds: dict[int, int]) -> None:
        index, place = len(self.rotations), self._place
        moves = [
            (leader, old, former, new) for (leader, old), (former, new) in zip(ring, (*ring[1:], ring[0]), strict=True)
        ]
        before: set[int | None] = set()
        for leader, old, _, new in moves:
            before.add(self._joined.get((leader, old)))
            # Each follower passed over was taken out of reach at some time: by the first pairing, or by a rotation.
            passed = self._wish[leader][int(place[leader, old]) : int(place[leader, new]) - 1]
            before.update(self._barred.get((leader, follower)) for follower in passed)
        for leader, _, former, new in moves:
            now[leader], holds[new] = new, leader
            self._joined[leader, new] = index
            worse = self._wish[new][int(place[new, leader]) : int(place[new, former]) - 1]
            self._barred.update(((other, new), index) for other in worse)
        self.rotations.append(ring)
        self.before.append({earlier for earlier in before if earlier is not None})


def least_cut(lattice: Lattice) -> set[int]:
    """Rotations that bring the sum of ranks to its least, and of several such sets the smallest.

    A set that holds what comes before each of its members, with the largest gain: a minimum cut between gains and
    losses (Picard 1976).
    """
    import numpy as np
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    count = len(lattice.rotations)
    costs = [lattice.cost(index) for index in range(count)]
    source, sink = count, count + 1
    endless = sum(abs(cost) for cost in costs) + 1
    arcs: list[tuple[int, int, int]] = []
    for index, cost in enumerate(costs):
        if cost < 0:
            arcs.append((source, index, -cost))
        elif cost > 0:
            arcs.append((index, sink, cost))
        arcs.extend((index, earlier, endless) for earlier in lattice.before[index])
    if not any(cost < 0 for cost in costs):
        return set()
    tails, heads, room = (np.array(column, dtype=np.int32) for column in zip(*arcs, strict=True))
    network = csr_matrix((room, (tails, heads)), shape=(count + 2, count + 2))
    spare = network - maximum_flow(network, source, sink).flow
    spare.eliminate_zeros()
    # Flow pushed one way frees as much the other way: the difference holds both, and what is left of it leads on.
    reached = breadth_first_order(spare, source, return_predecessors=False)
    return {int(index) for index in reached if index < count}
