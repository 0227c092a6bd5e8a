"""What a new session is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.protocol.history import check_item
from mrblue_cli.voice.dialogue import Said, Who
from mrblue_cli.voice.seeding import MAX_CHARACTERS, MAX_TURNS, item_of, newest_that_fit

SAID = st.lists(
    st.builds(Said, st.uuids().map(str), st.sampled_from(Who), st.text(min_size=1, max_size=900)), max_size=90
)


@given(SAID)
def test_the_newest_that_fit_in_order(said):
    chosen = newest_that_fit(said)
    assert sum(len(one.text) for one in chosen) <= MAX_CHARACTERS
    assert sum(one.who is Who.USER for one in chosen) <= MAX_TURNS
    assert list(chosen) == said[len(said) - len(chosen) :]
    assert bool(chosen) == bool(said)


def test_one_that_is_too_long_alone_is_cut():
    (one,) = newest_that_fit([Said("a", Who.USER, "x" * 20_000)])
    assert (len(one.text), one.cut) == (MAX_CHARACTERS, True)


@given(st.sampled_from(Who), st.text(min_size=1), st.booleans())
def test_every_line_is_an_item_that_servers_take(who, text, cut):
    item = item_of(Said("old", who, text, cut), "said_1")
    check_item(item)
    assert item.key == "said_1"
    assert "old" not in item.parts[0].text or "old" in text


def test_who_said_what():
    items = [item_of(Said("a", who, "words", cut=True), "said_1") for who in Who]
    assert [item.role for item in items] == ["user", "assistant", "system"]
    assert [item.parts[0].type for item in items] == ["input_text", "output_text", "input_text"]
    assert items[1].parts[0].text == "words —"
    assert not any(item.type.startswith("function_call") for item in items)
