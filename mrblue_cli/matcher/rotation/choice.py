"""The best T-fold choice of pairs where people dance both roles: a whole-number program. PURE.

The graph is not bipartite, so its degree system alone has half-whole vertices, and not every choice splits into T
tandas: an odd set of people has room for (size - 1) / 2 pairs a tanda. Odd sets that a solution overfills are added to
the program until it overfills none that we look for (Edmonds 1965; which sets: `overfull`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.rotation.room import Mask, Pairs

_ROUNDS = 25
_NODES = 500
"""Branches of the solver; counted and not timed, so that the same floor gives the same answer on any machine."""
_GAP = 1e-5
SMALL = 12
"""People up to which every odd set is looked at; above it, the connected parts."""


class Choice:
    """The program of one floor."""

    def __init__(self, weights: Floats, able: Mask, tandas: int, most_pairs: int) -> None:
        """`weights` [n, n] >= 0, symmetric; `most_pairs`: the largest number of pairs in one tanda."""
        self.people, self.tandas, self.most = len(able), tandas, tandas * most_pairs
        self.left, self.right = np.nonzero(np.triu(able))
        self.weights = weights[self.left, self.right]
        self.odd_sets: list[tuple[int, ...]] = []

    def best(self) -> Pairs | None:
        """As many dances and as even sit-outs as possible (least squares), then the largest total.

        None: the solver gave up.
        """
        found = None
        for _ in range(_ROUNDS):
            taken = self._even()
            if taken is None:
                taken = self._least_squares()
            if taken is None:
                return found
            found = [(int(a), int(b)) for a, b in zip(self.left[taken], self.right[taken], strict=True)]
            over = [group for group in overfull(self.people, found, self.tandas) if group not in self.odd_sets]
            if not over:
                return found
            self.odd_sets += over
        return found

    def _even(self) -> Mask | None:
        """The largest total when all dances there could be are danced and sit-outs are within one of each other."""
        idle = self.people * self.tandas - 2 * self.most
        each, more = divmod(idle, self.people)
        sits = np.full(self.people, each), np.full(self.people, each + (1 if more else 0))
        return self._solve(-self.weights, np.zeros((self.people, 1)), sits, exactly=True)

    def _least_squares(self) -> Mask | None:
        """Two programs: the least squares, then the largest total with them. The n-th sit-out costs 2 n - 1."""
        steps = np.broadcast_to(2.0 * np.arange(1, self.tandas + 1) - 1, (self.people, self.tandas))
        sits = np.zeros(self.people * self.tandas), np.ones(self.people * self.tandas)
        pairs = len(self.weights)
        first = self._solve(np.zeros(pairs), steps, sits)
        if first is None:
            return None
        idle = self.tandas - self._degrees(first)
        second = self._solve(-self.weights, 0 * steps, sits, limit=(steps, float((idle * idle).sum())))
        return first if second is None else second

    def _degrees(self, taken: Mask) -> Ints:
        found = np.bincount(self.left[taken], minlength=self.people)
        return np.asarray(found + np.bincount(self.right[taken], minlength=self.people), dtype=np.int64)

    def _solve(
        self,
        costs: Floats,
        steps: Floats,
        sits: tuple[Any, Any],
        *,
        exactly: bool = False,
        limit: tuple[Floats, float] | None = None,
    ) -> Mask | None:
        """`steps` [n, k]: costs of each person's k sit-out variables, which lie within `sits`."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array, eye_array, hstack, kron

        pairs, idle = len(self.weights), steps.size
        number = np.arange(pairs)
        ones, rows = np.ones(2 * pairs), np.concatenate([self.left, self.right])
        incidence = csr_array((ones, (rows, np.concatenate([number, number]))), shape=(self.people, pairs))
        system = hstack([incidence, kron(eye_array(self.people), np.ones((1, steps.shape[1])))]).tocsr()
        rules = [
            LinearConstraint(system, self.tandas, self.tandas),
            LinearConstraint(self._row(np.ones(pairs), idle), self.most if exactly else 0, self.most),
        ]
        for group in self.odd_sets:
            inside = np.isin(self.left, group) & np.isin(self.right, group)
            rules.append(LinearConstraint(self._row(inside, idle), 0, self.tandas * (len(group) // 2)))
        if limit is not None:
            row = csr_array(np.concatenate([np.zeros(pairs), limit[0].ravel()])[None, :])
            rules.append(LinearConstraint(row, 0, limit[1] + 1e-6))
        result = milp(
            np.concatenate([costs, steps.ravel()]),
            integrality=np.concatenate([np.ones(pairs), np.zeros(idle)]),
            bounds=Bounds(np.concatenate([np.zeros(pairs), sits[0]]), np.concatenate([np.ones(pairs), sits[1]])),
            constraints=rules,
            options={"node_limit": _NODES, "mip_rel_gap": _GAP},
        )
        return None if result.x is None else np.asarray(result.x[:pairs] > 0.5)

    @staticmethod
    def _row(values: Any, idle: int) -> Any:
        from scipy.sparse import csr_array

        return csr_array(np.concatenate([np.asarray(values, dtype=np.float64), np.zeros(idle)])[None, :])


def overfull(people: int, pairs: Pairs, tandas: int) -> list[tuple[int, ...]]:
    """Odd sets of people with more pairs among them than fit into the tandas.

    All of them on a small floor; on a larger one those that are connected parts of the choice, which is where they
    come up when tandas are few.
    """
    matrix = np.zeros((people, people), dtype=np.int64)
    for a, b in pairs:
        matrix[a, b] = matrix[b, a] = 1
    if people <= SMALL:
        members = (np.arange(2**people)[:, None] >> np.arange(people)) & 1
        inside = ((members @ matrix) * members).sum(axis=1) // 2
        size = members.sum(axis=1)
        found = np.flatnonzero((size % 2 == 1) & (inside > tandas * (size // 2)))
        return [tuple(int(p) for p in np.flatnonzero(members[number])) for number in found[:50]]
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    _, part = connected_components(csr_array(matrix), directed=False)
    groups = [np.flatnonzero(part == number) for number in range(int(part.max()) + 1)]
    return [
        tuple(int(p) for p in group)
        for group in groups
        if len(group) % 2 == 1 and matrix[np.ix_(group, group)].sum() // 2 > tandas * (len(group) // 2)
    ]
