"""CSV of a community, as spreadsheets write it: one row a person, lists separated by `|`.

Columns: id, name, roles, leader_level, follower_level, lat, lon, city, country, region, styles, music, availability,
tz, age, age_min, age_max, max_km, level_min, level_max, blocked, partners, history, active, lead_share. `roles`:
`leader|follower`; `availability`: `mon 19:00-22:00|thu 20:00-23:30`; `music`: `pugliese:2|troilo`; `history`: `u12:3`.
An empty cell is a field that was not given. Accepted as well: semicolons or tabs, decimal commas, a byte order mark, a
first line `sep=;`, cells like `="001"`, the aliases of the fields in any spelling of capitals, spaces and hyphens.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

from mrblue_cli.app.match_careful import Data, Item, Malformed
from mrblue_cli.matcher import records_names as names

Parse = Callable[[str], Any]
Column = tuple[str, str, Parse]
"""The field, the name inside it (empty: the field itself), and how its text is read."""
_NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+|nan|inf|infinity)(?:e[+-]?[0-9]{1,3})?", re.IGNORECASE)
_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_LOOSE = re.compile(r"[\s_-]+")
_BOOLS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SEPARATORS = ",;\t"


def rows(data: Data, unknown: list[str]) -> Iterator[Item]:
    """One decoded person a row. Raises `Malformed`. Names of columns that are not read are added to `unknown`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8 text; in a spreadsheet choose: CSV UTF-8", error.start) from None
    lines = io.StringIO(text, newline="")
    first = lines.readline()
    skipped = 1 if first.casefold().startswith("sep=") else 0
    if not skipped:
        lines.seek(0)
    header = lines.readline()
    lines.seek(len(first) if skipped else 0)
    reader = csv.reader(lines, delimiter=_separator(header), strict=True)
    columns: list[Column | None] = []
    here = skipped + 1
    try:
        for row in reader:
            if not any(cell and not cell.isspace() for cell in row):
                pass
            elif columns:
                yield _person(row, columns, here)
            else:
                columns = _columns(row, unknown)
            here = skipped + reader.line_num + 1
    except csv.Error as error:
        raise Malformed(f"the row that begins here cannot be read: {error}", _line_start(text, here)) from None


def _line_start(text: str, line: int) -> int:
    stream = io.StringIO(text, newline="")
    return sum(len(stream.readline().encode("utf-8")) for _ in range(line - 1))


def _separator(header: str) -> str:
    for separator in _SEPARATORS:
        if "id" in {_key(name.strip().strip('"')) for name in header.split(separator)}:
            return separator
    return max(_SEPARATORS, key=header.count)


def _columns(header: list[str], unknown: list[str]) -> list[Column | None]:
    found: list[Column | None] = []
    for name in (_cell(cell) for cell in header):
        column = _COLUMNS.get(_key(name))
        if column is not None and column in found:
            raise Malformed(f"the column {column[1] or column[0]} stands twice", 0)
        if column is None and name:
            unknown.append(name)
        found.append(column)
    if _COLUMNS["id"] not in found:
        raise Malformed('neither JSON nor a table: there is no column "id"', 0)
    return found


def _person(row: list[str], columns: list[Column | None], line: int) -> Item:
    person: dict[str, Any] = {}
    for cell, column in zip(row, columns, strict=False):
        if not cell or column is None:
            continue
        text = _cell(cell)
        if not text:
            continue
        field, inner, parse = column
        if inner:
            person.setdefault(field, {})[inner] = parse(text)
        else:
            person[field] = parse(text)
    if len(row) > len(columns) and any(cell.strip() for cell in row[len(columns) :]):
        return Item(None, line, fault=f"has {len(row)} cells where the header has {len(columns)}")
    return Item(person, line)


def _cell(text: str) -> str:
    text = text.strip()
    match = _FORMULA.fullmatch(text) if text.startswith("=") else None
    return match[1].strip() if match else text


def _key(name: str) -> str:
    return _LOOSE.sub("", name).casefold()


def _number(text: str) -> float | str:
    """A number; text that is none stays text, and the reader of people says so."""
    return float(text.replace(",", ".")) if len(text) < 100 and _NUMERAL.fullmatch(text) else text


def _bool(text: str) -> bool | str:
    return _BOOLS.get(text.casefold(), text)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


def _counted(text: str) -> dict[str, float | str] | list[str]:
    """`a:2|b`: a weighs 2, b weighs 1; a plain list where nothing has a number."""
    found: dict[str, float | str] = {}
    counted = False
    for part in _list(text):
        name, colon, tail = part.rpartition(":")
        value = _number(tail.strip()) if colon and name.strip() else tail
        if isinstance(value, str):
            found[part] = 1.0
        else:
            found[name.strip()] = value
            counted = True
    return found if counted else _list(text)


def _text(text: str) -> str:
    return text


_PARSERS: dict[str, Parse] = {
    "leader_level": _number,
    "follower_level": _number,
    "age": _number,
    "lead_share": _number,
    "active": _bool,
    "roles": _list,
    "styles": _list,
    "availability": _list,
    "blocked": _list,
    "partners": _list,
    "music": _counted,
    "history": _counted,
}
_NESTED = {"location": names.PLACE, "wishes": names.WISHES}
_TEXTS = {"city", "country", "region"}


def _table() -> dict[str, Column]:
    found: dict[str, Column] = {
        _key(name): (field, "", _PARSERS.get(field, _text))
        for name, field in names.USER.items()
        if field not in {"location", "wishes", "age_pref"}
    }
    for field, inside in _NESTED.items():
        found |= {_key(name): (field, inner, _text if inner in _TEXTS else _number) for name, inner in inside.items()}
    for end in names.AGE_FIELDS:
        found |= dict.fromkeys((f"age{end}", f"agepref{end}"), ("age_pref", end, _number))
    return found


_COLUMNS = _table()
