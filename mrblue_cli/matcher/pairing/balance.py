"""One role for the evening for each person who dances both. PURE."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.pairing.base import Floor
from mrblue_cli.matcher.pairing.general import blossom

LEADER, FOLLOWER, BOTH = (role.value for role in (Role.LEADER, Role.FOLLOWER, Role.BOTH))


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What fixing the roles did."""

    roles: npt.NDArray[np.uint8]
    """[n] 1 leader or 2 follower."""
    before: tuple[int, int, int]
    """Leaders, followers, people who dance both."""
    after: tuple[int, int]
    """Leaders, followers."""
    leads: tuple[int, ...]
    """Rows of the dual-role people who lead, ascending."""
    follows: tuple[int, ...]
    """Rows of those who follow."""


def balance(floor: Floor, together: Sequence[tuple[int, int]] = ()) -> npt.NDArray[np.uint8]:
    """[n] a role for each: after `floor.with_roles(...)` the largest total is still what it was with all roles open.

    Found from pair.blossom: a dual-role person takes the role that the partner there leaves over. Of two dual-role
    partners the one leads who does so better by level (`floor.leads`), else the smaller id. Whoever has no partner
    there joins the smaller side, leaders if both are equal, in order of ids. `together`: couples (rows) who are
    partners whatever the total. The result does not depend on the order of input.
    """
    roles = floor.roles.copy()
    kept = [(int(a), int(b)) for a, b in together if not np.isnan(floor.scores[a, b])]
    apart = floor.scores.copy()
    for row in {row for pair in kept for row in pair}:
        apart[row, :] = apart[:, row] = np.nan
    for a, b in sorted(kept) + list(blossom(msgspec.structs.replace(floor, scores=apart)).pairs):
        roles[a], roles[b] = _roles(floor, a, b)
    for row in np.flatnonzero(roles == BOTH).tolist():
        leaders, followers = int((roles == LEADER).sum()), int((roles == FOLLOWER).sum())
        roles[row] = LEADER if leaders <= followers else FOLLOWER
    return roles


def balanced(floor: Floor, together: Sequence[tuple[int, int]] = ()) -> Balance:
    """`balance` with what it changed, for people to read."""
    roles = balance(floor, together)
    dual = floor.roles == BOTH
    return Balance(
        roles=roles,
        before=(int((floor.roles == LEADER).sum()), int((floor.roles == FOLLOWER).sum()), int(dual.sum())),
        after=(int((roles == LEADER).sum()), int((roles == FOLLOWER).sum())),
        leads=tuple(np.flatnonzero(dual & (roles == LEADER)).tolist()),
        follows=tuple(np.flatnonzero(dual & (roles == FOLLOWER)).tolist()),
    )


def _roles(floor: Floor, a: int, b: int) -> tuple[int, int]:
    """The roles of two partners, a before b."""
    if floor.roles[a] != BOTH or floor.roles[b] != BOTH:
        a_leads = floor.roles[a] == LEADER or floor.roles[b] == FOLLOWER
    else:
        a_leads = floor.leads is None or floor.leads[a, b] != 2
    return (LEADER, FOLLOWER) if a_leads else (FOLLOWER, LEADER)
