"""The end of a turn by its meaning, and questions in two parts: one engine session in memory, no threads, no clock."""

from __future__ import annotations

import asyncio
import base64

import pytest

from mrblue_cli.audio.segmenter import Segmenter, SegmenterOptions, SpeechEnded
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.engine.session import EngineParts, EngineSession
from mrblue_cli.engine.speech import Transcript
from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import server_events as s
from mrblue_cli.protocol.session import Audio, AudioInput, SemanticVad, ServerVad, Session
from tests.engine.conftest import spoken_question

PARTS = ("Port 3000 is in use", "and I am on Windows")
SILENCE = bytes(960)
SPEECH = spoken_question()[: int(48_000 * 2.9)]
"""The question without its last silence."""


class Workers:
    """Recognises what the test says; None: never."""

    hearing_is_idle = False
    passes_are_free = True
    billed_voice = ""

    def __init__(self, *texts):
        self.texts = list(texts)

    async def hear(self, samples, prompt, language):
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if text is None:
            await asyncio.get_running_loop().create_future()
        return Transcript(text)

    def prepare(self, clause, speed):
        """Nothing to prepare."""

    async def say(self, clause, speed):
        yield bytes(4800)


class SlowBrain:
    """Writes down what it is asked and answers when it may."""

    def __init__(self):
        self.asked = []
        self.may = asyncio.Event()

    async def answer(self, question):
        self.asked.append(question)
        await self.may.wait()
        yield "Found it."


class Room:
    """One session of the engine, fed by hand."""

    def __init__(self, detection, *texts):
        self.sent = []
        self.brain = SlowBrain()
        parts = EngineParts(Workers(*texts), self.brain, lambda question: None, "", "en")
        self.session = EngineSession(parts, Session(), ids=CountingIds(), expires_at=0, send=self.sent.append)
        self.session.open()
        self.session.receive(c.SessionUpdate(session=Session(audio=Audio(input=AudioInput(turn_detection=detection)))))

    async def feed(self, data):
        for start in range(0, len(data), 960):
            self.session.receive(c.AppendAudio(audio=base64.b64encode(data[start : start + 960]).decode()))
            await settle()

    async def silence_until_commit(self, limit_ms=4000):
        count = len(self.kinds(s.AudioCommitted))
        for waited in range(0, limit_ms, 20):
            if len(self.kinds(s.AudioCommitted)) > count:
                return waited
            await self.feed(SILENCE)
        return None

    def kinds(self, kind):
        return [event for event in self.sent if isinstance(event, kind)]


async def settle():
    for _ in range(8):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("Port 3000 is already in use.", 200, 300),
        ("Yes.", 200, 300),
        ("my docker compose", 400, 520),
        ("My error is", 2300, 2520),
        ("", 400, 520),
        (None, 1000, 1220),
    ],
)
async def test_the_words_decide_how_long_the_silence_is(text, least, most):
    room = Room(SemanticVad(create_response=False, interrupt_response=False), text)
    await room.feed(SPEECH)
    waited = await room.silence_until_commit()
    assert least <= waited <= most
    await room.session.close()


async def test_plain_silence_does_not_mind_the_words():
    room = Room(ServerVad(create_response=False, interrupt_response=False), "My error is")
    await room.feed(SPEECH)
    assert 400 <= await room.silence_until_commit() <= 520
    await room.session.close()


async def test_a_person_who_goes_on_after_an_incomplete_part_is_not_cut_off():
    room = Room(SemanticVad(), "My error is", "My error is port 3000 in use.")
    await room.feed(SPEECH + SILENCE * 60)
    assert room.kinds(s.AudioCommitted) == []
    await room.feed(SPEECH)
    assert await room.silence_until_commit() <= 300
    assert len(room.kinds(s.AudioCommitted)) == 1
    await room.session.close()


async def test_where_passes_cost_money_the_words_are_asked_for_all_the_same_and_nothing_is_spoken_ahead():
    room = Room(SemanticVad(), "Yes.")
    room.session._parts.speech.passes_are_free = False
    room.session._parts.speech.prepare = None
    await room.feed(SPEECH)
    assert await room.silence_until_commit() <= 300
    await room.session.close()


async def test_eagerness_scales_the_patience():
    waits = []
    for eagerness in ("high", "auto", "low"):
        room = Room(SemanticVad(eagerness=eagerness), "my docker compose")
        await room.feed(SPEECH)
        waits.append(await room.silence_until_commit())
        await room.session.close()
    assert waits == sorted(waits)
    assert waits[0] < waits[1] < waits[2]


async def test_a_question_in_two_parts_is_answered_as_one():
    room = Room(ServerVad(create_response=False, interrupt_response=False), *PARTS)
    await room.feed(SPEECH)
    await room.silence_until_commit()
    room.session.receive(c.CreateResponse())
    await settle()
    await room.feed(SPEECH)
    room.session.receive(c.CancelResponse())
    await room.silence_until_commit()
    room.session.receive(c.CreateResponse())
    await settle()
    assert [question.text for question in room.brain.asked] == [
        "Port 3000 is in use",
        "Port 3000 is in use and I am on Windows",
    ]
    assert room.brain.asked[-1].history == ()
    room.brain.may.set()
    await settle()
    room.session.receive(c.CreateResponse())
    await settle()
    await room.session.close()


async def test_a_part_that_was_answered_is_history():
    room = Room(ServerVad(create_response=False, interrupt_response=False), "Port 3000 is in use", "and on Windows?")
    room.brain.may.set()
    for _ in range(2):
        await room.feed(SPEECH)
        await room.silence_until_commit()
        room.session.receive(c.CreateResponse())
        await settle()
    assert [question.text for question in room.brain.asked] == ["Port 3000 is in use", "and on Windows?"]
    assert [said.text for said in room.brain.asked[-1].history] == ["Port 3000 is in use", "Found it."]
    await room.session.close()


async def test_what_was_no_turn_leaves_nothing_behind():
    room = Room(ServerVad(create_response=False, interrupt_response=False), "mm-hm")
    for _ in range(4):
        await room.feed(SPEECH)
        await room.silence_until_commit()
        await settle()
        room.session.receive(c.DeleteItem(item_id=room.kinds(s.AudioCommitted)[-1].item_id))
    assert room.session._conversation.history == ()
    assert len(room.session._transcribing) <= 1
    await room.session.close()


def test_a_longer_wait_is_for_one_pause_only():
    segmenter = Segmenter(SegmenterOptions(silence_ms=200, hint_ms=60))
    segmenter.wait(1000)  # nobody pauses: nothing to wait for
    ends = []
    for part, speech in enumerate([True, False, True, False]):
        for block in range(15):
            found = segmenter.feed(speech)
            if part == 1 and block == 4:
                segmenter.wait(1000)
            ends += [part for boundary in found if isinstance(boundary, SpeechEnded)]
    assert ends == [3]
