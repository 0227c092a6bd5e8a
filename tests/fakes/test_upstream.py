"""The fault-injecting upstream does what its scripts say; else the proof of the gateway would prove nothing."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.fakes import upstream_behaviours as does
from tests.fakes.upstream import Said, Upstream
from tests.fakes.upstream_wires import text
from tests.gateway.asking import ask, question

BROKEN = (does.cut(), does.cut(how="reset"))


@pytest.fixture
async def client():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


def chat(upstream):
    return f"{upstream.url}/chat/completions"


async def test_it_answers_plain_and_streamed_over_one_connection(client):
    async with Upstream(does.answer(60)) as upstream:
        plain = await ask(client, chat(upstream), question())
        streamed = await ask(client, chat(upstream), question(stream=True))
        with_usage = await ask(client, chat(upstream), question(stream=True, stream_options={"include_usage": True}))
    assert plain.text == streamed.text == text(60)
    assert plain.json["usage"] == with_usage.events[-2]["usage"]
    assert not any("usage" in event for event in streamed.events[:-1])
    assert streamed.done
    assert streamed.finish == plain.finish == "stop"
    assert upstream.reported == [Said(12, 60)] * 2
    assert upstream.connections == 1
    assert [asked.path for asked in upstream.calls] == ["/v1/chat/completions"] * 3


async def test_a_script_is_played_in_order_and_its_last_line_stays(client):
    async with Upstream([does.failing(500), does.rate_limited(2), does.rate_limited(0.25), does.answer(3)]) as upstream:
        heard = [await ask(client, chat(upstream), question()) for _ in range(5)]
    assert [one.status for one in heard] == [500, 429, 429, 200, 200]
    assert heard[1].headers["retry-after"] == "2"
    assert heard[2].headers["retry-after-ms"] == "250"
    assert heard[1].error["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize("how", BROKEN, ids=["close", "reset"])
async def test_a_cut_stream_breaks_under_the_reader_after_forty_tokens(client, how):
    async with Upstream(how) as upstream:
        heard = await ask(client, chat(upstream), question(stream=True))
        plain = await ask(client, chat(upstream), question())
    # A reset takes along what the reader has not fetched yet.
    assert heard.text == text(40) if how is BROKEN[0] else text(40).startswith(heard.text)
    assert heard.broken
    assert not heard.done
    assert heard.finish is None
    assert plain.broken
    assert upstream.reported == []


async def test_a_reset_comes_instead_of_an_answer(client):
    async with Upstream(does.reset()) as upstream:
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask(client, chat(upstream), question())
    assert upstream.count == 1


@pytest.mark.parametrize(
    ("behaviour", "stream", "begins"),
    [
        (does.silence(), False, b""),
        (does.silence(), True, b""),
        (does.slow_first_token(), False, b""),
        (does.slow_first_token(), True, b"role"),
        (does.stall(), True, b"w19"),
        (does.stall(), False, b"w1"),
    ],
)
async def test_those_who_stay_silent_stay_until_the_caller_leaves(client, behaviour, stream, begins):
    got = bytearray()
    async with Upstream(behaviour) as upstream:

        async def listen():
            async with client.post(chat(upstream), json=question(stream=stream)) as answer:
                async for part in answer.content.iter_any():
                    got.extend(part)

        listening = asyncio.create_task(listen())
        async with asyncio.timeout(5):
            while not upstream.waiting or begins not in got:
                await asyncio.sleep(0)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        async with asyncio.timeout(5):
            while upstream.waiting:
                await asyncio.sleep(0)
    assert b"finish_reason" not in got or b'"stop"' not in got


async def test_a_broken_chunk_is_the_only_event_that_is_no_json(client):
    async with Upstream(does.broken_chunk(20, 60)) as upstream:
        said = (await ask(client, chat(upstream), question(stream=True))).body
    events = [line for line in said.split(b"\n\n") if line]
    bad = [one for one in events if not one.endswith((b"}", b"[DONE]"))]
    assert len(bad) == 1
    assert b" w59" in bad[0]
    assert events[-1] == b"data: [DONE]"


async def test_a_stream_without_an_end_marker_ends_cleanly_in_http(client):
    async with Upstream(does.no_end()) as upstream:
        heard = await ask(client, chat(upstream), question(stream=True))
    assert (heard.text, heard.broken, heard.done, heard.finish) == (text(60), "", False, None)


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [(does.context_too_long(), "context_length_exceeded"), (does.content_filter(), "content_filter")],
)
async def test_refusals_carry_their_code(client, behaviour, code):
    async with Upstream(behaviour) as upstream:
        heard = await ask(client, chat(upstream), question())
    assert (heard.status, heard.error["code"]) == (400, code)


@pytest.mark.parametrize("path", ["chat/completions", "messages"])
@pytest.mark.parametrize("begun", ["w0", "w0 w1 w2", "w0 w1 w2 w"])
async def test_a_prefill_is_continued_exactly(client, path, begun):
    body = question(stream=True)
    body["messages"].append({"role": "assistant", "content": begun})
    async with Upstream(does.answer(60, prefill="continue")) as upstream:
        heard = await ask(client, f"{upstream.url}/{path}", body)
    deltas = [event.get("delta", {}).get("text", "") for event in heard.events if event != "[DONE]"]
    assert begun + (heard.text if path.startswith("chat") else "".join(deltas)) == text(60)


@pytest.mark.parametrize(("begun", "manner"), [("w0", "reject"), ("w0 ", "continue"), ("something else", "continue")])
async def test_a_prefill_may_be_refused(client, begun, manner):
    body = question()
    body["messages"].append({"role": "assistant", "content": begun})
    async with Upstream(does.answer(60, prefill=manner)) as upstream:
        heard = await ask(client, chat(upstream), body)
    assert heard.status == 400
    assert "prefill" in heard.error["message"]


async def test_an_outage_ends_when_it_is_told_to(client):
    outage = does.Outage(does.answer(3), does.failing(503))
    async with Upstream(outage) as upstream:
        dead = await ask(client, chat(upstream), question())
        outage.down = False
        alive = await ask(client, chat(upstream), question())
    assert (dead.status, alive.status) == (503, 200)


async def test_the_other_endpoints_answer_in_their_shapes(client):
    script = {"embeddings": does.embeddings(), "speech": does.speech(), "transcriptions": does.transcription()}
    async with Upstream(choose=lambda asked: script[asked.path.rpartition("/")[2]]) as upstream:
        vectors = await ask(client, f"{upstream.url}/embeddings", {"model": "e", "input": ["a b", "c"]})
        sound = await ask(client, f"{upstream.url}/audio/speech", {"model": "s", "input": "hi", "voice": "x"})
        form = aiohttp.FormData({"model": "whisper-1"})
        form.add_field("file", b"RIFF", filename="a.wav")
        async with client.post(f"{upstream.url}/audio/transcriptions", data=form) as answer:
            heard = await answer.json()
    assert [len(row["embedding"]) for row in vectors.json["data"]] == [8, 8]
    assert vectors.json["usage"]["total_tokens"] == 3
    assert (sound.body, sound.headers["content-type"]) == (b"ID3 sound", "audio/mpeg")
    assert heard["text"] == "port already in use"
    assert b"RIFF" in upstream.calls[-1].body


async def test_a_fake_that_fails_says_so():
    async def broken(exchange):
        raise RuntimeError("the fake is wrong")

    async def run():
        async with Upstream(broken) as upstream, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectionError):
                await ask(session, chat(upstream), question())

    with pytest.raises(RuntimeError, match="the fake is wrong"):
        await run()
