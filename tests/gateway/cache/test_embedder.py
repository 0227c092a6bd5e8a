"""Embedders: batches, threads, faults, an endpoint over a real socket, one scale for all."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.errors import MissingPart, ProviderError
from mrblue_cli.gateway.cache import embedder as module
from mrblue_cli.gateway.cache.embedder import (
    HEAD,
    TAIL,
    EndpointEmbedder,
    LocalEmbedder,
    Vectors,
    bundled,
    bundled_missing,
    clip,
    unit,
)
from mrblue_cli.gateway.cache.gauge import rescale, tightness, yardstick
from mrblue_cli.gateway.cache.guards import choose, judge
from mrblue_cli.gateway.model import HttpRequest
from tests.gateway.cache.guards import pairs


def letters(texts: Sequence[str]) -> Vectors:
    """A small honest model: counts of letters, 27 numbers."""
    rows = np.zeros((len(texts), 27), np.float32)
    for row, text in zip(rows, texts, strict=True):
        row[26] = 1.0
        for letter in text.lower():
            if "a" <= letter <= "z":
                row[ord(letter) - ord("a")] += 1.0
    return rows


class Recorder:
    """Encodes with `letters`; remembers batches and threads; can be held back."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[int] = set()
        self.loads = 0
        self.may_go = threading.Event()
        self.may_go.set()
        self.started = threading.Event()

    def load(self) -> module.Encode:
        self.loads += 1
        return self.encode

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.started.set()
        assert self.may_go.wait(10)
        self.batches.append(list(texts))
        self.threads.add(threading.get_ident())
        return letters(texts)


async def test_rows_have_length_one_and_come_back_in_order() -> None:
    recorder = Recorder()
    local = LocalEmbedder("letters", 27, recorder.load)
    assert recorder.loads == 0
    found = await local.embed(["abc", "xyz"])
    assert found.shape == (2, 27)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 1])
    assert found[0, 0] > 0 == found[1, 0]
    assert recorder.threads.isdisjoint({threading.get_ident()})
    await local.close()


async def test_no_text_needs_no_model() -> None:
    recorder = Recorder()
    local = LocalEmbedder("letters", 27, recorder.load)
    assert (await local.embed([])).shape == (0, 27)
    assert recorder.loads == 0
    await local.close()


async def test_calls_that_wait_together_go_as_one_batch() -> None:
    recorder = Recorder()
    recorder.may_go.clear()
    local = LocalEmbedder("letters", 27, recorder.load)
    first = asyncio.create_task(local.embed(["a"]))
    await asyncio.to_thread(recorder.started.wait, 10)
    others = [asyncio.create_task(local.embed([letter, letter * 2])) for letter in "bcd"]
    await asyncio.sleep(0)
    recorder.may_go.set()
    found = await asyncio.gather(first, *others)
    assert recorder.batches == [["a"], ["b", "bb", "c", "cc", "d", "dd"]]
    assert [rows.shape[0] for rows in found] == [1, 2, 2, 2]
    assert found[3][0, 3] > 0
    assert recorder.loads == 1
    await local.close()


async def test_a_batch_has_a_limit() -> None:
    recorder = Recorder()
    recorder.may_go.clear()
    local = LocalEmbedder("letters", 27, recorder.load)
    tasks = [asyncio.create_task(local.embed([str(number)] * 20)) for number in range(3)]
    await asyncio.sleep(0)
    recorder.may_go.set()
    await asyncio.gather(*tasks)
    assert max(map(len, recorder.batches)) <= 32
    await local.close()


async def test_who_gives_up_waiting_does_not_disturb_the_others() -> None:
    recorder = Recorder()
    recorder.may_go.clear()
    local = LocalEmbedder("letters", 27, recorder.load)
    first = asyncio.create_task(local.embed(["a"]))
    await asyncio.to_thread(recorder.started.wait, 10)
    second, third = asyncio.create_task(local.embed(["b"])), asyncio.create_task(local.embed(["c"]))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    await asyncio.sleep(0)
    recorder.may_go.set()
    assert (await third).shape == (1, 27)
    assert ["b"] not in recorder.batches
    await local.close()


async def test_a_model_that_does_not_load_is_a_missing_part_each_time() -> None:
    def load() -> module.Encode:
        raise OSError("/secret/path/engine.so: cannot open")

    local = LocalEmbedder("broken", 27, load)
    for _ in range(2):
        with pytest.raises(MissingPart) as caught:
            await local.embed(["a"])
        assert "secret" not in caught.value.what
        assert caught.value.hint
    await local.close()


async def test_numbers_that_are_not_finite_never_get_out() -> None:
    local = LocalEmbedder("nan", 2, lambda: lambda texts: np.full((len(texts), 2), np.nan, np.float32))
    with pytest.raises(MissingPart):
        await local.embed(["a"])
    await local.close()


def test_zero_rows_stay_zero() -> None:
    assert unit(np.zeros((1, 3))).tolist() == [[0, 0, 0]]


@given(st.text(max_size=2000))
def test_clipped_texts_are_short_and_safe_for_c(text: str) -> None:
    clipped = clip(text)
    assert len(clipped) <= HEAD + TAIL + 1
    assert "\0" not in clipped
    clipped.encode()
    if len(text) > HEAD + TAIL and text.isascii() and "\0" not in text:
        assert clipped.startswith(text[:HEAD])
        assert clipped.endswith(text[-TAIL:])


