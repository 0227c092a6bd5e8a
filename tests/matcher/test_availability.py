"""Free time as UTC minutes of one week: clocks, midnight, the end of the week, summer time."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.availability import merged, wrapped
from mrblue_cli.matcher.model import WEEK as MINUTES
from tests.matcher.people import WEEK, ZONES, good, person, read, refused

DAY = 1440
SPRING, AUTUMN = dt.date(2026, 3, 23), dt.date(2026, 10, 19)
"""Mondays of the weeks on whose Sunday the clocks of Europe go forward and back."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def slot(day, start, end):
    return {"day": day, "start": start, "end": end}


def hours(*slots, week=WEEK, zone="UTC", **fields):
    user, problems, _ = read(person(availability=list(slots), **fields), week=week, zone=zone)
    assert problems == []
    return user.hours


def test_minutes_count_from_monday():
    assert hours(slot("mon", "00:00", "01:00")) == ((0, 60),)
    assert hours(slot("wed", "19:00", "22:30")) == ((2 * DAY + 1140, 2 * DAY + 1350),)
    assert hours(slot("sun", "23:00", "24:00")) == ((MINUTES - 60, MINUTES),)
    assert hours(slot("mon", "00:00", "24:00")) == ((0, DAY),)


@pytest.mark.parametrize("day", ["tue", "Tues", "TUESDAY", " tuesday "])
def test_days_by_any_usual_name(day):
    assert hours(slot(day, "10:00", "11:00")) == ((DAY + 600, DAY + 660),)


@pytest.mark.parametrize(("start", "end"), [("9:00", "10:30"), ("09:00:00", "10:30:00"), (" 09:00", "10:30 ")])
def test_times_as_people_write_them(start, end):
    assert hours(slot("mon", start, end)) == ((540, 630),)


def test_an_end_before_the_start_is_after_midnight():
    assert hours(slot("fri", "21:00", "01:30")) == ((4 * DAY + 1260, 5 * DAY + 90),)
    assert hours(slot("fri", "21:00", "00:00")) == ((4 * DAY + 1260, 5 * DAY),)


def test_sunday_night_goes_on_on_monday():
    assert hours(slot("sun", "22:00", "02:00")) == ((0, 120), (MINUTES - 120, MINUTES))
    assert hours(slot("sun", "22:00", "00:00")) == ((MINUTES - 120, MINUTES),)


def test_overlaps_are_merged():
    slots = slot("mon", "19:00", "21:00"), slot("mon", "20:00", "22:00"), slot("mon", "22:00", "23:00")
    assert hours(*slots) == ((1140, 1380),)
    assert hours(*reversed(slots)) == ((1140, 1380),)
    assert hours(slots[0], slots[0], slot("mon", "19:30", "20:00")) == ((1140, 1260),)


def test_a_week_without_end():
    assert hours(*(slot(day, "00:00", "24:00") for day in DAYS)) == ((0, MINUTES),)


def test_local_time_is_compared_in_utc():
    assert hours(slot("mon", "19:00", "22:00"), tz="Europe/Berlin") == ((1020, 1200),)
    assert hours(slot("mon", "19:00", "22:00"), zone="Europe/Berlin") == ((1020, 1200),)
    assert hours(slot("mon", "19:00", "22:00"), zone="Europe/Berlin", tz="UTC") == ((1140, 1320),)
    assert hours(slot("mon", "19:00", "22:00"), timezone="Asia/Kolkata") == ((810, 990),)
    assert hours(slot("mon", "00:30", "02:00"), tz="Europe/Berlin") == ((MINUTES - 90, MINUTES),)
    assert hours(slot("sun", "20:00", "23:00"), tz="America/New_York") == ((0, 180),)


def test_any_day_names_its_week():
    for day in range(7):
        week = WEEK + dt.timedelta(days=day)
        assert hours(slot("tue", "10:00", "11:00"), week=week, tz="Europe/Berlin") == ((DAY + 480, DAY + 540),)


