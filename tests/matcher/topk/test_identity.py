"""What makes two searches the same one."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import AgeRange, Place, Role, User, Wishes
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.topk.identity import search_digest
from tests.matcher.strategies import communities

ANA = User(
    id="ana",
    roles=Role.BOTH,
    leader_level=5.0,
    follower_level=6.0,
    place=Place(lat=1.0, lon=2.0, city="X", country="DE", region="R"),
    styles=("salon",),
    music=(("troilo", 1.0),),
    hours=((0, 60),),
    age=30.0,
    age_pref=AgeRange(min=20.0, max=40.0),
    wishes=Wishes(max_km=3.0),
    lead_share=0.5,
)
BEN = User(id="ben", roles=Role.LEADER)


def digest(*users, recipe=None, rows=(0, 1), k=5, engine="arrays"):
    return search_digest(Community(users), recipe or make_recipe(), np.array(rows, dtype=np.int64), k, engine)


@settings(max_examples=30)
@given(communities(0, 6), st.data())
def test_the_order_of_people_is_not_part_of_it(community, data):
    users = data.draw(st.permutations([community.user(row) for row in range(len(community))]))
    rows = np.arange(len(community), dtype=np.int64)
    assert search_digest(community, make_recipe(), rows, 3, "arrays") == search_digest(
        Community(users), make_recipe(), rows, 3, "arrays"
    )


@pytest.mark.parametrize(
    "change",
    [
        *({"id": "anb"}, {"roles": Role.LEADER}, {"leader_level": 5.5}, {"follower_level": None}),
        *({"place": Place(lat=1.0, lon=2.0, city="Y", country="DE", region="R")}, {"place": Place()}),
        *({"styles": ("vals",)}, {"styles": ()}, {"music": (("troilo", 2.0),)}, {"music": (("biagi", 1.0),)}),
        *({"hours": ((0, 61),)}, {"age": 31.0}, {"age_pref": None}, {"age_pref": AgeRange(min=20.0)}),
        *({"wishes": Wishes()}, {"blocked": frozenset({"ben"})}, {"history": (("ben", 2.0),)}, {"lead_share": None}),
        {"partners": ("ben",)},
    ],
)
def test_what_is_said_of_a_person_is_part_of_it(change):
    assert digest(msgspec.structs.replace(ANA, **change), BEN) != digest(ANA, BEN)


def test_what_is_asked_is_part_of_it():
    same = digest(ANA, BEN)
    assert len(same) == 64
    assert same == digest(BEN, ANA)
    others = [
        digest(ANA, BEN, k=6),
        digest(ANA, BEN, rows=(1, 0)),
        digest(ANA, BEN, rows=(0,)),
        digest(ANA, BEN, engine="compiled"),
        digest(ANA, BEN, recipe=make_recipe({"music": 0.1})),
        digest(ANA, BEN, recipe=make_recipe(missing="drop")),
        digest(ANA, BEN, recipe=make_recipe(strict=True)),
        digest(ANA),
    ]
    assert len({same, *others}) == 1 + len(others)


def test_names_do_not_run_into_each_other():
    one = digest(User(id="a1", roles=Role.LEADER), User(id="b", roles=Role.LEADER))
    assert one != digest(User(id="a", roles=Role.LEADER), User(id="1b", roles=Role.LEADER))
