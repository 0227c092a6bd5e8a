"""Free time: weekdays and local clock times to UTC minutes of one stated week. PURE. Reference section 2."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.model import WEEK
from mrblue_cli.matcher.records_names import SLOT, SLOT_FIELDS, canonical
from mrblue_cli.matcher.records_notes import Notes, shown

Zones = Callable[[str], dt.tzinfo | None]
"""Time zone of an IANA name; None: there is none of this name."""
Spans = tuple[tuple[int, int], ...]
"""(start, end) minutes of the week, half open."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = 24 * 60
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")
_SLOT = re.compile(r"\s*([A-Za-z]+)\s+([0-9:]+)\s*[-–]\s*([0-9:]+)\s*")
_SLOT_NAMES = frozenset(SLOT_FIELDS)
_MOST_CACHED = 200_000
_EXAMPLE = "write it like mon 19:00-22:00"


class Calendar:
    """Reads free time as it falls in one week. The same slots come again and again, so each is worked out once."""

    def __init__(self, week: dt.date, zone: str, zones: Zones) -> None:
        """`week`: any day of it. `zone`: where people are who name no time zone. Raises `UsageError`."""
        if not 1970 <= week.year <= 2200:
            raise UsageError(f"the week of {week} is too far away", hint="name a day between 1970 and 2200")
        self.monday = week - dt.timedelta(days=week.weekday())
        self._look_up = zones
        self._known: dict[str, dt.tzinfo | None] = {}
        self._spans: dict[tuple[str, ...], Spans] = {}
        self._default = zone
        if self._zone(zone) is None:
            raise UsageError(
                f"there is no time zone named {shown(zone)}", hint="use an IANA name, for example Europe/Berlin"
            )

    def hours(self, notes: Notes, slots: Any, tz: Any) -> Spans:
        """One person's free time, merged and sorted; what is wrong goes to `notes`."""
        name = self._default
        if tz is not None:
            name = self._named(notes, tz)
        if slots is None:
            return ()
        if type(slots) is not list:
            notes.refuse(
                "availability", f"is {shown(slots)}, not a list", 'for example [{"day": "mon", "start": "19:00", …}]'
            )
            return ()
        found: list[tuple[int, int]] = []
        known = self._spans
        for index, slot in enumerate(slots):
            spans: Spans | None
            try:
                if type(slot) is str:
                    spans = known[name, slot]
                else:
                    spans = known[name, slot["day"], slot["start"], slot["end"]] if len(slot) == 3 else None
            except (KeyError, TypeError):
                spans = None
            found += self._slot(notes, index, slot, name) if spans is None else spans
        return merged(found)

    def _named(self, notes: Notes, tz: Any) -> str:
        if type(tz) is not str:
            notes.refuse("tz", f"is {shown(tz)}, not a name", "for example Europe/Berlin")
        elif self._zone(tz.strip()) is None:
            notes.refuse(
                "tz", f"there is no time zone named {shown(tz)}", "use an IANA name, for example Europe/Berlin"
            )
        else:
            return tz.strip()
        return self._default

    def _zone(self, name: str) -> dt.tzinfo | None:
        if name not in self._known:
            if len(self._known) >= _MOST_CACHED:
                self._known.clear()
            self._known[name] = self._look_up(name)
        return self._known[name]

    def _slot(self, notes: Notes, index: int, slot: Any, tz: str) -> Spans:
        """One slot that was not met before."""
        path = f"availability[{index}]"
        key: tuple[str, ...] | None = (tz, slot) if type(slot) is str else None
        if type(slot) is str:
            match = _SLOT.fullmatch(slot)
            if match is None:
                notes.refuse(path, f"{shown(slot)} is not a day with hours", _EXAMPLE)
                return ()
            slot = dict(zip(SLOT_FIELDS, match.groups(), strict=True))
        if not isinstance(slot, dict):
            notes.refuse(path, f"is {shown(slot)}, not an object with day, start and end", _EXAMPLE)
            return ()
        if slot.keys() != _SLOT_NAMES:
            slot = canonical(notes, slot, SLOT, f"{path}.", "availability.")
        missing = [field for field in SLOT_FIELDS if slot.get(field) is None]
        if missing:
            notes.refuse(f"{path}.{missing[0]}", "is missing", "each entry needs day, start and end")
            return ()
        before = notes.count
        day = _day(notes, slot["day"], f"{path}.day")
        start = _minute(notes, slot["start"], f"{path}.start")
        end = _minute(notes, slot["end"], f"{path}.end")
        if start == DAY:
            notes.refuse(f"{path}.start", "24:00 is the end of a day, not a start", "write 00:00 of the next day")
        elif start == end and notes.count == before:
            notes.refuse(path, f"starts and ends at {shown(slot['start'])}", "for a whole day write 00:00 to 24:00")
        if notes.count > before:
            return ()
        zone = self._zone(tz)
        spans = self._in_utc(day, start, end if end > start else end + DAY, zone) if zone is not None else ()
        if len(self._spans) >= _MOST_CACHED:
            self._spans.clear()
        self._spans[key or (tz, slot["day"], slot["start"], slot["end"])] = spans
        return spans

    def _in_utc(self, day: int, start: int, end: int, zone: dt.tzinfo) -> Spans:
        midnight = dt.datetime.combine(self.monday + dt.timedelta(days=day), dt.time())
        first = self._minute_of(midnight + dt.timedelta(minutes=start), zone, last=False)
        last = self._minute_of(midnight + dt.timedelta(minutes=end), zone, last=True)
        return wrapped(first, last)

    def _minute_of(self, local: dt.datetime, zone: dt.tzinfo, *, last: bool) -> int:
        """UTC minutes since this week's Monday of a local time.

        A clock time that comes twice (clocks go back) means its first for a start and its second for an end; one that
        never comes (clocks go forward) means the moment at which they go.
        """
        early, late = (_utc_minute(local.replace(fold=fold), zone) for fold in (0, 1))
        base = _epoch_minute(dt.datetime.combine(self.monday, dt.time()))
        if early > late:
            return _transition(late, early, zone) - base
        return (late if last else early) - base


