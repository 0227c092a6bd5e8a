"""Segmenting, turn rules and the echo gate on scripted speech. Time is samples; nothing sleeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.gate import EchoGate, Route, counts_over_playback
from mrblue_cli.audio.pcm import BLOCK, RATE
from mrblue_cli.audio.segmenter import (
    Segmenter,
    SegmenterOptions,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
)
from mrblue_cli.audio.turns import Begin, Commit, Discard, Rule, Stream, TurnTaker
from mrblue_cli.audio.vad import blocks


def boundaries(script, options=None, **kwargs):
    """`script` is a list of (speech, milliseconds)."""
    segmenter = Segmenter(options)
    found = []
    for speech, milliseconds in script:
        for _ in range(milliseconds // 20):
            found += segmenter.feed(speech, **kwargs)
    return found


def test_one_turn_from_its_first_sound_to_the_end_of_the_silence():
    began, paused, ended = boundaries([(False, 400), (True, 600), (False, 700)])
    assert began == SpeechBegan(at_sample=400 * 24, from_sample=100 * 24)
    assert paused == SpeechPaused(1000 * 24)
    assert ended == SpeechEnded(speech_end_sample=1000 * 24, at_sample=1500 * 24)


def test_a_pause_inside_a_sentence_is_resumed():
    kinds = [type(item) for item in boundaries([(True, 400), (False, 300), (True, 300), (False, 600)])]
    assert kinds == [SpeechBegan, SpeechPaused, SpeechResumed, SpeechPaused, SpeechEnded]


@pytest.mark.parametrize("milliseconds", [20, 40, 80])
def test_short_bursts_never_count(milliseconds):
    assert boundaries([(False, 200), (True, milliseconds), (False, 900)]) == []


def test_interrupting_takes_more_speech():
    script = [(True, 200), (False, 800)]
    assert boundaries(script) != []
    assert boundaries(script, interrupting=True) == []
    assert boundaries([(True, 400), (False, 800)], interrupting=True) != []


@given(st.lists(st.booleans(), max_size=400))
def test_boundaries_alternate_and_times_grow(verdicts):
    segmenter = Segmenter(SegmenterOptions(silence_ms=200))
    found = [item for speech in verdicts for item in segmenter.feed(speech)]
    talking = paused = False
    for item in found:
        match item:
            case SpeechBegan():
                assert not talking
                assert 0 <= item.from_sample <= item.at_sample
                talking, paused = True, False
            case SpeechPaused():
                assert talking
                assert not paused
                paused = True
            case SpeechResumed():
                assert paused
                paused = False
            case SpeechEnded():
                assert talking
                assert item.at_sample - item.speech_end_sample >= 200 * RATE // 1000
                talking = False
    assert segmenter.talking is talking
    assert segmenter.position == len(verdicts) * BLOCK


class Script:
    """A detector that reads its verdict from the first sample of a block."""

    def is_speech(self, block):
        return bool(block[0])

    def reset(self):
        pass


def sound(milliseconds, *, speech):
    return np.full(milliseconds * 24, 1000 if speech else 0, dtype=np.int16)


def take(taker, script, **kwargs):
    return [act for speech, ms in script for act in taker.hear(sound(ms, speech=speech), replying=False, **kwargs)]


def seconds(acts):
    return sum(len(act.pcm) for act in acts if isinstance(act, Stream | Begin)) / RATE


def test_the_server_rule_streams_everything():
    acts = take(TurnTaker(Rule.SERVER, Script()), [(False, 100), (True, 300)])
    assert all(isinstance(act, Stream) for act in acts)
    assert seconds(acts) == pytest.approx(0.4)


def test_the_local_rule_sends_the_turn_with_its_beginning():
    acts = take(TurnTaker(Rule.LOCAL, Script()), [(False, 600), (True, 500), (False, 800)])
    assert isinstance(acts[0], Begin)
    assert [type(act) for act in acts].count(Commit) == 1
    assert isinstance(acts[-1], Commit)
    # 300 ms before the first sound, the speech, and the silence that ended it.
    assert seconds(acts) == pytest.approx(0.3 + 0.5 + 0.5, abs=0.03)


def test_the_key_rule_sends_from_before_the_key_and_commits_at_once():
    taker = TurnTaker(Rule.KEY, Script())
    assert take(taker, [(True, 1000)]) == []
    begin = taker.press()
    assert seconds(begin) == pytest.approx(0.3)
    assert taker.press() == []
    streamed = take(taker, [(True, 400), (False, 100)])
    assert seconds(streamed) == pytest.approx(0.5)
    assert taker.release() == [Commit()]
    assert taker.release() == []


def test_a_word_still_being_said_is_finished_but_not_for_long():
    taker = TurnTaker(Rule.KEY, Script())
    taker.press()
    take(taker, [(True, 400)])
    assert taker.release() == []
    ended = take(taker, [(True, 60), (False, 20)])
    assert isinstance(ended[-1], Commit)
    taker.press()
    take(taker, [(True, 400)])
    taker.release()
    assert seconds(take(taker, [(True, 500)])) == pytest.approx(0.2)


def test_a_forgotten_key_ends_by_itself():
    taker = TurnTaker(Rule.KEY, Script())
    taker.press()
    acts = take(taker, [(False, 61_000)])
    assert [type(act) for act in acts].count(Commit) == 1
    assert seconds(acts) == pytest.approx(60.0)
    assert not taker.is_open


def test_esc_discards_muting_commits_changing_the_rule_discards():
    for end, expected in (("discard", Discard), ("end", Commit)):
        taker = TurnTaker(Rule.KEY, Script())
        taker.press()
        assert [type(act) for act in getattr(taker, end)()] == [expected]
        assert getattr(taker, end)() == []
    taker = TurnTaker(Rule.KEY, Script())
    taker.press()
    assert taker.change_rule(Rule.LOCAL) == [Discard()]
    assert taker.press() == []


@given(st.lists(st.integers(0, 2000), max_size=30))
def test_blocks_are_whole_whatever_the_pieces(sizes):
    stream = np.arange(sum(sizes), dtype=np.int64).astype(np.int16)
    pending, position, out = np.zeros(0, dtype=np.int16), 0, []
    for size in sizes:
        ready, pending = blocks(stream[position : position + size], pending)
        position += size
        assert all(len(block) == BLOCK for block in ready)
        out += ready
    joined = np.concatenate([*out, pending]) if out else pending
    assert joined.tolist() == stream.tolist()
    assert len(pending) < BLOCK


def test_a_loudspeaker_closes_the_microphone_until_the_room_is_quiet():
    gate = EchoGate(Route.SPEAKERS)
    assert gate.is_open(playing=False, samples=BLOCK)
    assert not gate.is_open(playing=True, samples=BLOCK)
    closed = 0
    while not gate.is_open(playing=False, samples=BLOCK):
        closed += BLOCK
    assert closed / RATE == pytest.approx(0.3)
    assert all(EchoGate(Route.HEADPHONES).is_open(playing=playing, samples=1) for playing in (True, False))


def test_the_second_defence():
    assert counts_over_playback(0.1, 0.1)
    assert not counts_over_playback(0.05, 0.1)
    assert not counts_over_playback(0.014, 0.0)
