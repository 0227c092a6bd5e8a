"""Addresses: with and without /v1, methods, HEAD, unknown ones, ids, who is kept out; over a real socket."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.gateway import Gateway
from mrblue_cli.gateway.options import CacheOptions, GatewayOptions, LimitOptions, ModelOptions, ProviderOptions
from mrblue_cli.gateway.server.endpoints import SURFACE_PATHS, request_id_of
from tests.gateway.running import RunningGateway, running_gateway
from tests.gateway.wire import Got, Line, exchange, request

READS = ("/models", "/usage", "/status")
HELLO = json.dumps({"model": "demo", "messages": [{"role": "user", "content": "hello"}]}).encode()


def options(folder: Path, **more) -> GatewayOptions:
    """The scripted provider behind everything."""
    provider = ProviderOptions(name="demo", kind="scripted", models=(ModelOptions(name="demo"),))
    return GatewayOptions(providers=(provider,), caching=CacheOptions(enabled=False), state_folder=folder, **more)


@pytest.fixture
async def running(tmp_path):
    """A gateway without keys."""
    async with running_gateway(options(tmp_path)) as made:
        yield made


async def ask(running: RunningGateway, method: str, path: str, body: bytes = b"", *headers) -> Got:
    """One exchange; HEAD has no body to wait for."""
    data = request(path, body, *headers, method=method.encode())
    got = await exchange(running.address, data, head_only=method == "HEAD")
    assert got is not None
    assert got.header("x-request-id")
    return got


@pytest.mark.parametrize("prefix", ["", "/v1"])
async def test_every_address_is_served_with_and_without_its_prefix(prefix, running):
    for path in READS:
        assert (await ask(running, "GET", prefix + path)).status == 200
    for path in SURFACE_PATHS:
        got = await ask(running, "POST", prefix + path, b"{}")
        assert got.status in {400, 415}, path
    assert (await ask(running, "GET", f"{prefix}/models/demo")).json["id"] == "demo"
    assert (await ask(running, "POST", f"{prefix}/chat/completions", HELLO)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/messages", "POST"),
        ("PUT", "/v1/models", "GET"),
        ("POST", "/health", "GET"),
        ("POST", "/metrics", "GET"),
        ("GET", "/v1/realtime/client_secrets", "POST"),
        ("OPTIONS", "/v1/responses", "POST"),
        ("PATCH", "/v1/models/demo", "GET"),
    ],
)
async def test_the_wrong_method_is_told_the_right_one(method, path, allow, running):
    got = await ask(running, method, path)
    assert (got.status, got.header("allow")) == (405, allow)
    assert allow in got.json["error"]["message"]


async def test_head_is_get_without_its_body(running):
    for path in ("/health", "/v1/models", "/metrics", "/openapi.json"):
        whole = await ask(running, "GET", path)
        line = await Line.open(running.address)
        await line.send(request(path, method=b"HEAD") + request("/health", method=b"GET"))
        head = await line.answer(head_only=True)
        after = await line.answer()
        assert head is not None
        assert after is not None
        assert (head.status, head.header("content-type")) == (200, whole.header("content-type"))
        assert after.json["status"] == "ok", "a body came after HEAD"
        await line.close()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v2/models",
        "/v1",
        "/v1/",
        "/health/",
        "/v1/chat",
        "/v1/chat/completions/",
        "//health",
        "/.env",
        "/v1/../health",
        "/%00",
    ],
)
async def test_nobody_lives_elsewhere_and_nothing_redirects(path, running):
    got = await ask(running, "GET", path, b"", ("host", "localhost"))
    assert got.status == 404
    assert got.header("location") == ""
    assert got.json["error"]["code"] == "unknown_url"


@pytest.mark.parametrize("name", ["nobody", "a/b", "..%2f..", "%0d%0ax-evil:1", "x" * 5000, "%ff", "demo/"])
async def test_an_unknown_model_is_named_but_not_at_length(name, running):
    got = await ask(running, "GET", f"/v1/models/{name}")
    # A line break belongs to no path at all.
    assert (got.status, got.json["error"]["code"]) == (404, "unknown_url" if "%0d" in name else "model_not_found")
    assert len(got.body) < 600


async def test_a_models_name_of_megabytes_costs_nobody_time(running):
    body = json.dumps({"model": "m" * 3_000_000, "messages": [{"role": "user", "content": "x"}]}).encode()
    got = await ask(running, "POST", "/v1/chat/completions", body)
    assert got.status == 400
    assert "256 characters" in got.json["error"]["message"]
    assert len(running.log.getvalue()) < 1000


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (b"application/json", 200),
        (b"application/json; charset=utf-8", 200),
        (b"application/vnd.x+json", 200),
        (b"", 200),
        (b"text/plain", 415),
        (b"application/x-www-form-urlencoded", 415),
        (b"multipart/form-data; boundary=x", 415),
    ],
)
async def test_only_json_is_taken_for_json(kind, status, running):
    got = await exchange(running.address, request("/v1/chat/completions", HELLO, content_type=kind))
    assert got is not None
    assert got.status == status


async def test_a_request_refused_at_the_door_has_its_line(tmp_path):
    async with running_gateway(options(tmp_path, require_key=True)) as running:
        got = await ask(running, "POST", "/v1/chat/completions", HELLO, ("x-request-id", "mine"))
        open_ones = [(await ask(running, "GET", path)).status for path in ("/health", "/openapi.json")]
        closed = [
            (await ask(running, "GET", path)).status for path in ("/metrics", "/v1/models", "/v1/status", "/v1/usage")
        ]
        lines = running.log.getvalue().splitlines()
    assert (got.status, got.header("x-request-id")) == (401, "mine")
    assert open_ones == [200, 200]
    assert closed == [401] * 4
    assert len(lines) == 1
    assert " mine - chat - " in lines[0]
    assert " 401 " in lines[0]


async def test_more_than_fit_are_told_to_come_again(tmp_path):
    async with running_gateway(options(tmp_path, limits=LimitOptions(concurrent=1, body_seconds=5))) as running:
        first = await Line.open(running.address)
        await first.send(request("/v1/chat/completions", HELLO[:10], length=len(HELLO)))
        while running.gateway._in_flight == 0:
            assert (await exchange(running.address, request("/health", method=b"GET"))).status == 200
        second = await ask(running, "POST", "/v1/chat/completions", HELLO)
        await first.send(HELLO[10:])
        got = await first.answer()
        await first.close()
    assert (second.status, second.header("retry-after")) == (503, "1")
    assert second.json["error"]["code"] == "too_many_requests_in_flight"
    assert got is not None
    assert got.status == 200


async def test_a_body_that_stops_is_answered_and_gives_its_place_back(tmp_path):
    async with running_gateway(options(tmp_path, limits=LimitOptions(body_seconds=0.02))) as running:
        line = await Line.open(running.address)
        await line.send(request("/v1/chat/completions", HELLO[:10], length=len(HELLO)))
        got = await line.answer()
        assert got is not None
        assert got.status == 408
        assert running.gateway._in_flight == 0
        await line.close()


class Defective(Gateway):
    """A gateway with a mistake in it."""

    def models(self, caller):
        """Raises what no rule foresees, with a secret in its words."""
        raise KeyError("sk-secret-in-an-exception")


async def test_a_defect_of_ours_is_told_without_its_words(tmp_path):
    import io

    from mrblue_cli.gateway.server.app import build_app
    from tests.gateway.serving import serving

    log = io.StringIO()
    async with serving(build_app(Defective(options(tmp_path), log=log))) as address:
        got = await exchange(address, request("/v1/models", method=b"GET"))
    assert got is not None
    assert got.json["error"]["code"] == "internal_error"
    assert got.header("x-request-id") in log.getvalue()
    assert "KeyError" in log.getvalue()
    assert "sk-secret" not in log.getvalue() + got.body.decode()
    assert len(log.getvalue().splitlines()) == 1


@given(st.text(max_size=200))
def test_an_id_is_the_clients_own_only_when_it_can_do_no_harm(given_id):
    made = request_id_of({"x-request-id": given_id})
    assert made.isascii()
    assert 0 < len(made) <= 128
    assert not set(made) & set(" \r\n\t\"'<>,;=%")
    assert made == given_id or made.startswith("req_")


def test_a_decent_id_is_kept():
    assert request_id_of({"x-request-id": "a-B_9.:"}) == "a-B_9.:"
    assert request_id_of({}) != request_id_of({})
