"""The ledger of what was received: to the byte, per stream, and what is no longer wanted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.notices import AudioKey
from mrblue_cli.protocol.reply_ledger import ReplyLedger

A = AudioKey("r", "a", 0)
B = AudioKey("r", "b", 0)
OTHER = AudioKey("r2", "c", 0)


@given(st.lists(st.binary(max_size=301), max_size=20))
def test_whole_samples_come_out_in_order_and_are_counted(chunks):
    ledger = ReplyLedger()
    pieces = [ledger.add_audio(A, chunk) for chunk in chunks]
    whole = b"".join(chunks)
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert b"".join(pieces) == whole[: len(whole) // 2 * 2]
    assert ledger.received_ms(A) == len(whole) // 2 * 2 // 48


@given(st.lists(st.tuples(st.sampled_from([A, OTHER]), st.binary(max_size=99)), max_size=20))
def test_an_odd_byte_waits_for_its_own_stream(chunks):
    ledger = ReplyLedger()
    heard = {A: b"", OTHER: b""}
    for key, chunk in chunks:
        heard[key] += ledger.add_audio(key, chunk)
    for key, data in heard.items():
        sent = b"".join(chunk for to, chunk in chunks if to == key)
        assert data == sent[: len(sent) // 2 * 2]


def test_the_next_stream_of_a_response_finishes_the_one_before():
    ledger = ReplyLedger()
    ledger.add_audio(A, bytes(96))
    ledger.add_audio(OTHER, bytes(96))
    assert not ledger.is_finished(A)
    ledger.add_audio(B, bytes(96))
    assert ledger.is_finished(A)
    assert not ledger.is_finished(B)
    assert not ledger.is_finished(OTHER)
    ledger.add_audio(A, bytes(96))
    assert not ledger.is_finished(B)


def test_settled_streams_are_not_asked_about_again():
    ledger = ReplyLedger()
    ledger.finish_audio(OTHER)  # announced, and no byte of it came
    ledger.add_audio(A, bytes(96))
    ledger.add_audio(B, bytes(96))
    assert ledger.unsettled() == (A, B)
    ledger.settle(A)
    ledger.settle(AudioKey("r", "never", 0))
    assert ledger.unsettled() == (B,)


def test_the_end_of_a_response_finishes_its_streams_only():
    ledger = ReplyLedger()
    ledger.add_audio(A, bytes(96))
    ledger.add_audio(OTHER, bytes(96))
    ledger.finish_response("r")
    assert ledger.is_finished(A)
    assert not ledger.is_finished(OTHER)


def test_what_is_stale():
    ledger = ReplyLedger()
    ledger.drop_response("r")
    ledger.drop_item("c")
    assert ledger.is_stale("r", "anything")
    assert ledger.is_stale("r2", "c")
    assert not ledger.is_stale("r2", "d")


def test_items_that_were_never_heard():
    ledger = ReplyLedger()
    for item_id in ("sounded", "worded", "written", "empty"):
        ledger.list_item("r", Item(type="message", id=item_id, role="assistant"))
    ledger.list_item("r", Item(type="function_call", id="call"))
    ledger.list_item("r", Item(type="message"))
    ledger.add_audio(AudioKey("r", "sounded", 0), bytes(96))
    ledger.add_text("worded", "words")
    ledger.list_part("r", "written", written=True)
    ledger.add_text("written", "read")
    assert ledger.unheard_words("r") == ("worded",)
    assert ledger.never_heard("r") == ()
    ledger.drop_response("r")
    assert ledger.never_heard("r") == ("worded", "empty")
