"""What was heard, to the sample, with a device that takes blocks when the test says so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.pcm import BLOCK, RATE
from mrblue_cli.audio.playout import FADE_MS, MAX_START_MS, START_MS, Playout
from mrblue_cli.audio.ring import PlaybackRing

FADE = FADE_MS * RATE // 1000


class Dac:
    """Takes 20 ms at a time and keeps what it took."""

    def __init__(self, capacity=10 * RATE):
        self.ring = PlaybackRing(capacity)
        self.playout = Playout(self.ring)
        self.heard = []

    def run(self, count=1):
        for _ in range(count):
            self.playout.pump()
            out = np.zeros(BLOCK, dtype=np.int16)
            self.ring.read_into(out)
            self.heard.append(out)
        self.playout.pump()

    @property
    def sound(self):
        return np.concatenate(self.heard) if self.heard else np.zeros(0, dtype=np.int16)


def tone(milliseconds, value=1000):
    return np.full(milliseconds * 24, value, dtype=np.int16)


def test_nothing_plays_before_enough_is_queued():
    dac = Dac()
    dac.playout.add("a", tone(START_MS - 20))
    dac.run(3)
    assert not dac.sound.any()
    assert not dac.playout.sounding
    dac.playout.add("a", tone(40))
    dac.run(1)
    assert dac.sound.any()
    assert dac.playout.sounding


def test_a_short_reply_plays_once_it_is_complete():
    dac = Dac()
    dac.playout.add("a", tone(40))
    dac.run(2)
    assert not dac.sound.any()
    dac.playout.finish("a")
    dac.run(3)
    assert dac.playout.drained
    assert dac.playout.report()[0].complete
    assert dac.playout.underruns == 0


def test_it_fades_in():
    dac = Dac()
    dac.playout.add("a", tone(400))
    dac.run(2)
    assert dac.sound[0] == 0
    assert np.all(np.diff(dac.sound[:FADE].astype(int)) >= 0)
    assert np.all(dac.sound[FADE : 2 * BLOCK] == 1000)


def test_played_samples_are_exact_and_less_the_latency():
    dac = Dac()
    dac.playout.add("a", tone(1000))
    dac.playout.add("b", tone(1000))
    dac.run(60)
    a, b = dac.playout.report(latency_samples=0)
    assert (a.key, a.played_samples, a.complete) == ("a", RATE, True)
    assert (b.key, b.played_samples) == ("b", 60 * BLOCK - RATE)
    a, b = dac.playout.report(latency_samples=6 * BLOCK)
    assert b.played_samples == 54 * BLOCK - RATE


def test_a_reply_that_ended_was_heard_whole_once_its_last_sample_left_the_device():
    dac = Dac()
    latency = 3 * BLOCK + 100
    dac.playout.add("a", tone(200))
    dac.playout.finish("a")
    dac.run(10)
    assert dac.playout.drained
    assert not dac.playout.report(latency)[0].complete
    assert dac.playout.forget_heard(latency) == ()
    dac.run(3)
    assert dac.playout.report(latency)[0].played_samples == 200 * 24 - 100
    dac.run(1)
    assert dac.playout.report(latency)[0].complete
    assert dac.playout.forget_heard(latency) == ("a",)
    assert dac.playout.stop(latency) == ()


def test_what_was_heard_before_a_gap_stays_heard_after_it():
    dac = Dac()
    dac.playout.add("a", tone(200))
    dac.run(20)
    assert dac.playout.report(6 * BLOCK)[0].played_samples == 200 * 24
    dac.playout.add("a", tone(400))
    dac.run(2)
    assert dac.playout.report(6 * BLOCK)[0].played_samples == 200 * 24
    dac.run(6)
    assert dac.playout.report(6 * BLOCK)[0].played_samples == 240 * 24


def test_stop_is_silent_within_a_fade_and_forgets_the_rest():
    dac = Dac()
    dac.playout.add("a", tone(2000))
    dac.run(10)
    report = dac.playout.stop()
    assert report[0].played_samples == 10 * BLOCK
    assert not report[0].complete
    dac.heard.clear()
    dac.run(5)
    assert not dac.sound[FADE:].any()
    assert np.all(np.diff(dac.sound[:FADE].astype(int)) <= 0)
    assert dac.playout.drained
    assert dac.playout.report() == ()


def test_running_dry_in_the_middle_counts_and_waits_longer():
    dac = Dac()
    dac.playout.add("a", tone(140))
    dac.run(10)
    assert dac.playout.underruns == 1
    dac.playout.add("a", tone(START_MS))
    dac.run(2)
    assert not dac.playout.sounding
    dac.playout.add("a", tone(20))
    dac.run(1)
    assert dac.playout.sounding


def test_running_dry_fades_out_and_what_follows_fades_in():
    dac = Dac()
    dac.playout.add("a", tone(200))
    dac.run(14)
    sound = dac.sound
    last = np.flatnonzero(sound)[-1]
    assert np.all(np.diff(sound[last - FADE + 2 : last + 1].astype(int)) <= 0)
    dac.playout.add("a", tone(300))
    dac.heard.clear()
    dac.run(3)
    assert np.all(np.diff(dac.sound[:FADE].astype(int)) >= 0)


def test_the_wait_has_an_upper_bound():
    dac = Dac()
    for _ in range(30):
        dac.playout.add("a", tone(MAX_START_MS))
        dac.run(20)
    assert dac.playout.underruns == 30
    dac.playout.add("a", tone(MAX_START_MS))
    dac.run(1)
    assert dac.playout.sounding


def test_the_end_of_a_reply_is_no_underrun():
    dac = Dac()
    dac.playout.add("a", tone(200))
    dac.playout.finish("a")
    dac.run(30)
    assert dac.playout.underruns == 0
    assert dac.playout.forget_heard() == ("a",)
    assert dac.playout.report() == ()


def test_more_than_the_ring_holds_waits_its_turn():
    dac = Dac(capacity=RATE // 2)
    dac.playout.add("a", tone(1500))
    dac.playout.finish("a")
    dac.run(80)
    assert dac.playout.drained
    assert np.count_nonzero(dac.sound) == 1500 * 24 - 1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 90)), max_size=40), st.integers(0, 3000))
def test_reports_never_exceed_what_came_and_never_shrink(steps, latency):
    dac = Dac()
    received = {0: 0, 1: 0, 2: 0}
    before = {}
    for key, milliseconds in steps:
        dac.playout.add(key, tone(milliseconds))
        received[key] += milliseconds * 24
        dac.run(1)
        for item in dac.playout.report(latency):
            assert 0 <= item.played_samples <= received[item.key]
            assert item.played_samples >= before.get(item.key, 0)
            before[item.key] = item.played_samples
    total = sum(item.played_samples for item in dac.playout.report(0))
    assert total == dac.ring.read


def test_an_unplayed_stream_is_reported_as_zero():
    dac = Dac()
    dac.playout.add("a", tone(500))
    dac.playout.add("b", tone(500))
    dac.run(2)
    assert {item.key: item.played_samples for item in dac.playout.stop()}["b"] == pytest.approx(0)


def ramp(samples, first=1):
    """Every sample is another one, none of them zero."""
    return np.arange(first, first + samples, dtype=np.int64).astype(np.int16)


def joined(before, after, at):
    """What must be heard of a stream that was paused at sample `at` and resumed: only the two fades differ."""
    return np.concatenate((before[: at + FADE], after[at:]))


def test_a_pause_is_silent_within_a_fade_and_resumes_from_the_sample():
    dac = Dac()
    reply = ramp(1000 * 24)
    dac.playout.add("a", reply)
    dac.playout.finish("a")
    dac.run(10)
    dac.playout.pause()
    assert dac.playout.paused
    dac.run(20)
    assert not dac.playout.drained
    assert not dac.playout.sounding
    assert not dac.sound[10 * BLOCK + FADE :].any()
    dac.playout.resume()
    at = 10 * BLOCK
    dac.heard = dac.heard[: at // BLOCK + 1]
    dac.run(60)
    sound = dac.sound
    assert np.array_equal(sound[FADE:at], reply[FADE:at])
    again = sound[at + BLOCK :]
    assert np.all(np.abs(again[:FADE]) <= np.abs(reply[at : at + FADE]))
    assert np.array_equal(again[FADE : len(reply) - at], reply[at + FADE :])
    assert not again[len(reply) - at :].any()
    assert dac.playout.underruns == 0
    assert dac.playout.forget_heard() == ("a",)


def test_what_arrives_during_a_pause_waits_in_its_place():
    dac = Dac()
    dac.playout.add("a", ramp(4800))
    dac.run(5)
    dac.playout.pause()
    dac.playout.add("a", ramp(4800, 4801))
    dac.playout.finish("a")
    dac.playout.add("b", ramp(2400, 20_000))
    dac.playout.finish("b")
    dac.run(10)
    assert [item.played_samples for item in dac.playout.report()] == [5 * BLOCK, 0]
    dac.playout.resume()
    dac.heard.clear()
    dac.run(40)
    whole = np.concatenate((ramp(9600), ramp(2400, 20_000)))
    assert np.array_equal(dac.sound[FADE : len(whole) - 5 * BLOCK], whole[5 * BLOCK + FADE :])


def test_a_reply_that_has_not_begun_can_be_paused():
    dac = Dac()
    dac.playout.pause()
    dac.playout.add("a", tone(300))
    dac.playout.finish("a")
    dac.run(10)
    assert not dac.sound.any()
    dac.playout.resume()
    dac.run(20)
    assert np.count_nonzero(dac.sound) == 300 * 24 - 1


def test_stopping_while_paused_counts_up_to_the_fade():
    dac = Dac()
    dac.playout.add("a", tone(1000))
    dac.run(10)
    dac.playout.pause()
    dac.run(10)
    assert dac.playout.stop()[0].played_samples == 10 * BLOCK
    assert not dac.playout.paused
    dac.playout.resume()
    dac.run(3)
    assert dac.playout.drained
    dac.playout.add("b", tone(200))
    dac.run(1)
    assert dac.playout.sounding


def test_a_callback_that_overtakes_the_cut_makes_nothing_come_twice():
    dac = Dac()
    reply = ramp(20_000)
    dac.playout.add("a", reply)
    dac.playout.finish("a")
    dac.run(4)
    dac.playout.pause()
    dac.ring.read += BLOCK  # a callback that had begun before the cut, and ends after it
    dac.playout.resume()
    dac.heard.clear()
    dac.run(60)
    assert np.array_equal(dac.sound[FADE : len(reply) - 5 * BLOCK], reply[5 * BLOCK + FADE :])
    assert dac.playout.report()[0].complete


PAUSES = st.lists(st.tuples(st.sampled_from(["add", "pause", "resume", "run"]), st.integers(1, 6)), max_size=60)


@given(PAUSES, st.integers(0, 2 * BLOCK))
def test_pauses_lose_nothing_and_double_nothing_beyond_the_fade(steps, latency):
    dac = Dac()
    reply = np.concatenate([ramp(30_000)] * 4)
    given_samples, before = 0, 0
    for step, count in steps:
        if step == "add":
            dac.playout.add("a", reply[given_samples : given_samples + count * BLOCK])
            given_samples += count * BLOCK
        elif step == "pause":
            dac.playout.pause()
        elif step == "resume":
            dac.playout.resume()
        else:
            dac.run(count)
        for item in dac.playout.report(latency):
            assert before <= item.played_samples <= given_samples
            before = item.played_samples
    dac.playout.resume()
    dac.playout.finish("a")
    dac.run(6 * len(steps) + 60)
    assert dac.playout.drained
    if given_samples:
        (item,) = dac.playout.report()
        assert (item.played_samples, item.complete) == (given_samples, True)
    heard = dac.sound[dac.sound != 0]
    places = np.flatnonzero(np.isin(reply[:given_samples], heard))
    assert given_samples - len(places) <= FADE * (2 * len(steps) + 2)


# From one device to another ------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.sampled_from(["add", "flow", "pause", "resume", "leave"]), st.integers(1, 4000)), max_size=30)
)
def test_whenever_devices_are_changed_nothing_is_lost_and_what_was_heard_adds_up(steps):
    ring = PlaybackRing(40_000)
    playout = Playout(ring)
    given_, out, heard_before = 0, [], 0
    for what, count in steps:
        match what:
            case "add":
                playout.add("a", np.arange(given_, given_ + count).astype(np.int16))
                given_ += count
            case "flow":
                block = np.zeros(count, dtype=np.int16)
                out.append(block[: ring.read_into(block)])
            case "pause":
                playout.pause()
            case "resume":
                playout.resume()
            case "leave":
                before = playout.report()
                unheard = playout.leave()
                ring = PlaybackRing(40_000)
                playout = Playout(ring)
                playout.take_over(unheard)
                assert [(item.key, item.played_samples) for item in playout.report()] == [
                    (item.key, item.played_samples) for item in before
                ]
                heard_before = sum(item.played_samples for item in before)
        playout.pump()
    playout.resume()
    playout.finish("a")
    block = np.zeros(300_000, dtype=np.int16)
    while not playout.drained:
        ring.read_into(block)
        playout.pump()
    assert sum(item.played_samples for item in playout.report()) == given_
    assert heard_before <= given_
    assert sum(map(len, out)) <= given_ + len(steps) * 480


def test_a_reply_that_was_held_is_held_on_the_next_device_too():
    ring = PlaybackRing(40_000)
    playout = Playout(ring)
    playout.add("a", np.full(20_000, 5, dtype=np.int16))
    ring.read_into(np.zeros(5_000, dtype=np.int16))
    playout.pause()
    other = PlaybackRing(40_000)
    heir = Playout(other)
    heir.take_over(playout.leave())
    assert heir.paused
    assert other.queued == 0
    heir.resume()
    assert other.queued == 15_000


def test_at_another_rate_it_takes_as_long():
    ring = PlaybackRing(40_000)
    playout = Playout(ring, rate=24_000)
    playout.add("a", np.full(24_000, 1000, dtype=np.int16))
    playout.finish("a")
    ring.read_into(np.zeros(6_000, dtype=np.int16))
    heir = Playout(PlaybackRing(90_000), rate=48_000)
    heir.take_over(playout.leave())
    assert heir.queued_samples == 36_000
    assert heir.report()[0].played_samples == 12_000
