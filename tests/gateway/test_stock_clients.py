"""The stock `openai` and `anthropic` clients, nothing changed but the base URL, against a gateway on a real socket."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import anthropic
import openai
import pytest
from pydantic import BaseModel

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import (
    CacheOptions,
    DeadlineOptions,
    FailoverOptions,
    GatewayOptions,
    KeyOptions,
    LimitOptions,
    ModelOptions,
    ProviderOptions,
)
from tests.fakes import upstream_behaviours as does
from tests.fakes.upstream import Upstream
from tests.fakes.upstream_wires import text
from tests.gateway.running import RunningGateway, running_gateway

SECRET = "sk-provider-secret-000111222"
SCRIPTED = ProviderOptions(
    name="scripted",
    kind="scripted",
    priority=9,
    models=(
        ModelOptions(name="demo"),
        ModelOptions(name="demo-embedding", surfaces=(Surface.EMBEDDINGS,)),
        ModelOptions(name="demo-transcription", surfaces=(Surface.TRANSCRIPTION,)),
        ModelOptions(name="demo-speech", surfaces=(Surface.SPEECH,)),
    ),
)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def behind(upstream: Upstream, *models: ModelOptions, kind: str = "openai-compatible") -> ProviderOptions:
    """A provider on that socket."""
    return ProviderOptions(
        name="real", kind=kind, base_url=upstream.url, keys=(KeyOptions(secret=SECRET),), models=models
    )


@contextlib.asynccontextmanager
async def serving(
    folder: Path, *providers: ProviderOptions, caching: bool = False, limits: LimitOptions | None = None
) -> AsyncIterator[tuple[RunningGateway, openai.AsyncOpenAI, anthropic.AsyncAnthropic]]:
    """A gateway and both clients; a placeholder key, as applications have one."""
    options = GatewayOptions(
        providers=(*providers, SCRIPTED),
        caching=CacheOptions(enabled=caching, semantic=False),
        failover=FailoverOptions(
            models="same", max_retries=1, retry_delay=0.01, deadlines=DeadlineOptions(first_token=2, idle=2, answer=5)
        ),
        limits=limits or LimitOptions(),
        state_folder=folder,
    )
    async with (
        running_gateway(options) as running,
        openai.AsyncOpenAI(base_url=f"{running.address}/v1", api_key="sk-placeholder", max_retries=0) as first,
        anthropic.AsyncAnthropic(base_url=running.address, api_key="placeholder", max_retries=0) as second,
    ):
        yield running, first, second


QUESTION = [{"role": "user", "content": "why is port 3000 busy?"}]


async def test_chat_plain_and_its_headers(tmp_path: Path) -> None:
    model = ModelOptions(name="m-1", input_price=3.0, output_price=12.0)
    async with Upstream(does.answer(9)) as upstream, serving(tmp_path, behind(upstream, model)) as (_, client, _a):
        raw = await client.chat.completions.with_raw_response.create(model="m-1", messages=QUESTION)
        answer = raw.parse()
        assert answer.choices[0].message.content == text(9)
        assert answer.choices[0].finish_reason == "stop"
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (does.INPUT, 9)
        assert raw.headers["x-mrblue-provider"] == "real"
        assert raw.headers["x-mrblue-model"] == "m-1"
        assert raw.headers["x-mrblue-attempts"] == "1"
        assert raw.headers["x-mrblue-cache"] == "bypass;reason=disabled"
        assert raw.headers["x-mrblue-cost-usd"] == "0.000144"
        assert upstream.calls[0].headers["authorization"] == f"Bearer {SECRET}", "never the client's own key"


async def test_chat_streamed_with_and_without_usage(tmp_path: Path) -> None:
    async with (
        Upstream(does.answer(20)) as upstream,
        serving(tmp_path, behind(upstream, ModelOptions(name="m-1"))) as (_, client, _a),
    ):
        bare = [c async for c in await client.chat.completions.create(model="m-1", messages=QUESTION, stream=True)]
        assert "".join(c.choices[0].delta.content or "" for c in bare if c.choices) == text(20)
        assert not any(c.usage for c in bare), "nobody asked for it"
        told = [
            c
            async for c in await client.chat.completions.create(
                model="m-1", messages=QUESTION, stream=True, stream_options={"include_usage": True}
            )
        ]
        assert told[-1].usage is not None
        assert told[-1].usage.completion_tokens == 20


async def test_tools_plain_and_streamed(tmp_path: Path) -> None:
    asked = [{"role": "user", "content": "Use the tool: what is the weather in Lisbon?"}]
    async with serving(tmp_path) as (_, client, _a):
        answer = await client.chat.completions.create(
            model="demo", messages=asked, tools=[WEATHER], tool_choice="required"
        )
        call = answer.choices[0].message.tool_calls[0]
        assert call.function.name == "get_weather"
        assert "city" in json.loads(call.function.arguments)
        async with client.chat.completions.stream(
            model="demo", messages=asked, tools=[WEATHER], tool_choice="required"
        ) as stream:
            final = await stream.get_final_completion()
        assert final.choices[0].finish_reason == "tool_calls"
        assert final.choices[0].message.tool_calls[0].function.name == "get_weather"


async def test_an_answer_by_json_schema(tmp_path: Path) -> None:
    class Fix(BaseModel):
        title: str
        steps: list[str]

    async with serving(tmp_path) as (_, client, _a):
        answer = await client.chat.completions.parse(model="demo", messages=QUESTION, response_format=Fix)
        assert isinstance(answer.choices[0].message.parsed, Fix)


async def test_responses_plain_and_streamed(tmp_path: Path) -> None:
    async with (
        Upstream(does.answer(12)) as upstream,
        serving(tmp_path, behind(upstream, ModelOptions(name="m-1"))) as (_, client, _a),
    ):
        answer = await client.responses.create(model="m-1", input="why is port 3000 busy?")
        assert answer.output_text == text(12)
        assert answer.status == "completed"
        assert answer.usage.output_tokens == 12
        async with client.responses.stream(model="m-1", input="why is port 3000 busy?") as stream:
            kinds = [event.type async for event in stream]
            final = await stream.get_final_response()
        assert final.output_text == text(12)
        assert kinds[0] == "response.created"
        assert kinds[-1] == "response.completed"


async def test_anthropic_messages_through_a_chat_provider(tmp_path: Path) -> None:
    async with (
        Upstream(does.answer(15)) as upstream,
        serving(tmp_path, behind(upstream, ModelOptions(name="m-1"))) as (_, _o, client),
    ):
        answer = await client.messages.create(model="m-1", max_tokens=100, messages=QUESTION)
        assert answer.content[0].text == text(15)
        assert answer.stop_reason == "end_turn"
        assert answer.usage.output_tokens == 15
        assert answer._request_id.startswith("req_")
        async with client.messages.stream(model="m-1", max_tokens=100, messages=QUESTION) as stream:
            assert await stream.get_final_text() == text(15)
        assert upstream.calls[0].path.endswith("/chat/completions")


async def test_anthropic_messages_natively(tmp_path: Path) -> None:
    async with (
        Upstream(does.answer(15)) as upstream,
        serving(tmp_path, behind(upstream, ModelOptions(name="claude"), kind="anthropic")) as (_, chat, client),
    ):
        answer = await client.messages.create(model="claude", max_tokens=100, messages=QUESTION)
        assert answer.content[0].text == text(15)
        async with client.messages.stream(model="claude", max_tokens=100, messages=QUESTION) as stream:
            assert await stream.get_final_text() == text(15)
        translated = await chat.chat.completions.create(model="claude", messages=QUESTION)
        assert translated.choices[0].message.content == text(15)
        assert {call.path.rpartition("/")[2] for call in upstream.calls} == {"messages"}
        assert upstream.calls[0].headers["x-api-key"] == SECRET


async def test_anthropic_tools_over_chat(tmp_path: Path) -> None:
    tool = {
        "name": "get_weather",
        "description": "The weather in a city",
        "input_schema": WEATHER["function"]["parameters"],
    }
    async with serving(tmp_path) as (_, _o, client):
        answer = await client.messages.create(
            model="demo",
            max_tokens=100,
            tools=[tool],
            tool_choice={"type": "any"},
            messages=[{"role": "user", "content": "what is the weather in Lisbon?"}],
        )
        use = next(block for block in answer.content if block.type == "tool_use")
        assert use.name == "get_weather"
        assert answer.stop_reason == "tool_use"


async def test_embeddings_with_their_own_model_only(tmp_path: Path) -> None:
    model = ModelOptions(name="e-1", surfaces=(Surface.EMBEDDINGS,))
    async with Upstream(does.embeddings()) as upstream, serving(tmp_path, behind(upstream, model)) as (_, client, _a):
        answer = await client.embeddings.create(model="e-1", input=["one two", "three"], encoding_format="float")
        assert [row.index for row in answer.data] == [0, 1]
        assert len(answer.data[0].embedding) == 8
        upstream.script = does.failing(503)
        with pytest.raises(openai.InternalServerError):
            await client.embeddings.create(model="e-1", input="x", encoding_format="float")


async def test_transcription_and_speech(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, client, _a):
        spoken = await client.audio.speech.create(
            model="demo-speech", voice="alloy", input="hello", response_format="wav"
        )
        sound = await spoken.aread()
        assert sound[:4] == b"RIFF"
        heard = await client.audio.transcriptions.create(
            model="demo-transcription", file=("hello.wav", sound, "audio/wav")
        )
        assert heard.text


async def test_a_transcription_reaches_the_provider_as_it_was_sent(tmp_path: Path) -> None:
    model = ModelOptions(name="whisper-1", surfaces=(Surface.TRANSCRIPTION,))
    async with (
        Upstream(does.transcription("port already in use")) as upstream,
        serving(tmp_path, behind(upstream, model)) as (_, client, _a),
    ):
        heard = await client.audio.transcriptions.create(
            model="whisper-1", file=("question.wav", b"RIFF....WAVE", "audio/wav"), language="en", prompt="EADDRINUSE"
        )
        assert heard.text == "port already in use"
        form = upstream.calls[0].body
        for piece in (b'filename="question.wav"', b"RIFF....WAVE", b'name="language"', b"EADDRINUSE", b"whisper-1"):
            assert piece in form


async def test_models_are_listed_and_looked_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, client, _a):
        names = [model.id async for model in client.models.list()]
        assert "demo" in names
        assert (await client.models.retrieve("demo")).id == "demo"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("nobody")


async def test_errors_are_the_clients_own_exceptions(tmp_path: Path) -> None:
    refused = does.failing(400, kind="invalid_request_error", code="bad_thing", message="temperature is too high")
    async with (
        Upstream(refused) as upstream,
        serving(tmp_path, behind(upstream, ModelOptions(name="m-1"))) as (_, client, other),
    ):
        with pytest.raises(openai.BadRequestError) as bad:
            await client.chat.completions.create(model="m-1", messages=QUESTION)
        assert bad.value.code == "bad_thing"
        assert "temperature is too high" in bad.value.message
        with pytest.raises(openai.NotFoundError) as unknown:
            await client.chat.completions.create(model="m-2", messages=QUESTION)
        assert unknown.value.code == "model_not_found"
        assert "m-1" in unknown.value.message
        with pytest.raises(openai.BadRequestError):
            await client.chat.completions.create(model="m-1", messages=[])
        with pytest.raises(anthropic.BadRequestError):
            await other.messages.create(model="m-1", max_tokens=10, messages=QUESTION)
        upstream.script = does.rate_limited(7)
        with pytest.raises(openai.RateLimitError) as limited:
            await client.chat.completions.create(model="m-1", messages=QUESTION)
        assert 7 <= int(limited.value.response.headers["retry-after"]) <= 8
        upstream.script = does.failing(401, code="invalid_api_key", message=f"Incorrect API key provided: {SECRET}")
        with pytest.raises(openai.InternalServerError) as ours:
            await client.chat.completions.create(model="m-1", messages=QUESTION)
        assert ours.value.status_code in (502, 503), "not the client's key was refused"
        assert SECRET not in str(ours.value.body)


async def test_a_stream_that_breaks_raises_in_both_clients(tmp_path: Path) -> None:
    async with (
        Upstream(does.cut(40)) as upstream,
        serving(tmp_path, behind(upstream, ModelOptions(name="m-1"))) as (_, client, other),
    ):
        heard: list[str] = []
        stream = await client.chat.completions.create(model="m-1", messages=QUESTION, stream=True)
        with pytest.raises(openai.APIError):
            [heard.append(choice.delta.content or "") async for chunk in stream for choice in chunk.choices]
        assert "".join(heard) == text(40)
        with pytest.raises(anthropic.APIError):
            async with client_stream(other) as stream:
                await stream.get_final_message()


def client_stream(client: anthropic.AsyncAnthropic):
    return client.messages.stream(model="m-1", max_tokens=100, messages=QUESTION)


async def test_everything_without_v1_as_well(tmp_path: Path) -> None:
    async with serving(tmp_path) as (running, _o, _a):
        bare = openai.AsyncOpenAI(base_url=running.address, api_key="x", max_retries=0)
        async with bare:
            answer = await bare.chat.completions.create(model="demo", messages=QUESTION)
            assert answer.choices[0].message.content
            assert [model.id async for model in bare.models.list()]
            assert (await bare.responses.create(model="demo", input="hello")).output_text


async def test_the_second_time_it_comes_out_of_the_cache_in_either_form(tmp_path: Path) -> None:
    async with (
        Upstream(does.answer(10)) as upstream,
        serving(tmp_path, behind(upstream, ModelOptions(name="m-1")), caching=True) as (_, client, other),
    ):
        first = await client.chat.completions.with_raw_response.create(model="m-1", messages=QUESTION)
        assert first.headers["x-mrblue-cache"].startswith("miss;")
        again = await client.chat.completions.with_raw_response.create(model="m-1", messages=QUESTION)
        assert again.headers["x-mrblue-cache"].startswith("hit-exact;")
        assert again.parse().choices[0].message.content == text(10)
        chunks = [c async for c in await client.chat.completions.create(model="m-1", messages=QUESTION, stream=True)]
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text(10)
        assert upstream.count == 1
        message = await other.messages.create(model="m-1", max_tokens=50, messages=QUESTION)
        assert message.content[0].text == text(10)
        assert upstream.count == 2, "another surface has answers of its own"
        async with other.messages.stream(model="m-1", max_tokens=50, messages=QUESTION) as stream:
            assert await stream.get_final_text() == text(10)
        assert upstream.count == 2


async def test_a_body_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=LimitOptions(body_bytes=2_000)) as (_, client, _a):
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(model="demo", messages=[{"role": "user", "content": "x" * 4_000}])
        assert caught.value.status_code == 413
