"""The file of the history: what goes in comes out, whoever else writes, and whatever state the file is in."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing

import pytest

from mrblue_cli.core.errors import NothingFound, UsageError
from mrblue_cli.voice import history_schema
from mrblue_cli.voice.history import HistoryStore, new_id
from mrblue_cli.voice.history_model import ID_LENGTH, MAX_TEXT, Conversation, Line, storable, title_of
from mrblue_cli.voice.history_schema import HistoryError, connect


def talk(name="abc2345", at=1000.0, **more):
    return Conversation(id=name, started=at, updated=at, **more)


def line(seq, text, who="user", sitting=1, **more):
    return Line(sitting=sitting, seq=seq, item_id=f"item_{seq}", who=who, text=text, at=1000.0 + seq, **more)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "history.db"


@pytest.fixture
def store(path):
    with closing(HistoryStore(path)) as opened:
        yield opened


@pytest.fixture(params=[True, False], ids=["fts5", "like"])
def either(request, path):
    with closing(HistoryStore(path, full_text=request.param)) as opened:
        yield opened


def keep(store, conversation, *texts):
    store.begin(conversation)
    assert store.put(conversation, [line(seq, text) for seq, text in enumerate(texts, 1)])


def test_what_was_put_is_there_in_the_order_in_which_it_began(store):
    one = talk(engine="local", model="m", profile="blue", language="es", title="hello", turns=2, cost_usd=0.25)
    store.begin(one)
    store.put(one, [line(2, "Hi", "assistant", cut=True, at_ms=12), line(1, "hello")])
    assert store.conversations() == [one]
    assert [(said.seq, said.who, said.text, said.cut) for said in store.lines(one.id)] == [
        (1, "user", "hello", False),
        (2, "assistant", "Hi", True),
    ]
    assert store.lines(one.id)[1].at_ms == 12


def test_a_line_told_again_takes_its_own_place_and_an_empty_one_leaves(store):
    one = talk()
    keep(store, one, "I get ad", "to be cut off before a word was heard")
    store.put(one, [line(1, "I get address already in use"), line(2, "")])
    assert [said.text for said in store.lines(one.id)] == ["I get address already in use"]
    assert store.search("address already")
    assert store.search("heard") == []


def test_figures_follow_and_the_title_stays(store):
    one = talk(title="first words")
    store.begin(one)
    store.put(Conversation(**{**vars_of(one), "turns": 3, "title": "later words", "ended": 1300.0}), [])
    (kept,) = store.conversations()
    assert (kept.turns, kept.title, kept.ended) == (3, "first words", 1300.0)


def vars_of(conversation):
    return {name: getattr(conversation, name) for name in conversation.__struct_fields__}


def test_a_sitting_more_comes_after_the_first_and_two_at_once_do_not_collide(path, store):
    one = talk()
    keep(store, one, "first")
    with closing(HistoryStore(path)) as other:
        assert store.resume(one.id, 2000.0) == 2
        assert other.resume(one.id, 2001.0) == 3
        other.put(one, [line(1, "third", sitting=3)])
        store.put(one, [line(1, "second", sitting=2)])
    assert [said.text for said in store.lines(one.id)] == ["first", "second", "third"]
    (kept,) = store.conversations()
    assert (kept.sittings, kept.ended) == (3, None)
    assert store.resume("gone", 1.0) is None


def test_a_conversation_that_was_deleted_meanwhile_takes_no_more_lines(store):
    one = talk()
    keep(store, one, "hello")
    assert store.delete([one.id]) == 1
    assert not store.put(one, [line(2, "more")])
    assert store.conversations() == []
    assert store.lines(one.id) == []


def test_find_by_beginning_by_last_and_by_whole_id(store):
    for name, at in (("abc2345", 1.0), ("abd2345", 3.0), ("xyz2345", 2.0), ("xyz", 1.0)):
        store.begin(talk(name, at))
    assert store.find("abc").id == "abc2345"
    assert store.find("ABD").id == "abd2345"
    assert store.find("last").id == "abd2345"
    assert store.find("xyz").id == "xyz"
    with pytest.raises(UsageError, match="abd2345, abc2345"):
        store.find("ab")
    for name in ("", "q", "%", "_bc", "a%", "ab\ud800", "a\x00"):
        with pytest.raises(NothingFound):
            store.find(name)


def test_nothing_kept_has_no_last(store):
    with pytest.raises(NothingFound, match="no conversation is kept yet"):
        store.find("last")


def test_newest_first_and_no_more_than_wanted(store):
    for number in range(5):
        store.begin(talk(f"id{number}", float(number)))
    assert [one.id for one in store.conversations(2)] == ["id4", "id3"]
    assert [one.id for one in store.older_than(2.0)] == ["id1", "id0"]


ODD = [
    ("port 3000", True),
    ("PORT", True),
    ("por", True),
    ('say "port', True),
    ("already-in", True),
    ("port OR zebra", False),
    ("NOT port", False),
    ("port NEAR address", False),
    ("zebra*", False),
    ("(port", True),
    ("^address", True),
    ("text:port", False),
    ("{port}", True),
    ("'", False),
    ('"', True),
    ('""', False),
    ("100%", True),
    ("%", True),
    ("p_rt", False),
    ("po%t", False),
    ("\\", False),
    ("::1", True),
    ("", False),
    ("\x00", False),
    ("zebra\ud800", False),
]


@pytest.mark.parametrize(("words", "found"), ODD)
def test_odd_words_are_words_and_no_operators(either, words, found):
    keep(either, talk(), 'I say "port 3000": address already-in use on ::1 {port} at 100% (port) ^address')
    assert bool(either.search(words)) == found


def test_accents_do_not_matter_to_the_index(store):
    keep(store, talk(), "el puerto ya está en uso, ¿qué hago?")
    assert store.search("esta en uso")
    assert store.search("Está")


def test_search_gives_the_newest_first_and_no_more_than_wanted(either):
    keep(either, talk(), *(f"port {number}" for number in range(30)))
    found = either.search("port", 3)
    assert [one.line.text for one in found] == ["port 29", "port 28", "port 27"]
    assert found[0].conversation.id == "abc2345"


def test_an_index_made_elsewhere_neither_stops_this_sqlite_nor_goes_stale(path):
    with closing(HistoryStore(path, full_text=True)) as store:
        keep(store, talk("one"), "before")
    with closing(HistoryStore(path, full_text=False)) as store:
        keep(store, talk("two"), "between")
        assert store.search("between")
    with closing(HistoryStore(path, full_text=True)) as store:
        assert [found.conversation.id for found in store.search("between")] == ["two"]
        assert [found.conversation.id for found in store.search("before")] == ["one"]


def test_deleted_words_leave_the_file(either):
    keep(either, talk("one"), *(f"xylophone secret number {number}" for number in range(200)))
    keep(either, talk("two"), "harmless")
    assert either.delete(["one", "nobody"]) == 1
    data = b"".join(file.read_bytes() for file in either.path.parent.iterdir())
    assert b"xylophone" not in data
    assert b"harmless" in data
    assert either.search("harmless")


def test_the_file_is_its_owners_business(path):
    path.parent.mkdir(parents=True)
    path.touch(mode=0o644)
    path.chmod(0o644)
    with closing(HistoryStore(path)) as store:
        keep(store, talk(), "hello")
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


@pytest.mark.parametrize(
    "damage", ["not a database at all, but long enough to look like one" * 40, "truncated", "page"]
)
def test_a_damaged_file_is_told(path, damage):
    with closing(HistoryStore(path)) as store:
        keep(store, talk(), *(f"line {number} " + "x" * 500 for number in range(200)))
    whole = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(whole[: len(whole) // 3])
    elif damage == "page":
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    else:
        path.write_text(damage)
    with pytest.raises(HistoryError, match="history") as caught:
        use_all(path)
    assert "move the file away" in caught.value.hint
    assert str(path) in caught.value.what


def use_all(path):
    with closing(HistoryStore(path)) as store:
        for one in store.conversations():
            store.lines(one.id)
        store.search("line")
        keep(store, talk("new"), "y" * 5000)


def test_a_place_where_nothing_can_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HistoryError, match="cannot be used"):
        HistoryStore(tmp_path / "file" / "history.db")


def test_a_file_that_is_held_by_another_program_is_busy(path):
    with closing(HistoryStore(path, busy_seconds=0.01)) as store:
        keep(store, talk(), "hello")
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(HistoryError) as caught:
                store.put(talk(), [line(2, "more")])
    assert caught.value.busy
    assert "another program" in caught.value.hint


def test_a_full_disk_is_told_and_changes_nothing(path):
    with closing(HistoryStore(path)) as store:
        keep(store, talk(), "hello")
        pages = store._base.execute("PRAGMA page_count").fetchone()[0]
        store._base.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(HistoryError) as caught:
            store.put(talk(), [line(seq, "x" * 5000) for seq in range(2, 50)])
        assert not caught.value.busy
        assert caught.value.hint == "make room on the disk"
        assert [said.text for said in store.lines("abc2345")] == ["hello"]


def test_an_older_file_is_brought_up_to_date_once(path):
    with closing(HistoryStore(path)) as store:
        keep(store, talk(), "hello")
    newer = (*history_schema._MIGRATIONS, "ALTER TABLE lines ADD COLUMN mood TEXT; UPDATE lines SET mood = 'calm';")
    for _ in range(2):
        with closing(connect(path, migrations=newer)) as base:
            assert base.execute("SELECT text, mood FROM lines").fetchall() == [("hello", "calm")]
    with pytest.raises(HistoryError, match="later mrblue"):
        HistoryStore(path)


def test_a_migration_that_fails_leaves_the_file_as_it_was(path):
    with closing(HistoryStore(path)) as store:
        keep(store, talk(), "hello")
    broken = (*history_schema._MIGRATIONS, "ALTER TABLE lines ADD COLUMN mood TEXT; DROP TABLE nowhere;")
    with pytest.raises(HistoryError):
        connect(path, migrations=broken)
    with closing(HistoryStore(path)) as store:
        assert [said.text for said in store.lines("abc2345")] == ["hello"]


def test_several_writers_at_once_lose_nothing(path):
    def write(number):
        with closing(HistoryStore(path, busy_seconds=20)) as store:
            one = talk(f"id{number}")
            store.begin(one)
            for seq in range(1, 26):
                store.put(one, [line(seq, f"{number} said {seq}")])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(HistoryStore(path)) as store:
        assert len(store.conversations()) == 4
        for number in range(4):
            assert [said.text for said in store.lines(f"id{number}")] == [
                f"{number} said {seq}" for seq in range(1, 26)
            ]


def test_ids_are_short_and_spell_nothing():
    ids = {new_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(len(one) == ID_LENGTH and not set(one) & set("aeiou01l") for one in ids)


def test_long_texts_keep_beginning_and_end():
    text = "begin " + "x" * 50_000 + " end"
    kept = storable(text)
    assert kept.startswith("begin ")
    assert kept.endswith(" end")
    assert "30,010 characters left out" in kept
    assert len(kept) < MAX_TEXT + 60
    assert storable("a\x00b\ud800c") == "a�b?c"


def test_a_title_is_the_first_words():
    assert title_of("hello\n  there ") == "hello there"
    long = title_of("word " * 50)
    assert len(long) <= 61
    assert long.endswith("word…")
    assert title_of("x" * 100) == "x" * 60 + "…"
