"""The best T-fold matching of two sides: who dances with whom over T tandas, before anybody asks when. PURE.

By Konig's theorem a set of pairs in which nobody has more than T partners splits into T matchings, so the choice of
pairs is one linear program over a totally unimodular system (people x pairs): its vertices are whole numbers. Three
aims, in this order: as many dances as possible, sit-outs as even as possible, the largest total. The first two are one:
the sum of squared sit-outs is least (any further dance lowers it; the degree vectors of one side that are left form the
bases of a polymatroid, whose least squares are also its smallest spread: Frank & Murota 2019).
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from mrblue_cli.core.errors import InternalError
from mrblue_cli.matcher.columns import Floats, Ints
from mrblue_cli.matcher.rotation.room import Mask, squared

SMALL = 4000
"""Pairs up to which a table is solved at once."""
_SLACK = 1e-6
"""Reduced costs of whole-number programs are whole numbers; a solver's are near them."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What every fair plan has in common."""

    least: Ints
    """[l + f] sit-outs of leaders, then of followers."""
    most: Ints
    must: Mask
    """[pairs] pairs that are in every fair plan, in the order of `np.nonzero(able)`."""
    may: Mask
    """[pairs] pairs that are in some."""


def fold(scores: Floats, able: Mask, tandas: int, before: Ints | None = None) -> Mask:
    """[l, f] which pairs dance within `tandas`, each once.

    `before` [l + f] counts how often leaders, then followers, sat out earlier: it counts in fairness. Among equal
    totals the solver's vertex is taken, the same for the same table. Raises `InternalError` if the solver fails.
    """
    earlier = np.zeros(sum(able.shape), dtype=np.int64) if before is None else before
    chosen = np.zeros(able.shape, dtype=np.bool_)
    if tandas < 1 or not able.any():
        return chosen
    found = _best(scores[able], able, tandas, _ideal(able, tandas, earlier))
    if found is None:
        found = _best(scores[able], able, tandas, _fair(able, tandas, earlier))
    if found is None:
        raise InternalError("the rotation's linear program has no solution")
    chosen[able] = found
    return chosen


def sat_out(chosen: Mask, tandas: int) -> Ints:
    """[l + f] sit-outs of leaders, then of followers, when these pairs dance within `tandas`."""
    return np.asarray(tandas - np.concatenate([chosen.sum(axis=1), chosen.sum(axis=0)]), dtype=np.int64)


def least_squares(able: Mask, tandas: int, before: Ints) -> int:
    """The least sum of squared sit-outs, earlier ones included."""
    if tandas < 1 or not able.any():
        return squared(before + max(0, tandas))
    bounds = _ideal(able, tandas, before)
    if _best(np.zeros(int(able.sum())), able, tandas, bounds) is None:
        return squared(before + sat_out(fold(np.zeros(able.shape), able, tandas, before), tandas))
    return ideal_squares(able, tandas, before)


def ideal_squares(able: Mask, tandas: int, before: Ints) -> int:
    """A bound from below on `least_squares`, without a solver: as if everybody could dance with everybody."""
    leaders, followers = able.shape
    sits = np.zeros(leaders + followers, dtype=np.int64)
    surplus = leaders - followers
    for side, count in (
        (slice(0, leaders), tandas * max(0, surplus)),
        (slice(leaders, leaders + followers), tandas * max(0, -surplus)),
    ):
        least, most = _poured(before[side], tandas, count)
        spare = count - int(least.sum())
        sits[side] = least
        sits[side.start + np.flatnonzero(most > least)[:spare]] += 1
    return squared(before + sits)


def _ideal(able: Mask, tandas: int, before: Ints) -> Bounds:
    """As if everybody could dance with everybody: the smaller side dances always, the larger takes turns."""
    leaders, followers = able.shape
    surplus = leaders - followers
    low, high = _poured(before[:leaders], tandas, tandas * max(0, surplus))
    more_low, more_high = _poured(before[leaders:], tandas, tandas * max(0, -surplus))
    pairs = int(able.sum())
    return Bounds(
        least=np.concatenate([low, more_low]),
        most=np.concatenate([high, more_high]),
        must=np.zeros(pairs, dtype=np.bool_),
        may=np.ones(pairs, dtype=np.bool_),
    )


def _poured(before: Ints, most: int, count: int) -> tuple[Ints, Ints]:
    """Least and most sit-outs for each when `count` of them, up to `most` each, go to those who had the fewest."""
    if len(before) == 0:
        return before.copy(), before.copy()
    level = int(before.min())
    while int(np.clip(level + 1 - before, 0, most).sum()) <= count and level <= int(before.max()) + most:
        level += 1
    # At `level` not all `count` are spent yet, or just so; at one above it, too many would be.
    low, high = np.clip(level - before, 0, most), np.clip(level + 1 - before, 0, most)
    return low, (low if int(low.sum()) == count else high)


