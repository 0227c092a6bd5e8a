"""People as plain records, written out: JSON, NDJSON, or CSV with the header that `match_files` reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

LAYOUTS = ("json", "ndjson", "csv")
_AT_ONCE = 500
_COLUMNS = (
    *("id", "name", "roles", "leader_level", "follower_level", "lat", "lon", "city", "country", "region", "styles"),
    *("music", "availability", "tz", "age", "age_min", "age_max", "max_km", "level_min", "level_max", "blocked"),
    *("partners", "history", "active", "lead_share"),
)


def written(people: Iterable[dict[str, Any]], layout: str) -> Iterator[str]:
    """Pieces of one document of a layout of `LAYOUTS`; streams."""
    if layout == "csv":
        yield from _csv(people)
        return
    if layout == "ndjson":
        yield from (f"{_line(person)}\n" for person in people)
        return
    yield "[\n"
    for number, person in enumerate(people):
        yield f",\n{_line(person)}" if number else _line(person)
    yield "\n]\n"


def _line(person: dict[str, Any]) -> str:
    return json.dumps(person, ensure_ascii=False)


def _csv(people: Iterable[dict[str, Any]]) -> Iterator[str]:
    rows = iter(chain([_COLUMNS], map(_cells, people)))
    while chunk := list(islice(rows, _AT_ONCE)):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(chunk)
        yield text.getvalue()


def _cells(person: dict[str, Any]) -> list[object]:
    inner = {
        **person,
        **person.get("location", {}),
        **person.get("wishes", {}),
        **{f"age_{end}": value for end, value in person.get("age_pref", {}).items()},
    }
    return [_cell(column, inner.get(column)) for column in _COLUMNS]


def _cell(column: str, value: Any) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if column == "availability":
        return "|".join(f"{slot['day']} {slot['start']}-{slot['end']}" for slot in value)
    if isinstance(value, dict):
        return "|".join(f"{name}:{number:g}" for name, number in value.items())
    return "|".join(value) if isinstance(value, list) else value
