"""Whole talks on the engine in this process, in virtual time: voice detection, turns, paid speech, writing, tools."""

from __future__ import annotations

import asyncio

import msgspec
import numpy as np

from mrblue_cli.assistant.brain import CallTool
from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.tools import Answer, Tool, ToolBox
from mrblue_cli.audio.gate import Route
from mrblue_cli.core.errors import AuthError
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.engine.defaults import session_defaults
from mrblue_cli.engine.memory import MemoryEngine
from mrblue_cli.engine.session import EngineParts
from mrblue_cli.engine.speech import NoSpeech, Transcript
from mrblue_cli.protocol.session import Session
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.headless import HeadlessScript, Type
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.fakes.virtual_time import LoopClock, run_virtual
from tests.protocol.pair import ClientIds
from tests.voice.test_session import BASE, say


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


class Service(NoSpeech):
    """A paid service that takes half a second to hear, and the same to begin a clause of a second."""

    billed_voice = "voice-1"

    def __init__(self, heard="address already in use port 3000", fails=None):
        self.heard, self.fails, self.asked, self.broken_off = heard, fails, [], 0

    async def hear(self, samples, prompt, language):
        await asyncio.sleep(0.5)
        if self.fails is not None:
            raise self.fails
        usage = {"type": "duration", "seconds": len(samples) / 16_000}
        return Transcript(self.heard, usage=usage)

    async def say(self, clause, speed):
        self.asked.append(clause)
        try:
            await asyncio.sleep(0.5)
            for _ in range(5):
                yield (np.ones(4800) * 3000).astype("<i2").tobytes()
                await asyncio.sleep(0.05)
        except (GeneratorExit, asyncio.CancelledError):
            self.broken_off += 1
            raise


class Brain:
    """Answers at length; with a tool on offer it uses it first."""

    def __init__(self, words="Found it, stop the process. Then start again. And once more, with feeling. Good luck."):
        self.words, self.questions = words, []

    async def answer(self, question):
        self.questions.append(question)
        if question.tools and not question.after:
            yield CallTool("look", "{}")
            return
        for word in self.words.split(" "):
            await asyncio.sleep(0.01)
            yield f"{word} "


class Talk:
    """One talk on one rung."""

    def __init__(self, brain, speech, *, name=RungName.BATCH, tools=()):
        self.brain, self.speech, self.name, self.events = brain, speech, name, []
        self.toolbox = ToolBox(tools)

    def hold(self, *steps, act=None):
        async def main():
            clock = LoopClock()
            parts = EngineParts(self.speech, self.brain, lambda _: None, "", "en")
            engine = MemoryEngine(
                parts, session_defaults("ears-1", "marin", "en"), ids=ClientIds(), unix_now=lambda: 0.0
            )
            written = self.name is RungName.TEXT
            declared = [
                {"type": "function", "name": spec.name, "description": spec.description, "parameters": spec.parameters}
                for spec in self.toolbox.specs
            ]
            desired = Session(output_modalities=["text" if written else "audio"], tools=declared)
            rung = Rung(self.name, "batch", engine.open, desired, hears=not written, speaks=not written)
            microphone = ClockMicrophone(clock)
            self.session = TalkSession(
                TalkOptions(route=Route.HEADPHONES, reply_timeout_seconds=10),
                rungs=(rung,),
                microphone=None if written else microphone,
                speaker=PacedSpeaker(clock),
                reasoner=Reasoner(BASE),
                clock=clock,
                ids=CountingIds(),
                emit=self.events.append,
                toolbox=self.toolbox,
            )
            script = HeadlessScript(self.session, microphone, steps, clock=clock, silence_ms=500)
            jobs = [asyncio.ensure_future(script.run())]
            if act is not None:
                jobs.append(asyncio.ensure_future(act(self)))
            await self.session.run()
            for job in jobs:
                job.cancel()
            await engine.close()

        run_virtual(main(), 300)
        return self.events

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def said(self):
        return [event.text for event in self.of(ev.AssistantTranscript) if event.final]

    async def until(self, met):
        while not met():
            await asyncio.sleep(0.01)


def test_a_spoken_turn_of_single_requests():
    talk = Talk(Brain(), Service())
    talk.hold(say("question"))
    assert [event.text for event in talk.of(ev.UserTranscript) if event.final] == ["address already in use port 3000"]
    assert talk.said() == [talk.brain.words]
    assert talk.speech.asked[0] == "Found it, stop the process."
    (turn,) = talk.of(ev.TurnMeasured)
    # Silence, one upload, the first clause: the rest of the answer is made while that is heard.
    assert 500 + 500 + 500 <= turn.latency_ms <= 1900
    (entry,) = turn.usage["models"]
    assert entry == {"model": "voice-1", "characters": sum(len(clause) for clause in talk.speech.asked)}
    assert talk.events[-1] == ev.Ended("done")


def test_who_breaks_in_ends_the_requests_and_the_words():
    talk = Talk(Brain("This is the first clause of many. " * 40), Service())

    async def stop(talk):
        await talk.until(lambda: "speaking" in [str(event.state) for event in talk.of(ev.StatusChanged)])
        await asyncio.sleep(0.3)
        talk.session.control(do.StopReply())

    talk.hold(say("question"), act=stop)
    (cut,) = [event for event in talk.of(ev.AssistantTranscript) if event.heard_ms is not None]
    assert 0 < cut.heard_ms < 1500
    assert len(cut.text) < 60
    assert talk.speech.broken_off >= 1
    assert len(talk.speech.asked) < 10


def test_a_service_that_refuses_ends_the_way_with_its_reason():
    talk = Talk(Brain(), Service(fails=AuthError("the service refused the key", hint="check the key")))
    talk.hold(say("question"))
    (failure,) = [event for event in talk.of(ev.Failure) if event.fatal]
    assert (failure.code, failure.message, failure.hint) == ("auth", "the service refused the key", "check the key")


def test_a_tool_in_writing():
    async def look(_):
        await asyncio.sleep(2)
        return Answer({"seen": "a cat"}, "It is a cat.")

    tool = Tool("look", "looks", Nothing, look)
    talk = Talk(Brain("A cat."), NoSpeech(), name=RungName.TEXT, tools=(tool,))
    talk.hold(Type("what is it?"))
    assert [event.status for event in talk.of(ev.ToolRan)] == [ev.ToolStatus.RUNNING, ev.ToolStatus.DONE]
    assert talk.said() == ["A cat."]
    question = talk.brain.questions[1]
    assert (question.text, question.after) == ("what is it?", 1)
    assert "a cat" in question.history[-1].text
