"""The names of the fields of a person, and the other names under which they are read. PURE. Reference section 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrblue_cli.matcher.records_notes import Notes

FIELDS = (
    "id",
    "name",
    "roles",
    "leader_level",
    "follower_level",
    "location",
    "styles",
    "music",
    "availability",
    "tz",
    "age",
    "age_pref",
    "wishes",
    "blocked",
    "partners",
    "history",
    "active",
    "lead_share",
)
PLACE_FIELDS = ("lat", "lon", "city", "country", "region")
AGE_FIELDS = ("min", "max")
WISH_FIELDS = ("max_km", "level_min", "level_max")
SLOT_FIELDS = ("day", "start", "end")

Names = Mapping[str, str]
"""Each name that is read, to the name of its field."""


def camel(name: str) -> str:
    """`leader_level` as `leaderLevel`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _names(fields: tuple[str, ...], **more: str) -> Names:
    return {name: field for field in fields for name in (field, camel(field))} | more


USER = _names(FIELDS, timezone="tz", timeZone="tz", time_zone="tz")
PLACE = _names(PLACE_FIELDS, latitude="lat", longitude="lon", lng="lon", long="lon")
AGE = _names(AGE_FIELDS)
WISHES = _names(WISH_FIELDS)
SLOT = _names(
    SLOT_FIELDS,
    weekday="day",
    dayOfWeek="day",
    day_of_week="day",
    startTime="start",
    start_time="start",
    endTime="end",
    end_time="end",
)
ALIASES: Mapping[str, Names] = {"": USER, "location": PLACE, "age_pref": AGE, "wishes": WISHES, "availability": SLOT}
"""By the field that holds them; empty: the person."""


def canonical(notes: Notes, raw: Mapping[str, Any], names: Names, prefix: str, asked: str = "") -> dict[str, Any]:
    """The same object under the fields' own names. Unknown names are warned about, a field given twice is refused.

    `prefix` is the path of the object with its dot (`availability[2].`); `asked` the same without numbers, so that one
    name is one warning.
    """
    found: dict[str, Any] = {}
    first: dict[str, str] = {}
    for key, value in raw.items():
        name = names.get(key)
        if name is None:
            notes.unknown(f"{asked or prefix}{key}", names)
        elif name in found:
            notes.refuse(f"{prefix}{name}", f"is given twice: as {first[name]} and as {key}", "keep one of the two")
        else:
            found[name], first[name] = value, key
    return found
