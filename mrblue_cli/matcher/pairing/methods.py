"""The methods of pairing, as entries of the catalogue. PURE."""

from __future__ import annotations

import difflib
from typing import Any

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.pairing import (
    assignment,
    auction,
    fairness,
    flow,
    general,
    market,
    roommates,
    stable,
    transport,
)
from mrblue_cli.matcher.pairing.base import Floor, Matching
from mrblue_cli.matcher.registry import Entry

ENTRIES: tuple[Entry, ...] = (
    *assignment.ENTRIES,
    *auction.ENTRIES,
    *general.ENTRIES,
    *fairness.ENTRIES,
    *stable.ENTRIES,
    *roommates.ENTRIES,
    *market.ENTRIES,
    *transport.ENTRIES,
    *flow.ENTRIES,
)

OPEN_ROLES = frozenset({"pair.blossom", "pair.greedy", "pair.lottery", "pair.most", "pair.roommates"})
"""Methods that take people who dance both roles as they are; the others need one role for each (`balance`)."""


def pair(floor: Floor, method: str, *, seed: int = 0, **parameters: Any) -> Matching:
    """Who dances with whom by this method, with or without its "pair." in front.

    Raises `UsageError` for a method or a parameter that does not exist, and whatever the method itself finds wrong.
    """
    entry = named(method)
    for name in parameters:
        if name not in entry.parameters:
            takes = ", ".join(entry.parameters) or "nothing but a seed"
            raise UsageError(f"{entry.name} takes no '{name}'", hint=f"it takes {takes}")
    if seed < 0:
        raise UsageError(f"the seed is {seed}", hint="a seed is 0 or more")
    assert entry.fast is not None  # noqa: S101 - each method has one; the walk over the catalogue sees to it
    found: Matching = entry.fast(floor, seed=seed, **parameters)
    return found


def named(method: str) -> Entry:
    """The entry of a method. Raises `UsageError` with the nearest name."""
    names = {entry.name.removeprefix("pair."): entry for entry in ENTRIES}
    word = method.removeprefix("pair.")
    if word in names:
        return names[word]
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(names))}"
    raise UsageError(f"there is no way of pairing named '{method}'", hint=hint)
