"""Which ways there are to talk, in which order; and whole talks on those that need no models."""

from __future__ import annotations

import asyncio

import pytest

from mrblue_cli.app import talk, talk_rungs
from mrblue_cli.app.talk import Conversation
from mrblue_cli.app.talk_rungs import LocalEngine, TalkRungs, choose_engine
from mrblue_cli.core.errors import ConfigError, ConnectError, MissingPart
from mrblue_cli.settings.load import load
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.device_watch import BOTH
from mrblue_cli.voice.headless import Type
from mrblue_cli.voice.rungs import RungName
from mrblue_cli.voice.sound_system import SoundSystem
from tests.engine.conftest import running_engine
from tests.fakes.portaudio import FakePortAudio
from tests.fakes.sound_server import FakePulse
from tests.fakes.speech_service import running_service

KEYED = {"OPENAI_API_KEY": "sk-1"}


@pytest.fixture
def machine(monkeypatch):
    """Says whether the local extra is installed, and which keys there are."""

    def prepare(*, local=True, **environment):
        monkeypatch.setattr(talk_rungs, "local_engine_is_installed", lambda: local)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return prepare


def rungs(engine="auto", fallback=None):
    talk = {"engine": engine} | ({} if fallback is None else {"fallback": [fallback]})
    return TalkRungs(load(overrides={"talk": talk}))


@pytest.mark.parametrize(
    ("engine", "fallback", "keys", "expected"),
    [
        ("auto", None, KEYED, "realtime batch local text"),
        ("auto", None, {}, "local text"),
        ("auto", None, {"BIFROST_BASE_URL": "http://127.0.0.1:1"}, "batch local text"),
        ("auto", "batch,text", KEYED, "batch text"),
        ("auto", "text,realtime", KEYED, "text realtime"),
        ("auto", "none", KEYED, "realtime"),
        ("auto", "none", {}, "local"),
        ("auto", "batch", {}, "text"),
        ("openai", None, KEYED, "realtime batch local text"),
        ("openai", "text", KEYED, "realtime text"),
        ("openai", "local,realtime,text", KEYED, "realtime text"),
        ("local", None, KEYED, "local text"),
        ("local", "batch,text", KEYED, "local batch text"),
        ("local", "none", KEYED, "local"),
        ("ws://127.0.0.1:9", None, {}, "realtime local text"),
        ("ws://127.0.0.1:9", "none", {}, "realtime"),
    ],
)
def test_the_order(machine, engine, fallback, keys, expected):
    machine(**keys)
    found = rungs(engine, fallback)
    assert " ".join(rung.name for rung in found.rungs) == expected
    assert (found.advice is not None) == (fallback == "batch" and not keys)


def test_without_the_local_engine_a_bare_machine_writes_and_says_so(machine):
    machine(local=False)
    found = rungs()
    (rung,) = found.rungs
    assert (rung.name, rung.hears, rung.speaks, rung.engine) == (RungName.TEXT, False, False, "text")
    assert rung.desired.output_modalities == ["text"]
    assert "OPENAI_API_KEY" in found.advice
    assert rungs(fallback="text").advice is None
    assert [rung.name for rung in rungs(fallback="none").rungs] == ["text"]


@pytest.mark.parametrize(("fallback", "sides"), [("text", ()), (None, BOTH), ("none", BOTH)])
def test_a_talk_in_writing_alone_has_no_use_for_devices(machine, monkeypatch, fallback, sides):
    machine()
    asked, silent = [], FakePulse()
    silent.alive = False

    def sound_of(_, *wanted):
        asked.append(set(wanted))
        return SoundSystem(load=FakePortAudio(), server=silent.server(), find=lambda _: None, sides=frozenset(wanted))

    monkeypatch.setattr(talk, "sound_of", sound_of)
    settings = {"talk": {} if fallback is None else {"fallback": [fallback]}, "history": {"keep": False}}
    told = []
    Conversation(load(overrides=settings), told.append).with_devices()
    assert asked == ([set(sides)] if sides else [])
    assert any(isinstance(event, ev.Failure) for event in told) == bool(sides)


def test_a_local_engine_that_was_asked_for_and_is_not_there_is_an_error(machine):
    machine(local=False)
    with pytest.raises(MissingPart):
        choose_engine(load(overrides={"talk": {"engine": "local"}}))


def test_a_way_that_does_not_exist_is_an_error(machine):
    machine()
    with pytest.raises(ConfigError, match="bach"):
        rungs(fallback="bach")


def test_single_requests_are_billed_under_their_models_name(machine):
    machine(**KEYED)
    batch = rungs(fallback="batch,text").rungs[0]
    assert (batch.engine, batch.hears, batch.speaks) == ("openai", True, True)
    assert batch.desired.audio.input.transcription.model == "gpt-transcribe"


class Child:
    """What stands for the engine's process: an engine with fake models on a real socket, which may die."""

    def __init__(self, address):
        self.url, self.token, self.alive, self.closed = address.url, address.token, True, 0

    async def close(self):
        self.closed += 1


async def test_the_local_engine_starts_when_it_is_wanted_and_again_when_it_died():
    children = []
    async with running_engine() as (first, one), running_engine() as (_, two):

        async def start():
            children.append(Child(two if children else one))
            return children[-1]

        local = LocalEngine(start)
        assert children == []
        talks = [await local.connect(), await local.connect()]
        assert len(children) == 1
        # A connection that fails while the process lives is the caller's to judge.
        await first.close()
        with pytest.raises(ConnectError):
            await local.connect()
        children[0].alive = False
        talks.append(await local.connect())
        assert len(children) == 2
        await local.close()
        assert [child.closed for child in children] == [0, 1]
        for talk in talks:
            await talk.close()


class Talk:
    """A whole headless talk; keeps its events."""

    def __init__(self, fallback, **sections):
        overrides = {"talk": {"fallback": [fallback]}, "history": {"keep": False}, **sections}
        self.events = []
        self.conversation = Conversation(load(overrides=overrides), self.events.append)

    async def hold(self, *texts):
        async with asyncio.timeout(30):
            await self.conversation.run_script([Type(text) for text in texts], output=None)
        assert self.events[-1] == ev.Ended("done")

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def said(self):
        return [event.text for event in self.of(ev.AssistantTranscript) if event.final]


async def test_a_talk_in_writing_finds_the_fix():
    talk = Talk("text")
    await talk.hold("address already in use port 3000")
    assert talk.of(ev.SessionStarted)[0].engine == "text"
    assert talk.of(ev.KbHit)[0].hit.entry.id == "node/port-in-use"
    assert "port already in use" in talk.said()[-1]
    assert [event for event in talk.of(ev.Failure) if event.fatal] == []


async def test_a_talk_of_single_requests():
    async with running_service() as service:
        talk = Talk("batch,text", batch={"base_url": service.url}, chat={"base_url": service.url, "model": "m"})
        await talk.hold("what is the capital of France")
    assert talk.said() == ["Paris is the capital."]
    assert talk.of(ev.SessionStarted)[0].engine == "127.0.0.1"
    assert service.of("speech")[0]["input"] == "Paris is the capital."
    usage = talk.of(ev.TurnMeasured)[0].usage
    assert {entry["model"] for entry in usage["models"]} == {"m", "gpt-4o-mini-tts"}
