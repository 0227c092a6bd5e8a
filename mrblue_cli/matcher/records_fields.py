"""One field at a time: a decoded JSON value to what the model holds, or a note of what is wrong with it. PURE.

Each function takes the notes, the value as decoded (never None unless it says so) and the field's path below the
person. After a refusal it gives back a harmless value, so that reading goes on and finds the rest.
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from mrblue_cli.matcher import records_names as names
from mrblue_cli.matcher.model import AgeRange, Place, Role, Wishes
from mrblue_cli.matcher.records_names import canonical
from mrblue_cli.matcher.records_notes import Notes, clean, has_control, has_surrogate, shown

HALF_STEPS = frozenset(step / 2 for step in range(2, 21))
"""1, 1.5, … 10."""
LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1e6
"""Weights of music and counts of history stay where sums and squares of them are exact enough to compare."""
YOUNGEST, OLDEST = 18.0, 120.0
FURTHEST_KM = 1e6
_NUMERAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_MOST_CACHED = 100_000
_ROLES = {"leader": Role.LEADER, "follower": Role.FOLLOWER, "both": Role.BOTH}
_ONE_ROLE = {("leader",): Role.LEADER, ("follower",): Role.FOLLOWER, ("leader", "follower"): Role.BOTH}
_COUNTRY = re.compile(r"[A-Za-z]{2}")
NOWHERE, ANY_WISH = Place(), Wishes()


class Folded(dict[str, str]):
    """Tags as given, to their folded form (NFC, casefold, trimmed); empty: nothing is left of it.

    Raises `TypeError` for what is no string, `ValueError` for half a character.
    """

    def __missing__(self, tag: str) -> str:
        """Folds a tag that was not met before."""
        if type(tag) is not str:
            raise TypeError
        if has_surrogate(tag):
            raise ValueError
        if len(self) >= _MOST_CACHED:
            self.clear()
        self[tag] = folded = fold(tag)
        return folded


def fold(tag: str) -> str:
    """NFC, casefold, trim: two spellings of one tag become one. Folding twice changes nothing."""
    if tag.isascii():
        return clean(tag).lower()
    last = ""
    while tag != last:
        # Folding can undo the composition, and composing can bring back what folds: on until it rests.
        last, tag = tag, clean(unicodedata.normalize("NFC", unicodedata.normalize("NFC", tag).casefold()))
    return tag


def number(notes: Notes, value: Any, field: str, low: float, high: float, what: str) -> float | None:
    """A number in [low, high]; None after a refusal. `what` completes "… is not …"."""
    kind = type(value)
    if (kind is float or kind is int) and low <= value <= high:
        return float(value)
    refuse_number(notes, value, field, what)
    return None


def refuse_number(notes: Notes, value: Any, field: str, what: str) -> None:
    """Says why a value is not the number that was asked for."""
    if isinstance(value, str):
        hint = "write it without the quotes" if _NUMERAL.fullmatch(value.strip()) else ""
        notes.refuse(field, f"{shown(value)} is text where a number is wanted", hint or what)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        notes.refuse(field, f"{shown(value)} is not a number", what)
    elif isinstance(value, float) and not math.isfinite(value):
        notes.refuse(field, f"{shown(value)} is not a finite number", what)
    else:
        notes.refuse(field, f"{shown(value)} is out of range", what)


def level(notes: Notes, value: Any, field: str) -> float | None:
    """1 to 10 in half steps; 0: unknown."""
    kind = type(value)
    if kind is float or kind is int:
        if value in HALF_STEPS:
            return float(value)
        if value == 0:
            return None
        if 1 <= value <= 10:
            notes.refuse(field, f"{shown(value)} is not a half step", "levels are 1, 1.5, 2, … 10; 0 for unknown")
            return None
    refuse_number(notes, value, field, "levels are 1 to 10 in half steps; 0 for unknown")
    return None


def text(notes: Notes, value: Any, field: str) -> str:
    """Words for people to read: NFC, trimmed, control characters taken out with a warning."""
    if type(value) is not str:
        notes.refuse(field, f"{shown(value)} is not text", "write it in quotes")
        return ""
    if value.isascii() and value.isprintable():
        return value.strip()
    if has_surrogate(value):
        notes.refuse(field, f"{shown(value)} holds half of a character", "write the whole character")
        return ""
    if has_control(value):
        notes.warn("control characters taken out of a text", field)
    return clean(unicodedata.normalize("NFC", value))


def identity(notes: Notes, value: Any) -> str | None:
    """The id, exactly as given; None after a refusal."""
    if type(value) is not str:
        if value is None:
            notes.refuse("id", "is missing", "everybody needs an id of their own")
        else:
            notes.refuse("id", f"{shown(value)} is not text", "write ids in quotes")
        return None
    if value.isalnum():
        return value
    if not value.strip():
        notes.refuse("id", "is empty", "everybody needs an id of their own")
        return None
    if has_surrogate(value) or has_control(value):
        notes.refuse("id", f"{shown(value)} holds a control character or half of one", "use letters and digits")
        return None
    if value != value.strip():
        notes.warn("an id begins or ends with a space", "id")
    return value


def roles(notes: Notes, value: Any) -> Role | None:
    """One or both; None after a refusal."""
    if type(value) is str:
        value = [value]
    if type(value) is not list or not value:
        what = "is missing" if value is None else "is empty" if value == [] else f"is {shown(value)}, not a list"
        notes.refuse("roles", what, 'for example ["leader"], ["follower"] or ["leader", "follower"]')
        return None
    try:
        known = _ONE_ROLE.get(tuple(value))
    except TypeError:
        known = None
    if known is not None:
        return known
    found = Role(0)
    for index, word in enumerate(value):
        role = _ROLES.get(word.strip().casefold()) if type(word) is str else None
        if role is None:
            notes.refuse(f"roles[{index}]", f"{shown(word)} is not a role", "use leader, follower or both")
        else:
            found |= role
    return found or None


def place(notes: Notes, raw: Any) -> Place:
    """Where somebody lives."""
    if type(raw) is not dict:
        notes.refuse("location", f"is {shown(raw)}, not an object", 'for example {"city": "Berlin", "country": "DE"}')
        return NOWHERE
    if not raw.keys() <= _PLACE:
        raw = canonical(notes, raw, names.PLACE, "location.")
    get = raw.get
    lat, lon, city, country, region = get("lat"), get("lon"), get("city"), get("country"), get("region")
    if (lat is None) != (lon is None):
        here, gone = ("lon", "lat") if lat is None else ("lat", "lon")
        notes.refuse(f"location.{gone}", f"is missing though {here} is given", "give both or neither")
        lat = lon = None
    if lat is not None:
        lat = number(notes, lat, "location.lat", -90.0, 90.0, "latitudes are -90 to 90 degrees")
        lon = number(notes, lon, "location.lon", -180.0, 180.0, "longitudes are -180 to 180 degrees")
        if lat == 0 and lon == 0:
            notes.warn("a location is exactly 0,0, which lies in the sea", "location")
    if country is not None:
        country = text(notes, country, "location.country") if type(country) is not str else country.strip()
        if country and not _COUNTRY.fullmatch(country):
            notes.refuse(
                "location.country", f"{shown(country)} is not a country code", "two letters of ISO 3166, like AR or DE"
            )
    return Place(
        lat=lat,
        lon=lon,
        city=text(notes, city, "location.city") if city is not None else "",
        country=country.upper() if country else "",
        region=text(notes, region, "location.region") if region is not None else "",
    )


def styles(notes: Notes, value: Any, folded: Folded) -> tuple[str, ...]:
    """Tags, folded, sorted, without repeats."""
    try:
        found = {folded[tag] for tag in value} if type(value) is list else None
    except (TypeError, ValueError):
        found = None
    if found is None:
        return _refuse_tags(notes, value, "styles")
    if "" in found:
        notes.warn("an empty tag is left out", "styles")
        found.discard("")
    return tuple(sorted(found))


def _refuse_tags(notes: Notes, value: Any, field: str) -> tuple[()]:
    if type(value) is not list:
        notes.refuse(field, f"is {shown(value)}, not a list", 'for example ["salon", "vals"]')
        return ()
    for index, tag in enumerate(value):
        if type(tag) is not str or has_surrogate(tag):
            notes.refuse(f"{field}[{index}]", f"{shown(tag)} is not a tag", "tags are words in quotes")
    return ()


def music(notes: Notes, value: Any, folded: Folded) -> tuple[tuple[str, float], ...]:
    """(tag, weight), sorted by tag; a bare list weighs each 1."""
    if type(value) is list:
        try:
            found = {folded[tag]: 1.0 for tag in value}
        except (TypeError, ValueError):
            return _refuse_tags(notes, value, "music")
    elif type(value) is dict:
        found = _weighted(notes, value, folded)
    else:
        return _refuse_tags(notes, value, "music")
    if "" in found:
        notes.warn("an empty tag is left out", "music")
        del found[""]
    return tuple(sorted(found.items()))


def _weighted(notes: Notes, value: dict[str, Any], folded: Folded) -> dict[str, float]:
    found: dict[str, float] = {}
    for tag, raw in value.items():
        try:
            name = folded[tag]
        except ValueError:
            notes.refuse("music", f"{shown(tag)} is not a tag", "write whole characters")
            continue
        kind = type(raw)
        if (kind is float or kind is int) and LEAST_WEIGHT <= raw <= MOST_WEIGHT:
            weight = float(raw)
        else:
            refuse_number(notes, raw, f"music[{shown(tag)}]", "weights are more than 0, at most a million")
            continue
        if name in found:
            notes.warn("a music tag comes twice, its larger weight counts", "music")
            weight = max(weight, found[name])
        found[name] = weight
    return found


def age_range(notes: Notes, raw: Any) -> AgeRange | None:
    """The ages wished for; None when neither end is given."""
    if type(raw) is not dict:
        notes.refuse("age_pref", f"is {shown(raw)}, not an object", 'for example {"min": 30, "max": 50}')
        return None
    if not raw.keys() <= _AGES:
        raw = canonical(notes, raw, names.AGE, "age_pref.")
    ends = raw.get("min"), raw.get("max")
    words = "ages are 18 to 120 years"
    low = None if ends[0] is None else number(notes, ends[0], "age_pref.min", YOUNGEST, OLDEST, words)
    high = None if ends[1] is None else number(notes, ends[1], "age_pref.max", YOUNGEST, OLDEST, words)
    if low is None and high is None:
        return None
    if low is not None and high is not None and low > high:
        notes.refuse("age_pref", f"min {shown(low)} is more than max {shown(high)}", "swap the two")
    return AgeRange(min=low, max=high)


def wishes(notes: Notes, raw: Any) -> Wishes:
    """What somebody asks of a partner; a level of 0 is none, as everywhere."""
    if type(raw) is not dict:
        notes.refuse("wishes", f"is {shown(raw)}, not an object", 'for example {"max_km": 20, "level_min": 4}')
        return ANY_WISH
    if not raw.keys() <= _WISHES:
        raw = canonical(notes, raw, names.WISHES, "wishes.")
    km, ends = raw.get("max_km"), []
    if km is not None:
        km = number(notes, km, "wishes.max_km", 0.0, FURTHEST_KM, "a distance is 0 km or more, at most a million")
    for field in ("level_min", "level_max"):
        value = raw.get(field)
        if value is not None:
            value = number(notes, value, f"wishes.{field}", 0.0, 10.0, "levels are 1 to 10")
            if value is not None and 0 < value < 1:
                notes.refuse(f"wishes.{field}", f"{shown(value)} is out of range", "levels are 1 to 10")
        ends.append(value or None)
    low, high = ends
    if low is not None and high is not None and low > high:
        notes.refuse("wishes", f"level_min {shown(low)} is more than level_max {shown(high)}", "swap the two")
    return Wishes(max_km=km, level_min=low, level_max=high)


def ids(notes: Notes, value: Any, field: str, own: str | None) -> set[str]:
    """Other people's ids, one's own left out with a warning."""
    if type(value) is not list:
        notes.refuse(field, f"is {shown(value)}, not a list", 'a list of ids, for example ["u12"]')
        return set()
    for index, other in enumerate(value):
        if type(other) is not str or not other.strip():
            notes.refuse(f"{field}[{index}]", f"{shown(other)} is not an id", "ids are text in quotes")
            return set()
    found = set(value)
    if own in found:
        notes.warn(f"one's own id stands in {field} and is left out", field)
        found.discard(str(own))
    return found


def history(notes: Notes, value: Any, own: str | None) -> dict[str, float]:
    """Times danced by id; a list counts each entry once."""
    found: dict[str, float] = {}
    if type(value) is list:
        ids(notes, value, "history", None)
        for other in value if all(type(other) is str for other in value) else ():
            found[other] = found.get(other, 0.0) + 1.0
    elif type(value) is dict:
        for other, raw in value.items():
            kind = type(raw)
            if (kind is float or kind is int) and LEAST_WEIGHT <= raw <= MOST_WEIGHT and other and not other.isspace():
                found[other] = float(raw)
            elif not other.strip():
                notes.refuse("history", "an id is empty", "every count belongs to somebody")
            else:
                refuse_number(notes, raw, f"history[{shown(other)}]", "times danced are more than 0, at most a million")
    else:
        notes.refuse("history", f"is {shown(value)}, not an object", 'times danced by id, for example {"u12": 3}')
    if own in found:
        notes.warn("one's own id stands in history and is left out", "history")
        del found[str(own)]
    return found


_PLACE, _AGES, _WISHES = frozenset(names.PLACE_FIELDS), frozenset(names.AGE_FIELDS), frozenset(names.WISH_FIELDS)
