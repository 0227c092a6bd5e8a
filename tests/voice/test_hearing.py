"""What the microphone's side does about a loudspeaker: routes, the canceller, mute, and what is told of it."""

from __future__ import annotations

import numpy as np
import pytest

from mrblue_cli.audio.gate import Duplex, EchoChoice, Route
from mrblue_cli.audio.pcm import BLOCK, RATE
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.hearing import Hearing
from mrblue_cli.voice.options import TalkOptions

LOUD = np.full(BLOCK, 4000, dtype=np.int16)
QUIET = np.zeros(BLOCK, dtype=np.int16)


class Talk:
    def __init__(self):
        self.flow = TurnFlow(connected=True)
        self.events = []

    def emit(self, event):
        self.events.append(event)


class Microphone:
    name = "microphone"
    blocks_heard = 1

    def __init__(self, echo_free=False, latency_seconds=0.0):
        self.echo_free, self.latency_seconds = echo_free, latency_seconds
        self.next = LOUD

    def read(self):
        return self.next


class Canceller:
    """Takes everything away, and remembers what it was given."""

    def __init__(self, delay_ms):
        self.delay_ms = delay_ms
        self.near, self.far = [], []

    def process(self, near, far):
        self.near.append(near)
        self.far.append(far)
        return np.zeros_like(near)


class Side:
    """A microphone's side with cancellers that the test can look at."""

    def __init__(self, microphone=None, device_route=Route.SPEAKERS, installed=True, **options):
        self.talk, self.microphone = Talk(), microphone or Microphone()
        self.made = []

        def make(delay_ms):
            if not installed:
                return None
            self.made.append(Canceller(delay_ms))
            return self.made[-1]

        options = TalkOptions(**{"turn_mode": ev.TurnMode.PUSH_TO_TALK, **options})
        self.hearing = Hearing(self.talk, self.microphone, options=options, route=device_route, canceller=make)

    def tick(self, *, playing=False, played=QUIET, output_latency=0.0):
        return self.hearing.tick(playing=playing, played=played, output_latency=output_latency)

    @property
    def advice(self):
        return [event.text for event in self.talk.events if isinstance(event, ev.Advice)]


def test_on_headphones_nothing_stands_between():
    side = Side(device_route=Route.HEADPHONES)
    side.tick(playing=True, played=LOUD)
    assert side.hearing.duplex is Duplex.FULL
    assert side.made == side.advice == []
    assert np.array_equal(side.hearing.captured, LOUD)


def test_a_source_without_echo_counts_as_headphones():
    side = Side(Microphone(echo_free=True))
    side.tick(playing=True, played=LOUD)
    assert side.hearing.duplex is Duplex.FULL
    assert np.array_equal(side.hearing.captured, LOUD)


@pytest.mark.parametrize("route", list(Route))
def test_the_settings_overrule_the_devices(route):
    other = Route.HEADPHONES if route is Route.SPEAKERS else Route.SPEAKERS
    side = Side(Microphone(echo_free=route is Route.SPEAKERS), device_route=other, route=route)
    side.tick()
    assert side.hearing.duplex is (Duplex.FULL if route is Route.HEADPHONES else Duplex.CANCELLED)


def test_the_canceller_gets_both_sides_and_the_delay_of_both_devices():
    side = Side(Microphone(latency_seconds=0.03))
    for _ in range(10):
        side.tick(playing=True, played=LOUD // 2, output_latency=0.05)
    (canceller,) = side.made
    assert canceller.delay_ms == 80
    assert np.array_equal(np.concatenate(canceller.near), np.tile(LOUD, 10))
    assert np.array_equal(np.concatenate(canceller.far), np.tile(LOUD // 2, 10))
    assert not side.hearing.captured.any()


def test_another_route_is_learnt_anew_and_the_same_advice_given_once():
    side = Side()
    side.tick()
    side.hearing.use_route(Route.SPEAKERS)
    side.tick()
    assert len(side.made) == 2
    side.hearing.use_route(Route.HEADPHONES)
    side.tick()
    assert side.hearing.duplex is Duplex.FULL
    assert np.array_equal(side.hearing.captured, LOUD)
    missing = Side(installed=False)
    for _ in range(3):
        missing.hearing.use_route(Route.SPEAKERS)
        missing.tick()
    assert missing.hearing.duplex is Duplex.HALF
    assert len(missing.advice) == 1
    assert "mrblue-cli[aec]" in missing.advice[0]


def test_a_wish_for_half_duplex_makes_no_canceller_and_needs_no_advice():
    side = Side(echo=EchoChoice.HALF_DUPLEX)
    side.tick(playing=True)
    assert side.hearing.duplex is Duplex.HALF
    assert side.made == side.advice == []
    assert not side.hearing.captured.any()
    opened = 0
    while not side.hearing.captured.any():
        side.tick()
        opened += BLOCK
    assert opened / RATE == pytest.approx(0.32)


@pytest.mark.parametrize("installed", [True, False])
def test_the_talk_key_is_heard_while_a_reply_plays(installed):
    side = Side(Microphone(), installed=installed, echo=EchoChoice.AUTO)
    side.tick(playing=True)
    side.hearing.taker.press()
    side.tick(playing=True)
    if installed:
        assert len(side.hearing.captured) == BLOCK
        assert len(side.made[0].near) == 4
    else:
        assert np.array_equal(side.hearing.captured, LOUD)


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("route", list(Route))
def test_muted_is_silent_for_everybody_and_the_canceller_goes_on(connected, route):
    side = Side(device_route=route)
    side.talk.flow.connected = connected
    side.hearing.mute(True)
    side.tick(playing=True, played=LOUD)
    assert len(side.hearing.captured) == BLOCK
    assert not side.hearing.captured.any()
    if route is Route.SPEAKERS:
        assert len(side.made[0].near) == 2
