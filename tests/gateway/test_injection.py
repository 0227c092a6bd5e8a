"""What a client sends stays in the body it belongs to; what a provider answers cannot speak to a browser.

All over real sockets: the upstream notes every byte of the heads it gets.
"""

from __future__ import annotations

import json
from urllib.parse import unquote, urlsplit

import pytest

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import (
    BreakerOptions,
    CacheOptions,
    FailoverOptions,
    GatewayOptions,
    KeyOptions,
    ModelOptions,
)
from mrblue_cli.gateway.options import ProviderOptions as Provider
from tests.fakes.upstream import Said, Upstream
from tests.fakes.upstream_behaviours import answer, failing, transcription
from tests.fakes.upstream_wires import Chat
from tests.gateway.running import running_gateway
from tests.gateway.wire import exchange, request

SECRET = "sk-proj-Q7w8e9r0t1y2u3i4"
OURS = {
    "host",
    "accept",
    "accept-encoding",
    "content-type",
    "content-length",
    "authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "anthropic-version",
    "transfer-encoding",
    "user-agent",
}
"""Names that we make ourselves."""
NAMES = (
    "../../admin",
    "..",
    "a/../../b",
    "a?key=1",
    "a#b",
    "a@evil.example",
    "//evil.example/x",
    "http://evil.example/",
    "%2e%2e%2f",
    "a\r\nx-evil: 1",
    "a\\b",
    "a;b=c",
    "a:generateContent?x=",
    "a b",
    "\x00",
    "模型",
    "..\\..",
    "a%00",
    "\u2028",
    "*",
)


def options(folder, *providers, **more) -> GatewayOptions:
    """A gateway without cache and retries, so that one request is one call."""
    return GatewayOptions(
        providers=providers,
        caching=CacheOptions(enabled=False),
        state_folder=folder,
        failover=FailoverOptions(enabled=False, models="same", breaker=BreakerOptions(enabled=False)),
        **more,
    )


def provider(upstream, kind="openai-compatible", *models, **more) -> Provider:
    """One provider at this upstream."""
    names = tuple(ModelOptions(name=name) if isinstance(name, str) else name for name in models or ("m-1",))
    return Provider(
        name="p",
        kind=kind,
        base_url=more.pop("base_url", upstream.url),
        keys=(KeyOptions(secret=SECRET),),
        models=names,
        **more,
    )


def chat(model="m-1", *headers, content="hello", path="/v1/chat/completions", **more) -> bytes:
    """A chat request as bytes."""
    body = {"model": model, "messages": [{"role": "user", "content": content}], **more}
    return request(path, json.dumps(body).encode(), *headers)


async def test_nothing_of_a_clients_head_reaches_a_provider(tmp_path):
    told = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=6.6.6.6"),
        ("cookie", "a=b"),
        ("authorization", "Bearer client-own"),
        ("x-api-key", "client-own"),
        ("openai-organization", "org-evil"),
        ("openai-project", "proj-evil"),
        ("openai-beta", "x=1"),
        ("anthropic-beta", "evil"),
        ("user-agent", "evil/1"),
        ("traceparent", "00-1-2-01"),
        ("referer", "http://evil.example"),
        ("x-evil", "1"),
        ("accept-language", "xx"),
        ("x-request-id", "client-id"),
        ("content-language", "xx"),
        ("http-referer", "evil"),
        ("x-title", "evil"),
    ]
    async with Upstream(answer(3)) as upstream:
        kinds = (
            "openai",
            "openai-compatible",
            "openrouter",
            "groq",
            "mistral",
            "anthropic",
            "azure",
            "cohere",
            "gemini",
        )
        providers = [
            Provider(
                name=kind,
                kind=kind,
                base_url=upstream.url,
                keys=(KeyOptions(secret=SECRET),),
                models=(ModelOptions(name=f"m-{kind}"),),
            )
            for kind in kinds
        ]
        async with running_gateway(options(tmp_path, *providers)) as running:
            for kind in kinds:
                for stream in (False, True):
                    await exchange(running.address, chat(f"m-{kind}", *told, stream=stream))
    assert upstream.count == 2 * len(kinds)
    for asked in upstream.calls:
        assert set(asked.headers) <= OURS, asked.headers
        assert asked.headers["host"] == f"127.0.0.1:{upstream.port}"
        for value in asked.headers.values():
            assert "evil" not in value
            assert "client" not in value
        assert SECRET in "".join(asked.headers.values())
        assert "6.6.6.6" not in asked.body.decode()


