"""The stock `openai` client holds against the engine: it must never notice that this is not OpenAI."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager

import openai
import pytest

from mrblue_cli.assistant.brain import CallTool
from tests.engine.conftest import running_engine, spoken_question
from tests.fakes.speech import FakeStt


@asynccontextmanager
async def talking(**kwargs):
    """Yields a connection of the stock client, its first event read."""
    async with running_engine(**kwargs) as (_, address):
        client = openai.AsyncOpenAI(api_key=address.token, base_url=f"http://127.0.0.1:{address.port}/v1")
        client.websocket_base_url = f"ws://127.0.0.1:{address.port}/v1"
        async with client.realtime.connect(model="gpt-realtime") as connection:
            created = await connection.recv()
            assert created.type == "session.created"
            yield connection
        await client.close()


async def until(connection, *kinds):
    """Events up to the first of one of these types; a bound instead of a hang."""
    seen = []
    async with asyncio.timeout(20):
        while True:
            event = await connection.recv()
            seen.append(event)
            if event.type in kinds:
                return seen


def names(events):
    return [event.type for event in events]


async def send_audio(connection, pcm):
    for start in range(0, len(pcm), 4800):
        await connection.input_audio_buffer.append(audio=base64.b64encode(pcm[start : start + 4800]).decode())


async def test_a_text_turn():
    async with talking() as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        assert names(await until(connection, "session.updated"))
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "npm ERR! code EACCES"}]}
        await connection.conversation.item.create(item=item)
        await connection.response.create()
        events = await until(connection, "response.done")
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert "npm" in text
    assert events[-1].response.status == "completed"
    assert events[-1].response.usage.output_tokens > 0
    assert names(events)[:2] == ["conversation.item.added", "conversation.item.done"]


async def test_a_hands_free_audio_turn():
    async with talking() as connection:
        await send_audio(connection, spoken_question())
        events = await until(connection, "response.done")
    kinds = names(events)
    order = [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "response.created",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.done",
    ]
    assert [kind for kind in order if kind in kinds] == order
    assert [kinds.index(kind) for kind in order] == sorted(kinds.index(kind) for kind in order)
    audio = b"".join(base64.b64decode(e.delta) for e in events if e.type == "response.output_audio.delta")
    assert len(audio) > 24_000
    said = next(e for e in events if e.type == "response.output_audio_transcript.done").transcript
    assert "lsof -i :3000" in said
    heard = next(e for e in events if e.type.endswith("input_audio_transcription.completed"))
    assert heard.transcript == "address already in use port 3000"


async def test_a_push_to_talk_turn():
    async with talking() as connection:
        session = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        await connection.session.update(session=session)
        await until(connection, "session.updated")
        await connection.input_audio_buffer.clear()
        await send_audio(connection, spoken_question())
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        events = await until(connection, "response.done")
    kinds = names(events)
    assert "input_audio_buffer.speech_started" not in kinds
    assert kinds.index("input_audio_buffer.committed") < kinds.index("response.created")
    assert events[-1].response.status == "completed"


class Endless:
    """Talks until it is stopped, and notes that it was."""

    def __init__(self):
        self.stopped = asyncio.Event()

    async def answer(self, question):
        try:
            while True:
                yield "And another thing, which is quite long. "
                await asyncio.sleep(0)
        finally:
            self.stopped.set()


async def test_cancel_in_the_middle_of_a_reply():
    brain = Endless()
    async with talking(brain=brain) as connection:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "tell me a story"}]}
        await connection.conversation.item.create(item=item)
        await connection.response.create()
        await until(connection, "response.output_audio.delta")
        await connection.response.cancel()
        events = await until(connection, "response.done")
        assert events[-1].response.status == "cancelled"
        assert events[-1].response.status_details.reason == "client_cancelled"
        await asyncio.wait_for(brain.stopped.wait(), 10)
        await connection.response.cancel()
        late = await until(connection, "error")
        assert names(late) == ["error"]
        assert late[-1].error.code == "response_cancel_not_active"


class Looking:
    """Looks twice, then tells what it was given."""

    async def answer(self, question):
        outputs = [turn.text for turn in question.history[len(question.history) - question.after :]]
        if question.tools and not question.after:
            yield "Let me see. "
            yield CallTool("look", '{"for": "a cat"}')
            yield CallTool("look", '{"for": "a dog"}')
        else:
            yield f"I saw {', '.join(text for text in outputs if 'see' not in text)}."


@pytest.mark.parametrize("modality", ["text", "audio"])
async def test_function_calls_and_their_outputs(modality):
    tool = {"type": "function", "name": "look", "description": "looks", "parameters": {"type": "object"}}
    async with talking(brain=Looking()) as connection:
        await connection.session.update(
            session={"type": "realtime", "output_modalities": [modality], "tools": [tool], "tool_choice": "auto"}
        )
        await until(connection, "session.updated")
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "what is there?"}]}
        await connection.conversation.item.create(item=item)
        await connection.response.create()
        events = await until(connection, "response.done")
        done = events[-1].response
        assert [item.type for item in done.output] == ["message", "function_call", "function_call"]
        deltas = [event for event in events if event.type == "response.function_call_arguments.delta"]
        ends = [event for event in events if event.type == "response.function_call_arguments.done"]
        assert [event.delta for event in deltas] == [event.arguments for event in ends]
        assert [(event.output_index, event.name) for event in ends] == [(1, "look"), (2, "look")]
        for call, seen in zip(ends, ("whiskers", "a tail"), strict=True):
            output = {"type": "function_call_output", "call_id": call.call_id, "output": seen}
            await connection.conversation.item.create(item=output)
        await connection.response.create()
        events = await until(connection, "response.done")
    words = "transcript" if modality == "audio" else "text"
    last = events[-1].response
    assert getattr(last.output[0].content[0], words).strip() == "I saw whiskers, a tail."
    assert names(events)[:4] == ["conversation.item.added", "conversation.item.done"] * 2
    assert last.status == "completed"


async def test_truncate_is_done_for_real():
    async with talking() as connection:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "jwt expired"}]}
        await connection.conversation.item.create(item=item)
        await connection.response.create()
        done = (await until(connection, "response.done"))[-1]
        item_id = done.response.output[0].id
        whole = done.response.output[0].content[0].transcript
        await connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=500)
        assert (await until(connection, "conversation.item.truncated", "error"))[-1].audio_end_ms == 500
        await connection.conversation.item.retrieve(item_id=item_id)
        kept = (await until(connection, "conversation.item.retrieved"))[-1].item.content[0].transcript
        assert whole.startswith(kept)
        assert len(kept) < len(whole)
        await connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=90_000)
        assert "already shorter" in (await until(connection, "error"))[-1].error.message


async def test_a_malformed_event_is_answered_and_the_session_lives():
    async with talking() as connection:
        await connection.send({"type": "no.such.event", "event_id": "mine"})
        error = (await until(connection, "error"))[-1].error
        assert (error.code, error.event_id, error.param) == ("invalid_value", "mine", "type")
        await connection.send({"type": "session.update", "session": {"type": "realtime", "colour": "blue"}})
        assert (await until(connection, "error"))[-1].error.code == "unknown_parameter"
        await connection.response.create(response={"output_modalities": ["text"]})
        assert (await until(connection, "response.done"))[-1].response.status == "completed"


async def test_a_wrong_key_is_told_and_the_socket_closed():
    async with running_engine() as (_, address):
        client = openai.AsyncOpenAI(api_key="wrong", base_url=f"http://127.0.0.1:{address.port}/v1")
        client.websocket_base_url = f"ws://127.0.0.1:{address.port}/v1"
        async with client.realtime.connect(model="gpt-realtime") as connection:
            first = await connection.recv()
            assert (first.type, first.error.code) == ("error", "invalid_api_key")
        await client.close()


@pytest.mark.speech
async def test_with_the_real_models_a_spoken_question_finds_its_fix(tmp_path):
    from mrblue_cli.engine.piper import PiperTts
    from mrblue_cli.engine.whisper import WhisperStt
    from tests.speech_models import cache_folder

    stt = WhisperStt(model=None, cache_folder=cache_folder())
    async with talking(stt=stt, tts=PiperTts(voice=None)) as connection:
        await send_audio(connection, spoken_question())
        events = await until(connection, "response.done")
    said = next(e for e in events if e.type == "response.output_audio_transcript.done").transcript
    assert "port already in use" in said


async def test_recognition_that_fails_is_told():
    async with talking(stt=FakeStt(RuntimeError("no memory"))) as connection:
        await send_audio(connection, spoken_question())
        events = await until(connection, "response.done")
    failed = next(e for e in events if e.type.endswith("input_audio_transcription.failed"))
    assert "no memory" in failed.error.message
