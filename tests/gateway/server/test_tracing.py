"""Traces, as a real collector receives them: what is in them, what is not, and that nobody waits for them."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path

import aiohttp
import pytest

from mrblue_cli.gateway.options import (
    CacheOptions,
    FailoverOptions,
    GatewayOptions,
    KeyOptions,
    ModelOptions,
    ProviderOptions,
    TelemetryOptions,
)
from mrblue_cli.gateway.server.tracing import traces_address
from tests.fakes import upstream_behaviours as does
from tests.fakes.collector import Collector, Seen
from tests.fakes.upstream import Upstream
from tests.gateway.asking import ask, question
from tests.gateway.program import config_for, gateway_program, session, until
from tests.gateway.running import running_gateway
from tests.program import python

SERVER, CLIENT = 2, 3
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
SECRET = "sk-provider-0123456789abcdef"


def options(folder: Path, collector: Collector, *urls: str, **more: object) -> GatewayOptions:
    """One provider per address, asked in turn."""
    model = ModelOptions(name="m-1", input_price=3.0, output_price=12.0)
    providers = tuple(
        ProviderOptions(
            name=f"p{number}",
            kind="openai-compatible",
            priority=number,
            base_url=url,
            keys=(KeyOptions(secret=SECRET),),
            models=(model,),
        )
        for number, url in enumerate(urls, 1)
    )
    return GatewayOptions(
        providers=providers,
        caching=CacheOptions(semantic=False),
        failover=FailoverOptions(retry_delay=0.01, max_retries=1),
        telemetry=TelemetryOptions(otlp_endpoint=collector.address, service_name="the-gate"),
        state_folder=folder,
        **more,
    )


def client_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))


def one(spans: list[Seen], kind: int) -> Seen:
    (found,) = [span for span in spans if span.kind == kind]
    return found


async def test_a_request_is_a_span_and_each_call_a_child(tmp_path: Path) -> None:
    before = time.time_ns()
    with Collector() as collector:
        async with (
            Upstream(does.failing(500)) as sick,
            Upstream(does.answer(10)) as well,
            running_gateway(options(tmp_path, collector, sick.url, well.url)) as gate,
            client_session() as client,
        ):
            heard = await ask(client, gate.chat, question(said="my secret plan"), **{"x-request-id": "r-1"})
            assert heard.status == 200
        # Closing the gateway delivered what was left.
        request = one(collector.spans, SERVER)
        calls = sorted((span for span in collector.spans if span.kind == CLIENT), key=lambda span: span.began)
    assert collector.paths == ["/v1/traces"]
    assert request.name == "POST /v1/chat/completions"
    assert request.parent == ""
    assert not request.failed
    assert {
        "http.response.status_code": 200,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai-compatible",
        "gen_ai.system": "openai-compatible",
        "gen_ai.request.model": "m-1",
        "gen_ai.response.model": "m-1",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 10,
        "mrblue.provider": "p2",
        "mrblue.cache": "miss",
        "mrblue.attempts": 2,
        "mrblue.cost_usd": 0.000156,
        "mrblue.request_id": "r-1",
        "mrblue.key_id": "anonymous",
    }.items() <= request.attributes.items()
    assert "error.type" not in request.attributes
    assert request.resource["service.name"] == "the-gate"
    assert [call.name for call in calls] == ["chat m-1", "chat m-1"]
    assert [call.attributes["mrblue.provider"] for call in calls] == ["p1", "p2"]
    assert [call.failed for call in calls] == [True, False]
    assert calls[0].attributes["error.type"] == "server"
    assert "gen_ai.usage.input_tokens" not in calls[0].attributes
    assert calls[1].attributes["gen_ai.usage.output_tokens"] == 10
    assert {call.trace for call in calls} == {request.trace}
    assert {call.parent for call in calls} == {request.id}
    for call in calls:
        assert before < request.began <= call.began <= call.ended <= request.ended < time.time_ns()
    assert calls[0].ended <= calls[1].began
    for word in (b"secret plan", SECRET.encode(), b"The upstream says no"):
        assert word not in collector.raw


async def test_a_clients_trace_goes_on_and_ends_here(tmp_path: Path) -> None:
    with Collector() as collector:
        async with (
            Upstream(does.answer(10)) as upstream,
            running_gateway(options(tmp_path, collector, upstream.url)) as gate,
            client_session() as client,
        ):
            sampled = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"}
            await ask(client, gate.chat, question(stream=True), **sampled)
            await ask(client, gate.chat, question(said="not sampled"), traceparent=f"00-{TRACE}-{PARENT}-00")
            await ask(client, gate.chat, question(said="mangled"), traceparent="00-nonsense")
            calls = list(upstream.calls)
        continued = [span for span in collector.spans if span.trace == TRACE]
        roots = [span for span in collector.spans if span.trace != TRACE]
    assert one(continued, SERVER).parent == PARENT
    assert one(continued, CLIENT).parent == one(continued, SERVER).id
    assert one(continued, SERVER).attributes["mrblue.first_token_s"] > 0
    assert one(roots, SERVER).parent == "", "what is no trace begins one"
    assert len(calls) == 3
    assert not [name for call in calls for name in call.headers if name.startswith("trace")]


async def test_hits_refusals_and_failures_have_spans_too(tmp_path: Path) -> None:
    with Collector() as collector:
        async with (
            Upstream([does.answer(10), does.failing(503)]) as upstream,
            running_gateway(options(tmp_path, collector, upstream.url)) as gate,
            client_session() as client,
        ):
            heard = [
                await ask(client, gate.chat, question()),
                await ask(client, gate.chat, question()),
                await ask(client, gate.chat, question(model="nobody's")),
                await ask(client, gate.chat, question(said="again?")),
            ]
            assert [answer.status for answer in heard] == [200, 200, 404, 503]
        requests = sorted((span for span in collector.spans if span.kind == SERVER), key=lambda span: span.began)
        parents = [span.parent for span in collector.spans if span.kind == CLIENT]
    _, hit, unknown, failed = requests
    assert hit.attributes["mrblue.cache"] == "hit-exact"
    assert hit.attributes["mrblue.cost_usd"] == 0.0
    assert hit.attributes["mrblue.saved_usd"] == pytest.approx(0.000156)
    assert hit.id not in parents
    assert unknown.attributes["error.type"] == "model_not_found"
    assert not unknown.failed, "a mistake of the client is no failure of the server"
    assert failed.failed
    assert parents.count(failed.id) == 2


async def test_a_collector_that_is_gone_costs_a_line_and_no_request(tmp_path: Path) -> None:
    with Collector(status=400) as collector:
        async with (
            Upstream(does.answer(10)) as upstream,
            running_gateway(options(tmp_path, collector, upstream.url)) as gate,
            client_session() as client,
        ):
            for number in range(3):
                assert (await ask(client, gate.chat, question(said=str(number)))).status == 200
                await until(lambda: "traces cannot be delivered" in gate.log.getvalue(), "a warning")
            collector.status = 200
            assert (await ask(client, gate.chat, question(said="after"))).status == 200
            await until(lambda: "delivered to" in gate.log.getvalue().splitlines()[-1], "it is back")
            log = gate.log.getvalue()
    assert log.count("traces cannot be delivered") == 1
    assert f"{collector.address}/v1/traces" in log
    assert [span.attributes["mrblue.request_id"] for span in collector.spans if span.kind == SERVER]


async def test_a_collector_that_never_answers_does_not_keep_the_program_from_ending(tmp_path: Path) -> None:
    with Collector() as collector:
        collector.deaf = True
        more = f'telemetry = {{otlp_endpoint = "{collector.address}"}}'
        async with (
            Upstream(does.answer(10)) as upstream,
            gateway_program(tmp_path, "--workers", "2", config=config_for(upstream.url, more=more)) as program,
            session() as client,
        ):
            heard = await asyncio.gather(*(ask(client, program.chat, question()) for _ in range(10)))
            assert [answer.status for answer in heard] == [200] * 10
            program.send(signal.SIGTERM)
            assert await program.ended() == 0


def test_a_missing_package_is_named_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(config_for("http://127.0.0.1:9/v1", more='telemetry = {otlp_endpoint = "http://127.0.0.1:9"}'))
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None; sys.argv = ['mrblue', *sys.argv[1:]]\n"
        "from mrblue_cli.cli.entry import main\nmain()"
    )
    where = ("--config", str(file), "--state", str(tmp_path), "--port", "0")
    for workers in ("1", "2"):
        done = python(code, "gateway", *where, "--workers", workers)
        assert done.returncode == 4, done.stderr
        assert done.stderr.count("is not installed") == 1
        assert 'pip install "mrblue-cli[gateway,otel]"' in done.stderr


def test_addresses() -> None:
    assert traces_address("http://c:4318") == "http://c:4318/v1/traces"
    assert traces_address("http://c:4318/") == "http://c:4318/v1/traces"
    assert traces_address("https://c/otlp/v1/traces") == "https://c/otlp/v1/traces"


async def test_json_log_lines_stay_json_beside_traces(tmp_path: Path) -> None:
    with Collector(status=500) as collector:
        async with (
            Upstream(does.answer(10)) as upstream,
            running_gateway(options(tmp_path, collector, upstream.url, log_format="json")) as gate,
            client_session() as client,
        ):
            await ask(client, gate.chat, question())
        lines = gate.log.getvalue().splitlines()
    assert [json.loads(line)["time"] for line in lines]
