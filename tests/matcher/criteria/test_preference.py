"""Preference by what somebody's past partners were, counted by hand and by brute force."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.criteria.preference import recon, recon_fast, values
from mrblue_cli.matcher.model import Place, Role, User
from tests.matcher.strategies import people

quick = settings(deadline=None, max_examples=40)


def person(name, *met, roles=Role.BOTH, **more):
    return User(id=name, roles=roles, history=tuple((other, 1.0) for other in sorted(met)), **more)


def view(community, a, b):
    """a's view of b, both forms."""
    rows = [community.rows[name] for name in (a, b)]
    found = recon(*(community.user(row) for row in rows), community=community)
    assert recon_fast(community, *(np.array([row]) for row in rows))[0] == pytest.approx(
        np.nan if found.value is None else found.value, abs=1e-9, nan_ok=True
    )
    return found


def test_values_in_bands():
    user = person(
        "a",
        leader_level=2.5,
        follower_level=9.0,
        age=39.5,
        place=Place(city="BERLIN", country="DE"),
        styles=("salon",),
        music=(("troilo", 3.0),),
    )
    assert values(user) == {
        "roles": ("3",),
        "level": ("4",),
        "city": ("berlin|DE",),
        "country": ("DE",),
        "age": ("3",),
        "styles": ("salon",),
        "music": ("troilo",),
    }
    assert values(person("b")) == {"roles": ("3",)}
    bands = [values(person("c", leader_level=level))["level"][0] for level in (1, 2.5, 3, 4.5, 5, 6.5, 7, 8.5, 9, 10)]
    assert bands == ["0", "0", "1", "1", "2", "2", "3", "3", "4", "4"]


def test_it_is_ones_own_view():
    crowd = (
        person("a", "x", "y", roles=Role.LEADER, age=25.0),
        person("x", roles=Role.FOLLOWER, age=31.0),
        person("y", roles=Role.FOLLOWER, age=35.0),
        person("b", "z", roles=Role.FOLLOWER, age=33.0),
        person("z", roles=Role.LEADER, age=60.0),
    )
    community = Community(crowd)
    # a met followers in their thirties, and b is one; b met a leader of sixty, and a is not sixty.
    assert view(community, "a", "b").value == 100
    assert view(community, "b", "a").value == 50
    assert view(community, "b", "a").why == "people b danced with share a's roles (100 %)"


def test_times_do_not_count_and_what_a_partner_did_not_say_is_left_out():
    x, y, z = person("x", age=30.0), person("y", age=50.0), person("z")
    b = person("b", age=55.0)
    for times in (1.0, 9.0):
        a = User(id="a", roles=Role.BOTH, history=(("x", times), ("y", 1.0), ("z", 1.0)))
        # Roles 3 of 3; age 1 of the 2 who gave one.
        assert view(Community((a, b, x, y, z)), "a", "b").value == pytest.approx(75)


def test_nothing_alike_is_zero_and_no_history_is_unknown():
    a, x = person("a", "x", roles=Role.LEADER), person("x", roles=Role.FOLLOWER)
    b = person("b", roles=Role.BOTH)
    community = Community((a, b, x))
    assert view(community, "a", "b").value == 0
    assert view(community, "a", "b").why == "a has not danced with people like b"
    assert view(community, "b", "a").value is None
    assert view(community, "x", "b").value == 0


def test_the_same_city_abroad_is_another():
    def at(country):
        return Place(city="Paris", country=country)

    a, x = person("a", "x"), person("x", place=at("FR"))
    crowd = Community((a, x, person("b", place=at("US")), person("c", place=at("FR"))))
    assert view(crowd, "a", "b").value == pytest.approx(100 / 3)
    assert view(crowd, "a", "c").value == pytest.approx(100)


@quick
@given(people(2, 6))
def test_shares_by_brute_force(made):
    known = {user.id: user for user in made}
    met = {name: set() for name in known}
    for user in made:
        for other, _ in user.history:
            if other in known and other != user.id:
                met[user.id].add(other)
                met[other].add(user.id)
    community = Community(made)
    for a in known:
        for b, theirs in known.items():
            shares = []
            for name, wanted in values(theirs).items():
                said = [values(known[other])[name] for other in met[a] if name in values(known[other])]
                if said:
                    shares.append(np.mean([np.mean([tag in kept for kept in said]) for tag in wanted]))
            found = view(community, a, b)
            if not met[a]:
                assert found.value is None
            else:
                assert found.value == pytest.approx(100 * np.mean(shares), abs=1e-9)


def test_somebody_from_elsewhere_and_nobody_around():
    a, b = person("a", "b"), person("b")
    with pytest.raises(UsageError, match="not in this community"):
        recon(a, person("z"), community=Community((a, b)))
    with pytest.raises(UsageError, match="whole community"):
        recon(a, b)
    nobody = Community(())
    assert recon_fast(nobody, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).shape == (0,)
    alone = Community((msgspec.structs.replace(a, history=(("a", 3.0), ("gone", 1.0))),))
    assert np.isnan(recon_fast(alone, np.array([0]), np.array([0]))).all()