def _fair(able: Mask, tandas: int, before: Ints) -> Bounds:
    """By a program whose costs are convex: the n-th sit-out of a person costs 2 (earlier + n) - 1.

    What its dual prices pin down holds in every optimum (complementary slackness), and fixing variables keeps the
    system totally unimodular; so the program for the total may roam exactly the fair plans.
    """
    from scipy.sparse import eye_array, hstack, kron

    people, pairs = sum(able.shape), int(able.sum())
    steps = (2 * (before[:, None] + np.arange(1, tandas + 1)) - 1).ravel()
    system = hstack([_incidence(able), kron(eye_array(people), np.ones((1, tandas)))])
    result = _solve(np.concatenate([np.zeros(pairs), steps]), system, tandas, np.zeros(pairs + people * tandas), 1.0)
    if result.status != 0:
        raise InternalError(f"the rotation's linear program failed: {result.message}")
    never = result.lower.marginals > _SLACK
    always = result.upper.marginals < -_SLACK
    return Bounds(
        least=always[pairs:].reshape(people, tandas).sum(axis=1).astype(np.int64),
        most=(~never[pairs:]).reshape(people, tandas).sum(axis=1).astype(np.int64),
        must=always[:pairs],
        may=~never[:pairs],
    )


def _best(scores: Floats, able: Mask, tandas: int, bounds: Bounds) -> Mask | None:
    """[pairs] the largest total within bounds; None if nothing is within them.

    A large table begins with likely pairs only; as long as the prices of its optimum say that another pair would pay,
    that pair comes in (column generation), so the end is the optimum of the whole table.
    """
    from scipy.sparse import eye_array, hstack

    people, incidence = sum(able.shape), _incidence(able).tocsc()
    leader, follower = np.nonzero(able)
    tried = (_likely(scores, able, tandas) | bounds.must) & bounds.may
    while True:
        system = hstack([incidence[:, np.flatnonzero(tried)], eye_array(people)])
        low = np.concatenate([bounds.must[tried], bounds.least]).astype(np.float64)
        high = np.concatenate([np.ones(int(tried.sum())), bounds.most]).astype(np.float64)
        result = _solve(np.concatenate([-scores[tried], np.zeros(people)]), system, tandas, low, high)
        if result.status == 2:
            if (tried == bounds.may).all():
                return None
            tried = bounds.may
            continue
        if result.status != 0:
            raise InternalError(f"the rotation's linear program failed: {result.message}")
        prices = result.eqlin.marginals
        pays = bounds.may & ~tried & (scores + prices[leader] + prices[able.shape[0] + follower] > _SLACK)
        if not pays.any():
            taken = np.zeros(len(scores), dtype=np.bool_)
            taken[np.flatnonzero(tried)[result.x[: int(tried.sum())] > 0.5]] = True
            return taken
        tried |= pays


def _likely(scores: Floats, able: Mask, tandas: int) -> Mask:
    """[pairs] those in which either is among the other's best 2 T + 8; all of a table of up to `SMALL` pairs."""
    if len(scores) <= SMALL:
        return np.ones(len(scores), dtype=np.bool_)
    table = np.full(able.shape, -np.inf)
    table[able] = scores
    near = np.zeros(able.shape, dtype=np.bool_)
    for view, found in ((table, near), (table.T, near.T)):
        rows, columns = len(view), len(view.T)
        # Among equals those ahead in a ring of people, so that not everybody names the same few.
        ahead = (np.arange(columns)[None, :] - np.arange(rows)[:, None] * columns // rows) % columns
        np.put_along_axis(found, np.lexsort((ahead, -view), axis=1)[:, : 2 * tandas + 8], values=True, axis=1)
    return np.asarray(near[able])


def _solve(costs: Floats, system: Any, tandas: int, low: Floats, high: Floats | float) -> Any:
    from scipy.optimize import linprog

    limits = np.column_stack([low, np.broadcast_to(high, len(low))])
    # The simplex method ends in a vertex, and vertices are whole.
    return linprog(
        costs,
        A_eq=system.tocsr(),
        b_eq=np.full(system.shape[0], float(tandas)),
        bounds=limits,
        method="highs-ds",
        options={"dual_feasibility_tolerance": 1e-9},
    )


def _incidence(able: Mask) -> Any:
    """[l + f, pairs] each person against each of their pairs."""
    from scipy.sparse import csr_array

    leader, follower = np.nonzero(able)
    pair = np.arange(len(leader))
    ones, rows = np.ones(2 * len(pair)), np.concatenate([leader, able.shape[0] + follower])
    return csr_array((ones, (rows, np.concatenate([pair, pair]))), shape=(sum(able.shape), len(pair)))