def test_summer_time_is_that_of_the_week():
    assert hours(slot("sat", "19:00", "20:00"), week=SPRING, tz="Europe/Berlin") == ((5 * DAY + 1080, 5 * DAY + 1140),)
    assert hours(slot("sun", "19:00", "20:00"), week=SPRING, tz="Europe/Berlin") == ((6 * DAY + 1020, 6 * DAY + 1080),)
    assert hours(slot("sat", "19:00", "20:00"), week=AUTUMN, tz="Europe/Berlin") == ((5 * DAY + 1020, 5 * DAY + 1080),)
    assert hours(slot("sun", "19:00", "20:00"), week=AUTUMN, tz="Europe/Berlin") == ((6 * DAY + 1080, 6 * DAY + 1140),)


def test_the_night_in_which_clocks_go_forward_is_an_hour_shorter():
    whole = hours(slot("sat", "22:00", "06:00"), week=SPRING, tz="Europe/Berlin")
    assert whole == ((5 * DAY + 1260, 6 * DAY + 240),)
    # 02:00 to 03:00 does not happen: what begins or ends in it begins or ends when the clocks go.
    went = 6 * DAY + 60
    assert hours(slot("sun", "02:45", "03:15"), week=SPRING, tz="Europe/Berlin") == ((went, went + 15),)
    assert hours(slot("sun", "01:30", "02:30"), week=SPRING, tz="Europe/Berlin") == ((went - 30, went),)
    assert hours(slot("sun", "02:15", "02:45"), week=SPRING, tz="Europe/Berlin") == ()


def test_the_night_in_which_clocks_go_back_is_an_hour_longer():
    begins = 6 * DAY
    assert hours(slot("sun", "02:00", "03:00"), week=AUTUMN, tz="Europe/Berlin") == ((begins, begins + 120),)
    assert hours(slot("sun", "01:30", "02:30"), week=AUTUMN, tz="Europe/Berlin") == ((begins - 30, begins + 90),)


def test_half_hours_of_summer_time_exist():
    # Lord Howe moves its clocks by 30 minutes; here from +11:00 to +10:30 on Sunday 5 April 2026 at 02:00.
    week = dt.date(2026, 3, 30)
    assert hours(slot("sun", "01:00", "03:00"), week=week, tz="Australia/Lord_Howe") == (
        (5 * DAY + 840, 5 * DAY + 990),
    )


def test_slots_may_be_short_text_or_have_other_names():
    expected = hours(slot("mon", "19:00", "22:00"))
    assert hours("mon 19:00-22:00") == expected
    assert hours(" Monday 19:00 – 22:00 ") == expected
    assert hours({"dayOfWeek": "mon", "startTime": "19:00", "endTime": "22:00"}) == expected
    assert hours({"weekday": "mon", "start_time": "19:00", "end_time": "22:00"}) == expected


def test_the_same_slot_again_says_the_same():
    raw = person(availability=[slot("fri", "21:00", "01:30")] * 2, tz="Europe/Berlin")
    assert read(raw)[0].hours == read(raw)[0].hours == ((4 * DAY + 1140, 4 * DAY + 1410),)


@pytest.mark.parametrize(
    ("value", "where", "words"),
    [
        ("mon 19:00-22:00", "availability", "not a list"),
        ({}, "availability", "not a list"),
        ([5], "availability[0]", "not an object"),
        ([None], "availability[0]", "not an object"),
        ([[]], "availability[0]", "not an object"),
        ([["mon", "19:00", "22:00"]], "availability[0]", "not an object"),
        (["monday evening"], "availability[0]", "not a day with hours"),
        ([slot("mon", "19:00", "19:00")], "availability[0]", "starts and ends at"),
        ([slot("mon", "00:00", "00:00")], "availability[0]", "starts and ends at"),
        ([slot("mon", "24:00", "02:00")], "availability[0].start", "end of a day"),
        ([slot("mon", "19:00", "25:00")], "availability[0].end", "not a time of day"),
        ([slot("mon", "19:60", "20:00")], "availability[0].start", "not a time of day"),
        ([slot("mon", "24:01", "20:00")], "availability[0].start", "not a time of day"),
        ([slot("mon", "7pm", "20:00")], "availability[0].start", "not a time of day"),
        ([slot("mon", 19, "20:00")], "availability[0].start", "not a time of day"),
        ([slot("mon", ["19:00"], "20:00")], "availability[0].start", "not a time of day"),
        ([slot("mon", "١٩:٠٠", "20:00")], "availability[0].start", "not a time of day"),
        ([slot("mo", "19:00", "20:00")], "availability[0].day", "not a day of the week"),
        ([slot("mondays", "19:00", "20:00")], "availability[0].day", "not a day of the week"),
        ([slot(1, "19:00", "20:00")], "availability[0].day", "not a day of the week"),
        ([slot(None, "19:00", "20:00")], "availability[0].day", "is missing"),
        ([{"day": "mon", "start": "19:00"}], "availability[0].end", "is missing"),
        ([{"day": "mon", "weekday": "mon", "start": "1:00", "end": "2:00"}], "availability[0].day", "given twice"),
    ],
)
def test_slots_that_are_none(value, where, words):
    problem = refused(availability=value)
    assert problem.startswith(f"users[0].{where}: ")
    assert words in problem


