"""The door: which header holds the key, when one is needed, and what a stranger is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.access.auth import Door, is_loopback, key_required, model_fault, presented
from mrblue_cli.gateway.access.keys import ANONYMOUS, Caller, KeyStore
from mrblue_cli.gateway.model import Fault, FaultKind

NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = KeyStore(tmp_path_factory.mktemp("door") / "gateway.sqlite3")
    yield made
    made.close()


@pytest.fixture(scope="module")
def key(store):
    return store.create("laptop", now=NOW)


CARRIERS = [
    lambda token: {"authorization": f"Bearer {token}"},
    lambda token: {"authorization": f"bearer   {token} "},
    lambda token: {"x-api-key": token},
    lambda token: {"api-key": token},
    lambda token: {"sec-websocket-protocol": f"realtime, openai-insecure-api-key.{token}, openai-beta.realtime-v1"},
    lambda token: {"authorization": "Bearer sk-placeholder", "x-api-key": token},
    lambda token: {"authorization": f"Bearer {token}", "api-key": "sk-placeholder"},
]


@pytest.mark.parametrize("carry", CARRIERS)
@pytest.mark.parametrize("required", [True, False])
def test_a_key_opens_the_door_wherever_it_stands(store, key, carry, required):
    caller, token = key
    assert Door(store, required=required).caller(carry(token), NOW) == caller


@pytest.mark.parametrize(
    ("headers", "code", "words"),
    [
        ({}, None, "A key of this gateway is needed"),
        ({"authorization": "Basic dXNlcjpwdw=="}, None, "is needed"),
        ({"authorization": "Bearer"}, None, "is needed"),
        ({"authorization": "Bearer sk-anything"}, "invalid_api_key", "begin with mrb_"),
        ({"x-api-key": "mrb_unknown"}, "invalid_api_key", "unknown, expired or revoked"),
        ({"x-api-key": "mrb_" + "x" * 100_000}, "invalid_api_key", "unknown, expired or revoked"),
    ],
)
def test_a_stranger_is_told_what_is_missing(store, headers, code, words):
    fault = Door(store, required=True).caller(headers, NOW)
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.status, fault.code, fault.type) == (FaultKind.AUTH, 401, code, "invalid_request_error")
    assert words in fault.message


def test_where_no_key_is_needed_placeholders_are_ignored_but_ours_count(store, key):
    door = Door(store, required=False)
    for headers in ({}, {"authorization": "Bearer sk-anything"}, {"x-api-key": "x"}):
        assert door.caller(headers, NOW) == ANONYMOUS
    _, token = store.create("gone", now=NOW)
    store.revoke("gone", now=NOW)
    fault = door.caller({"authorization": f"Bearer {token}"}, NOW)
    assert isinstance(fault, Fault)
    assert fault.status == 401
    assert Door(None, required=False).caller({"authorization": f"Bearer {token}"}, NOW) == ANONYMOUS
    assert Door(None, required=True).caller({"authorization": f"Bearer {token}"}, NOW).status == 401


def test_keys_that_cannot_be_read_are_no_ones_fault_but_ours(tmp_path):
    path = tmp_path / "gateway.sqlite3"
    path.write_bytes(b"not a database, by any means " * 100)
    fault = Door(KeyStore(path), required=True).caller({"x-api-key": "mrb_" + "a" * 43}, NOW)
    assert (fault.status, fault.kind) == (503, FaultKind.OVERLOADED)


HEADERS = st.dictionaries(
    st.sampled_from(["authorization", "x-api-key", "api-key", "sec-websocket-protocol", "x-other"]),
    st.one_of(
        st.text(max_size=60), st.text(max_size=60).map("Bearer {}".format), st.text(max_size=60).map("mrb_{}".format)
    ),
)


@given(HEADERS)
def test_no_headers_open_the_door_by_chance_and_none_is_repeated(store, headers):
    fault = Door(store, required=True).caller(headers, NOW)
    assert isinstance(fault, Fault)
    assert fault.status == 401
    assert fault.message.isprintable()
    token = presented(headers)
    if len(token) > 8:
        assert token not in fault.message


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("LOCALHOST", True), ("::1", True), ("[::1]", True), ("127.8.9.1", True),
     ("0.0.0" + ".0", False), ("::", False), ("", False), ("192.168.1.4", False), ("my-machine", False),
     ("localhost.example.org", False), ("127.0.0.1.example.org", False)],
)  # fmt: skip
def test_keys_are_needed_beyond_loopback_unless_told_otherwise(host, loopback):
    assert is_loopback(host) is loopback
    assert key_required(host, None) is not loopback
    assert key_required(host, True) is True
    assert key_required(host, False) is False


def test_a_key_for_some_models_is_refused_others():
    caller = Caller("k", "n", ("gpt-4o*",))
    assert model_fault(caller, "gpt-4o-mini", "openai/gpt-4o-mini") is None
    fault = model_fault(caller, "claude-3\r\nx: y")
    assert (fault.status, fault.param, fault.code) == (403, "model", "model_not_allowed")
    assert "claude" not in fault.message
