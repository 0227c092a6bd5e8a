"""Ten thousand broken files: each becomes a community or one clear error, never a traceback."""

from __future__ import annotations

import copy
import datetime as dt
import gzip
import io
import json
import math
import random
import re

import pytest

from mrblue_cli.app.match_files import Loaded, load
from mrblue_cli.core.errors import InputFileError
from mrblue_cli.matcher.generate import people
from mrblue_cli.matcher.records_names import ALIASES
from tests.matcher.people import harmless

WEEK = dt.date(2026, 3, 23)
PLACE = re.compile(r"users\[\d+\]|line \d+")
# Files that are no text at all have no line that could be named.
WHOLE = re.compile(r" is (empty|not text|UTF-16 text|damaged gzip|packed twice|a zip)| holds more than ")
VALUES = [
    None, True, False, 0, -0.0, 1, -1, 0.5, 7, 7.25, 11, 10**400, -(10**19), 1e308, math.nan, math.inf, -math.inf,
    "", " ", "7", "leader", "both", "\x00", "\x1b[2J", "\ud800", "x" * 5000,
    "u000001", "NaN", "24:00", "25:00", "mon", "Europe/Berlin",
    "../../etc/passwd", [], [[]], [None], ["leader"], ["u000001", 5], {}, {"": 1}, {"a": {}}, {"lat": 0, "lon": 0},
    {"lat": 95}, {"min": 50, "max": 20}, [{"day": "mon", "start": "10:00", "end": "10:00"}], ["mon 10:00-24:00"],
    {"id": "u000001", "roles": ["leader"]},
]  # fmt: skip
NAMES = sorted({name for names in ALIASES.values() for name in names} | {"users", "__proto__", "", "\ud800", "é"})
SCRAPS = [
    b"NaN", b"Infinity", b"-", b"1e999", b"9" * 5000, b"null", b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\",
    b"\\ud800", b"\\u0000", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\n", b"\r", b"\r\n", b"|", b";", b"\t",
    b"[" * 3000, b'{"a":' * 1500, b"/* */", b"'", b"\xe2\x80\xa8", b'"id":', b"=", b'=""', b"sep=;\n", b"\x1f\x8b",
    b"\x1f\x8b\x08\x00", b"PK\x03\x04",
]  # fmt: skip


def row(raw):
    """The cells of one person by column."""
    place, music = raw.get("location", {}), raw.get("music", [])
    weighed = [f"{tag}:{weight}" for tag, weight in music.items()] if isinstance(music, dict) else music
    slots = [f"{slot['day']} {slot['start']}-{slot['end']}" for slot in raw.get("availability", [])]
    plain = {name: raw.get(name, "") for name in ("id", "name", "leader_level", "follower_level", "tz", "age")}
    where = {name: place.get(name, "") for name in ("lat", "lon", "city", "country")}
    lists = {name: "|".join(raw.get(name, ())) for name in ("roles", "styles", "history", "blocked")}
    return {**plain, **where, **lists, "music": "|".join(weighed), "availability": "|".join(slots)}


def table(records):
    """A CSV of most of the fields."""
    rows = [row(raw) for raw in records]
    return "\r\n".join(";".join(map(str, cells)) for cells in (rows[0], *(cells.values() for cells in rows)))


def mutated(chance, records):
    """A valid document with a few values, names or entries changed."""
    document = json.loads(json.dumps(records))
    for _ in range(chance.choice([1, 1, 1, 2, 5, 40])):
        holders = []
        waiting = [document]
        while waiting:
            found = waiting.pop()
            if isinstance(found, dict | list) and found:
                holders.append(found)
                waiting += found.values() if isinstance(found, dict) else found
        if not holders:
            break
        holder = chance.choice(holders)
        key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        value = copy.deepcopy(chance.choice(VALUES))
        match chance.randrange(6):
            case 0 | 1:
                holder[key] = value
            case 2:
                del holder[key]
            case 3 if isinstance(holder, dict):
                holder[chance.choice(NAMES)] = value
            case 4 if isinstance(holder, dict):
                holder[chance.choice(NAMES)] = holder.pop(key)
            case 4:
                holder.append(copy.deepcopy(chance.choice(holder)))
            case _:
                holder[key] = [holder[key]] if chance.random() < 0.5 else {"users": holder[key]}
    return document


def written(chance, document):
    """In one of the layouts, as bytes."""
    layout = chance.randrange(5)
    if layout == 0 or not isinstance(document, list):
        text = json.dumps(document)
    elif layout == 1:
        text = json.dumps({"users": document}, indent=1)
    elif layout == 2:
        text = "\n".join(json.dumps(entry) for entry in document)
    else:
        text = json.dumps(document, ensure_ascii=layout == 3)
    return text.encode("utf-8", "surrogatepass")


def scratched(chance, data):
    """Raw bytes cut, doubled, overwritten."""
    found = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 3, 8])):
        at = chance.randrange(len(found) + 1)
        to = min(len(found), at + chance.choice([0, 1, 1, 2, 5, 60]))
        match chance.randrange(5):
            case 0:
                del found[at:to]
            case 1:
                found[at:to] = chance.choice(SCRAPS)
            case 2:
                found[at:at] = found[at:to]
            case 3 if found:
                found[at % len(found)] = chance.randrange(256)
            case _:
                del found[at : len(found) if chance.random() < 0.3 else to]
    return bytes(found)


def files(seed, count):
    """Files without end of each kind; the chance of tests needs no numpy."""
    chance = random.Random(seed)
    made = list(people(64, seed))
    for _ in range(count):
        records = chance.sample(made, chance.choice([1, 2, 4]))
        kind = chance.randrange(8)
        if kind < 3:
            data = written(chance, mutated(chance, records))
        elif kind < 5:
            data = scratched(chance, written(chance, records))
        elif kind < 7:
            data = scratched(chance, table(records).encode())
        else:
            data = written(chance, mutated(chance, records))
            data = scratched(chance, gzip.compress(data, 1)) if chance.random() < 0.5 else gzip.compress(data, 1)
        yield data


@pytest.mark.parametrize("seed", range(10))
def test_broken_files_become_a_community_or_one_clear_error(seed):
    outcomes = {"read": 0, "refused": 0}
    for data in files(seed, 1000):
        try:
            found = load(None, week=WEEK, most_bytes=1_000_000, stdin=io.BytesIO(data))
        except InputFileError as error:
            outcomes["refused"] += 1
            check(error, "standard input", data)
        else:
            outcomes["read"] += 1
            assert isinstance(found, Loaded)
            assert len(set(found.community.ids)) == len(found.community)
            assert all(harmless(line) for line in found.warnings), data
    assert min(outcomes.values()) > 100, outcomes


def check(error, name, data):
    """An error names the file and a place, is short, and can be printed."""
    assert error.what.startswith(name), data
    said = error.what.removeprefix(name)
    assert PLACE.search(said) or WHOLE.match(said), (said, data)
    rows = said.splitlines()
    assert len(rows) <= 22, data
    assert all(len(row) < 400 for row in rows), (said, data)
    assert error.hint, said
    f"{error.what}{error.hint}".encode()
    assert all(harmless(row) for row in (*rows, error.hint)), data
