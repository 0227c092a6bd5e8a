"""Who can dance which role, and how often roles fit by chance."""

from __future__ import annotations

import itertools

import pytest

from mrblue_cli.matcher.criteria.role import chance, orient
from mrblue_cli.matcher.model import Leads, Role, User


@pytest.mark.parametrize(
    ("mine", "yours", "value", "leads"),
    [
        (Role.LEADER, Role.FOLLOWER, 100, Leads.A),
        (Role.FOLLOWER, Role.LEADER, 100, Leads.B),
        (Role.BOTH, Role.LEADER, 100, Leads.B),
        (Role.BOTH, Role.FOLLOWER, 100, Leads.A),
        (Role.BOTH, Role.BOTH, 80, Leads.EITHER),
        (Role.LEADER, Role.LEADER, 0, None),
        (Role.FOLLOWER, Role.FOLLOWER, 0, None),
    ],
)
def test_every_pair_of_roles(mine, yours, value, leads):
    found = orient(User(id="a", roles=mine), User(id="b", roles=yours))
    assert (found.value, found.leads) == (value, leads)


@pytest.mark.parametrize("tandas", [1, 4])
def test_chance_is_the_share_of_evenings_that_work_out(tandas):
    # All pairs of equally likely evenings, counted one by one.
    for p, q in itertools.product(range(tandas + 1), repeat=2):
        evenings = itertools.product([1] * p + [0] * (tandas - p), [1] * q + [0] * (tandas - q))
        fits = sum(mine != yours for mine, yours in evenings)
        a = User(id="a", roles=Role.BOTH, lead_share=p / tandas)
        b = User(id="b", roles=Role.BOTH, lead_share=q / tandas)
        assert chance(a, b).value == pytest.approx(100 * fits / tandas**2)


def test_a_single_role_needs_no_share_and_heeds_none():
    leader = User(id="a", roles=Role.LEADER, lead_share=0.2)
    assert chance(leader, User(id="b", roles=Role.FOLLOWER)).value == 100
    told = chance(leader, User(id="b", name="Ben", roles=Role.BOTH))
    assert told.value is None
    assert told.why == "Ben did not say how often to lead"
