"""Speech as single requests over real sockets, and each way in which such a service fails."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.errors import AuthError, ConnectError, ProviderError, RemoteError
from mrblue_cli.engine.health import Health
from mrblue_cli.engine.options import RemoteSpeechOptions
from mrblue_cli.engine.remote import RemoteSpeech, is_worth_sending
from tests.fakes.speech_service import KEY, PCM, running_service

SPEECH = (np.random.default_rng(1).normal(0, 0.1, 32_000)).astype(np.float32)


@asynccontextmanager
async def speaking(**faults):
    """Yields (service, speech)."""
    async with running_service() as service:
        service.faults.update(faults)
        options = RemoteSpeechOptions(
            "ears-1", "voice-1", "marin", service.url, KEY, connect_seconds=1, answer_seconds=0.5
        )
        speech = RemoteSpeech(options)
        try:
            yield service, speech
        finally:
            await speech.close()
            await speech.close()


async def said(speech, text="Hello there."):
    return [pcm async for pcm in speech.say(text, 1.0)]


async def test_a_turn_is_one_upload_with_its_language_and_words():
    async with speaking() as (service, speech):
        heard = await speech.hear(SPEECH, "npm, docker", "es")
    (form,) = service.of("transcriptions")
    assert (form["model"], form["language"], form["prompt"]) == ("ears-1", "es", "npm, docker")
    assert (form["file"].rate, len(form["file"].samples)) == (16_000, 32_000)
    assert np.allclose(form["file"].samples, SPEECH, atol=1e-3)
    assert heard.text == "what is the capital of France"
    assert heard.usage == {"type": "duration", "seconds": 2.0, "models": [{"model": "ears-1", "seconds": 2.0}]}


@pytest.mark.parametrize(
    "usage",
    [
        {"type": "tokens", "input_tokens": 20, "output_tokens": 5, "total_tokens": 25},
        {"type": "tokens", "input_tokens": -3, "output_tokens": "many", "total_tokens": None},
        "free",
        None,
    ],
)
async def test_usage_is_taken_as_far_as_it_can_be_true(usage):
    async with speaking() as (service, speech):
        service.usage = usage
        heard = await speech.hear(SPEECH, "", "")
    assert "language" not in service.of("transcriptions")[0]
    told = isinstance(usage, dict) and usage["input_tokens"] == 20
    assert heard.usage["type"] == ("tokens" if told else "duration")
    assert heard.usage["models"][0]["model"] == "ears-1"


@pytest.mark.parametrize(
    "clip", [SPEECH[: 16_000 * 29 // 100], SPEECH[:0], np.zeros(32_000, np.float32), SPEECH * 0.001]
)
async def test_short_and_quiet_clips_never_leave_the_machine(clip):
    assert not is_worth_sending(clip)
    async with speaking() as (service, speech):
        heard = await speech.hear(clip, "", "en")
    assert heard.no_speech
    assert service.requests == []


async def test_a_clause_streams_in_whole_samples():
    async with speaking() as (service, speech):
        service.slow = 0.05
        pieces = await said(speech)
    assert b"".join(pieces) == PCM
    assert len(pieces) > 1
    assert all(len(piece) % 2 == 0 for piece in pieces)
    (asked,) = service.of("speech")
    assert asked == {
        "model": "voice-1", "voice": "marin", "input": "Hello there.", "response_format": "pcm", "speed": 1.0
    }  # fmt: skip


async def test_a_cancelled_clause_ends_its_request():
    async with speaking() as (service, speech):
        service.slow = 30
        job = asyncio.ensure_future(said(speech))
        while not service.of("speech"):
            await asyncio.sleep(0.01)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        async with asyncio.timeout(5):
            while not service.broken_off:
                await asyncio.sleep(0.01)


async def test_a_clause_that_nobody_wants_any_more_ends_its_request():
    async with speaking() as (service, speech):
        service.slow = 30
        clause = speech.say("Hello there.", 1.0)
        await anext(clause)
        await clause.aclose()
        async with asyncio.timeout(5):
            while not service.broken_off:
                await asyncio.sleep(0.01)


FAULTS = [
    (401, AuthError, "auth", 1),
    (403, AuthError, "auth", 1),
    (404, ProviderError, "not_found", 1),
    (429, ProviderError, "rate_limit_exceeded", 1),
    ("quota", ProviderError, "insufficient_quota", 1),
    (500, ProviderError, "server_error", 2),
    (400, ProviderError, "refused", 1),
    ("stall", ConnectError, "connect", 1),
]


@pytest.mark.parametrize(("fault", "kind", "code", "tries"), FAULTS)
@pytest.mark.parametrize("route", ["transcriptions", "speech"])
async def test_every_refusal_is_an_error_of_ours_without_the_key(route, fault, kind, code, tries):
    async with speaking(**{route: [fault]}) as (service, speech):
        with pytest.raises(RemoteError) as caught:
            await (said(speech) if route == "speech" else speech.hear(SPEECH, "", "en"))
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert KEY not in f"{caught.value.what} {caught.value.hint}"
    assert len(service.of(route)) == tries


@pytest.mark.parametrize("route", ["transcriptions", "speech"])
async def test_one_fault_of_a_server_is_tried_over(route):
    async with speaking(**{route: [503, None]}) as (service, speech):
        if route == "speech":
            assert b"".join(await said(speech)) == PCM
        else:
            assert (await speech.hear(SPEECH, "", "en")).text
    assert len(service.of(route)) == 2


async def failing(pieces, got):
    """Takes what comes until it fails; returns the error."""
    try:
        async for piece in pieces:
            got.append(piece)
    except RemoteError as error:
        return error
    raise AssertionError("it did not fail")


async def test_sound_that_breaks_off_is_told_after_what_came():
    got = []
    async with speaking(speech=["cut"]) as (_, speech):
        caught = await failing(speech.say("Hello there.", 1.0), got)
    assert caught.code == "cut"
    assert PCM.startswith(b"".join(got))


async def test_a_file_instead_of_samples_is_not_played():
    async with speaking(speech=["riff"]) as (_, speech):
        with pytest.raises(ProviderError, match="audio format"):
            await said(speech)


async def test_a_page_instead_of_a_transcript_is_an_error():
    async with speaking(transcriptions=["html"]) as (_, speech):
        with pytest.raises(ProviderError) as caught:
            await speech.hear(SPEECH, "", "en")
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize(("fault", "kind"), [(401, AuthError), (500, ProviderError), ("stall", ConnectError)])
async def test_a_service_that_cannot_serve_is_found_at_the_door(fault, kind):
    async with speaking(models=[fault]) as (_, speech):
        with pytest.raises(kind):
            await speech.warm()


@pytest.mark.parametrize("fault", [None, 404, 405, 429, "html"])
async def test_a_service_without_a_list_of_models_is_good_enough(fault):
    async with speaking(models=[fault]) as (service, speech):
        await speech.warm()
    assert service.of("models")[0]["Authorization"] == f"Bearer {KEY}"


async def test_nobody_at_the_address():
    async with running_service() as service:
        url = service.url
    speech = RemoteSpeech(RemoteSpeechOptions("e", "v", "marin", url, KEY, connect_seconds=1))
    for call in (speech.warm(), speech.hear(SPEECH, "", "en"), said(speech)):
        with pytest.raises(ConnectError):
            await call
    await speech.close()


ERRORS = st.sampled_from(
    [
        ConnectError("x"),
        AuthError("x"),
        ProviderError("x", code="rate_limit_exceeded"),
        ProviderError("x", code="insufficient_quota"),
        ProviderError("x", code="cut"),
        ProviderError("x", code="refused"),
        None,
    ]
)


@given(st.lists(ERRORS, max_size=20))
def test_one_accident_is_forgiven_two_in_a_row_are_not(happened):
    health = Health()
    odd = 0
    for error in happened:
        if error is None:
            health.succeeded()
            odd = 0
            continue
        gone = health.failed(error)
        odd += 1
        accident = isinstance(error, ProviderError) and error.code in {"cut", "refused"}
        assert (gone is None) == (accident and odd < 2)
        if gone is not None:
            assert not gone.retryable
            odd = 0
