"""What the keeper makes of a talk's events, and when it is on the disk."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.voice import events as ev
from mrblue_cli.voice.dialogue import Dialogue
from mrblue_cli.voice.history import HistoryStore
from mrblue_cli.voice.history_keeper import MAX_WAITING, PARTIAL_FLUSHES, HistoryKeeper
from mrblue_cli.voice.history_model import Conversation
from mrblue_cli.voice.history_schema import HistoryError
from tests.fakes.clock import ManualClock

NEW = Conversation(id="abc2345", started=1000.0, updated=1000.0)
KEY = "sk-abcdefghijklmnop1234567890"


class Kept:
    """A keeper, its clock and its file."""

    def __init__(self, path, conversation=NEW, *, resumed=False, opened=None, **more):
        self.path = path
        self.clock = ManualClock()
        self.keeper = HistoryKeeper(
            conversation, resumed=resumed, clock=self.clock, wall=lambda: 1000.0,
            open_store=opened or (lambda: HistoryStore(path, busy_seconds=0.01)), **more,
        )  # fmt: skip

    def see(self, *events, after=0.0):
        for event in events:
            self.clock.advance(after)
            self.keeper.see(event)
        return self

    def flush(self, *, last=False):
        self.keeper.flush(last=last)
        return self

    @property
    def lines(self):
        if not self.path.exists():
            return []
        with closing(HistoryStore(self.path)) as store:
            return [(said.who, said.text, said.cut) for one in store.conversations() for said in store.lines(one.id)]

    @property
    def conversation(self):
        with closing(HistoryStore(self.path)) as store:
            found = store.conversations()
        return found[0] if found else None


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


@pytest.fixture
def kept(path):
    made = Kept(path)
    yield made
    made.flush(last=True)


def you(text, final=True, item="u1"):
    return ev.UserTranscript(item, text, final)


def blue(text, final=True, heard_ms=None, item="a1"):
    return ev.AssistantTranscript(item, text, final, heard_ms)


def test_final_lines_are_there_after_one_flush(kept):
    kept.see(you("address already in use"), blue("Found it."), after=0.5).flush()
    assert kept.lines == [("user", "address already in use", False), ("assistant", "Found it.", False)]
    with closing(HistoryStore(kept.path)) as store:
        assert [(said.at_ms, said.at) for said in store.lines("abc2345")] == [(500, 1000.5), (1000, 1001.0)]


def test_a_talk_in_which_nothing_was_said_leaves_no_conversation(kept):
    kept.see(ev.SessionStarted("local", "m", "ga", ev.TurnMode.HANDS_FREE), ev.Levels(0, 0), ev.Ended("quit"))
    kept.flush(last=True)
    assert kept.conversation is None


def test_words_under_way_are_kept_as_cut_and_replaced(kept):
    kept.see(you("I get", final=False)).flush()
    assert kept.lines == [("user", "I get", True)]
    kept.see(you("I get address already in", final=False))
    for _ in range(PARTIAL_FLUSHES - 1):
        assert kept.flush().lines == [("user", "I get", True)]
    kept.flush()
    assert kept.lines == [("user", "I get address already in", True)]
    kept.see(you("I get: address already in use")).flush()
    assert kept.lines == [("user", "I get: address already in use", False)]


def test_the_heard_part_replaces_the_whole_and_a_reply_nobody_heard_leaves(kept):
    kept.see(blue("one two three four", final=False), blue("five six", final=False, item="a2")).flush()
    assert len(kept.lines) == 2
    kept.see(blue("one two", heard_ms=800), blue("", heard_ms=0, item="a2")).flush()
    assert kept.lines == [("assistant", "one two", True)]


def test_a_late_cut_of_a_final_line_counts(kept):
    kept.see(blue("one two three")).flush()
    kept.see(blue("one two", heard_ms=700)).flush()
    assert kept.lines == [("assistant", "one two", True)]


def test_order_is_that_in_which_things_began(kept):
    kept.see(you("I", final=False), blue("Found it."), you("I have an error")).flush()
    assert [who for who, _, _ in kept.lines] == ["user", "assistant"]


def test_tools_notes_and_figures(kept):
    kept.see(
        ev.SessionStarted("openai", "gpt-realtime", "ga", ev.TurnMode.HANDS_FREE),
        you("design a wolf"),
        ev.ToolRan("c1", "extract", '{"subject":"wolf"}', ev.ToolStatus.RUNNING),
        ev.ToolRan("c1", "extract", '{"subject":"wolf"}', ev.ToolStatus.DONE, '{"ok":true}', "done"),
        ev.RungChanged("local", "local", "the connection was lost"),
        ev.Failure("device", "microphone fell silent", False),
        ev.Advice("chatty"),
        ev.TurnMeasured(1, 2, 3, 4, None, 0, None, 0.25),
        ev.TurnMeasured(1, 2, 3, 4, None, 0, None, None),
        ev.Ended("quit"),
    )  # fmt: skip
    kept.flush(last=True)
    assert kept.lines == [
        ("user", "design a wolf", False),
        ("tool", 'extract({"subject":"wolf"}) -> {"ok":true}', False),
        ("note", "the connection was lost", False),
        ("note", "microphone fell silent", False),
    ]
    one = kept.conversation
    assert (one.engine, one.model, one.turns, one.cost_usd) == ("openai", "gpt-realtime", 2, 0.25)
    assert (one.title, one.ended) == ("design a wolf", 1000.0)


def test_what_the_session_says_it_spent_overrules_the_sum_of_turns(kept):
    kept.see(you("hi"), ev.TurnMeasured(1, 2, 3, 4, None, 0, None, 0.25), ev.Spent(0.25, 0.75)).flush()
    assert kept.conversation.cost_usd == 0.75


def test_secrets_never_reach_the_file_not_even_half(kept):
    kept.see(you(f"my key is {KEY[:9]}", final=False)).flush()
    kept.see(you(f"my key is {KEY}"), blue(f"I will not say {KEY}"),
             ev.ToolRan("c", "t", f'{{"api_key":"{KEY}"}}', ev.ToolStatus.DONE, KEY)).flush()  # fmt: skip
    kept.flush(last=True)
    data = b"".join(file.read_bytes() for file in kept.path.parent.iterdir())
    assert KEY[:9].encode() not in data
    assert kept.conversation.title == "my key is [redacted]"
    assert [text for _, text, _ in kept.lines][:2] == ["my key is [redacted]", "I will not say [redacted]"]


def test_a_resumed_conversation_goes_on_in_its_place(path):
    Kept(path).see(you("first"), ev.TurnMeasured(1, 2, 3, 4, None, 0, None, 0.5), ev.Ended("quit")).flush(last=True)
    with closing(HistoryStore(path)) as store:
        earlier = store.find("last")
    more = Kept(path, earlier, resumed=True)
    more.see(
        ev.UserTranscript("past_1", "first", final=True, earlier=True),
        ev.AssistantTranscript("past_2", "Hi", final=True, earlier=True),
    ).flush()
    assert more.conversation.sittings == 1
    more.see(you("second"), ev.TurnMeasured(1, 2, 3, 4, None, 0, None, 0.25)).flush()
    assert more.conversation.ended is None
    more.see(ev.Ended("quit")).flush(last=True)
    assert [text for _, text, _ in more.lines] == ["first", "second"]
    one = more.conversation
    assert (one.sittings, one.turns, one.cost_usd, one.title) == (2, 2, 0.75, "first")


def test_a_recorded_talk_is_there_before_a_word_is_said(path):
    kept = Kept(path, recorded=True).flush().see(ev.Advice("x")).flush(last=True)
    assert kept.conversation is None  # nothing happened yet
    kept = Kept(path, recorded=True).see(ev.SessionStarted("local", "m", "ga", ev.TurnMode.HANDS_FREE)).flush(last=True)
    assert kept.conversation.recorded


def test_what_was_deleted_meanwhile_is_told_once_and_the_talk_goes_on(kept):
    kept.see(you("hello")).flush()
    with closing(HistoryStore(kept.path)) as store:
        store.delete(["abc2345"])
    for number in range(3):
        kept.see(you("more", item=f"u{number + 2}")).flush()
    assert [trouble.what for trouble in kept.keeper.troubles] == [
        "this conversation was deleted from the history: nothing more of it is kept"
    ]
    assert kept.lines == []


def test_a_file_held_by_another_program_is_waited_for(kept):
    kept.see(you("one")).flush()
    with closing(sqlite3.connect(kept.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        kept.see(you("two", item="u2")).flush().flush()
    assert not kept.keeper.troubles
    kept.flush()
    assert [text for _, text, _ in kept.lines] == ["one", "two"]


def test_but_not_for_ever(kept):
    kept.see(you("one")).flush()
    with closing(sqlite3.connect(kept.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for number in range(8):
            kept.see(you("more", item=f"x{number}")).flush()
    (trouble,) = kept.keeper.troubles
    assert "another program holds the file" in trouble.hint
    kept.see(you("late", item="late")).flush()
    assert [text for _, text, _ in kept.lines] == ["one"]


@pytest.mark.parametrize("error", [HistoryError("the file is broken", hint="move it"), RuntimeError("a defect")])
def test_what_cannot_be_kept_is_told_once(path, error):
    def opened():
        raise error

    kept = Kept(path, opened=opened)
    for number in range(4):
        kept.see(you("hello", item=f"u{number}")).flush()
    kept.flush(last=True)
    assert len(kept.keeper.troubles) == 1
    assert "broken" in kept.keeper.troubles[0].what or "defect" in kept.keeper.troubles[0].what
    assert not path.exists()


def test_memory_stays_bounded_while_the_disk_does_not_answer(kept):
    kept.see(*(you("x", item=f"u{number}") for number in range(MAX_WAITING + 50))).flush()
    assert len(kept.lines) == MAX_WAITING


def test_old_conversations_are_tidied_away_once_at_the_beginning(path):
    calls = []
    kept = Kept(path, tidy=lambda store: calls.append(store.path))
    kept.flush().see(you("hello")).flush().flush(last=True)
    assert calls == [path]


def test_a_line_that_changes_while_it_is_written_is_written_again(kept):
    kept.flush()
    store = kept.keeper._store
    put = store.put

    def put_and_hear(state, lines):
        kept.see(you("hello again"))
        store.put = put
        return put(state, lines)

    store.put = put_and_hear
    kept.see(you("hello")).flush()
    assert kept.lines == [("user", "hello", False)]
    kept.flush()
    assert kept.lines == [("user", "hello again", False)]


ITEMS = st.sampled_from([f"i{number}" for number in range(5)])
WORDS = st.lists(st.sampled_from(["port", "in", "use", "ñandú", "kill"]), max_size=6).map(" ".join)
EVENTS = st.lists(
    st.one_of(
        st.builds(ev.UserTranscript, ITEMS.map(lambda name: f"u{name}"), WORDS, st.booleans()),
        st.builds(ev.AssistantTranscript, ITEMS.map(lambda name: f"a{name}"), WORDS, st.booleans()),
        st.builds(ev.AssistantTranscript, ITEMS.map(lambda name: f"a{name}"), WORDS, st.just(True), st.integers(0, 99)),
        st.builds(ev.ToolRan, ITEMS.map(lambda name: f"t{name}"), st.just("f"), WORDS, st.sampled_from(ev.ToolStatus)),
        st.just("flush"),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=40)
@given(EVENTS)
def test_whatever_happens_the_file_holds_what_the_session_remembers(events):
    """The same stream, through two routes: the session's own memory, and the disk with flushes anywhere."""
    with tempfile.TemporaryDirectory() as folder:
        kept, dialogue = Kept(Path(folder) / "h.db"), Dialogue()
        finals = set()
        for event in events:
            if event == "flush":
                kept.flush()
                continue
            kept.see(event)
            dialogue.see(event)
            item = event.call_id if isinstance(event, ev.ToolRan) else event.item_id
            if isinstance(event, ev.ToolRan):
                finals |= {item} if event.status is not ev.ToolStatus.RUNNING else set()
            elif event.final:
                finals.add(item)
        kept.flush(last=True)
        with closing(HistoryStore(kept.path)) as store:
            lines = [(one.item_id, one.text, one.cut) for one in store.lines(NEW.id) if one.item_id in finals]
    assert lines == [(said.item_id, said.text, said.cut) for said in dialogue.said if said.item_id in finals]
