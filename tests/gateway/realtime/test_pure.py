"""Handshake, addresses, faults and usage: tables without a socket."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Target, Usage
from mrblue_cli.gateway.realtime.address import RealtimeRoute, upstream_address
from mrblue_cli.gateway.realtime.faults import (
    all_failed,
    close_code,
    close_of,
    error_event,
    fault_of_close,
    fault_of_error,
    fault_of_status,
)
from mrblue_cli.gateway.realtime.handshake import Ask, read_ask, token_of
from mrblue_cli.gateway.realtime.pipe import Pipe
from mrblue_cli.gateway.realtime.usage import Bill, Meter, usage_of_response, usage_of_transcription
from mrblue_cli.protocol.notices import Dialect
from tests.protocol.json_values import JSON

TOKENS = [
    ({"authorization": "Bearer a"}, [], {}, "a"),
    ({"authorization": "bearer  a "}, [], {}, "a"),
    ({"authorization": "Basic a", "api-key": "b"}, [], {}, "b"),
    ({"authorization": "Bearer ", "api-key": "b"}, [], {"api-key": "c"}, "b"),
    ({}, ["realtime", "openai-insecure-api-key.d"], {}, "d"),
    ({}, ["realtime"], {"api-key": "c"}, "c"),
    ({}, [], {}, ""),
]


@pytest.mark.parametrize(("headers", "subprotocols", "query", "token"), TOKENS)
def test_keys_are_found_where_clients_put_them(headers, subprotocols, query, token):
    assert token_of(headers, subprotocols, query) == token


def test_what_a_handshake_asks_for():
    query = {"deployment": "d", "intent": "transcription", "call_id": "rtc_1"}
    ask = read_ask({"openai-safety-identifier": "u"}, ["realtime"], query)
    assert ask == Ask(model="d", intent="transcription", call_id="rtc_1", subprotocol="realtime", safety_identifier="u")
    assert read_ask({}, ["openai-insecure-api-key.secret"], {}).subprotocol is None
    assert "secret" not in repr(read_ask({}, ["openai-insecure-api-key.secret"], {"api-key": "secret"}))
    assert read_ask({"openai-beta": "realtime=v1"}, [], {"dialect": "ga"}).dialect is Dialect.GA
    assert read_ask({}, [], {"deployment": "d", "api-version": "v1"}).dialect is Dialect.GA
    assert len(read_ask({}, [], {"model": "m" * 9999}).model) == 256


def address(url, ask=None, *, endpoint=False, model="m", key="sk", headers=(), **options):
    target = Target(
        provider="p", model=model, url=url, endpoint=endpoint, api_key=key, headers=headers,
        options=tuple(options.items()),
    )  # fmt: skip
    found, sent = upstream_address(RealtimeRoute(target=target), ask or Ask())
    return found, dict(sent)


AZURE = "https://res.openai.azure.com"
ADDRESSES = [
    ("https://api.openai.com/v1", {}, {}, "wss://api.openai.com/v1/realtime?model=m"),
    ("wss://api.openai.com/v1/realtime", {"endpoint": True}, {}, "wss://api.openai.com/v1/realtime?model=m"),
    ("wss://h/v1/realtime?model=x", {"endpoint": True}, {}, "wss://h/v1/realtime?model=x"),
    ("http://localhost:8000/v1/", {}, {}, "ws://localhost:8000/v1/realtime?model=m"),
    ("https://h/v1", {}, {"intent": "transcription"}, "wss://h/v1/realtime?intent=transcription"),
    ("https://h/v1", {}, {"call_id": "rtc_1"}, "wss://h/v1/realtime?call_id=rtc_1"),
    ("https://h/v1", {"model": "a b&c=d"}, {}, "wss://h/v1/realtime?model=a+b%26c%3Dd"),
    (AZURE, {}, {}, "wss://res.openai.azure.com/openai/v1/realtime?model=m"),
    (f"{AZURE}/openai/v1", {"api_version": "2024-10-21"}, {}, "wss://res.openai.azure.com/openai/v1/realtime?model=m"),
    (
        AZURE,
        {"dialect": "beta"},
        {},
        "wss://res.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=m",
    ),
    (
        f"{AZURE}/openai/v1/realtime?api-version=1",
        {"endpoint": True},
        {},
        "wss://res.openai.azure.com/openai/v1/realtime?model=m",
    ),
]


@pytest.mark.parametrize(("url", "options", "ask", "expected"), ADDRESSES)
def test_addresses(url, options, ask, expected):
    assert address(url, Ask(**ask), **options)[0] == expected


@pytest.mark.parametrize("url", ["", "ftp://h/x", "https://", "https://[bad", "not an address"])
def test_no_address_is_a_fault_of_the_route(url):
    with pytest.raises(CallError) as caught:
        address(url)
    assert caught.value.fault.kind is FaultKind.UNSUPPORTED


def test_each_provider_gets_its_own_key_in_its_own_way():
    assert address("https://h/v1", headers=(("X-A", "b"),))[1] == {"Authorization": "Bearer sk", "X-A": "b"}
    assert address(AZURE)[1] == {"api-key": "sk"}
    assert address("ws://h/v1", key="")[1] == {}
    assert address("ws://h/v1", Ask(safety_identifier="u"))[1]["OpenAI-Safety-Identifier"] == "u"
    assert address("ws://h/v1", dialect="beta")[1]["OpenAI-Beta"] == "realtime=v1"


def test_openai_is_never_asked_for_beta():
    assert "OpenAI-Beta" not in address("https://api.openai.com/v1", dialect="beta")[1]


@given(JSON)
def test_any_error_before_the_session_is_a_fault_in_our_own_words(error):
    fault = fault_of_error("p", error)
    assert fault.message.startswith("p ")
    json.loads(error_event(fault, "e"))


def test_faults_of_the_way_there():
    assert fault_of_error("p", {"code": "insufficient_quota", "message": "sk-x"}).kind is FaultKind.QUOTA
    assert fault_of_close("p", 3000, "").kind is FaultKind.AUTH
    assert fault_of_close("p", 1006, "").kind is FaultKind.CONNECT
    assert fault_of_status("p", 429, 3.0).retry_after == 3.0
    assert fault_of_status("p", 500).kind is FaultKind.SERVER
    assert all_failed([]).kind is FaultKind.NOT_FOUND


def test_our_own_troubles_with_a_provider_are_not_the_clients():
    told = all_failed([fault_of_status("a", 401), fault_of_status("b", 403)])
    assert told.kind is FaultKind.SERVER
    assert "a refused the gateway's key; b refused" in told.message
    assert close_of(told)[0] == 1011
    own = Fault(kind=FaultKind.BAD_REQUEST, message="no")
    assert all_failed([own, fault_of_status("a", 503)]) is own


@given(st.integers(0, 5000))
def test_only_legal_close_codes_are_sent(code):
    passed = close_code(code)
    assert passed in {1000, 1001, 1002, 1003} or 1007 <= passed <= 1014 or 3000 <= passed <= 4999
    assert close_code(passed) == passed


FULL = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "image_tokens": 2,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}


def test_the_usage_of_a_reply():
    assert usage_of_response(FULL) == Usage(
        input_tokens=132, output_tokens=121, cached_input_tokens=64, audio_input_tokens=13,
        cached_audio_input_tokens=4, image_input_tokens=2, audio_output_tokens=91,
    )  # fmt: skip
    beta = {**FULL, "input_token_details": {"text_tokens": 50, "audio_tokens": 82, "cached_tokens": 64}}
    assert usage_of_response(beta).cached_audio_input_tokens == 14  # text is cached first


def test_the_usage_of_a_transcription():
    assert usage_of_transcription({"type": "duration", "seconds": 2.5}) == Usage(seconds=2.5)
    told = {"type": "tokens", "input_tokens": 20, "output_tokens": 5, "input_token_details": {"audio_tokens": 18}}
    assert usage_of_transcription(told) == Usage(input_tokens=20, output_tokens=5, audio_input_tokens=18)
    assert usage_of_transcription({"type": "duration", "seconds": True}) is None


@given(JSON)
def test_strange_usage_never_raises(value):
    for told in (value, {"input_tokens": value, "input_token_details": value}, {"seconds": value}):
        for usage in (usage_of_response(told), usage_of_transcription(told)):
            assert usage is None or usage.input_tokens >= 0


def see(meter, **event):
    return meter.see(event["type"], json.dumps(event))


def test_a_session_is_metered():
    meter = Meter("voice")
    heard = {"input": {"transcription": {"model": "ear"}}}
    see(meter, type="session.created", session={"audio": heard})
    assert see(meter, type="response.created", response={"id": "r"}) is None
    assert meter.open_responses == ("r",)
    bill = see(meter, type="response.done", response={"id": "r", "usage": FULL})
    assert bill == Bill("voice", usage_of_response(FULL))
    done = "conversation.item.input_audio_transcription.completed"
    assert see(meter, type=done, usage={"seconds": 1}) == Bill("ear", Usage(seconds=1))
    see(meter, type="session.updated", session={"input_audio_transcription": {"model": "beta-ear"}})
    assert see(meter, type=done, usage={"seconds": 1}).model == "beta-ear"
    assert see(meter, type=done, usage=None) is None
    assert meter.unfinished() == []
    assert meter.see("response.done", "[") is None


def test_replies_side_by_side_are_told_apart():
    meter = Meter("voice")
    for name in "ab":
        see(meter, type="response.created", response={"id": name})
    see(meter, type="response.output_text.delta", response_id="b", delta="x")
    see(meter, type="response.output_text.delta", response_id="unknown", delta="x")
    meter.see("response.output_text.delta", "[")
    assert see(meter, type="response.done", response={"id": "b", "usage": None}).usage == Usage(
        output_tokens=1, estimated=True
    )
    assert see(meter, type="response.done", response={"id": "never"}) is None
    assert meter.unfinished() == [Bill("voice", Usage(estimated=True))]


async def test_a_pipe_holds_back_whoever_fills_it():
    pipe = Pipe(10)
    await pipe.put("x" * 50)  # larger than the bound, but nothing else waits
    waiting = asyncio.ensure_future(pipe.put("y"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await pipe.get() == "x" * 50
    await waiting
    assert await pipe.get() == "y"
    reader = asyncio.ensure_future(pipe.get())
    await asyncio.sleep(0)
    pipe.close()
    assert await reader is None
    await pipe.put("dropped")
    assert await pipe.get() is None
