"""Several tandas in a row: who dances with whom in each. PURE.

Each method of the catalogue is `method(floor, tandas, *, seed=0, together=(), **parameters) -> Rotation`. Nobody dances
with the same person twice, except couples kept `together`, who dance with each other in every tanda. What all methods
keep, in this order:

1. as many dances as possible over the tandas asked for (fewer tandas when more would bring nobody a new partner);
2. sit-outs as even as possible within a role, couples kept together apart: within one of each other wherever the floor
   allows it, otherwise the note names who sits out more (both at once are the least sum of squared sit-outs);
3. what the method is for: scores, a pattern, groups.

Where people dance both roles and levels leave it open who leads, each leads half of such dances, give or take one.
`rot.vizing`, and `rot.circle` on floors where its pattern breaks, keep 1 and 2 as far as a bounded search finds; the
others always do. Tandas without an order of their own come strongest first, then so that few sit out twice in a row.
"""

from __future__ import annotations

import msgspec


class Tanda(msgspec.Struct, frozen=True, kw_only=True):
    """One tanda."""

    pairs: tuple[tuple[int, int], ...]
    """(leader, follower) rows of the floor, ascending by leader."""
    sits_out: tuple[int, ...]
    """Rows, ascending."""


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """All tandas in order."""

    tandas: tuple[Tanda, ...]
    note: str = ""
    """What a person should know: fewer tandas than asked for, sit-outs that could not be made even, and why."""
