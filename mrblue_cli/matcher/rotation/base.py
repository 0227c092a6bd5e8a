"""Several tandas in a row: who dances with whom in each. PURE.

Each method of the catalogue is `method(floor, tandas, *, seed=0, together=(), **parameters) -> Rotation`. Nobody dances
with the same person twice, except couples kept `together`, who dance with each other all evening. Over the whole
rotation
the number of times that people of one role sit out differs by at most one wherever the floor allows it.
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
