"""`rot.repeat`: the best pairing of each tanda in turn, nobody twice with the same person. PURE."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from mrblue_cli.matcher.columns import Ints
from mrblue_cli.matcher.pairing.base import Floor
from mrblue_cli.matcher.rotation.base import Rotation
from mrblue_cli.matcher.rotation.colouring import split
from mrblue_cli.matcher.rotation.fold import fold, ideal_squares, least_squares, sat_out
from mrblue_cli.matcher.rotation.plain import fold_plain, matchings
from mrblue_cli.matcher.rotation.room import Couples, Mask, Pairs, Sides, lasting, mask_of, sides_of, squared
from mrblue_cli.matcher.rotation.sheet import sheet

_TIE = 1e-6
_GOLDEN = (1 + 5**0.5) / 2
Step = Callable[[Sides, Mask, Ints], Pairs]
"""(sides, who still can, sit-outs so far) -> the best tanda, as indices."""
Rest = Callable[[Sides, Mask, int, Ints], list[Pairs]]
"""(sides, who still can, tandas left, sit-outs so far) -> a fair end of the evening."""
Least = Callable[[Mask, int, Ints], int]
"""(who still can, tandas left, sit-outs so far) -> the least sum of squared sit-outs at the end."""


def repeat(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:  # noqa: ARG001 - no chance
    """Tanda by tanda: those who sat out most first, then the largest total among pairs that have not danced yet.

    Where the best tanda would leave no fair end of the evening, the best one that does takes its place, so sit-outs are
    as even as in `rot.exact`; the total is a little less. Totals that differ by less than a millionth count as equal.
    Raises `UsageError` for dual-role people whose role is not fixed.
    """
    sides = untied(sides_of(floor, together))
    lasts = lasting(sides.able, tandas)
    nobody = np.zeros(sum(sides.able.shape), dtype=np.int64)
    plan = in_turn(sides, lasts, best_tanda)
    chosen = mask_of(plan, sides.able.shape)
    reached = squared(sat_out(chosen, lasts))
    if reached > ideal_squares(sides.able, lasts, nobody) and reached > least_squares(sides.able, lasts, nobody):
        plan = guarded(sides, lasts, best_tanda, fair_end, least_squares)
    return sheet(floor, [sides.rows(pairs) for pairs in plan], sides.couples, tandas)


def repeat_plain(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:  # noqa: ARG001
    """The same by trying every tanda; for a handful of people."""
    sides = untied(sides_of(floor, together))
    lasts = lasting(sides.able, tandas)

    def least(able: Mask, left: int, before: Ints) -> int:
        chosen = fold_plain(np.zeros(able.shape), able, left, before)
        return squared(before + sat_out(chosen, left))

    def fair(sides: Sides, able: Mask, left: int, before: Ints) -> list[Pairs]:
        return split(fold_plain(sides.scores, able, left, before), left)

    plan = guarded(sides, lasts, best_tanda_plain, fair, least)
    return sheet(floor, [sides.rows(pairs) for pairs in plan], sides.couples, tandas)


def untied(sides: Sides) -> Sides:
    """The same scores, each up by less than a millionth of a point that depends on the pair alone.

    Which of several equally good tandas is danced first decides what is left for later; so it is settled here and not
    by a solver. The fractions of k to the golden ratio, k counting the pairs, hardly ever add up to one sum twice
    (multiples of one number would: 3 + 4 = 1 + 6).
    """
    count = np.arange(1, sides.able.size + 1, dtype=np.float64).reshape(sides.able.shape)
    return msgspec.structs.replace(sides, scores=sides.scores + _TIE * (count**_GOLDEN % 1.0))


def best_tanda(sides: Sides, able: Mask, before: Ints) -> Pairs:
    """One tanda: the fewest squared sit-outs, then the largest total."""
    from scipy.optimize import linear_sum_assignment

    leaders, followers = able.shape
    # Dancing now spares somebody who sat out n times 2 n + 1 in squares; one such unit outweighs any total.
    spared = 2 * before + 1
    unit = 100.0 * min(leaders, followers) + 1.0
    worth = np.where(able, sides.scores + unit * (spared[:leaders, None] + spared[None, leaders:]), 0.0)
    left, right = linear_sum_assignment(worth, maximize=True)
    return [(int(a), int(b)) for a, b in zip(left, right, strict=True) if able[a, b]]


def best_tanda_plain(sides: Sides, able: Mask, before: Ints) -> Pairs:
    """`best_tanda` by trying all."""
    leaders = able.shape[0]

    def worth(pairs: Pairs) -> tuple[int, float]:
        spared = sum(2 * int(before[a]) + 1 + 2 * int(before[leaders + b]) + 1 for a, b in pairs)
        return spared, round(sum(float(sides.scores[pair]) for pair in pairs), 10)

    return max(matchings(able), key=worth)


def fair_end(sides: Sides, able: Mask, tandas: int, before: Ints) -> list[Pairs]:
    """A fair rest of the evening with the largest total."""
    return split(fold(sides.scores, able, tandas, before), tandas)


def in_turn(sides: Sides, tandas: int, step: Step) -> list[Pairs]:
    """Each tanda the best, without a look ahead."""
    able, before = sides.able.copy(), np.zeros(sum(sides.able.shape), dtype=np.int64)
    plan = []
    for _ in range(tandas):
        pairs = step(sides, able, before)
        able, before = after(able, before, pairs)
        plan.append(pairs)
    return plan


def guarded(sides: Sides, tandas: int, step: Step, rest: Rest, least: Least) -> list[Pairs]:
    """Each tanda the best, unless it spoils the fairest end that can still be had."""
    able, before = sides.able.copy(), np.zeros(sum(sides.able.shape), dtype=np.int64)
    goal = least(able, tandas, before)
    plan = []
    for left in range(tandas - 1, -1, -1):
        pairs = step(sides, able, before)
        then = after(able, before, pairs)
        if least(then[0], left, then[1]) > goal:
            ends = rest(sides, able, left + 1, before)
            pairs = max(ends, key=lambda found: round(sum(float(sides.scores[pair]) for pair in found), 10))
            then = after(able, before, pairs)
        able, before = then
        plan.append(pairs)
    return plan


def after(able: Mask, before: Ints, pairs: Pairs) -> tuple[Mask, Ints]:
    """Who still can, and sit-outs so far, once a tanda is danced."""
    chosen = mask_of([pairs], able.shape)
    return able & ~chosen, before + sat_out(chosen, 1)
