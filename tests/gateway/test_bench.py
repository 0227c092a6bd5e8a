"""What `bench.gateway` measures with must itself be right: mock, bare hop, load generator, whom it refuses to start."""

from __future__ import annotations

import asyncio
import stat
from collections import Counter

import pytest
from openai import AsyncOpenAI

from bench import gateway_contestants as contestants
from bench.bare_hop import Hop
from bench.gateway import Samples, body, unique
from bench.gateway_texts import SEMANTIC_PAIRS
from bench.http_load import LoadError, load, request
from bench.mock_upstream import TOKENS, WORDS, Mock
from tests.gateway.serving import serving


@pytest.fixture
async def mock():
    """The mock upstream in this loop."""
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    server.close()
    await server.wait_closed()


@pytest.fixture
async def hop(mock):
    """The bare hop before it."""
    application = Hop(mock)
    async with serving(application) as address:
        yield f"{address}/v1"
        await application.close()


@pytest.fixture(params=["mock", "hop"])
def door(request, mock, hop):
    return {"mock": mock, "hop": hop}[request.param]


async def test_the_stock_client_takes_its_answers(door):
    async with AsyncOpenAI(base_url=door, api_key="sk-x", max_retries=0) as client:
        ask = {"model": "mock", "messages": [{"role": "user", "content": "hi"}]}
        plain = await client.chat.completions.create(**ask)
        stream = await client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True})
        chunks = [chunk async for chunk in stream]
    assert plain.choices[0].message.content == "".join(WORDS)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "".join(WORDS)
    assert plain.usage == chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == TOKENS


@pytest.mark.parametrize("connections", [1, 8])
@pytest.mark.parametrize("model", ["mock", "mock-paced"])
@pytest.mark.parametrize("stream", [False, True])
async def test_the_load_generator_sees_every_answer(door, connections, model, stream):
    run = await load(door, unique(door, 24, stream=stream, model=model), connections)
    assert len(run.answers) == 24
    assert run.bad == 0
    assert all(0 < one.first_token <= one.total <= run.seconds for one in run.answers)
    assert run.rate > 0


async def test_a_paced_stream_ends_well_after_its_first_token(mock):
    run = await load(mock, unique(mock, 2, stream=True, model="mock-paced"), 1)
    assert all(one.total - one.first_token > 0.002 * (TOKENS - 1) * 0.9 for one in run.answers)


async def test_answers_that_are_no_200_are_counted():
    async def sorry(reader, writer):
        for _ in range(2):
            await reader.readuntil(b"}")
            writer.write(b"HTTP/1.1 503 Sorry\r\nContent-Length: 2\r\n\r\nno")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(sorry, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        run = await load(url, [request(url, b"{}")] * 2, 1)
        await asyncio.sleep(0)
    assert (run.bad, [one.status for one in run.answers]) == (2, [503, 503])


async def test_a_connection_that_ends_under_a_request_is_an_error():
    async def gone(reader, writer):
        await reader.readuntil(b"}")
        writer.close()

    async with await asyncio.start_server(gone, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        with pytest.raises(LoadError):
            await load(url, [request(url, b"{}")], 1)


def test_no_two_requests_of_the_comparison_are_alike():
    made = unique("http://127.0.0.1:1/v1", 50) + unique("http://127.0.0.1:1/v1", 50, stream=True)
    assert len(set(made)) == 100
    assert b"mock-paced" in body("x", model="mock-paced")


def test_no_text_of_the_semantic_rows_could_hit_exactly():
    texts = Counter(text for pair in SEMANTIC_PAIRS for text in pair)
    assert max(texts.values()) == 1
    assert len(SEMANTIC_PAIRS) >= 50


def test_samples_are_kept_apart_by_contestant_and_kind():
    samples = Samples()
    samples.times["a", "x"] += [1.0, 3.0, 2.0]
    samples.times["b", "x"] += [9.0]
    assert samples.p50("a", "x") == 2.0
    assert samples.said("a", "x") == "2.00 / 3.00 / 3.00 ms"


def interpreter(folder, version):
    """A stand-in for the Python of an environment with that release of LiteLLM."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\necho {version}\n" if version else "#!/bin/sh\nexit 1\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8"])
def test_the_tampered_releases_are_refused_by_name(tmp_path, version):
    with pytest.raises(contestants.ContestantError, match=version):
        contestants.litellm(interpreter(tmp_path, version), "http://127.0.0.1:1/v1", tmp_path)
    assert not (tmp_path / "litellm.yaml").exists()


def test_other_releases_are_named_and_an_absent_one_is_explained(tmp_path):
    assert contestants.litellm_version(interpreter(tmp_path, "1.82.9")) == "1.82.9"
    with pytest.raises(contestants.ContestantError, match="has no LiteLLM"):
        contestants.litellm_version(interpreter(tmp_path, ""))


def test_a_contestant_that_ends_before_it_is_ready_shows_its_last_words(tmp_path):
    with pytest.raises(contestants.ContestantError, match="bare"):
        contestants.bare_hop("--no-such-option", tmp_path)


def test_a_contestant_is_timed_weighed_and_stopped(tmp_path):
    process = contestants.mock(tmp_path)
    try:
        assert process.url.startswith("http://127.0.0.1:")
        assert 0 < process.ready_seconds < contestants.LONGEST_START
        assert 1 < process.memory() < 1000
    finally:
        process.stop()
    assert process.child.returncode is not None
    assert process.memory() == 0
