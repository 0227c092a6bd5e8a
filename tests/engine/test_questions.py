"""What stands to be answered, told from the items of a conversation."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.assistant.brain import CallTool, Exchange
from mrblue_cli.engine.questions import asked_of, exchanges, specs_of
from mrblue_cli.protocol.items import ContentPart, Item


def said(role, text):
    kind = {"assistant": "output_text"}.get(role, "input_text")
    return Item(type="message", id=text, role=role, content=(ContentPart(type=kind, text=text),))


def call(call_id, name="look"):
    return Item(type="function_call", id=f"i_{call_id}", call_id=call_id, name=name, arguments='{"a": 1}')


def output(call_id):
    return Item(type="function_call_output", id=f"o_{call_id}", call_id=call_id, output=f"out {call_id}")


def test_nobody_said_anything():
    asked = asked_of([said("system", "be kind")])
    assert (asked.item, asked.after, asked.rounds) == (None, (), 0)
    assert asked.before == (Exchange("system", "be kind"),)


def test_words_are_answered_whatever_tools_did_before():
    items = [said("user", "a"), call("1"), output("1"), said("user", "b")]
    asked = asked_of(items)
    assert asked.item.key == "b"
    assert asked.before[-1] == Exchange("assistant", "")  # so that a brain does not take the output for the newest
    assert [turn.role for turn in asked.before] == ["user", "tool", "assistant"]
    assert (asked.after, asked.rounds) == ((), 0)


def test_outputs_are_answered_with_the_words_they_were_for():
    items = [said("user", "a"), said("assistant", "Let me see."), call("1"), call("2"), output("1"), output("2")]
    asked = asked_of(items)
    assert asked.item.key == "a"
    assert asked.before == ()
    assert asked.after == (
        Exchange("assistant", "Let me see."),
        Exchange("tool", "out 1", CallTool("look", '{"a": 1}'), "1"),
        Exchange("tool", "out 2", CallTool("look", '{"a": 1}'), "2"),
    )
    assert asked.rounds == 1


def test_rounds_are_counted():
    items = [said("user", "a"), call("1"), call("2"), output("1"), output("2"), call("3"), output("3")]
    assert asked_of(items).rounds == 2


def test_a_reply_that_stands_after_the_tools_is_answered_as_words_again():
    items = [said("user", "a"), call("1"), output("1"), said("assistant", "it is so")]
    asked = asked_of(items)
    assert (asked.item.key, asked.after) == ("a", ())


def test_an_output_without_its_call_is_told_all_the_same():
    assert exchanges([output("9")]) == (Exchange("tool", "out 9", None, "9"),)
    assert exchanges([call("9")]) == ()


ITEMS = st.sampled_from([said("user", "a"), said("assistant", "b"), said("system", "c"), call("1"), output("1")])


@given(st.lists(ITEMS, max_size=12))
def test_nothing_is_told_twice_and_only_outputs_come_last(items):
    asked = asked_of(items)
    whole = exchanges(items)
    told = tuple(exchange for exchange in asked.before if exchange.text)
    assert len(told) + len(asked.after) + (asked.item is not None) <= len(whole)
    assert told == whole[: len(told)]
    assert asked.after or not asked.before or asked.before[-1].role != "tool" or asked.item is None
    assert not asked.after or asked.after[-1].role == "tool"


def test_only_functions_are_offered_to_a_brain():
    tools = [
        {"type": "function", "name": "look", "description": "looks", "parameters": {"type": "object"}},
        {"type": "function", "name": "bare"},
        {"type": "mcp", "server_label": "x"},
        {"type": "function", "name": 3},
        {},
    ]
    assert [(spec.name, spec.description, spec.parameters) for spec in specs_of(tools)] == [
        ("look", "looks", {"type": "object"}),
        ("bare", "", {"type": "object"}),
    ]
