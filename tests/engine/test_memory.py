"""The engine in this process: writing, tools, single requests; how it ends, and what it leaves behind."""

from __future__ import annotations

import asyncio

import pytest

from mrblue_cli.assistant.brain import CallTool, KnowledgeBrain, LadderBrain, ModelUse
from mrblue_cli.core.errors import AuthError, ConnectError, ProviderError
from mrblue_cli.core.ids import CountingIds
from mrblue_cli.engine.defaults import session_defaults
from mrblue_cli.engine.memory import MemoryEngine
from mrblue_cli.engine.questions import MAX_TOOL_ROUNDS
from mrblue_cli.engine.session import EngineParts
from mrblue_cli.engine.speech import NoSpeech, Transcript
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol.client import ClientConversation
from mrblue_cli.protocol.session import Audio, AudioInput, Session, Transcription
from tests.engine.conftest import spoken_question
from tests.protocol.pair import ClientIds

LOOK = {"type": "function", "name": "look", "description": "looks", "parameters": {"type": "object"}}


class Billed(NoSpeech):
    """A paid voice and recogniser that need no time."""

    billed_voice = "voice-1"

    def __init__(self, heard="hello", fails=()):
        self.heard, self.fails, self.calls, self.closed = heard, list(fails), [], 0

    async def hear(self, samples, prompt, language):
        self.calls.append((len(samples), prompt, language))
        if self.fails and (error := self.fails.pop(0)) is not None:
            raise error
        usage = {"type": "duration", "seconds": 2.0, "models": [{"model": "ears-1", "seconds": 2.0}]}
        return Transcript(self.heard, usage=usage)

    async def say(self, clause, speed):
        yield bytes(480)

    async def close(self):
        self.closed += 1


class Brain:
    """Says what it is told to say; a list of pieces (or an error) for each question, the last one again and again."""

    def __init__(self, *answers):
        self.answers, self.questions = list(answers), []

    async def answer(self, question):
        self.questions.append(question)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        for piece in answer:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, ModelUse):
                question.count(piece)
            else:
                yield piece


class Peer:
    """A client on a memory transport."""

    def __init__(self, transport, desired, ownership):
        self.transport = transport
        self.client = ClientConversation(desired, ownership=ownership, ids=ClientIds())
        self.notices, self.outbox = [], asyncio.Queue()

    async def run(self):
        self.do(self.client.receive(self.transport.created))
        async for event in self.transport:
            self.do(self.client.receive(event))
            await self.flush()

    def do(self, outcome):
        self.notices += outcome.notices
        for event in outcome.send:
            self.outbox.put_nowait(event)

    async def flush(self):
        while not self.outbox.empty():
            await self.transport.send(self.outbox.get_nowait())

    def kinds(self, kind):
        return [notice for notice in self.notices if isinstance(notice, kind)]

    async def until(self, met):
        async with asyncio.timeout(10):
            while not met():
                await self.flush()
                await asyncio.sleep(0.005)


async def meet(brain, speech=None, *, desired=None, ownership=n.Ownership.CLIENT, prompt="npm"):
    parts = EngineParts(speech or NoSpeech(), brain, lambda _: None, prompt, "en")
    engine = MemoryEngine(parts, session_defaults("ears-1", "marin", "en"), ids=CountingIds(), unix_now=lambda: 7.0)
    transport = await engine.open()
    peer = Peer(transport, desired or Session(output_modalities=["text"]), ownership)
    reading = asyncio.ensure_future(peer.run())
    await peer.until(lambda: peer.kinds(n.SessionConfigured))
    return engine, peer, reading


async def test_a_conversation_in_writing():
    engine, peer, reading = await meet(LadderBrain(KnowledgeBrain(load_base())))
    peer.do(peer.client.send_text("address already in use port 3000"))
    await peer.until(lambda: peer.kinds(n.ReplyDone))
    assert "lsof -i :3000" in peer.kinds(n.ReplyText)[-1].text
    assert peer.kinds(n.ReplyAudio) == []
    assert "models" not in peer.kinds(n.ReplyDone)[0].usage
    assert peer.kinds(n.SessionReady)[0].expires_at > 7 + 86_400
    await peer.transport.close()
    await peer.transport.close()
    await reading
    with pytest.raises(ConnectError):
        await peer.transport.send(*peer.client.send_text("x").send)
    assert not peer.transport.lost_error().retryable
    assert [event async for event in peer.transport] == []
    await engine.close()


async def test_a_tool_is_called_answered_and_talked_about():
    brain = Brain(["Let me see. ", CallTool("look", '{"for": "it"}')], ["It is a cat."])
    desired = Session(output_modalities=["text"], tools=[LOOK])
    engine, peer, reading = await meet(brain, desired=desired)
    peer.do(peer.client.send_text("what is it?"))
    await peer.until(lambda: peer.kinds(n.ToolCall))
    (call,) = peer.kinds(n.ToolCall)
    assert [spec.name for spec in brain.questions[0].tools] == ["look"]
    peer.do(peer.client.supply_tool_output(call.call_id, '{"say": "a cat"}'))
    await peer.until(lambda: len(peer.kinds(n.ReplyDone)) == 2)
    assert peer.kinds(n.ReplyText)[-1].text == "It is a cat."
    question = brain.questions[1]
    assert (question.text, question.after) == ("what is it?", 2)
    assert [turn.role for turn in question.history] == ["assistant", "tool"]
    assert question.history[-1].call == CallTool("look", '{"for": "it"}')
    await peer.transport.close()
    await reading
    await engine.close()


