"""The runner's thread: order kept, nothing lost before the session exists, a failed start is told."""

from __future__ import annotations

import asyncio
import threading

from mrblue_cli.core.errors import DeviceError
from mrblue_cli.voice.controls import Quit, Say, SetMuted
from mrblue_cli.voice.events import Ended, Failure, State, StatusChanged
from mrblue_cli.voice.runner import TalkRunner


class EchoTalk:
    """Emits what it was told, until it is told to quit."""

    def __init__(self, emit):
        self.emit = emit
        self.seen = []
        self.over = asyncio.Event()

    async def run(self):
        self.emit(StatusChanged(State.LISTENING))
        await self.over.wait()
        self.emit(Ended("quit"))

    def control(self, control):
        self.seen.append(control)
        if isinstance(control, Quit):
            self.over.set()


class Gathered:
    """Keeps events and lets a test wait for one kind."""

    def __init__(self):
        self.events = []
        self.changed = threading.Condition()

    def __call__(self, event):
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def wait_for(self, kind):
        with self.changed:
            assert self.changed.wait_for(lambda: any(isinstance(event, kind) for event in self.events), 10)


def test_controls_arrive_in_order_and_quit_ends_it():
    talks = []

    async def build(emit):
        talks.append(EchoTalk(emit))
        return talks[0]

    gathered = Gathered()
    runner = TalkRunner(build)
    runner.send(Say("before start"))
    runner.start(gathered)
    gathered.wait_for(StatusChanged)
    runner.send(SetMuted(True))
    assert runner.stop(10)
    assert talks[0].seen == [Say("before start"), SetMuted(True), Quit()]
    assert gathered.events[-1] == Ended("quit")
    runner.send(Say("after the end"))
    assert len(talks[0].seen) == 3


def test_a_start_that_fails_is_told_and_ends():
    async def build(emit):
        raise DeviceError("no microphone", hint="plug one in")

    gathered = Gathered()
    runner = TalkRunner(build)
    runner.start(gathered)
    gathered.wait_for(Ended)
    assert gathered.events == [Failure("device", "no microphone", True, "plug one in"), Ended("error")]
    assert runner.stop(10)


def test_quit_while_the_session_is_still_being_built():
    started = threading.Event()

    async def build(emit):
        started.set()
        await asyncio.Event().wait()

    gathered = Gathered()
    runner = TalkRunner(build)
    runner.start(gathered)
    assert started.wait(10)
    assert runner.stop(10)
    assert gathered.events == [Ended("quit")]


def test_stop_before_start_is_harmless():
    async def build(emit):
        raise AssertionError("never built")

    assert TalkRunner(build).stop()


def test_a_defect_in_the_session_is_told_and_kept_for_debug():
    class Broken(EchoTalk):
        async def run(self):
            raise ZeroDivisionError("oops")

    async def build(emit):
        return Broken(emit)

    gathered = Gathered()
    runner = TalkRunner(build)
    runner.start(gathered)
    gathered.wait_for(Ended)
    assert [type(event) for event in gathered.events] == [Failure, Ended]
    assert gathered.events[0].fatal
    assert runner.stop(10)
    assert isinstance(runner.crash, ZeroDivisionError)
