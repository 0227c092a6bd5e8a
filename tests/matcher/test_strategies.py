"""What hypothesis draws is what the model promises: else the other property tests prove nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Role
from tests.matcher.strategies import communities, people, users


@given(users())
def test_a_person_keeps_the_models_promises(person):
    assert person.styles == tuple(sorted(set(person.styles)))
    assert [tag for tag, _ in person.music] == sorted({tag for tag, _ in person.music})
    assert all(weight > 0 for _, weight in person.music)
    edges = [minute for interval in person.hours for minute in interval]
    assert edges == sorted(set(edges))
    assert all(0 <= minute <= 10080 for minute in edges)
    assert Role.LEADER in person.roles or person.leader_level is None
    assert Role.FOLLOWER in person.roles or person.follower_level is None
    assert (person.place.lat is None) == (person.place.lon is None)


@settings(max_examples=40)
@given(people(max_size=5))
def test_a_compiled_community_gives_the_people_back_whatever_their_order(drawn):
    community, names = Community(drawn), {person.id for person in drawn}
    assert community.ids == sorted(names)
    for person in drawn:
        back = community.user(community.rows[person.id])
        for field in ("name", "roles", "place", "styles", "music", "hours", "age", "age_pref", "wishes", "lead_share"):
            assert getattr(back, field) == getattr(person, field)
        assert back.blocked == person.blocked & names
        assert back.history == tuple((other, count) for other, count in person.history if other in names)


@settings(max_examples=40)
@given(communities(min_size=1, max_size=4, complete=True))
def test_complete_people_lack_nothing_that_the_baseline_asks_for(community):
    assert not np.isnan(community.leader_level[community.roles & 1 > 0]).any()
    assert not np.isnan(community.follower_level[community.roles & 2 > 0]).any()
    assert (community.styles.any(axis=1)).all()
    assert (community.hours.sizes > 0).all()
    assert ((community.country >= 0) | ~np.isnan(community.lat)).all()
