"""Readers of single values: what they take, in which unit, and that nothing else gets through."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.settings.gateway_fields import (
    Bad,
    FromText,
    Source,
    choice,
    flag,
    number,
    reference,
    seconds,
    text,
    url,
    whole,
)
from mrblue_cli.settings.gateway_problems import Findings, GatewayConfigError, Problem, nearest

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.text(max_size=12).map(FromText),
    st.sampled_from([10**400, -(10**400), math.nan, math.inf, "1e9", "20s", "5 m", "١", "１", "0x10", "1_000"]),
)  # fmt: skip


def value_or_bad(field, value):
    try:
        return field(value)
    except Bad as bad:
        assert bad.text.isprintable()
        return None


@given(ANYTHING)
def test_a_number_is_finite_and_within_its_bounds_or_refused(value):
    found = value_or_bad(number(-2, 7), value)
    assert found is None or (isinstance(found, float) and -2 <= found <= 7)


@given(ANYTHING)
def test_a_whole_number_is_whole(value):
    found = value_or_bad(whole(0, 100), value)
    assert found is None or (isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= 100)


@given(ANYTHING, st.booleans())
def test_a_length_of_time_is_within_its_bounds(value, milliseconds):
    found = value_or_bad(seconds(0, 60, milliseconds=milliseconds), value)
    assert found is None or (isinstance(found, float) and 0 <= found <= 60 * (1 + 1e-9))


@given(st.integers(0, 3_000_000))
def test_a_length_of_time_is_the_same_in_each_way_of_writing_it(milliseconds):
    expected = milliseconds / 1000
    for field, value in (
        (seconds(0, 3600), expected),
        (seconds(0, 3600, milliseconds=True), milliseconds),
        (seconds(0, 3600), f"{milliseconds}ms"),
        (seconds(0, 3600, milliseconds=True), f"{milliseconds} ms"),
        (seconds(0, 3600, milliseconds=True), f"{expected:.3f}s"),
        (seconds(0, 3600), FromText(f"{expected:.3f}")),
    ):
        assert field(value) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "expected"), [("2m", 120.0), ("1.5h", 5400.0), ("1d", 86_400.0), ("0.25 s", 0.25), ("250ms", 0.25)]
)
def test_units(value, expected):
    assert seconds(0, 100_000)(value) == expected


@pytest.mark.parametrize("value", ["", "s", "-1s", "1 y", "1s1s", "١s", "1e3s", "99d", True, None, [1]])
def test_what_is_no_length_of_time(value):
    with pytest.raises(Bad):
        seconds(0, 100_000)(value)


@pytest.mark.parametrize("value", ["true", "YES", "on", "1", " On "])
def test_switches_from_variables(value):
    assert flag(FromText(value)) is True
    with pytest.raises(Bad):
        flag(value)  # in a file it has a type of its own


@pytest.mark.parametrize("value", [0, 1, "true", None, FromText("2"), FromText("")])
def test_what_is_no_switch(value):
    with pytest.raises(Bad):
        flag(value)


@given(ANYTHING)
def test_a_text_is_one_printable_line(value):
    found = value_or_bad(text(20), value)
    assert found is None or (type(found) is str and found.isprintable() and len(found) <= 20)


@given(ANYTHING)
def test_a_choice_is_one_of_its_words(value):
    assert value_or_bad(choice("any", "same"), value) in (None, "any", "same")


URL_PARTS = st.lists(
    st.sampled_from(["http", "https", "ftp", "://", ":", "/", "//", "@", "#", "?", "[", "]", "x.example", "127.0.0.1",
                     ":80", "user:pw", "key=1", "api_key=2", "&", "%00", " ", "\\", "\n", "é", ":99999", "::1", "v1"]),
    max_size=9,
).map("".join)  # fmt: skip


@given(st.one_of(URL_PARTS, URL_PARTS.map("https://{}".format), ANYTHING))
def test_an_address_is_plain_or_refused(value):
    found = value_or_bad(url("https", "http"), value)
    if not found:
        return
    parts = urlsplit(found)
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert (parts.username, parts.password, parts.fragment) == (None, None, "")
    assert not any(character.isspace() for character in found)
    assert "key=" not in parts.query


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("${A_KEY}", "A_KEY"),
        (" ${A} ", "A"),
        ("$A", None),
        ("${}", None),
        ("${A}x", None),
        ("${A-b}", None),
        ("A", None),
    ],
)
def test_references_to_variables(value, name):
    assert reference(value) == name


def test_tables_that_are_none_are_problems_with_their_path():
    found = Findings()
    source = Source({"a": 3, "b": [{}, 4], "c": {"d": "x"}, "e": {}}, "top", found, milliseconds=False)
    assert source.under("a").table == {}
    assert [item.path for item in source.tables("b")] == ["top.b[0]"]
    assert source.tables("e") == []
    assert source.under("c").value("d", whole(0, 1), 7) == 7
    assert source.under("gone").table == {}
    assert source.tables("gone") == []
    assert [problem.path for problem in found.problems] == ["top.a", "top.b[1]", "top.e", "top.c.d"]


def test_a_value_from_a_variable_is_named_by_it():
    found = Findings()
    source = Source({"port": FromText("x")}, "", found, milliseconds=False, origins={"port": "MRBLUE_GATEWAY_PORT"})
    source.value("port", whole(0, 1), 0)
    assert found.problems[0].path == "MRBLUE_GATEWAY_PORT"


def test_nearest_names():
    assert nearest("prioritee", {"priority", "weight"}) == "did you mean 'priority'?"
    assert nearest("xyz", {"priority", "weight"}) == "known here: priority, weight"
    assert nearest("xyz", ()) == ""


def test_one_problem_is_one_line_and_its_hint_the_hint():
    error = GatewayConfigError("c.toml", [Problem("port", "is wrong", "make it right")])
    assert (error.what, error.hint) == ("c.toml: port: is wrong", "make it right")
    error = GatewayConfigError("", [Problem("a", "x"), Problem("", "y", "z")])
    assert error.what.splitlines() == ["2 things are wrong", "    a: x", "    y (z)"]
    assert "docs/gateway.md" in error.hint
