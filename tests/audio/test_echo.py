"""Microphone and playback put together to the sample, and the gate that lets a person through and no echo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.audio.echo import FRAME, WAIT_SAMPLES, WARM_UP_SECONDS, Alignment, PersonGate
from mrblue_cli.audio.gate import Duplex, EchoChoice, EchoGate, Route, counts_over_playback, duplex_for
from mrblue_cli.audio.pcm import BLOCK, RATE
from mrblue_cli.audio.ring import CaptureRing, PlaybackRing


def counting(start, count):
    """Samples that tell their own place."""
    return (np.arange(start, start + count) % 30_000 + 1).astype(np.int16)


class Devices:
    """An output and an input that move when the test says so; the microphone hears the output `delay` samples late."""

    def __init__(self, delay, output_block=BLOCK, input_block=BLOCK):
        self.ring = PlaybackRing(120 * RATE)
        self.capture = CaptureRing(2 * RATE)
        self.alignment = Alignment()
        self.delay, self.output_block, self.input_block = delay, output_block, input_block
        self.air = np.zeros(delay, dtype=np.int16)
        self.now = self.played_to = self.captured_to = 0
        self.near, self.far = [], []

    def run(self, samples, output=True, microphone=True):
        """Time passes, a sample at a time in steps of 10 ms; callbacks come when their block is due."""
        for _ in range(0, samples, FRAME):
            self.now += FRAME
            while output and self.played_to + self.output_block <= self.now:
                out = np.zeros(self.output_block, dtype=np.int16)
                self.ring.read_into(out)
                self.air = np.concatenate((self.air, out))
                self.played_to += self.output_block
            while microphone and self.captured_to + self.input_block <= self.now:
                heard = self.air[self.captured_to : self.captured_to + self.input_block]
                missing = self.input_block - len(heard)
                self.capture.write(np.concatenate((heard, np.zeros(missing, dtype=np.int16))))
                self.captured_to += self.input_block
            near, far = self.alignment.feed(self.capture.read(), self.ring.output.read())
            assert len(near) == len(far)
            assert len(near) % FRAME == 0
            self.near.append(near)
            self.far.append(far)

    def lag(self):
        """By how many samples the microphone hears what is paired with it late; the same at every sample."""
        near, far = np.concatenate(self.near).astype(int), np.concatenate(self.far).astype(int)
        told = np.flatnonzero((near > 0) & (far > 0))
        lags = set(((far[told] - near[told]) % 30_000).tolist())
        assert len(lags) == 1, lags
        return lags.pop()


@pytest.mark.parametrize("delay_ms", [40, 60, 90, 120])
@pytest.mark.parametrize(("output_block", "input_block"), [(480, 480), (441, 480), (1024, 240), (480, 960)])
def test_the_two_keep_their_distance_to_the_sample(delay_ms, output_block, input_block):
    devices = Devices(delay_ms * RATE // 1000, output_block, input_block)
    devices.run(RATE // 2)
    devices.ring.write(counting(0, 30 * RATE))
    devices.run(20 * RATE)
    # The pairing is by arrival, so a block of either device may lie between it and the truth, and never more.
    assert abs(devices.lag() - devices.delay) <= max(output_block, input_block)
    assert devices.alignment.jumps == devices.alignment.steps == 0


def test_pauses_and_cuts_of_the_output_are_silence_at_their_place():
    devices = Devices(1200)
    devices.run(RATE)
    for start in (0, 100_000, 250_000):
        devices.ring.write(counting(start % 30_000, 12_345))
        devices.run(RATE)
        devices.ring.cut(360, 480)
        devices.run(RATE // 3)
    near, far = np.concatenate(devices.near), np.concatenate(devices.far)
    assert np.array_equal(near[1200:], far[:-1200])
    assert np.count_nonzero(far) == 3 * 12_345


def test_nothing_waits_for_an_output_that_tells_nothing():
    devices = Devices(1200)
    devices.run(2 * RATE, output=False)
    got = sum(map(len, devices.near))
    assert 2 * RATE - WAIT_SAMPLES - BLOCK <= got <= 2 * RATE
    assert not np.concatenate(devices.far).any()


def test_an_output_that_played_before_the_microphone_opened_is_no_echo():
    devices = Devices(1200)
    devices.ring.write(counting(0, 10 * RATE))
    devices.run(RATE, microphone=False)
    devices.captured_to = devices.now
    devices.run(2 * RATE)
    assert devices.lag() == pytest.approx(1200, abs=BLOCK)


@pytest.mark.parametrize("who", ["output", "microphone"])
def test_a_device_that_stood_still_is_put_together_anew(who):
    devices = Devices(2400)
    devices.run(RATE)
    devices.ring.write(counting(0, 30 * RATE))
    devices.run(2 * RATE)
    devices.run(RATE // 2, **{who: False})
    if who == "output":
        devices.played_to = devices.now
        devices.air = np.concatenate((devices.air, np.zeros(RATE // 2, dtype=np.int16)))
    else:
        devices.captured_to = devices.now
    devices.run(2 * RATE)
    devices.near, devices.far = [], []
    devices.run(2 * RATE)
    assert devices.lag() == pytest.approx(2400, abs=WAIT_SAMPLES)
    assert devices.alignment.jumps == (1 if who == "microphone" else 0)


@pytest.mark.parametrize("parts_per_million", [100, -100])
def test_clocks_that_differ_are_mended_a_sample_at_a_time(parts_per_million):
    alignment = Alignment()
    given_near = given_far = 0.0
    worst = 0
    for tick in range(1, 90_000):  # half an hour
        near = int(tick * BLOCK) - int(given_near)
        far = int(tick * BLOCK * (1 + parts_per_million / 1e6)) - int(given_far)
        given_near, given_far = given_near + near, given_far + far
        alignment.feed(np.zeros(near, dtype=np.int16), np.zeros(far, dtype=np.int16))
        worst = max(worst, len(alignment._far), len(alignment._near))
    drift = parts_per_million * 1800 * RATE / 1e6
    assert -alignment.steps == pytest.approx(drift, abs=1500)
    assert worst <= 60 * RATE // 1000
    assert alignment.jumps == 0


@given(st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 1500)), max_size=60))
def test_no_sample_of_the_microphone_is_lost_whatever_the_pieces(pieces):
    alignment, given, got = Alignment(), [], []
    place = 0
    for near, far in pieces:
        given.append(counting(place, near))
        place += near
        paired, beside = alignment.feed(given[-1], np.zeros(far, dtype=np.int16))
        assert len(paired) == len(beside)
        assert len(alignment._near) <= WAIT_SAMPLES + FRAME
        assert len(alignment._far) <= 2 * RATE
        got.append(paired)
    joined = np.concatenate([*got, np.zeros(0, dtype=np.int16)])
    assert np.array_equal(joined, np.concatenate([*given, np.zeros(0, dtype=np.int16)])[: len(joined)])


class Verdicts:
    """A detector that calls loud blocks speech."""

    def is_speech(self, block):
        return bool(np.abs(block.astype(int)).max() > 50)

    def reset(self):
        """Nothing is kept."""


class Gate:
    """A gate fed in blocks of 20 ms; levels are amplitudes of a square wave."""

    def __init__(self, warm=True):
        self.gate = PersonGate(Verdicts())
        self.place = 0
        self.out = np.zeros(0, dtype=np.int16)
        if warm:
            self.feed(WARM_UP_SECONDS, played=3000, playing=True)
            self.feed(1.0)
            self.out = self.out[:0]

    def feed(self, seconds, heard=0, played=0, playing=False, latency=0.0):
        for _ in range(round(seconds / 0.02)):
            block = np.full(BLOCK, heard, dtype=np.int16)
            far = np.full(BLOCK, played, dtype=np.int16)
            out = self.gate.feed(block, far, playing=playing, latency_seconds=latency)
            self.out = np.concatenate((self.out, out))
        return self

    def loud(self):
        """Seconds that got through."""
        return np.count_nonzero(self.out) / RATE


def test_without_a_reply_everything_passes():
    gate = Gate(warm=False).feed(1.0, heard=100).feed(1.0, heard=3000)
    assert gate.loud() == pytest.approx(2.0)


def test_what_the_canceller_leaves_does_not_pass_and_a_person_does_with_the_first_word():
    gate = Gate().feed(2.0, heard=150, played=3000, playing=True)
    assert gate.loud() == 0
    assert not gate.gate.open
    gate.feed(1.0, heard=1500, played=3000, playing=True)
    assert gate.gate.open
    # All of it and what lay before: 300 ms were kept.
    assert gate.loud() == pytest.approx(1.0 + 0.16, abs=0.021)
    before = len(gate.out)
    gate.feed(2.0, heard=150, played=3000, playing=True)
    assert not gate.gate.open
    assert gate.out[before:][-RATE:].any() == False  # noqa: E712 - numpy's own False


def test_a_person_gets_through_after_140_ms():
    gate = Gate().feed(1.0, played=3000, playing=True)
    gate.feed(0.12, heard=1500, played=3000, playing=True)
    assert not gate.gate.open
    gate.feed(0.02, heard=1500, played=3000, playing=True)
    assert gate.gate.open


def test_nobody_gets_through_until_the_canceller_has_heard_the_loudspeaker():
    gate = Gate(warm=False)
    gate.feed(2.9, heard=3000, played=3000, playing=True)
    # A reply without sound teaches nothing.
    gate.feed(5.0, heard=3000, played=0, playing=True)
    assert not gate.gate.warm
    assert gate.loud() == 0
    gate.feed(0.2, heard=3000, played=3000, playing=True)
    assert gate.gate.warm
    assert gate.gate.open
    gate.gate.unsettle()
    gate.feed(1.4, heard=3000, played=3000, playing=True)
    assert not gate.gate.open
    gate.feed(0.2, heard=3000, played=3000, playing=True)
    assert gate.gate.open


@pytest.mark.parametrize("latency", [0.0, 0.25])
def test_the_room_may_sound_on_after_the_reply(latency):
    gate = Gate().feed(1.0, played=3000, playing=True, latency=latency)
    gate.feed(0.3 + latency, heard=150, latency=latency)
    assert gate.loud() == 0
    gate.feed(0.1, heard=150)
    assert gate.loud() == pytest.approx(0.1)


def test_who_speaks_as_the_reply_begins_is_not_cut_off():
    gate = Gate().feed(1.0, heard=2000)
    gate.feed(0.5, heard=2000, played=3000, playing=True)
    assert gate.loud() == pytest.approx(1.5), "nothing missing, nothing twice"


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 150, 2000]), st.integers(1, 40)), max_size=20))
def test_the_gate_never_gives_less_time_than_went_in_nor_a_sample_twice(steps):
    gate = Gate()
    place = 0
    went_in = []
    for playing, level, count in steps:
        for _ in range(count):
            block = np.full(BLOCK, level, dtype=np.int16)
            block[0] = place % 30_000 + 1  # its name
            place += 1
            went_in.append(block)
            far = np.full(BLOCK, 3000 if playing else 0, dtype=np.int16)
            gate.out = np.concatenate((gate.out, gate.gate.feed(block, far, playing=playing)))
    assert len(gate.out) >= BLOCK * place
    assert len(gate.out) % BLOCK == 0
    names = gate.out[::BLOCK]
    names = names[names > 0]
    assert np.all(np.diff(names) > 0), "in order, each once"


def test_the_way_of_a_route():
    for choice in EchoChoice:
        for canceller in (True, False):
            assert duplex_for(Route.HEADPHONES, choice, canceller=canceller) is Duplex.FULL
    speakers = {
        (EchoChoice.AUTO, True): Duplex.CANCELLED,
        (EchoChoice.AUTO, False): Duplex.HALF,
        (EchoChoice.AEC, True): Duplex.CANCELLED,
        (EchoChoice.AEC, False): Duplex.HALF,
        (EchoChoice.HALF_DUPLEX, True): Duplex.HALF,
        (EchoChoice.OFF, False): Duplex.FULL,
    }
    for (choice, canceller), expected in speakers.items():
        assert duplex_for(Route.SPEAKERS, choice, canceller=canceller) is expected


def test_half_duplex_waits_for_the_sound_that_is_still_on_its_way():
    gate = EchoGate(Route.SPEAKERS)
    gate.is_open(playing=True, samples=BLOCK, latency_seconds=0.2)
    closed = 0
    while not gate.is_open(playing=False, samples=BLOCK):
        closed += BLOCK
    assert closed / RATE == pytest.approx(0.5)


def test_the_second_defence_behind_a_canceller_asks_for_less():
    assert not counts_over_playback(0.02, 0.1)
    assert counts_over_playback(0.02, 0.1, leak=0.1, counts_from=0.006)
    assert not counts_over_playback(0.007, 0.1, leak=0.1, counts_from=0.006)
    assert not counts_over_playback(0.005, 0.0, leak=0.1, counts_from=0.006)
