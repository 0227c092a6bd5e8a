"""`rot.exact`: the best set of pairs for the whole evening, then split into tandas. PURE."""

from __future__ import annotations

import numpy as np

from mrblue_cli.matcher.pairing.base import Floor
from mrblue_cli.matcher.rotation.base import Rotation
from mrblue_cli.matcher.rotation.colouring import split
from mrblue_cli.matcher.rotation.fold import fold
from mrblue_cli.matcher.rotation.plain import fold_plain, split_plain
from mrblue_cli.matcher.rotation.room import Couples, Mask, Pairs, Sides, lasting, sides_of
from mrblue_cli.matcher.rotation.sheet import arrange, sheet


def exact(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:  # noqa: ARG001 - no chance
    """As many dances as possible, sit-outs as even as possible, then the largest total over all tandas.

    The strongest tanda comes first; then the order spares people two sit-outs in a row. For 10 tandas 200 couples take
    a quarter of a second, 500 three seconds, 1,000 half a minute. Raises `UsageError` for dual-role people whose role
    is not fixed.
    """
    sides = sides_of(floor, together)
    lasts = lasting(sides.able, tandas)
    plan = split_rows(sides, fold(sides.scores, sides.able, lasts), lasts)
    return sheet(floor, arrange(plan, floor), sides.couples, tandas)


def exact_plain(floor: Floor, tandas: int, *, seed: int = 0, together: Couples = ()) -> Rotation:  # noqa: ARG001
    """The same by trying every set of pairs and every way to split it; for a handful of people."""
    sides = sides_of(floor, together)
    lasts = lasting(sides.able, tandas)
    chosen = fold_plain(sides.scores, sides.able, lasts, np.zeros(sum(sides.able.shape), dtype=np.int64))
    plan = [sides.rows(pairs) for pairs in split_plain(chosen, lasts)]
    return sheet(floor, arrange(plan, floor), sides.couples, tandas)


def split_rows(sides: Sides, chosen: Mask, tandas: int) -> list[Pairs]:
    """Chosen pairs as tandas, in rows of the floor."""
    return [sides.rows(pairs) for pairs in split(chosen, tandas)]
