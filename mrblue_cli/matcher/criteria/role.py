"""Who can dance which role with whom. PURE. Reference section 1, rules 1 to 3."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called
from mrblue_cli.matcher.model import Leads, Role, User
from mrblue_cli.matcher.registry import Entry, Example

A_LEADS, B_LEADS = 1, 2
"""Bits of `orientations`."""


def can_lead(leader: User, follower: User) -> bool:
    """Whether the first may lead the second."""
    return Role.LEADER in leader.roles and Role.FOLLOWER in follower.roles


def orientations(community: Community, left: Ints, right: Ints) -> npt.NDArray[np.uint8]:
    """[n] feasible orientations as bits: 1 "A leads", 2 "B leads"; 0: the two cannot dance together."""
    a, b = community.roles[left], community.roles[right]
    a_leads = (a & Role.LEADER.value != 0) & (b & Role.FOLLOWER.value != 0)
    b_leads = (b & Role.LEADER.value != 0) & (a & Role.FOLLOWER.value != 0)
    return np.asarray(a_leads * np.uint8(A_LEADS) + b_leads * np.uint8(B_LEADS), dtype=np.uint8)


def orient(a: User, b: User) -> Score:
    """Rule 2: 0 without a feasible orientation, 100 with one, 80 with two."""
    a_leads, b_leads = can_lead(a, b), can_lead(b, a)
    # Two first: both single tests are true as well for two people who dance both roles.
    if a_leads and b_leads:
        return Score(80.0, f"{called(a)} and {called(b)} both dance both roles", "both dance both roles", Leads.EITHER)
    if a_leads or b_leads:
        leader, follower = (a, b) if a_leads else (b, a)
        brief = f"{called(leader)} leads"
        why = f"{called(leader)} leads and {called(follower)} follows"
        return Score(100.0, why, brief, Leads.A if a_leads else Leads.B)
    word = "lead" if Role.LEADER in a.roles else "follow"
    return Score(0.0, f"{called(a)} and {called(b)} both only {word}", f"both only {word}")


def orient_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`orient` for many pairs."""
    return np.array([0.0, 100.0, 100.0, 80.0])[orientations(community, left, right)]


def _person(name: str, roles: Role) -> User:
    return User(id=name, roles=roles)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="role.orient",
        words="100 if one can lead the other in exactly one way, 80 if both dance both roles, 0 if neither can",
        formula="0, 100 or 80 for 0, 1 or 2 feasible orientations",
        source="project",
        scalar=orient,
        fast=orient_fast,
        examples=(
            Example(given={"a": _person("a", Role.LEADER), "b": _person("b", Role.FOLLOWER)}, expected=100.0),
            Example(given={"a": _person("a", Role.BOTH), "b": _person("b", Role.FOLLOWER)}, expected=100.0),
            Example(given={"a": _person("a", Role.BOTH), "b": _person("b", Role.BOTH)}, expected=80.0),
            Example(given={"a": _person("a", Role.LEADER), "b": _person("b", Role.LEADER)}, expected=0.0),
        ),
    ),
)
