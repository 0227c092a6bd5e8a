"""Readers and records for the tests of reading."""

from __future__ import annotations

import datetime as dt
import unicodedata
import zoneinfo

from mrblue_cli.matcher.records import Reader

WEEK = dt.date(2026, 6, 1)
"""A Monday; in Europe summer time."""
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Kiritimati")


def zones(name):
    return zoneinfo.ZoneInfo(name) if name in ZONES else None


def reader(week=WEEK, zone="UTC"):
    return Reader(week, zone, zones)


def person(number=0, **fields):
    return {"id": f"p{number}", "roles": ["leader", "follower"], **fields}


def read(raw, **options):
    """The user, the problems as lines, the warnings."""
    found = reader(**options)
    user = found.read(raw, "users[0]")
    found.finish()
    return user, [str(problem) for problem in found.problems], found.warnings


def good(**fields):
    """The user of a record that must be read without a word."""
    user, problems, warnings = read(person(**fields))
    assert problems == []
    assert warnings == []
    return user


def refused(**fields):
    """The one problem of a record; it must not become a person."""
    user, problems, _ = read(person(**fields))
    assert user is None
    assert len(problems) == 1, problems
    return problems[0]


def warned(**fields):
    """The user and the one warning."""
    user, problems, warnings = read(person(**fields))
    assert problems == []
    assert len(warnings) == 1, warnings
    return user, warnings[0]


def harmless(line):
    """Nothing in it moves a terminal's cursor or cannot be written."""
    return not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(sign) for sign in line} and "\u202e" not in line