@pytest.mark.parametrize("kind", ["azure", "gemini", "openai-compatible", "anthropic", "openai"])
async def test_a_models_name_never_leaves_its_place_in_the_address(kind, tmp_path):
    async with Upstream(answer(3)) as upstream, Upstream(answer(3)) as other:
        base = f"{upstream.origin}/base"
        async with running_gateway(options(tmp_path, provider(upstream, kind, "*", base_url=base))) as running:
            for name in (*NAMES, f"x@127.0.0.1:{other.port}"):
                got = await exchange(running.address, chat(name))
                assert got is not None
                assert got.status in {200, 400, 404, 502}  # 502: this upstream speaks chat to whoever calls
                assert b"internal_error" not in got.body
                assert "x-evil" not in {name for name, _ in got.headers}
    assert other.count == 0
    assert upstream.count >= len(NAMES) // 2
    usual = {urlsplit(asked.path).path.count("/") for asked in upstream.calls}
    assert len(usual) == 1, "a name made or took steps of the path"
    for asked in upstream.calls:
        parts = urlsplit(asked.path)
        assert asked.headers["host"] == f"127.0.0.1:{upstream.port}"
        assert not {".", ".."} & {unquote(step) for step in parts.path.split("/")}
        assert "x-evil" not in asked.headers
        assert "key=1" not in parts.query
        assert "x=" not in parts.query.replace("max=", "")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed_with_our_key(status, tmp_path):
    async with Upstream(answer(3)) as other:

        async def redirect(exchange):
            await exchange.send(status, b"", {"location": f"{other.origin}/v1/chat/completions"})

        async with Upstream(redirect) as upstream, running_gateway(options(tmp_path, provider(upstream))) as running:
            for stream in (False, True):
                got = await exchange(running.address, chat(stream=stream))
                assert got is not None
                assert got.status == 404
                assert "redirect" in got.json["error"]["message"]
                assert got.header("location") == ""
                assert str(other.port).encode() not in got.body
    assert upstream.count == 2
    assert other.count == 0


async def test_what_a_provider_puts_into_its_head_stays_there(tmp_path):
    head = {
        "set-cookie": "session=evil",
        "x-evil": "1",
        "location": "http://evil.example",
        "refresh": "0; url=http://evil.example",
        "x-request-id": "theirs",
        "access-control-allow-origin": "*",
        "x-mrblue-cost-usd": "0",
        "server": "evil",
        "strict-transport-security": "max-age=1",
        "content-type": "application/json; charset=utf-8",
    }

    async def behave(exchange):
        body = Chat().plain("w0", Said(1, 1), "stop")
        if exchange.asked.path.endswith("/speech"):
            await exchange.send(200, b"<script>", {**head, "content-type": "text/html"})
        else:
            await exchange.send(200, body, head)

    models = (ModelOptions(name="m-1"), ModelOptions(name="s-1", surfaces=(Surface.SPEECH,)))
    async with (
        Upstream(behave) as upstream,
        running_gateway(options(tmp_path, provider(upstream, "openai-compatible", *models))) as running,
    ):
        plain = await exchange(running.address, chat())
        speech = json.dumps({"model": "s-1", "input": "hi", "voice": "alloy"}).encode()
        spoken = await exchange(running.address, request("/v1/audio/speech", speech))
    for got in (plain, spoken):
        assert got is not None
        assert got.status == 200, got.body
        mine = {name for name, _ in got.headers}
        assert mine <= {
            "content-type",
            "content-length",
            "transfer-encoding",
            "date",
            "x-request-id",
            "x-mrblue-provider",
            "x-mrblue-model",
            "x-mrblue-attempts",
            "x-mrblue-cache",
            "x-mrblue-cost-usd",
            "cache-control",
            "x-accel-buffering",
            "x-content-type-options",
        }, mine
        assert got.header("x-request-id") != "theirs"
    # A page in a browser must not be made to run what a provider sends as sound.
    assert spoken is not None
    assert not spoken.header("content-type").startswith("text/html")


@pytest.mark.parametrize("kind", ["audio/mpeg\x0b", "a" * 3000, "\xff/\xfe", "", ";;", "text/html; charset=\x7f"])
async def test_an_odd_content_type_is_no_fault_of_ours(kind, tmp_path):
    async def behave(exchange):
        exchange._writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-type: " + kind.encode("latin-1") + b"\r\n\r\nabc"
        )

    model = ModelOptions(name="s-1", surfaces=(Surface.SPEECH,))
    async with (
        Upstream(behave) as upstream,
        running_gateway(options(tmp_path, provider(upstream, "openai-compatible", model))) as running,
    ):
        body = json.dumps({"model": "s-1", "input": "hi", "voice": "alloy"}).encode()
        got = await exchange(running.address, request("/v1/audio/speech", body))
        assert got is not None
        assert got.status in {200, 502}
        assert b"internal_error" not in got.body
        assert len(got.header("content-type")) <= 200
        assert "internal error" not in running.log.getvalue()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 503])
