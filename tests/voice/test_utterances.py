"""What is kept of the person's voice until its words are back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.voice.utterances import BYTES_PER_MS, HOLD_MS, LIMIT_BYTES, PREROLL_MS, Utterances

BLOCK = 20


def block(value):
    return bytes([value]) * (BLOCK * BYTES_PER_MS)


def hear(kept, milliseconds, value=0, *, speech=False, sent=True):
    for _ in range(milliseconds // BLOCK):
        kept.hear(block(value), speech=speech, sent=sent)


def kept_ms(kept, value):
    return kept.in_progress().count(value) // BYTES_PER_MS


def test_of_silence_half_a_second_is_kept():
    kept = Utterances()
    hear(kept, 5000)
    assert len(kept.in_progress()) == PREROLL_MS * BYTES_PER_MS


def test_speech_that_no_server_answered_for_is_kept_with_the_silence_that_ends_it():
    kept = Utterances()
    hear(kept, 3000)
    hear(kept, 1000, 7, speech=True, sent=False)
    hear(kept, 8000, sent=False)
    assert kept_ms(kept, 7) == 1000
    assert HOLD_MS + PREROLL_MS <= kept_ms(kept, 0) <= HOLD_MS + 3 * PREROLL_MS


def test_a_turn_that_the_server_closed_is_kept_until_its_words_are_back():
    kept = Utterances()
    hear(kept, 1000)
    kept.server_began("u", 1000)
    hear(kept, 800, 7, speech=True)
    hear(kept, 500)
    kept.server_stopped(2300)
    kept.server_committed("u")
    (said,) = kept.completed
    assert said.pcm.count(7) == 800 * BYTES_PER_MS
    assert kept_ms(kept, 7) == 0
    kept.transcribed("u")
    assert kept.completed == ()


def test_the_next_sentence_stays_when_the_one_before_is_closed():
    kept = Utterances()
    kept.server_began("u", 0)
    hear(kept, 600, 7, speech=True)
    hear(kept, 500)
    hear(kept, 200, 9, speech=True)
    kept.server_stopped(1100)
    kept.server_committed("u")
    assert kept_ms(kept, 9) == 200
    assert kept.completed[0].pcm.count(9) == 0


def test_after_a_cut_everything_is_said_again_and_counted_anew():
    kept = Utterances()
    kept.server_began("u", 0)
    hear(kept, 400, 7, speech=True)
    assert kept.begun_item == "u"
    kept.cut()
    hear(kept, 100, 8, speech=True, sent=False)
    pcm = kept.in_progress()
    assert (pcm.count(7), pcm.count(8)) == (400 * BYTES_PER_MS, 100 * BYTES_PER_MS)
    kept.flushed()
    kept.server_began("again", 0)
    kept.server_stopped(500)
    kept.server_committed("again")
    assert len(kept.completed[0].pcm) == len(pcm)


def test_noise_that_a_living_server_did_not_tell_of_is_dropped():
    kept = Utterances()
    hear(kept, 300, 7, speech=True)
    hear(kept, 4000)
    kept.server_alive()
    assert kept_ms(kept, 7) == 0


def test_turns_of_ours_are_named_in_order():
    kept = Utterances()
    for value in (1, 2):
        kept.begin(block(value) * 10)
        kept.more(block(value))
        kept.commit()
    assert [kept.named(name).pcm[0] for name in ("a", "b")] == [1, 2]
    assert kept.named("c") is None
    kept.transcribed("a")
    kept.cut()
    (left,) = kept.completed
    assert (left.item_id, left.shown) == (None, "b")


def test_too_short_and_discarded_turns_are_nothing():
    kept = Utterances()
    kept.begin(block(1))
    kept.commit()
    kept.begin(block(1) * 50)
    kept.discard()
    assert kept.completed == ()
    assert not kept.is_open


@given(st.lists(st.tuples(st.sampled_from(["speech", "quiet", "cut", "began", "closed", "ours"]), st.integers(1, 300))))
def test_never_more_than_the_limit(moves):
    kept = Utterances()
    for name, (move, count) in enumerate(moves):
        match move:
            case "speech" | "quiet":
                for _ in range(count):
                    kept.hear(block(1), speech=move == "speech", sent=True)
            case "cut":
                kept.cut()
            case "began":
                kept.server_began(f"u{name}", count)
            case "closed":
                kept.server_committed(f"u{name}")
            case "ours":
                kept.begin(block(2) * count)
                kept.commit()
        assert len(kept.in_progress()) <= LIMIT_BYTES
        assert sum(len(one.pcm) for one in kept.completed) <= LIMIT_BYTES
        assert all(len(one.pcm) % 2 == 0 for one in kept.completed)
