"""Equal scores are equal to the last bit: swapped, in another batch, by another engine. Ties then break by id alone."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from mrblue_cli.matcher import registry
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import AgeRange, Place, Role, User
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import explain, score
from mrblue_cli.matcher.topk.search import prepare

TAGS = ("1930s", "1940s", "biagi", "pugliese", "troilo", "vals")
CRITERIA = ("role", "level", "geo", "set", "taste", "time", "age", "mix", "hist")


def some(chance, most):
    return tuple(sorted(chance.choice(TAGS, size=int(chance.integers(1, most)), replace=False).tolist()))


def dancer(chance, number, people):
    met = {int(other) for other in chance.integers(0, people, 4)} - {number}
    roles = Role(int(chance.integers(1, 4)))
    return User(
        id=f"{number:02}",
        roles=roles,
        leader_level=float(chance.integers(2, 20)) / 2 if Role.LEADER in roles else None,
        follower_level=float(chance.integers(2, 20)) / 2 if Role.FOLLOWER in roles else None,
        place=Place(lat=float(chance.uniform(-90, 90)), lon=float(chance.uniform(-180, 180)), country="DE"),
        styles=some(chance, 6),
        music=tuple((tag, float(chance.choice((0.1, 0.7, 1, 2, 3)))) for tag in some(chance, 6)),
        hours=((0, int(chance.choice((20, 30, 40, 60, 80, 90, 120)))),),
        age=float(chance.integers(18, 80)),
        age_pref=AgeRange(min=25.0, max=60.0),
        lead_share=float(chance.random()) if roles is Role.BOTH else None,
        history=tuple((f"{other:02}", float(chance.integers(1, 9))) for other in sorted(met)),
    )


def crowd(seed, people=30):
    chance = np.random.default_rng(seed)
    return Community([dancer(chance, number, people) for number in range(people)])


def entries():
    return [entry for family in CRITERIA for entry in registry.family(family)]


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_a_criterion_rounds_alike_in_any_order_and_any_batch(entry):
    community = crowd(5)
    left, right = np.triu_indices(len(community), 1)
    values = entry.fast(community, left, right)
    alone = [float(entry.fast(community, left[at : at + 1], right[at : at + 1])[0]) for at in range(0, 400, 9)]
    np.testing.assert_array_equal(values[:400:9], alone)
    if not entry.symmetric:
        return
    np.testing.assert_array_equal(values, entry.fast(community, right, left))
    everybody = [community.user(row) for row in range(len(community))]
    more = {"community": community} if entry.needs_community else {}
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        forward, backward = (entry.scalar(everybody[x], everybody[y], **more).value for x, y in ((a, b), (b, a)))
        assert forward == backward, (a, b)


NEVER = {"role": 0.0, "level": 0.0, "location": 0.0, "style": 0.0, "schedule": 0.0}
WEIGHTS = [
    {**NEVER, "style": 1.0, "schedule": 1.0},
    {**NEVER, "music": 1.0},
    {**NEVER, "style": 1.0, "schedule": 1.0, "music": 1.0},
    {**NEVER, "role": 1.0, "style": 1.0, "schedule": 2.0},
]


@pytest.mark.parametrize("missing", ["half", "drop"])
@pytest.mark.parametrize("weights", WEIGHTS, ids=lambda given: "-".join(name for name in given if given[name]))
def test_both_engines_break_ties_alike(weights, missing):
    # A third and two thirds of style and of schedule add up to one sum in several ways.
    for seed in range(4):
        users = [crowd(seed).user(row) for row in range(30)]
        community = Community([msgspec.structs.replace(user, roles=Role.BOTH) for user in users])
        recipe, rows = make_recipe(weights, missing=missing), np.arange(30)
        found = [prepare(community, recipe, engine=engine).find(rows, 6) for engine in ("arrays", "compiled")]
        np.testing.assert_array_equal(found[0].rows, found[1].rows)
        np.testing.assert_array_equal(found[0].scores, found[1].scores)


def test_the_plain_form_of_the_weighted_score_has_the_same_bits():
    community, recipe = crowd(3), make_recipe({**NEVER, "style": 1.0, "schedule": 1.0, "music": 1.0})
    left, right = np.triu_indices(len(community), 1)
    values = score(community, left, right, recipe).overall.tolist()
    users = [community.user(row) for row in range(len(community))]
    for a, b, value in zip(left.tolist(), right.tolist(), values, strict=True):
        assert explain(users[a], users[b], recipe, community).overall == value


@pytest.mark.parametrize("engine", ["arrays", "compiled"])
def test_people_equally_far_to_the_east_and_to_the_west_tie(engine):
    # 13.05 - 13 and 13 - 12.95 are not the same number to a computer.
    recipe = make_recipe({**NEVER, "location": 1.0})
    for step in range(1, 40):
        spots = {"a": 13.0, "b": 13.0 + 0.15 * step, "c": 13.0 - 0.15 * step}
        everybody = Community(
            [User(id=name, roles=Role.BOTH, place=Place(lat=52.5, lon=lon)) for name, lon in spots.items()]
        )
        found = prepare(everybody, recipe, engine=engine).find(np.array([0]), 2)
        assert found.rows.tolist() == [[1, 2]], step
        assert found.scores[0, 0] == found.scores[0, 1], step
        users = [everybody.user(row) for row in range(3)]
        one, other = (explain(users[0], users[row], recipe).overall for row in (1, 2))
        assert one == other, step
