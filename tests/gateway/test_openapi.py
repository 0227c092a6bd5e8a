"""The gateway against its own OpenAPI document: schemathesis asks the demo gateway over a real socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mrblue_cli.gateway.gateway import Gateway
from mrblue_cli.gateway.server.app import build_app
from mrblue_cli.gateway.server.openapi import document
from mrblue_cli.settings.gateway import demo_gateway
from tests.gateway.serving import serving

MODELS = ["demo", "demo-embedding", "demo-speech", "demo-transcription"]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(document(MODELS))
OPERATIONS = {f"{one.ok().method.upper()} {one.ok().path}": one.ok() for one in SCHEMA.get_all_operations()}
EXAMPLES = 10


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """The demo gateway, on a loop of its own: schemathesis waits for its answers."""
    folder = tmp_path_factory.mktemp("demo")
    options = demo_gateway(environment={}, overrides={"state_folder": str(folder), "caching": {"semantic": False}})
    told: list[str] = []
    ready, over = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with serving(build_app(Gateway(options))) as where:
            told.append(where)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield told[0]
    loops[0].call_soon_threadsafe(over.set)
    thread.join(10)
    assert not thread.is_alive()


ASKED = [(name, GenerationMode.POSITIVE) for name in OPERATIONS]
ASKED += [(name, GenerationMode.NEGATIVE) for name in OPERATIONS if name.startswith("POST")]


@pytest.mark.parametrize(("name", "mode"), ASKED, ids=lambda one: getattr(one, "value", one))
def test_every_operation_answers_as_it_says(name, mode, address):
    operation = OPERATIONS[name]
    with requests.Session() as session:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        def asked(case):
            answer = case.call_and_validate(base_url=address, session=session, checks=CHECKS, timeout=10)
            assert answer.headers["x-request-id"]
            assert len(answer.headers["x-request-id"]) == 1

        asked()


def test_the_served_document_is_this_one(address):
    served = requests.get(f"{address}/openapi.json", timeout=10).json()
    assert served["paths"] == SCHEMA.raw_schema["paths"]
    assert {one["id"] for one in requests.get(f"{address}/v1/models", timeout=10).json()["data"]} == set(MODELS)


def test_good_requests_of_each_surface_are_answered(address):
    """What the generator makes rarely names a model that exists: these do."""
    message = [{"role": "user", "content": "hello"}]
    good = {
        "POST /v1/chat/completions": {"model": "demo", "messages": message},
        "POST /v1/responses": {"model": "demo", "input": "hello"},
        "POST /v1/messages": {"model": "demo", "max_tokens": 9, "messages": message},
        "POST /v1/messages/count_tokens": {"model": "demo", "max_tokens": 9, "messages": message},
        "POST /v1/embeddings": {"model": "demo-embedding", "input": ["a", "b"]},
        "POST /v1/audio/speech": {"model": "demo-speech", "input": "hello", "voice": "alloy"},
        "POST /v1/realtime/client_secrets": {"session": {"type": "realtime"}},
        "POST /v1/realtime/sessions": {},
        "POST /v1/realtime/transcription_sessions": {},
    }
    good |= {f"{name} ": {**body, "stream": True} for name, body in list(good.items())[:3]}
    for name, body in good.items():
        case = OPERATIONS[name.strip()].Case(body=body, media_type="application/json")
        answer = case.call_and_validate(base_url=address, checks=CHECKS, timeout=10)
        assert answer.status_code == 200, (name, answer.content)
    for name in ("GET /v1/usage", "GET /v1/status", "GET /health", "GET /metrics", "GET /v1/models"):
        assert OPERATIONS[name].Case().call_and_validate(base_url=address, checks=CHECKS, timeout=10).status_code == 200
    case = OPERATIONS["GET /v1/models/{model}"].Case(path_parameters={"model": "demo"})
    assert case.call_and_validate(base_url=address, checks=CHECKS, timeout=10).status_code == 200


def test_every_path_of_the_document_is_served_without_its_prefix_too(address):
    for name in OPERATIONS:
        method, path = name.split(" ")
        place = path.removeprefix("/v1").replace("{model}", "demo")
        assert requests.request(method, address + place, timeout=10).status_code not in {404, 405}, name


def test_every_reference_leads_somewhere_and_every_schema_is_used():
    made = document(MODELS)
    text = repr(made)
    for schema in made["components"]["schemas"]:
        assert f"#/components/schemas/{schema}'" in text, f"nothing refers to {schema}"
    assert made["components"]["schemas"]["ChatRequest"]["properties"]["model"]["examples"] == MODELS
    assert "examples" not in document([])["components"]["schemas"]["ChatRequest"]["properties"]["model"]
