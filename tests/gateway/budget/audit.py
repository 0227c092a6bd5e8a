"""The books of a ledger, read past its own code: do the totals equal the lines?"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter, defaultdict


def books(path):
    """Every line, every open reservation, and the totals as they are and as they should be."""
    with contextlib.closing(sqlite3.connect(path)) as base:
        lines = base.execute(
            "SELECT reservation, line, day, key_id, outcome, cost_nano, saved_nano, input_tokens, output_tokens "
            "FROM charges"
        ).fetchall()
        held = base.execute("SELECT id, day, key_id, amount_nano FROM reservations").fetchall()
        totals = {
            (period, scope): tuple(rest)
            for period, scope, *rest in base.execute(
                "SELECT period, scope, spent, reserved, saved, calls, input_tokens, output_tokens FROM totals"
            )
        }
    return lines, held, totals


def check(path):
    """Raise unless the totals are the sums of the lines and the open reservations, to the nano-dollar."""
    lines, held, totals = books(path)
    assert max(Counter((number, line) for number, line, *_ in lines).values(), default=1) == 1
    assert not {number for number, *_ in lines} & {number for number, *_ in held}, "both settled and open"
    right = defaultdict(lambda: [0] * 6)
    for _number, line, day, key, _outcome, cost, saved, given, made in lines:
        for scope in [("*", day), ("*", day[:7])] + ([(key, day), (key, day[:7])] if key else []):
            total = right[scope[1], scope[0]]
            for place, amount in enumerate((cost or 0, 0, saved, int(line == 0), given, made)):
                total[place] += amount
    for _number, day, key, amount in held:
        for scope in [("*", day), ("*", day[:7])] + ([(key, day), (key, day[:7])] if key else []):
            right[scope[1], scope[0]][1] += amount or 0
    for scope, total in totals.items():
        assert total == tuple(right.pop(scope, [0] * 6)), scope
    assert not right, "lines that no total counts"
    return lines, held, totals
