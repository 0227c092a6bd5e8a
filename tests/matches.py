"""A few invented dancers, as users.json has them, for the tests of `mrblue match`."""

from __future__ import annotations

import datetime as dt
import json

from mrblue_cli.app.match import How, case_of
from mrblue_cli.app.match_files import Loaded
from mrblue_cli.matcher.compiled import Community
from mrblue_cli.matcher.model import Role, User

WEEK = dt.date(2026, 3, 30)
BERLIN = {"lat": 52.52, "lon": 13.405, "city": "Berlin", "country": "DE"}
POTSDAM = {"lat": 52.3906, "lon": 13.0645, "city": "Potsdam", "country": "DE"}
EVENING = [{"day": "mon", "start": "19:00", "end": "22:00"}]


def person(identity, roles, **more):
    return {"id": identity, "roles": roles, **more}


PEOPLE = [
    person(
        "ana", ["follower"], name="Ana", follower_level=6, location=BERLIN, styles=["salon", "vals"],
        availability=EVENING, partners=["leo"], music=["troilo", "pugliese"], history={"ben": 4, "leo": 2},
    ),
    person("ben", ["leader"], name="Ben", leader_level=6, location=BERLIN, styles=["salon"], availability=EVENING,
           history={"ana": 4, "eva": 1}),
    person("cleo", ["leader", "follower"], name="Cleo", leader_level=4, follower_level=7, location=POTSDAM,
           styles=["vals", "milonga"], music=["troilo"]),
    person("dan", ["leader", "follower"], name="Dan", leader_level=7, follower_level=3, location=BERLIN,
           blocked=["leo"], age=40, age_pref={"min": 30, "max": 50}),
    person("eva", ["follower"], name="Eva", follower_level=3, location=POTSDAM, styles=["nuevo"],
           wishes={"level_min": 6}),
    person("leo", ["leader"], name="Leo", leader_level=5, location=BERLIN, styles=["salon", "vals"],
           partners=["ana"], availability=EVENING),
    person("mia", ["follower"], name="<script>alert('x')</script>", age=33, age_pref={"min": 35, "max": 60}),
    person("=1+1", ["follower"], name="@SUM(A1)", follower_level=5, location=BERLIN),
    person("zoe", ["follower"], name="Zoe", active=False),
]  # fmt: skip
USERS = len(PEOPLE) - 1


def file_of(folder, people=PEOPLE, name="users.json"):
    """The file of some people."""
    path = folder / name
    path.write_text(json.dumps(people), encoding="utf-8")
    return path


def case(users, **how):
    """A case of people as values."""
    return case_of(Loaded(Community(users), (), (), WEEK), How(**how))


def leader(identity, level=None, **more):
    return User(id=identity, roles=Role.LEADER, leader_level=level, **more)


def follower(identity, level=None, **more):
    return User(id=identity, roles=Role.FOLLOWER, follower_level=level, **more)


def both(identity, leads=None, follows=None, **more):
    return User(id=identity, roles=Role.BOTH, leader_level=leads, follower_level=follows, **more)
