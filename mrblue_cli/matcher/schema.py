"""The JSON Schema (2020-12) of users.json. PURE. Reference section 2.

What a schema cannot say, the reader of people says: ids that come twice, ranges upside down, time zones that do not
exist. Where the reader is more forgiving (capitals in roles, times like 9:00), the schema shows the form to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrblue_cli.matcher import records_fields as fields
from mrblue_cli.matcher.records_names import AGE, PLACE, SLOT, USER, WISHES, Names

Schema = dict[str, Any]
# Control characters and those that turn the direction of a line; ids go into tables and file names.
_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
_ID: Schema = {"type": "string", "pattern": rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"}
_DAY = "^(mon(day)?|tue(s|sday)?|wed(nesday)?|thu(r|rs|rsday)?|fri(day)?|sat(urday)?|sun(day)?)$"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_ROLE: Schema = {"enum": ["leader", "follower", "both"]}
_TIMES: Schema = {"type": "number", "minimum": fields.LEAST_WEIGHT, "maximum": fields.MOST_WEIGHT}


def json_schema() -> Schema:
    """The schema of a whole file: a list of people, or an object that holds one under `users`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "users.json",
        "description": "People of a tango community, for mrblue match. Fields may also be written in camelCase. "
        "What is not given is unknown, never zero. An unknown field is not read.",
        "anyOf": [
            {"$ref": "#/$defs/users"},
            {"type": "object", "required": ["users"], "properties": {"users": {"$ref": "#/$defs/users"}}},
        ],
        "$defs": {
            "users": {"type": "array", "items": {"$ref": "#/$defs/user"}},
            "user": _object(USER, _user(), required=("id", "roles"), description="One person.", nullable=False),
        },
    }


def _user() -> dict[str, Schema]:
    ids: Schema = {"type": "array", "items": {"type": "string", "pattern": r"\S"}}
    return {
        "id": _ID | {"description": "Of this person alone."},
        "name": _text("Shown in place of the id."),
        "roles": {
            "description": "What the person dances.",
            "anyOf": [{"type": "array", "minItems": 1, "items": _ROLE}, _ROLE],
        },
        "leader_level": _level("How well the person leads"),
        "follower_level": _level("How well the person follows"),
        "location": _location(),
        "styles": {
            "description": "Tags; capitals, spaces around and repeats do not matter.",
            "type": ["array", "null"],
            "items": {"type": "string"},
        },
        "music": {
            "description": "Orchestras, decades, singers: a list of tags, or tags with weights.",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": _TIMES},
                {"type": "null"},
            ],
        },
        "availability": {
            "description": "Free time in every week, in local clock time. An end before the start is past midnight.",
            "type": ["array", "null"],
            "items": {"anyOf": [_slot(), {"type": "string", "pattern": r"^[a-z]+ [0-9:]+-[0-9:]+$"}]},
        },
        "tz": {
            "description": "IANA time zone of availability, for example Europe/Berlin.",
            "type": ["string", "null"],
            "minLength": 1,
        },
        "age": _number("Years; used only between people who both gave age and age_pref.", *_AGES),
        "age_pref": _object(
            AGE,
            {"min": _number("Youngest.", *_AGES), "max": _number("Oldest.", *_AGES)},
            description="Ages wished for, both ends included.",
        ),
        "wishes": _wishes(),
        "blocked": ids | {"type": ["array", "null"], "description": "Ids; either side keeps the two apart."},
        "partners": ids | {"type": ["array", "null"], "description": "Ids of people to be kept together on request."},
        "history": {
            "description": "Times danced by id, or a list of ids, each once.",
            "anyOf": [{"type": "object", "additionalProperties": _TIMES}, ids, {"type": "null"}],
        },
        "active": {"description": "false: takes no part.", "type": ["boolean", "null"], "default": True},
        "lead_share": _number("Share of tandas that somebody who dances both roles wants to lead.", 0, 1),
    }


_AGES = fields.YOUNGEST, fields.OLDEST


def _location() -> Schema:
    found = _object(
        PLACE,
        {
            "lat": _number("Degrees, north positive.", -90, 90),
            "lon": _number("Degrees, east positive.", -180, 180),
            "city": _text("Name."),
            "country": {
                "description": "Two letters of ISO 3166.",
                "type": ["string", "null"],
                "pattern": "^([A-Za-z]{2})?$",
            },
            "region": _text("State, province or part of a country."),
        },
        description="Where the person lives. Coordinates come in pairs.",
    )
    lat, lon = (_given(PLACE, field) for field in ("lat", "lon"))
    return found | {"allOf": [*found.get("allOf", []), {"if": lat, "then": lon, "else": {"not": lon}}]}


def _slot() -> Schema:
    return _object(
        SLOT,
        {
            "day": {"type": "string", "pattern": _DAY},
            "start": {"type": "string", "pattern": f"^{_CLOCK}$", "description": "HH:MM"},
            "end": {"type": "string", "pattern": f"^({_CLOCK}|24:00)$", "description": "HH:MM, also 24:00"},
        },
        required=("day", "start", "end"),
        nullable=False,
    )


def _wishes() -> Schema:
    level: Schema = {"type": ["number", "null"], "anyOf": [{"const": 0}, {"minimum": 1, "maximum": 10}]}
    return _object(
        WISHES,
        {
            "max_km": _number("At most this far away.", 0, fields.FURTHEST_KM),
            "level_min": level | {"description": "At least this level in the role needed."},
            "level_max": level | {"description": "At most this level in the role needed."},
        },
        description="What the person asks of a partner: excludes with --strict, else a score.",
    )


def _object(
    names: Names,
    properties: Mapping[str, Schema],
    *,
    required: tuple[str, ...] = (),
    description: str = "",
    nullable: bool = True,
) -> Schema:
    """An object whose fields are also read under their aliases, but not both ways at once."""
    every = dict(properties)
    for name, field in names.items():
        if name != field:
            every[name] = properties[field] | {"description": f"Another name of {field}."}
    found: Schema = {"type": "object" if not nullable else ["object", "null"], "properties": every}
    if description:
        found["description"] = description
    rules: list[Schema] = []
    for field in properties:
        ways = _ways(names, field)
        if len(ways) > 1:
            rules.append({"not": {"anyOf": [{"type": "object", "required": list(pair)} for pair in _pairs(ways)]}})
        if field in required and len(ways) > 1:
            rules.append({"anyOf": [{"required": [way]} for way in ways]})
    direct = [field for field in required if len(_ways(names, field)) == 1]
    if direct:
        found["required"] = direct
    return found | {"allOf": rules} if rules else found


def _ways(names: Names, field: str) -> list[str]:
    return [name for name, target in names.items() if target == field]


def _pairs(ways: list[str]) -> list[tuple[str, str]]:
    return [(one, other) for index, one in enumerate(ways) for other in ways[index + 1 :]]


def _given(names: Names, field: str) -> Schema:
    """Whether a field stands there, under whichever name, and is not null."""
    ways = _ways(names, field)
    return {
        "anyOf": [{"required": [way], "properties": {way: {"not": {"type": "null"}}}, "type": "object"} for way in ways]
    }


def _text(description: str) -> Schema:
    return {"type": ["string", "null"], "description": description}


def _number(description: str, low: float, high: float) -> Schema:
    return {"type": ["number", "null"], "minimum": low, "maximum": high, "description": description}


def _level(what: str) -> Schema:
    return {
        "type": ["number", "null"],
        "enum": [None, 0, *sorted(fields.HALF_STEPS)],
        "description": f"{what}: 1 to 10 in half steps; absent, null or 0: unknown.",
    }