def test_a_slot_that_was_met_before_excuses_no_other():
    _, problems, _ = read(person(availability=["mon 19:00-22:00", slot("mon 19:00-22:00", "", "")]))
    assert {line.split(": ")[0] for line in problems} == {
        f"users[0].availability[1].{field}" for field in ("day", "start", "end")
    }


def test_the_fault_names_its_slot():
    assert refused(availability=["mon 19:00-22:00", slot("tue", "1:00", "1:00")]).startswith("users[0].availability[1]")


@pytest.mark.parametrize("value", ["Mars/Olympus", "", 5, True, ["UTC"]])
def test_time_zones_that_are_none(value):
    assert refused(tz=value).startswith("users[0].tz: ")


def test_a_time_zone_alone_is_no_free_time():
    assert good(tz="Europe/Berlin").hours == ()


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 6),
            st.integers(0, DAY - 1),
            st.integers(1, DAY),
        ),
        max_size=5,
    ),
    st.sampled_from(ZONES),
    st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31)),
)
def test_each_minute_is_free_exactly_if_a_slot_says_so(slots, zone, week):
    slots = [(day, start, end % DAY if end <= start else end) for day, start, end in slots]
    slots = [(day, start, end) for day, start, end in slots if start != end]
    written = [slot(DAYS[day], clock(start), clock(end)) for day, start, end in slots]
    found = hours(*written, week=week, zone=zone)
    assert list(found) == sorted(found)
    assert all(0 <= start < end <= MINUTES for start, end in found)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found))
    # The oracle walks the minutes of the local week's UTC time and asks each what the clock on the wall shows.
    monday = week - dt.timedelta(days=week.weekday())
    tz = zoneinfo.ZoneInfo(zone)
    base = dt.datetime.combine(monday, dt.time(), dt.UTC)
    free = set()
    walked = range(0, MINUTES, 17)
    for minute in (residue + lap for residue in walked for lap in (-MINUTES, 0, MINUTES)):
        local = (base + dt.timedelta(minutes=minute)).astimezone(tz).replace(tzinfo=None)
        wall = (local - dt.datetime.combine(monday, dt.time())) // dt.timedelta(minutes=1)
        for day, start, end in slots:
            first, last = day * DAY + start, day * DAY + (end if end > start else end + DAY)
            if first <= wall < last:
                free.add(minute % MINUTES)
    inside = {minute for minute in walked if any(start <= minute < end for start, end in found)}
    # An end in an hour that comes twice means its second time: there free time may be longer than the wall says.
    assert free <= inside
    if not clocks_move(base, tz):
        assert inside == free


def clock(minute):
    return f"{minute // 60:02d}:{minute % 60:02d}"


def clocks_move(base, tz):
    ends = base - dt.timedelta(days=2), base + dt.timedelta(days=10)
    return len({end.astimezone(tz).utcoffset() for end in ends}) > 1


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 50)).map(lambda pair: (pair[0], sum(pair))), max_size=8))
def test_merging_keeps_every_minute(spans):
    found = merged(list(spans))
    assert {minute for start, end in found for minute in range(start, end)} == {
        minute for start, end in spans for minute in range(start, end)
    }
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found))


@given(st.integers(-2 * MINUTES, 2 * MINUTES), st.integers(-5, MINUTES + 5))
def test_wrapping_keeps_every_minute(first, length):
    found = wrapped(first, first + length)
    assert sum(end - start for start, end in found) == min(max(length, 0), MINUTES)
    assert all((start - first) % MINUTES < max(length, 1) for start, _ in found)
