"""The community that ships with the package: clean, varied, and worth matching."""

from __future__ import annotations

import datetime as dt
import itertools
from importlib import resources
from pathlib import Path

import pytest

from mrblue_cli.app.match_files import load
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.recipe import make_recipe
from mrblue_cli.matcher.scoring import explain


@pytest.fixture(scope="module")
def sample():
    with resources.as_file(resources.files("mrblue_cli") / "data" / "community.json") as path:
        return load(Path(path), week=dt.date(2026, 6, 1))


@pytest.fixture(scope="module")
def users(sample):
    return [sample.community.user(row) for row in range(len(sample.community))]


def test_it_is_read_without_a_word(sample):
    assert sample.warnings == ()
    assert [skipped.id for skipped in sample.skipped] == ["ruth"]
    assert len(sample.community) == 23


def test_it_has_one_of_everything(users):
    roles = [user.roles for user in users]
    assert min(roles.count(role) for role in Role) >= 4 if Role.BOTH in Role else True
    assert {user.place.city for user in users} == {"Berlin"}
    couples = [(user.id, other) for user in users for other in user.partners]
    assert sorted(couples) == sorted((b, a) for a, b in couples)
    assert len(couples) == 4
    assert sum(bool(user.blocked) for user in users) == 1
    assert any(user.wishes.max_km for user in users)
    assert any(not user.hours for user in users)
    assert any(user.place.lat is None for user in users)
    assert any(user.leader_level is None and user.follower_level is None for user in users)
    assert sum(bool(user.history) for user in users) >= 10
    assert sum(user.age_pref is not None for user in users) >= 10


def test_matches_of_every_kind_are_in_it(users):
    pairs = [explain(a, b, make_recipe()) for a, b in itertools.combinations(users, 2)]
    labels = {pair.label for pair in pairs if pair.feasible}
    assert {"excellent", "good", "not enough data"} <= labels
    assert any(pair.barred for pair in pairs)
