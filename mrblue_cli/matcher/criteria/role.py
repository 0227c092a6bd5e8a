"""Who can dance which role with whom. PURE. Reference section 1, rules 1 to 3."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, listed
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


def share_leading(user: User) -> float | None:
    """Share of tandas, 0..1, that somebody wants to lead; None: dances both roles and did not say."""
    if user.roles is Role.BOTH:
        return user.lead_share
    return 1.0 if user.roles is Role.LEADER else 0.0


def share_leading_fast(community: Community, rows: Ints) -> Floats:
    """`share_leading` of many; NaN: unknown."""
    roles = community.roles[rows]
    single = np.where(roles == Role.LEADER.value, 1.0, 0.0)
    return np.where(roles == Role.BOTH.value, community.number("lead_share")[rows], single)


def chance(a: User, b: User) -> Score:
    """How often, if each takes a role by their own wish, one leads and the other follows."""
    p, q = share_leading(a), share_leading(b)
    if p is None or q is None:
        lacking = sorted((person.id, called(person)) for person, share in ((a, p), (b, q)) if share is None)
        return Score(None, f"{listed([name for _, name in lacking])} did not say how often to lead")
    value = 100.0 * (p * (1.0 - q) + q * (1.0 - p))
    why = f"left to their own wishes, {called(a)} and {called(b)} take different roles in {value:.0f} tandas of 100"
    return Score(value, why, f"roles fit in {value:.0f} of 100 tandas")


def chance_fast(community: Community, left: Ints, right: Ints) -> Floats:
    """`chance` for many pairs; NaN: unknown."""
    p, q = share_leading_fast(community, left), share_leading_fast(community, right)
    return np.asarray(100.0 * (p * (1.0 - q) + q * (1.0 - p)))


def _person(name: str, roles: Role, lead_share: float | None = None) -> User:
    return User(id=name, roles=roles, lead_share=lead_share)


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
    Entry(
        name="role.chance",
        words="how often the two take different roles if each leads the share of tandas that they want to lead",
        formula="p (1 - q) + q (1 - p), p and q the shares; 1 for a leader, 0 for a follower",
        source="project",
        scalar=chance,
        fast=chance_fast,
        examples=(
            Example(given={"a": _person("a", Role.LEADER), "b": _person("b", Role.FOLLOWER)}, expected=100.0),
            Example(given={"a": _person("a", Role.BOTH, 0.9), "b": _person("b", Role.BOTH, 0.25)}, expected=70.0),
            Example(given={"a": _person("a", Role.BOTH, 0.25), "b": _person("b", Role.LEADER)}, expected=75.0),
            Example(given={"a": _person("a", Role.LEADER), "b": _person("b", Role.LEADER)}, expected=0.0),
        ),
    ),
)
