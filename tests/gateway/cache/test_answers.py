"""Whether two answers say the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.cache.answers import Said, agree, said, undecided
from mrblue_cli.gateway.model import Surface


def never() -> float | None:
    raise AssertionError("the embeddings were asked")


LONG = "Open the settings, choose Accounts, press Add and follow the five steps that the page then shows you."


class TestAgree:
    @pytest.mark.parametrize(
        ("one", "other"),
        [("Paris.", "paris"), ("It is  Paris!", "It is Paris"), (LONG, LONG.replace("press", "click")), ("42", "42.")],
    )
    def test_the_same(self, one: str, other: str) -> None:
        assert agree(Said(one), Said(other), never)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Paris", "Lyon"),
            ("It costs 5 dollars", "It costs 6 dollars"),
            (LONG, LONG.replace("five", "5")),
            ("Yes, you can do that.", "No, you cannot do that."),
            ("You should take it.", "You should not take it."),
            ("The capital of the country is Paris", "The capital of the country is Rome"),
            (LONG, LONG.replace("Accounts", "Profiles")),
            ("You don't need it now", "You need it now"),
        ],
    )
    def test_not_the_same(self, one: str, other: str) -> None:
        assert not agree(Said(one), Said(other), never)

    def test_one_word_is_the_answer_of_a_short_one(self) -> None:
        """High overlap, different colour: words cannot tell, and a middling closeness does not."""
        one, other = Said("The sky in the picture is blue"), Said("The sky in the picture is grey")
        assert undecided(one, other)
        assert not agree(one, other, lambda: None)
        assert not agree(one, other, lambda: 0.9)
        assert agree(one, other, lambda: 0.97)

    def test_tool_calls(self) -> None:
        call = (("weather", '{"city":"Rome"}'),)
        assert agree(Said("", call), Said("", call), never)
        assert not agree(Said("", call), Said("", (("weather", '{"city":"Oslo"}'),)), never)
        assert not agree(Said("", call), Said("It is warm."), never)

    @given(st.text(), st.text(), st.floats(-1, 1))
    def test_it_does_not_matter_which_came_first(self, one: str, other: str, close: float) -> None:
        assert agree(Said(one), Said(other), lambda: close) == agree(Said(other), Said(one), lambda: close)
        assert agree(Said(one), Said(one), never)


class TestSaid:
    @pytest.mark.parametrize(
        ("surface", "body"),
        [
            (Surface.CHAT, {"choices": [{"message": {"content": "Hi", "tool_calls": [
                {"id": "c", "function": {"name": "f", "arguments": '{"b": 1, "a": 2}'}}]}}]}),
            (Surface.RESPONSES, {"output": [
                {"type": "reasoning", "summary": []},
                {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
                {"type": "function_call", "name": "f", "arguments": '{"a":2,"b":1}'}]}),
            (Surface.MESSAGES, {"content": [
                {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"},
                {"type": "tool_use", "name": "f", "input": {"b": 1, "a": 2}}]}),
        ],
    )  # fmt: skip
    def test_each_surface(self, surface: Surface, body: dict[str, Any]) -> None:
        assert said(surface, msgspec.json.encode(body)) == Said("Hi", (("f", '{"a":2,"b":1}'),))

    def test_arguments_that_are_no_json_are_compared_as_they_are(self) -> None:
        body = {
            "choices": [{"message": {"content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}}]
        }
        assert said(Surface.CHAT, msgspec.json.encode(body)) == Said("", (("f", "{"),))

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[{"message":{"content":" "}}]}', b"\xff"]
    )
    def test_nothing_to_compare(self, body: bytes) -> None:
        assert said(Surface.CHAT, body) is None
        assert said(Surface.SPEECH, body) is None

    @given(st.sampled_from(list(Surface)), st.binary(max_size=60))
    def test_any_bytes(self, surface: Surface, body: bytes) -> None:
        assert said(surface, body) is None or isinstance(said(surface, body), Said)
