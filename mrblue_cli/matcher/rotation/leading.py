"""Who leads when either could: so shared that each dual-role person leads about half of those dances. PURE."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.rotation.room import Mask, Pairs


def share_the_lead(plan: Sequence[Pairs], may_lead: Mask) -> list[Pairs]:
    """The same pairs as (leader, follower).

    `may_lead` [n, n] decides where it allows one way only. Where either may lead, the one who so far led less (counted
    over all their dances, as leads minus follows) leads, among equals the smaller row. Then chains of such pairs are
    turned round as long as that takes from somebody who leads too much for somebody who leads too little: whoever is
    free to do either in all their pairs then leads half of them, give or take one dance (an Eulerian orientation, found
    by augmenting paths).
    """
    balance = np.zeros(len(may_lead), dtype=np.int64)
    done: list[Pairs] = []
    free: dict[tuple[int, int], tuple[int, int]] = {}
    for number, pairs in enumerate(plan):
        led = []
        for place, (a, b) in enumerate(sorted((min(pair), max(pair)) for pair in pairs)):
            either = bool(may_lead[a, b] and may_lead[b, a])
            pair = (a, b) if may_lead[a, b] and (not either or balance[a] <= balance[b]) else (b, a)
            balance[pair[0]] += 1
            balance[pair[1]] -= 1
            if either:
                free[number, place] = pair
            led.append(pair)
        done.append(led)
    _even_out(free, balance)
    for (number, place), pair in free.items():
        done[number][place] = pair
    return [sorted(pairs) for pairs in done]


def _even_out(free: dict[tuple[int, int], tuple[int, int]], balance: Ints) -> None:
    while True:
        # Smallest rows first, so that the result does not depend on how a dictionary was filled.
        led: dict[int, list[tuple[int, tuple[int, int]]]] = {}
        for key, (leader, follower) in sorted(free.items()):
            led.setdefault(leader, []).append((follower, key))
        chain = next((found for start in sorted(led) if (found := _chain(led, balance, start))), None)
        if chain is None:
            return
        first, last = free[chain[0]][0], free[chain[-1]][1]
        for key in chain:
            free[key] = free[key][1], free[key][0]
        balance[first] -= 2
        balance[last] += 2


def _chain(led: dict[int, list[tuple[int, tuple[int, int]]]], balance: Ints, start: int) -> list[tuple[int, int]]:
    """Pairs from `start`, each led by the follower before, to somebody who leads at least 3 fewer on balance."""
    came: dict[int, tuple[int, tuple[int, int]]] = {}
    queue = deque([start])
    while queue:
        at = queue.popleft()
        if balance[start] - balance[at] > 2:
            keys = []
            while at != start:
                at, key = came[at]
                keys.append(key)
            return keys[::-1]
        for follower, key in led.get(at, ()):
            if follower != start and follower not in came:
                came[follower] = at, key
                queue.append(follower)
    return []
