"""What holds for any record: nothing raises, good records come back as given, spelling and order do not matter."""

from __future__ import annotations

import math
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.matcher.model import WEEK as MINUTES
from mrblue_cli.matcher.model import Role
from mrblue_cli.matcher.records_fields import Folded, fold
from mrblue_cli.matcher.records_names import ALIASES, FIELDS, USER, camel
from mrblue_cli.matcher.records_notes import clean, shown
from tests.matcher.people import harmless, person, read

SURROGATES = st.characters()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(SURROGATES, max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
LEVELS = st.integers(2, 20).map(lambda step: step / 2)
CLOCKS = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02d}:{minute % 60:02d}")
SLOTS = st.builds(
    lambda day, ends: {"day": day, "start": ends[0], "end": ends[1]},
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
    st.tuples(CLOCKS, CLOCKS).filter(lambda ends: ends[0] != ends[1]),
)
WORDS = st.text(st.characters(categories=["L", "N", "Zs", "Mn"]), min_size=1, max_size=12).filter(str.strip)
OTHERS = st.text("abcdefgh0123456789", min_size=1, max_size=4)
GOOD = st.fixed_dictionaries(
    {"id": st.text("xyz_-", min_size=1), "roles": st.just(["leader", "follower"])},
    optional={
        "name": WORDS,
        "leader_level": LEVELS,
        "follower_level": LEVELS,
        "location": st.fixed_dictionaries({"lat": st.floats(-90, 90), "lon": st.floats(1, 180), "city": WORDS}),
        "styles": st.lists(WORDS, max_size=4),
        "music": st.lists(WORDS, max_size=4) | st.dictionaries(WORDS, st.floats(0.1, 10), max_size=4),
        "availability": st.lists(SLOTS, max_size=4),
        "age": st.floats(18, 120),
        "age_pref": st.fixed_dictionaries({"min": st.integers(18, 40), "max": st.integers(40, 120)}),
        "wishes": st.fixed_dictionaries({"max_km": st.integers(0, 500), "level_min": st.just(3)}),
        "blocked": st.lists(OTHERS, max_size=3),
        "partners": st.lists(OTHERS, max_size=3),
        "history": st.dictionaries(OTHERS, st.integers(1, 50), max_size=3),
        "lead_share": st.floats(0, 1),
    },
)


@settings(max_examples=60)
@given(JSON)
def test_nothing_that_json_holds_raises(raw):
    user, problems, warnings = read(raw)
    assert (user is None) == bool(problems)
    assert all(harmless(line) for line in (*problems, *warnings))


@given(st.dictionaries(st.sampled_from([*USER, "extra"]), JSON, max_size=8))
def test_no_value_of_any_field_raises(fields):
    user, problems, warnings = read(person() | fields)
    assert all(line.startswith("users[0]") for line in problems)
    assert len(problems) <= 20
    assert all(harmless(line) for line in (*problems, *warnings))
    if user is not None:
        assert_sound(user)


@given(st.sampled_from(["location", "age_pref", "wishes", "availability"]), st.data())
def test_no_value_inside_a_field_raises(field, data):
    inner = data.draw(st.dictionaries(st.sampled_from([*ALIASES[field], "extra"]), JSON, max_size=5))
    user, problems, _ = read(person(**{field: [inner] if field == "availability" else inner}))
    assert all(line.startswith(f"users[0].{field}") for line in problems)
    if user is not None:
        assert_sound(user)


@given(GOOD)
def test_good_records_are_read_without_a_problem(raw):
    user, problems, _ = read(raw)
    assert problems == []
    assert user.id == raw["id"]
    assert user.leader_level == raw.get("leader_level")
    assert user.age == raw.get("age")
    assert dict(user.history) == raw.get("history", {})
    assert set(user.partners) == set(raw.get("partners", []))
    assert user.place.lat == raw.get("location", {}).get("lat")
    assert_sound(user)


@given(GOOD)
def test_camel_case_says_the_same(raw):
    again = {camel(key): value for key, value in raw.items()}
    if "wishes" in again:
        again["wishes"] = {camel(key): value for key, value in again["wishes"].items()}
    assert read(again)[0] == read(raw)[0]


@given(GOOD, st.randoms(use_true_random=False))
def test_the_order_of_fields_and_lists_does_not_matter(raw, chance):
    again = dict(chance.sample(list(raw.items()), len(raw)))
    for field in ("styles", "availability", "blocked", "partners"):
        if field in again:
            again[field] = chance.sample(again[field], len(again[field]))
    assert read(again)[0] == read(raw)[0]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_folding_rests_and_forgives_spelling(tag):
    folded = fold(tag)
    assert fold(folded) == folded
    assert folded == folded.strip()
    assert fold(unicodedata.normalize("NFD", tag)) == folded
    assert fold(f"  {tag}\t") == folded
    assert Folded()[tag] == folded


@given(st.text(st.characters()))
def test_what_is_shown_is_one_harmless_line(text):
    assert "\x1b" not in clean(text)
    assert "\n" not in shown(text)
    assert len(shown(text)) < 300
    shown(text).encode("utf-8")


def test_every_field_has_its_camel_case():
    assert {camel(field) for field in FIELDS} <= USER.keys()
    assert camel("leader_level") == "leaderLevel"
    assert camel("id") == "id"


def assert_sound(user):
    """What every part of the matcher takes for granted."""
    assert user.id
    assert user.roles in {Role.LEADER, Role.FOLLOWER, Role.BOTH}
    for level in (user.leader_level, user.follower_level):
        assert level is None or (1 <= level <= 10 and level * 2 == int(level * 2))
    assert (user.place.lat is None) == (user.place.lon is None)
    assert user.styles == tuple(sorted(set(user.styles)))
    assert all(user.styles)
    assert [tag for tag, _ in user.music] == sorted({tag for tag, _ in user.music})
    assert all(0 < weight < math.inf for _, weight in (*user.music, *user.history))
    assert all(0 <= start < end <= MINUTES for start, end in user.hours)
    assert all(one[1] < other[0] for one, other in zip(user.hours, user.hours[1:], strict=False))
    assert user.id not in user.blocked | set(user.partners) | {name for name, _ in user.history}
    assert user.age is None or 18 <= user.age <= 120
