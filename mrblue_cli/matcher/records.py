"""People as they stand in a file to people as the matcher knows them. PURE. Reference section 2: every row is a rule.

Reading never stops at the first fault: all are counted, the first 20 told. What was not said stays unknown.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from mrblue_cli.matcher import records_fields as fields
from mrblue_cli.matcher.availability import Calendar, Zones
from mrblue_cli.matcher.model import Role, User
from mrblue_cli.matcher.records_names import FIELDS, USER, canonical
from mrblue_cli.matcher.records_notes import MOST_PROBLEMS, Notes, Problem, joined, shown

__all__ = ["MOST_PROBLEMS", "Problem", "Reader", "Skipped"]
_FIELDS = frozenset(FIELDS)


class Skipped(msgspec.Struct, frozen=True):
    """Somebody who is in the file but takes no part."""

    id: str
    why: str


class Reader:
    """Reads people one by one; remembers who was there, what was wrong and what was odd."""

    def __init__(self, week: dt.date, zone: str, zones: Zones) -> None:
        """`week`: any day of the week in which free time is compared. `zone`: the time zone of who names none.

        `zones` finds a time zone by its IANA name, None for an unknown one. Raises `UsageError` for a bad zone or week.
        """
        self._calendar = Calendar(week, zone, zones)
        self._notes = Notes()
        self._folded = fields.Folded()
        self._seen: dict[str, str] = {}
        # Ids that somebody named, by the field in which they stand; those of nobody are found at the end.
        self._named: dict[str, set[str]] = {"blocked": set(), "partners": set(), "history": set()}
        self.skipped: list[Skipped] = []
        """In the order of the file."""

    @property
    def problems(self) -> list[Problem]:
        """The first `MOST_PROBLEMS`, in the order of the file."""
        return self._notes.problems

    @property
    def problem_count(self) -> int:
        """All of them, listed or not."""
        return self._notes.count

    @property
    def warnings(self) -> list[str]:
        """One line for each kind of oddity, with its count."""
        return self._notes.warnings

    def refuse(self, path: str, what: str, hint: str = "") -> None:
        """A problem that the file's reader found."""
        self._notes.add(path, what, hint)

    def warn(self, what: str, path: str) -> None:
        """An oddity that the file's reader found."""
        self._notes.at(path, 0)
        self._notes.warn(what)

    def read(self, raw: Any, path: str, *, line: int = 0) -> User | None:
        """One person; None for one who is refused or takes no part. `path` as in `users[3]`; `line` 0: none."""
        notes = self._notes
        notes.at(path, line)
        if type(raw) is not dict:
            notes.refuse("", f"is {shown(raw)}, not a person", 'a person is an object like {"id": "u1", "roles": […]}')
            return None
        before = notes.count
        if not raw.keys() <= _FIELDS:
            raw = canonical(notes, raw, USER, "")
        get = raw.get
        own = fields.identity(notes, get("id"))
        if own is not None:
            self._meet(own)
        roles = fields.roles(notes, get("roles"))
        made = self._made(get, own or "", roles or Role.BOTH)
        active = get("active", True)
        if active is not True and active is not False and active is not None:
            notes.refuse("active", f"{shown(active)} is not true or false", "leave it out for everybody who takes part")
        if notes.count > before:
            return None
        if active is False:
            self.skipped.append(Skipped(made.id, "not active"))
            return None
        return made

    def finish(self) -> None:
        """Call once after everybody was read: warns of ids that nobody has."""
        for field, named in self._named.items():
            gone = named - self._seen.keys()
            if gone:
                self._notes.at("", 0)
                self._notes.warn(f"{len(gone)} unknown id{'s' if len(gone) > 1 else ''} in {field}: {joined(gone)}")

    def _meet(self, own: str) -> None:
        here = self._notes.place("id")
        first = self._seen.setdefault(own, here)
        if first is not here:
            self._notes.add(here, f"{shown(own)} is the id of two people, {first} and {here}", "give each their own")

    def _made(self, get: Any, own: str, roles: Role) -> User:
        notes = self._notes
        name, place, styles, music = get("name"), get("location"), get("styles"), get("music")
        age, span, wishes, blocked = get("age"), get("age_pref"), get("wishes"), get("blocked")
        partners, history, slots, tz = get("partners"), get("history"), get("availability"), get("tz")
        share = get("lead_share")
        if share is not None:
            share = self._share(share, roles)
        return User(
            id=own,
            name="" if name is None else fields.text(notes, name, "name"),
            roles=roles,
            leader_level=self._level(get("leader_level"), "leader_level", roles is not Role.FOLLOWER),
            follower_level=self._level(get("follower_level"), "follower_level", roles is not Role.LEADER),
            place=fields.NOWHERE if place is None else fields.place(notes, place),
            styles=() if styles is None else fields.styles(notes, styles, self._folded),
            music=() if music is None else fields.music(notes, music, self._folded),
            hours=() if slots is None and tz is None else self._calendar.hours(notes, slots, tz),
            age=None
            if age is None
            else fields.number(notes, age, "age", fields.YOUNGEST, fields.OLDEST, "ages are 18 to 120 years"),
            age_pref=None if span is None else fields.age_range(notes, span),
            wishes=fields.ANY_WISH if wishes is None else fields.wishes(notes, wishes),
            blocked=frozenset(self._ids(blocked, "blocked", own)),
            partners=tuple(sorted(self._ids(partners, "partners", own))),
            history=self._history(history, own),
            lead_share=share,
        )

    def _level(self, value: Any, field: str, dances: bool) -> float | None:
        if value is None:
            return None
        found = fields.level(self._notes, value, field)
        if found is not None and not dances:
            self._notes.warn(f"{field} of somebody who does not dance that role is not used", field)
            return None
        return found

    def _share(self, value: Any, roles: Role) -> float | None:
        found = fields.number(self._notes, value, "lead_share", 0.0, 1.0, "a share is 0 to 1")
        if found is not None and roles is not Role.BOTH:
            self._notes.warn("lead_share of somebody who dances one role is not used", "lead_share")
            return None
        return found

    def _ids(self, value: Any, field: str, own: str) -> set[str]:
        if not value and (value is None or value == []):
            return set()
        found = fields.ids(self._notes, value, field, own)
        self._named[field] |= found
        return found

    def _history(self, value: Any, own: str) -> tuple[tuple[str, float], ...]:
        if value is None:
            return ()
        found = fields.history(self._notes, value, own)
        self._named["history"].update(found)
        return tuple(sorted(found.items()))