async def test_rounds_of_tools_come_to_an_end():
    brain = Brain([CallTool("look", "{}")])
    engine, peer, reading = await meet(brain, desired=Session(output_modalities=["text"], tools=[LOOK]))
    peer.do(peer.client.send_text("what is it?"))
    for number in range(MAX_TOOL_ROUNDS):
        await peer.until(lambda wanted=number + 1: len(peer.kinds(n.ToolCall)) == wanted)
        peer.do(peer.client.supply_tool_output(peer.kinds(n.ToolCall)[-1].call_id, "{}"))
    await peer.until(lambda: len(brain.questions) == MAX_TOOL_ROUNDS + 1)
    assert [bool(question.tools) for question in brain.questions] == [True] * MAX_TOOL_ROUNDS + [False]
    await peer.transport.close()
    await reading
    await engine.close()


async def test_what_it_took_stands_in_the_usage():
    brain = Brain([ModelUse("chat-1"), "One. Two and more. ", ModelUse("chat-1", 50, 30, 7)])
    speech = Billed()
    engine, peer, reading = await meet(brain, speech, desired=Session(output_modalities=["audio"]))
    peer.do(peer.client.send_text("count"))
    await peer.until(lambda: peer.kinds(n.ReplyDone))
    usage = peer.kinds(n.ReplyDone)[0].usage
    by_model = {entry["model"]: entry for entry in usage["models"]}
    assert by_model["chat-1"]["input_tokens"] == 50
    assert by_model["chat-1"]["input_token_details"] == {"cached_tokens": 30}
    assert by_model["voice-1"]["characters"] == len("One.") + len("Two and more.")
    assert (usage["input_tokens"], usage["output_tokens"]) == (50, 7)
    await peer.transport.close()
    await reading
    await engine.close()
    assert speech.closed == 1


async def spoken_turn(peer, pcm):
    for start in range(0, len(pcm), 9600):
        peer.do(peer.client.append(pcm[start : start + 9600]))
    await peer.flush()


def heard_in(language, prompt=""):
    transcription = Transcription(language=language, prompt=prompt)
    return Session(output_modalities=["audio"], audio=Audio(input=AudioInput(transcription=transcription)))


async def test_a_paid_recogniser_hears_a_turn_once_in_the_sessions_language_and_words():
    speech, brain = Billed(), Brain(["Good."])
    desired = heard_in("es", "pizza, cola")
    engine, peer, reading = await meet(brain, speech, desired=desired, ownership=n.Ownership.SERVER)
    await spoken_turn(peer, spoken_question())
    await peer.until(lambda: peer.kinds(n.ReplyDone))
    assert [(prompt, language) for _, prompt, language in speech.calls] == [("pizza, cola", "es")]
    assert peer.kinds(n.UserText)[-1].text == "hello"
    await peer.transport.close()
    await reading
    await engine.close()


async def test_words_of_another_language_are_not_expected():
    speech = Billed()
    engine, peer, reading = await meet(
        Brain(["Bien."]), speech, desired=heard_in("es"), ownership=n.Ownership.SERVER, prompt="npm"
    )
    await spoken_turn(peer, spoken_question())
    await peer.until(lambda: peer.kinds(n.ReplyDone))
    assert [(prompt, language) for _, prompt, language in speech.calls] == [("", "es")]
    await peer.transport.close()
    await reading
    await engine.close()


async def test_a_service_that_is_gone_ends_the_session_without_a_word_about_the_turn():
    speech = Billed(fails=[AuthError("who refused the key", hint="check it")])
    engine, peer, reading = await meet(Brain(["x"]), speech, desired=heard_in("en"), ownership=n.Ownership.SERVER)
    await spoken_turn(peer, spoken_question())
    async with asyncio.timeout(10):
        await reading
    error = peer.transport.lost_error()
    assert (error.what, error.hint, error.code, error.retryable) == ("who refused the key", "check it", "auth", False)
    # The words are still to come on another way, so nobody is told that they were lost.
    assert [notice for notice in peer.kinds(n.UserText) if notice.final] == []
    assert peer.kinds(n.ReplyDone) == []
    with pytest.raises(ConnectError, match="refused the key"):
        await peer.transport.send(*peer.client.append(bytes(960)).send)
    await peer.transport.close()
    again = await engine.open()
    assert again.created.session["id"] != peer.transport.created.session["id"]
    await again.close()
    await engine.close()


async def test_one_accident_is_a_failed_turn_two_are_the_end():
    cut = ProviderError("broke off", code="cut")
    brain = Brain(["Half a ", cut], ["Fine."], [cut], [cut])
    engine, peer, reading = await meet(brain)
    for expected in ("failed", "completed", "failed"):
        count = len(peer.kinds(n.ReplyDone))
        peer.do(peer.client.send_text("go on"))
        await peer.until(lambda known=count: len(peer.kinds(n.ReplyDone)) > known)
        assert peer.kinds(n.ReplyDone)[-1].status == expected
    assert "broke off" in peer.kinds(n.ProtocolFailure)[-1].message
    peer.do(peer.client.send_text("go on"))
    await peer.flush()
    async with asyncio.timeout(10):
        await reading
    assert "broke off" in peer.transport.lost_error().what
    await engine.close()


async def test_a_transcript_that_fails_once_is_told():
    speech = Billed(fails=[ProviderError("odd", code="refused"), None])
    engine, peer, reading = await meet(Brain(["x"]), speech, desired=heard_in("en"), ownership=n.Ownership.SERVER)
    await spoken_turn(peer, spoken_question())
    await peer.until(lambda: any(notice.failed for notice in peer.kinds(n.UserText)))
    await peer.until(lambda: peer.kinds(n.ReplyDone))
    await peer.transport.close()
    await reading
    await engine.close()
