"""A value from an error text must never become a command."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.knowledge.captures import (
    KINDS,
    compile_pattern,
    fields_of,
    fill,
    is_valid,
    literal_length,
    loose_values,
)

HOSTILE = [
    "$(reboot)", "`id`", "; rm -rf /", "&& curl evil", "| sh", "x\nrm -rf /", "--exec=sh", "-rf", "a'b", 'a"b', "$HOME",
    "> /etc/passwd", "!!", "*", "\\", "a;b", "\x1b[31m", "%00", "(a)", "{a,b}", "#x", "a b;c",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_hostile_values_stay_one_harmless_word(kind, value):
    step = fill(f"tool {{{kind}}} end", {kind: value})
    words = shlex.split(step)
    assert words[0] == "tool"
    assert words[-1] == "end"
    assert len(words) == 3
    if not is_valid(kind, value):
        assert words[1] == f"<{kind.upper()}>"


@given(st.text(max_size=40), st.sampled_from(sorted(KINDS)))
def test_whatever_the_text_a_step_keeps_its_shape(value, kind):
    words = shlex.split(fill(f"kill {{{kind}}}", {kind: value}))
    assert len(words) == 2
    assert words[0] == "kill"
    assert not words[1].startswith("-")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_captures_from_any_text_are_valid_or_absent(noise):
    pattern = compile_pattern("cannot open {path} for {user}")
    match = pattern.search(f"x {noise} cannot open {noise} for {noise}")
    for name, value in match.groupdict().items() if match else ():
        if is_valid(name, value):
            assert len(shlex.split(fill(f"a {{{name}}}", {name: value}))) == 2


def test_patterns_capture_by_kind():
    pattern = compile_pattern("listen EADDRINUSE: address already in use {host}:{port}")
    found = pattern.search("Error: listen  eaddrinuse: address already in use :::3000")
    assert found is not None
    assert (found["host"], found["port"]) == ("::", "3000")
    assert compile_pattern("port {port}").search("port abc") is None


def test_a_missing_value_is_left_to_the_person():
    assert fill("lsof -i :{port}", {}) == "lsof -i :<PORT>"
    assert fill("lsof -i :{port}", {"port": "3000"}) == "lsof -i :3000"
    assert fill("lsof -i :{port}", {"port": "99999"}) == "lsof -i :<PORT>"
    assert fill("awk '{print $1}' {nothing}", {}) == "awk '{print $1}' {nothing}"


def test_small_helpers():
    assert fields_of("{port} and {file2}") == {"port", "file2"}
    assert literal_length("a {port} b") == 2
    assert loose_values("it is on port 3000", {"port", "user"}) == {"port": "3000"}