async def test_a_providers_words_are_shown_without_what_is_secret(status, tmp_path):
    words = (
        f"Incorrect API key provided: {SECRET}. See http://10.0.0.7:8000/v1 or user:hunter2@db.internal; "
        "Bearer abcdef0123456789abcdef; AIzaSyA1234567890abcdefghij; token=s3cr3tvalue\r\nx-evil: 1"
    )
    async with (
        Upstream(failing(status, message=words)) as upstream,
        running_gateway(options(tmp_path, provider(upstream))) as running,
    ):
        seen = b""
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
            more = {"input": "hi"} if path.endswith("responses") else {"max_tokens": 5}
            for stream in (False, True):
                got = await exchange(running.address, chat(path=path, stream=stream, **more))
                assert got is not None
                assert got.status >= 400
                seen += got.head + got.body
        log = running.log.getvalue()
    for secret in (
        SECRET,
        "10.0.0.7",
        "hunter2",
        "db.internal",
        "abcdef0123456789",
        "AIzaSyA",
        "s3cr3tvalue",
        "x-evil: 1\r\n",
    ):
        assert secret not in seen.decode(), secret
        assert secret not in log, secret
    assert len(log.splitlines()) == 6 + log.count("warning:")


@pytest.mark.parametrize("kind", ["openai", "openai-compatible", "anthropic", "gemini", "mistral", "cohere", "ollama"])
async def test_an_address_in_a_request_is_never_fetched(kind, tmp_path):
    async with Upstream(answer(3)) as upstream, Upstream(answer(3)) as inside:
        url = f"{inside.origin}/latest/meta-data"
        async with running_gateway(options(tmp_path, provider(upstream, kind))) as running:
            for part in (
                {"type": "image_url", "image_url": {"url": url}},
                {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
                {"type": "file", "file": {"file_data": url, "filename": "/etc/passwd"}},
                {"type": "input_audio", "input_audio": {"data": url, "format": "wav"}},
            ):
                content = [{"type": "text", "text": "what is this?"}, part]
                got = await exchange(running.address, chat(content=content))
                assert got is not None
                assert b"root:" not in got.body
    assert inside.count == 0
    assert all(b"root:" not in asked.body for asked in upstream.calls)


def form(*parts: bytes) -> tuple[bytes, bytes]:
    """Content type and body of a form."""
    body = b"".join(b"--b0\r\ncontent-disposition: form-data; " + part + b"\r\n" for part in parts) + b"--b0--\r\n"
    return b"multipart/form-data; boundary=b0", body


async def test_a_form_cannot_name_another_model_nor_add_to_the_providers_form(tmp_path):
    model = ModelOptions(name="hear", upstream="whisper-large", surfaces=(Surface.TRANSCRIPTION,))
    async with (
        Upstream(transcription()) as upstream,
        running_gateway(options(tmp_path, provider(upstream, "openai-compatible", model))) as running,
    ):

        async def post(*parts: bytes):
            kind, body = form(*parts)
            return await exchange(running.address, request("/v1/audio/transcriptions", body, content_type=kind))

        said, file = b'name="model"\r\n\r\nhear', b'name="file"; filename="a.wav"\r\n\r\nRIFF'
        assert (await post(said, file)).status == 200
        twice = await post(said, b'name="model"\r\n\r\nother', file)
        as_file = await post(said, b'name="model"; filename="x"\r\n\r\nother', file)
        odd = b'name="file"; filename="../../e\\"vil%0d%0a\r\ncontent-type: audio/wav"; x\r\nx-evil: 1\r\n\r\nRIFF'
        broken = await post(said, odd)
        typed = await post(said, b'name="file"; filename="a/b\xc2\x85.wav"\r\ncontent-type: evil\x00; x=y\r\n\r\nRIFF')
    assert twice.status == as_file.status == 400
    assert twice.json["error"]["param"] == "model"
    assert typed.status in {200, 400}
    assert broken.status in {200, 400}
    for asked in upstream.calls:
        assert asked.body.count(b'name="model"') == 1
        assert b"\r\n\r\nwhisper-large\r\n" in asked.body
        assert b"evil" not in asked.body.replace(b'filename="e_vil', b"").replace(b"_vil%0d", b"")
        assert b"../" not in asked.body


HANDSHAKE = (
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ("sec-websocket-version", "13"),
)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 101),
        ([("origin", "http://localhost:5173")], 101),
        ([("origin", "https://evil.example")], 403),
        ([("origin", "null")], 403),
        (
            [("origin", "https://evil.example"), ("sec-websocket-protocol", "realtime, openai-insecure-api-key.ek_x")],
            101,
        ),
    ],
)
async def test_a_foreign_page_opens_no_session_where_no_key_is_asked_for(headers, status, tmp_path):
    """Browsers let any page open a websocket to this machine; only the server can refuse it."""
    async with Upstream(failing(404)) as upstream:
        model = ModelOptions(
            name="rt-1", surfaces=(Surface.REALTIME,), endpoint=f"ws://127.0.0.1:{upstream.port}/v1/realtime"
        )
        async with running_gateway(options(tmp_path, provider(upstream, "openai-compatible", model))) as running:
            data = request("/v1/realtime?model=rt-1", b"", *HANDSHAKE, *headers, method=b"GET", length=None)
            got = await exchange(running.address, data)
            assert got is not None
            assert got.status == status
    if status == 403:
        assert upstream.count == 0