def merged(spans: list[tuple[int, int]]) -> Spans:
    """Sorted, with overlapping and touching ones joined."""
    if len(spans) < 2:
        return tuple(spans)
    spans.sort()
    found = [spans[0]]
    for start, end in spans[1:]:
        if start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


def wrapped(first: int, last: int) -> Spans:
    """Minutes counted from Monday, folded into one week: what goes past Sunday night stands at its start."""
    if last <= first:
        return ()
    if last - first >= WEEK:
        return ((0, WEEK),)
    start = first % WEEK
    end = start + last - first
    return ((start, end),) if end <= WEEK else ((0, end - WEEK), (start, WEEK))


def _day(notes: Notes, value: Any, path: str) -> int:
    if isinstance(value, str):
        word = value.strip().casefold()
        for index, day in enumerate(DAYS):
            if len(word) >= 3 and day.startswith(word):
                return index
    notes.refuse(path, f"{shown(value)} is not a day of the week", "use mon, tue, wed, thu, fri, sat or sun")
    return 0


def _minute(notes: Notes, value: Any, path: str) -> int:
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        hour, minute = int(match[1]), int(match[2])
        if (hour < 24 and minute < 60) or (hour == 24 and minute == 0):
            return hour * 60 + minute
    notes.refuse(path, f"{shown(value)} is not a time of day", "write HH:MM, for example 19:30")
    return -1


def _epoch_minute(naive: dt.datetime) -> int:
    return (naive - dt.datetime(1970, 1, 1)) // dt.timedelta(minutes=1)  # noqa: DTZ001 - a difference of clocks


def _utc_minute(local: dt.datetime, zone: dt.tzinfo) -> int:
    offset = local.replace(tzinfo=zone).utcoffset() or dt.timedelta()
    return (local.replace(fold=0) - offset - dt.datetime(1970, 1, 1)) // dt.timedelta(minutes=1)  # noqa: DTZ001


def _transition(low: int, high: int, zone: dt.tzinfo) -> int:
    """The first UTC minute in (low, high] at which the clock stands as it does at `high`."""

    def offset(minute: int) -> dt.timedelta | None:
        moment = dt.datetime.fromtimestamp(minute * 60, tz=dt.UTC)
        return moment.astimezone(zone).utcoffset()

    after = offset(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if offset(middle) == after else (middle, high)
    return high
