from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.surfaces.ids import seed
from mrblue_cli.gateway.surfaces.toolcalls import ToolCalls
from tests.gateway.surfaces.samples import anything, few


def collect(*pieces):
    calls = ToolCalls()
    for piece in pieces:
        calls.place(piece).add(piece)
    return [call.json("s") for call in calls.all]


def piece(index=None, call_id=None, name=None, arguments="", **more):
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"index": index, "id": call_id, "function": function, **more}


def brief(*pieces):
    return [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in collect(*pieces)]


class TestPlaces:
    def test_the_index_decides(self):
        assert brief(piece(0, "a", "f"), piece(1, "b", "g"), piece(0, arguments="1"), piece(1, arguments="2")) == [
            ("a", "f", "1"),
            ("b", "g", "2"),
        ]

    def test_an_index_may_begin_anywhere(self):
        assert brief(piece(7, "a", "f"), piece(7, arguments="x")) == [("a", "f", "x")]

    def test_a_new_id_and_name_at_the_same_index_is_a_new_call(self):
        assert brief(piece(0, "a", "f", "1"), piece(0, "b", "f", "2"), piece(0, arguments="3")) == [
            ("a", "f", "1"),
            ("b", "f", "23"),
        ]

    def test_a_new_id_alone_is_not(self):
        assert brief(piece(0, "a", "f", "1"), piece(0, "other", None, "2")) == [("a", "f", "12")]

    def test_without_an_index_the_id_decides_then_the_last_call(self):
        assert brief(
            piece(None, "a", "f"),
            piece(None, "b", "g"),
            piece(None, "a", None, "1"),
            piece(None, None, None, "2"),
        ) == [("a", "f", "1"), ("b", "g", "2")]

    def test_true_is_no_index(self):
        assert len(brief(piece(1, "a", "f"), piece(True, "b", "g"))) == 2


class TestCall:
    def test_a_missing_id_is_made_of_the_seed(self):
        assert [call["id"] for call in collect(piece(0, None, "f"), piece(1, None, "g"))] == ["call_s_0", "call_s_1"]

    def test_a_custom_tool(self):
        head = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": "*** "}}
        more = {"index": 0, "custom": {"input": "begin"}}
        assert collect(head, more) == [
            {"id": "c", "type": "custom", "custom": {"name": "patch", "input": "*** begin"}},
        ]

    @given(
        st.lists(st.dictionaries(st.sampled_from(["index", "id", "type", "function", "custom"]), anything), max_size=6)
    )
    @few
    def test_nonsense_raises_nothing_and_makes_calls_of_the_right_types(self, pieces):
        for call in collect(*pieces):
            assert isinstance(call["id"], str)
            assert isinstance(call[call["type"]]["name"], str)


class TestSeed:
    def test_prefixes_are_taken_off_and_odd_characters_left_out(self):
        assert seed("chatcmpl-Abc") == seed("msg_Abc") == seed("gen-Abc") == seed("Abc") == "Abc"
        assert seed("a/b c\r\nd") == "abcd"

    @given(anything)
    def test_always_something_safe(self, value):
        made = seed(value)
        assert 0 < len(made) <= 80
        assert made.isascii()
        assert not set(made) & set("\r\n /\\\"'")