class Endpoint:
    """An OpenAI-compatible embeddings endpoint on a real socket."""

    def __init__(self) -> None:
        self.requests: list[dict[str, object]] = []
        self.authorization: list[str | None] = []
        self.status = 200
        self.raw: bytes | None = None

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        self.authorization.append(request.headers.get("authorization"))
        if self.raw is not None or self.status != 200:
            return web.Response(status=self.status, body=self.raw or b"")
        rows = [
            {"object": "embedding", "index": number, "embedding": row.tolist()}
            for number, row in enumerate(letters(body["input"]))
        ]
        return web.Response(
            body=json.dumps({"object": "list", "data": rows[::-1], "model": "letters"}).encode(),
            content_type="application/json",
        )


@asynccontextmanager
async def served(endpoint: Endpoint) -> AsyncIterator[tuple[str, module.Fetch]]:
    """Base address of the endpoint, and a way to ask it."""
    app = web.Application()
    app.router.add_post("/v1/embeddings", endpoint.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:

        async def fetch(request: HttpRequest) -> tuple[int, bytes]:
            async with session.post(request.url, data=request.body, headers=request.headers) as answer:
                return answer.status, await answer.read()

        yield f"http://127.0.0.1:{port}/v1", fetch
    await runner.cleanup()


async def test_an_endpoint_is_measured_once_then_asked() -> None:
    endpoint = Endpoint()
    async with served(endpoint) as (url, fetch):
        remote = EndpointEmbedder(url, "letters", fetch, api_key="k-1")
        assert remote.dimensions == 0
        found = await asyncio.gather(remote.embed(["abc", "xyz"]), remote.embed(["abc"]))
        assert remote.dimensions == 28
        assert found[0].shape == (2, 28)
        assert np.linalg.norm(found[0], axis=1) == pytest.approx([1, 1])
        assert found[0][0] == pytest.approx(found[1][0])
    assert [request["input"] for request in endpoint.requests].count(list(yardstick())) == 1
    assert endpoint.requests[-1]["model"] == "letters"
    assert set(endpoint.authorization) == {"Bearer k-1"}
    assert "k-1" not in repr(remote)
    assert "k-1" not in remote.name


async def test_the_full_address_is_taken_as_it_is() -> None:
    endpoint = Endpoint()
    async with served(endpoint) as (url, fetch):
        assert (await EndpointEmbedder(f"{url}/embeddings/", "", fetch).embed(["a"])).shape == (1, 28)
    assert "model" not in endpoint.requests[0]


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (500, b"boom"),
        (200, b"not json"),
        (200, b"{}"),
        (200, b'{"data": []}'),
        (200, b'{"data": [{"index": 0, "embedding": ["x"]}]}'),
        (200, b'{"data": [{"index": 0, "embedding": []}]}'),
        (200, b'{"data": [{"embedding": [1, 2]}, {"embedding": [1]}]}'),
    ],
)
async def test_a_bad_endpoint_is_a_provider_error(status: int, raw: bytes) -> None:
    endpoint = Endpoint()
    endpoint.status, endpoint.raw = status, raw
    async with served(endpoint) as (url, fetch):
        remote = EndpointEmbedder(url, "m", fetch, api_key="k-1")
        with pytest.raises(ProviderError) as caught:
            await remote.embed(["a"])
        assert "k-1" not in f"{caught.value.what} {caught.value.hint}"
        endpoint.status, endpoint.raw = 200, None
        assert (await remote.embed(["a"])).shape == (1, 28)


def test_a_name_shows_no_password() -> None:
    async def fetch(_: HttpRequest) -> tuple[int, bytes]:
        return 200, b""

    remote = EndpointEmbedder("http://me:pw@host:1/v1/embeddings", "m", fetch)
    assert remote.name == "m@host:1/v1/embeddings"


@given(st.floats(0.01, 1.0), st.lists(st.lists(st.floats(-1, 1), min_size=4, max_size=4), min_size=2, max_size=5))
def test_rescaled_vectors_keep_length_and_stretch_the_distance_from_one(factor: float, rows: list[list[float]]) -> None:
    vectors = unit(np.array(rows) + 1.5)
    scaled = rescale(vectors, factor)
    assert np.linalg.norm(scaled, axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
    assert 1 - float(scaled[0] @ scaled[1]) == pytest.approx(factor * (1 - float(vectors[0] @ vectors[1])), abs=1e-5)


def test_a_model_that_spreads_wider_is_drawn_together() -> None:
    vectors = unit(letters(yardstick()))
    factor = tightness(vectors)
    assert 0.01 <= factor <= 1.0
    wide = vectors.copy()
    wide[:, 26] = 0
    assert tightness(unit(wide)) <= factor


@pytest.fixture(scope="module")
def missing() -> MissingPart | None:
    return bundled_missing()


async def test_the_bundled_model(missing: MissingPart | None) -> None:
    """One test with the real thing: shape, the yardstick's figures, likeness, and rewrites served end to end."""
    if missing is not None:
        pytest.skip(missing.what)
    local = bundled()
    found = await local.embed(list(yardstick()))
    assert found.shape == (len(yardstick()), local.dimensions)
    assert tightness(found) == pytest.approx(1.0, abs=0.03)
    texts = [text for pair in pairs.SAME for text in pair]
    vectors = await local.embed(texts)
    for number, (one, other) in enumerate(pairs.SAME):
        cosine = float(vectors[2 * number] @ vectors[2 * number + 1])
        assert judge(one, other, cosine, 0.95).allow, (one, other, cosine)
        assert choose(other, [(one, cosine)], 0.95).place == 0
    same, cut = await local.embed(["a question", "a question\0"])
    assert float(same @ cut) > 0.9
    await local.close()
