"""Addresses, headers, and keys that stay where they belong."""

from __future__ import annotations

import pytest

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.realtime.endpoints import endpoint_from_url, is_loopback, openai_endpoint, shown_host


def test_openai_is_ga_and_never_gets_the_beta_header():
    endpoint = openai_endpoint("sk-1", "gpt-realtime-2.1")
    assert endpoint.url == "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"
    assert dict(endpoint.headers) == {"Authorization": "Bearer sk-1"}
    assert endpoint.dialect is Dialect.GA
    forced = endpoint_from_url("wss://api.openai.com/v1/realtime", api_key="sk-1", dialect=Dialect.BETA)
    assert "OpenAI-Beta" not in dict(forced.headers)


def test_without_a_key_openai_is_refused_with_a_way_out():
    with pytest.raises(ConfigError) as caught:
        openai_endpoint("")
    assert "--engine local" in caught.value.hint


CASES = [
    ("ws://localhost:9000", "ws://localhost:9000/v1/realtime?model=m"),
    ("http://127.0.0.1:8000/v1/realtime", "ws://127.0.0.1:8000/v1/realtime?model=m"),
    ("https://speech.example.org", "wss://speech.example.org/v1/realtime?model=m"),
    ("https://res.openai.azure.com", "wss://res.openai.azure.com/openai/v1/realtime?model=m"),
    ("wss://x.example.org/v1/realtime?model=own", "wss://x.example.org/v1/realtime?model=own"),
    (
        "wss://res.openai.azure.com/openai/v1/realtime?api-version=2025-04-01",
        "wss://res.openai.azure.com/openai/v1/realtime?model=m",
    ),
    (
        "wss://res.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=d",
        "wss://res.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=d",
    ),
]


@pytest.mark.parametrize(("address", "url"), CASES)
def test_addresses_are_completed(address, url):
    assert endpoint_from_url(address, model="m").url == url


def test_azure_takes_its_own_header():
    endpoint = endpoint_from_url("wss://r.openai.azure.com/openai/v1/realtime", model="m", api_key="k")
    assert dict(endpoint.headers) == {"api-key": "k"}


def test_the_beta_header_goes_where_beta_was_asked_for():
    endpoint = endpoint_from_url("ws://localhost:1", dialect=Dialect.BETA)
    assert dict(endpoint.headers) == {"OpenAI-Beta": "realtime=v1"}
    assert endpoint_from_url("ws://localhost:1").headers == ()


def test_a_key_never_travels_in_the_clear():
    with pytest.raises(ConfigError):
        endpoint_from_url("ws://example.org/v1/realtime", api_key="k")
    assert endpoint_from_url("ws://127.0.0.1:1", api_key="k").headers


@pytest.mark.parametrize("address", ["", "hello", "ftp://x", "ws://", "ws://host:notaport", "ws://h:0"])
def test_what_is_no_address_is_said(address):
    with pytest.raises(ConfigError) as caught:
        endpoint_from_url(address)
    assert "no Realtime address" in caught.value.what


def test_keys_are_never_shown():
    assert "sk-1" not in repr(openai_endpoint("sk-1"))


def test_loopback():
    assert is_loopback("localhost")
    assert is_loopback("127.0.0.9")
    assert is_loopback("::1")
    assert not is_loopback("example.org")
    assert not is_loopback("10.0.0.1")


@pytest.mark.parametrize("key", ["sk-1\n", "sk 1", "sk-1\r\nX-Evil: 1", "schlüssel"])
def test_a_key_that_would_break_its_header_is_refused_unseen(key):
    for build in (lambda: openai_endpoint(key), lambda: endpoint_from_url("wss://x.example.org", api_key=key)):
        with pytest.raises(ConfigError) as caught:
            build()
        assert key not in f"{caught.value.what}{caught.value.hint}"


@pytest.mark.parametrize(
    "address",
    ["ws://me:hunter2@h:notaport/?api-key=hunter2", "me?token=hunter2", "ws://[bad/?k=hunter2", "ftp://u:hunter2@h"],
)
def test_secrets_in_a_wrong_address_are_not_told(address):
    with pytest.raises(ConfigError) as caught:
        endpoint_from_url(address)
    assert "hunter2" not in f"{caught.value.what}{caught.value.hint}"
    assert "no Realtime address" in caught.value.what


def test_only_the_host_of_an_address_is_shown():
    assert shown_host("wss://me:pw@h.example.org:99/v1/realtime?api-key=x") == "h.example.org:99"
    assert shown_host("ws://[oops") == ""
    options = endpoint_from_url("wss://h.example.org/v1/realtime?api-key=hunter2")
    assert "hunter2" not in repr(options)
    assert options.label == "h.example.org"
