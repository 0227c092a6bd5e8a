"""Requests as nobody should send them: each drawn from its number, so that one that did harm can be sent again."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.gateway.good_bodies import CHAT, EVIL, FAILING, HEARS, KINDS, ODD, SURFACES
from tests.gateway.wire import request

_READS = ("/v1/models", "/models/m-1", "/v1/usage", "/v1/status", "/health", "/metrics", "/openapi.json")


class Case(NamedTuple):
    """One request, or several bytes that are none."""

    number: int
    kind: str
    data: bytes
    path: str = ""
    request_id: str = ""
    """The id it carries; empty: none that counts."""
    answered: bool = True
    """Whether an answer must come."""
    head_only: bool = False
    then: bytes = b""
    """Sent after the answer to `data` (websockets)."""
    cut: bool = False
    """It ends here, whole or not: the sending side closes."""
    many: int = 1
    """Answers that may come on this connection."""
    ok: bool = False
    """A good request among the bad ones: it must be answered 200."""
    sick: bool = False
    """It goes to the provider that fails, so that its failure is an honest answer."""


def case(seed: str, number: int, token: str) -> Case:
    """The request of this number. `token`: a key of the gateway; empty when it wants none."""
    chance = random.Random(f"{seed}-{number}")
    maker, _ = _KINDS[chance.choices(range(len(_KINDS)), [share for _, share in _KINDS])[0]]
    return maker(chance, number, f"h-{seed}-{number}", token)


def _auth(token: str, request_id: str) -> list[tuple[str, str]]:
    made = [("x-request-id", request_id)] if request_id else []
    return [*made, ("authorization", f"Bearer {token}")] if token else made


# JSON


def _value(chance: random.Random) -> Any:
    match chance.randrange(8):
        case 0:
            return chance.choice(EVIL)
        case 1:
            return chance.choice('xé\x00\\"') * chance.choice((300, 5000, 100_000))
        case 2:
            deep: Any = copy.deepcopy(chance.choice(ODD))
            for _ in range(chance.choice((5, 60, 150, 198, 205))):
                deep = [deep] if chance.random() < 0.5 else {"content": deep}
            return deep
        case 3:
            return [copy.deepcopy(chance.choice(ODD)) for _ in range(chance.choice((3, 300)))]
        case _:
            return copy.deepcopy(chance.choice(ODD))


def _places(value: Any) -> list[tuple[Any, Any]]:
    found, todo = [], [value]
    while todo:
        outer = todo.pop()
        items = outer.items() if isinstance(outer, dict) else enumerate(outer) if isinstance(outer, list) else ()
        for key, inner in items:
            found.append((outer, key))
            todo.append(inner)
    return found


def _swapped(chance: random.Random, body: Any) -> Any:
    body = copy.deepcopy(body)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        holder, key = chance.choice(_places(body)) if body else (body, "model")
        match chance.randrange(5):
            case _ if isinstance(holder, dict) and not holder:
                holder["model"] = _value(chance)
            case 0 if isinstance(holder, dict):
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[chance.choice(EVIL)] = _value(chance)
            case 2 if isinstance(holder, dict):
                other = chance.choice([*holder.keys(), "role", "type", "content"])
                holder[key], holder[other] = holder.get(other), holder[key]
            case _:
                holder[key] = _value(chance)
    return body


def _bytewise(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    match chance.randrange(14):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes([chance.randrange(256)]) + data[at:]
        case 2:
            return data[:at] + data[at + chance.randrange(1, 9) :]
        case 3:
            return b"\xef\xbb\xbf" + data
        case 4:
            return data.decode().encode(chance.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp037")))
        case 5:
            return gzip.compress(data)
        case 6:
            return data.replace(b'"m', b'"\\ud800m', 1).replace(b"Why", b"\\udfff\\u0000")
        case 7:
            return data.replace(
                b"20", chance.choice((b"NaN", b"Infinity", b"-Infinity", b"1e999", b"0x10", b"9" * 400))
            )
        case 8:
            return data[:-1] + b', "model": "' + chance.choice((b"m-1", b"sick", b"zzz")) + b'", "model": []}'
        case 9:
            return data.replace(b"e", b"\xff\xfe", 3)
        case 10:
            return data + data
        case 11:
            return b"[" * chance.choice((10, 1000, 100_000))
        case 12:
            return b'{"a":' * chance.choice((100, 100_000))
        case _:
            return chance.choice((b"", b"null", b"0", b'"x"', b"[]", b"{}", b"\x00", b" " * 1000, b"[{}]", b"tru"))


def _json(chance: random.Random, number: int, request_id: str, token: str) -> Case:
    path = chance.choice(list(SURFACES))
    body: Any = copy.deepcopy(SURFACES[path])
    if "stream" in body and chance.random() < 0.4:
        body["stream"] = True
    if body.get("model") == CHAT and chance.random() < 0.5:
        body["model"] = chance.choice((FAILING, *(f"m-{kind}" for kind in KINDS)))
    if chance.random() < 0.65:
        body = _swapped(chance, body)
        data = json.dumps(body, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    else:
        data = _bytewise(chance, json.dumps(body).encode())
    headers = _auth(token, request_id)
    if chance.random() < 0.05:
        headers.append(("content-encoding", chance.choice(("gzip", "br", "identity, gzip", "\xff"))))
    place = path.removeprefix("/v1") if chance.random() < 0.2 else path
    kind = chance.choice(
        (b"application/json",) * 9 + (b"application/json; charset=utf-16", b"text/plain", b"\xff/\x80")
    )
    return Case(number, "json", request(place, data, *headers, content_type=kind), path, request_id, sick=True)


def _good(chance: random.Random, number: int, request_id: str, token: str) -> Case:
    path = chance.choice([*SURFACES, "/v1/audio/transcriptions"])
    if path.endswith("transcriptions"):
        kind, data = _form([(b'form-data; name="model"', HEARS.encode()), (_FILE, b"RIFF")], b"b0")
        return Case(
            number, "good", request(path, data, *_auth(token, request_id), content_type=kind), path, request_id, ok=True
        )
    body = {**SURFACES[path], **({"user": f"u{chance.randrange(40)}"} if "chat" in path else {})}
    if "stream" in body:
        body["stream"] = chance.random() < 0.5
    if "client_secrets" in path:
        body = {"session": {"type": "realtime", "model": "rt-1"}}
    data = json.dumps(body).encode()
    return Case(number, "good", request(path, data, *_auth(token, request_id)), path, request_id, ok=True)


# Forms

_FILE = b'form-data; name="file"; filename="a.wav"'


def _form(parts: list[tuple[bytes, bytes]], boundary: bytes) -> tuple[bytes, bytes]:
    body = b"".join(
        b"--%s\r\ncontent-disposition: %s\r\n\r\n%s\r\n" % (boundary, disposition, data) for disposition, data in parts
    )
    return b"multipart/form-data; boundary=" + boundary, body + b"--%s--\r\n" % boundary


def _multipart(chance: random.Random, number: int, request_id: str, token: str) -> Case:
    names = (
        b"../../a.wav",
        b"a\\..\\b.wav",
        b"a\r\nx-evil: 1",
        b"a%0d%0ax-evil: 1",
        b'a\\"b',
        b"\x00",
        b"\xff\xfe",
        b"x" * 3000,
        b"",
        "ж.wav".encode(),
        b"con",
        b"a.wav; name=model",
        b"a\nb",
    )
    parts = [
        (
            b'form-data; name="model"',
            chance.choice((HEARS.encode(), HEARS.encode(), b"zzz", b"", b"\xff", b"m" * 9000)),
        ),
        (b'form-data; name="file"; filename="%s"' % chance.choice(names), chance.randbytes(chance.choice((0, 9, 900)))),
    ]
    odd = (
        b"form-data",
        b"",
        b'form-data; name="',
        b"attachment",
        b"form-data; name=\xff",
        b'form-data; name=""; x',
        b'form-data; name="a"; name="b"',
        b'form-data; name="stream"',
        b'form-data; name="temperature"',
        b'form-data; name="response_format"',
        b"form-data; filename=x",
        b'form-data; name="' + b"n" * 20_000 + b'"',
        b'form-data; name="timestamp_granularities[]"',
        b'form-data; name="model\r\n x"',
    )
    for _ in range(chance.choice((0, 1, 2, 150))):
        said = chance.choice((b"true", b"1", b"\x00\xff", b"x" * 2000, b"verbose_json", b""))
        parts.insert(chance.randrange(len(parts) + 1), (chance.choice(odd), said))
    boundary = chance.choice((b"b0", b"b0", b"b0", b"x" * 70, b"'", b"a b"))
    kind, body = _form(parts, boundary)
    match chance.randrange(9):
        case 0:
            body = body[: chance.randrange(len(body))]
        case 1:
            kind = chance.choice(
                (b"multipart/form-data", b"multipart/form-data; boundary=", b"multipart/mixed; boundary=b0")
            )
        case 2:
            body = body.replace(b"--" + boundary, b"--other", chance.randrange(1, 4))
        case 3:
            kind = b"multipart/form-data; boundary=" + chance.choice(
                (b"\xff\x80", b'"b0', b"b" * 5000, b"b0; charset=x")
            )
        case 4:
            body = body.replace(b"\r\n", b"\n")
        case 5:
            body = b"preamble" * 99 + body
    headers = _auth(token, request_id)
    data = request("/v1/audio/transcriptions", body, *headers, content_type=kind)
    return Case(number, "form", data, "/v1/audio/transcriptions", request_id)


# Heads

_HELLO = json.dumps({"model": CHAT, "messages": [{"role": "user", "content": "hello"}]}).encode()


def _headers(chance: random.Random, number: int, request_id: str, token: str) -> Case:
    evil: list[tuple[bytes, bytes]] = [
        (
            b"x-request-id",
            chance.choice((b"a b", b"\xff" * 9, b"x" * 129, b"x" * 9000, b"", b"../", b"a\tb", b"%0a", b"1")),
        ),
        (b"x-evil", b"x" * chance.choice((16_000, 70_000))),
        (
            b"host",
            chance.choice(
                (b"evil.example", b"127.0.0.1:1@evil.example", b"", b"[::1", b"\xff", b"a" * 999, b"localhost")
            ),
        ),
        (
            b"origin",
            chance.choice((b"https://evil.example", b"null", b"http://localhost:3", b"\x80", b"http://[::1", b"x")),
        ),
        (b"accept", chance.choice((b"text/html", b"*/*;q=nan", b"", b"text/event-stream", b"," * 900))),
        (
            b"cache-control",
            chance.choice(
                (
                    b"no-store",
                    b"max-age=-1",
                    b"max-age=9" + b"9" * 300,
                    b"only-if-cached",
                    b"\xff=\xff",
                    b"max-age=\xb2",
                    b"max-age=1e3",
                    b"no-cache, no-cache",
                    b"x" * 9000,
                )
            ),
        ),
        (
            b"authorization",
            chance.choice(
                (
                    b"Bearer",
                    b"Bearer ",
                    b"Basic Og==",
                    b"bearer mrb_" + b"x" * 43,
                    b"\xff",
                    b"Bearer mrb_\xe9",
                    b"Bearer " + b"x" * 9000,
                )
            ),
        ),
        (b"x-api-key", chance.choice((b"", b"mrb_x", b"\xfe"))),
        (
            b"content-type",
            chance.choice((b"text/html", b"application/json", b"multipart/form-data; boundary=x", b"\xff", b"/;;=")),
        ),
        (b"content-length", chance.choice((b"5", b"-1", b"abc", b"9" * 30, b"0x10", b"1, 1"))),
        (b"transfer-encoding", chance.choice((b"chunked", b"identity", b"chunked, chunked", b"gzip", b"xchunked"))),
        (b"expect", chance.choice((b"100-continue", b"200-ok"))),
        (b"connection", chance.choice((b"close", b"upgrade", b"keep-alive, close", b"x" * 500))),
        (b"upgrade", chance.choice((b"h2c", b"websocket", b"TLS/1.0"))),
        (b"x-forwarded-for", b"6.6.6.6"),
        (b"x-forwarded-host", b"evil.example"),
        (b"forwarded", b"for=6.6.6.6"),
        (b"x-evil", b"a\rb"),
        (b"x-evil", b"a\x00b"),
        (b"bad name", b"1"),
        (b"", b"1"),
        (b"x-ev\xffil", b"1"),
        (b"x-evil", b"1\r\n folded"),
        (b"x-evil\r\nx-other", b"1"),
        (b"x-evil\n", b"1"),
        (b"range", b"bytes=0-"),
        (b"cookie", b"a=b; " * 500),
        (b"te", b"trailers"),
        (b"content-md5", b"x"),
        (b"proxy-authorization", b"x"),
    ]
    given = [(name.encode(), value.encode()) for name, value in _auth(token, request_id)]
    more = [chance.choice(evil) for _ in range(chance.choice((1, 1, 2, 3)))]
    if chance.random() < 0.04:
        more += [(b"x-%d" % n, b"v") for n in range(chance.choice((150, 300, 3000)))]
    # What comes first counts for us; so the odd ones go first half of the time.
    lines = more + given if chance.random() < 0.5 else given + more
    known = "" if any(name == b"x-request-id" for name, _ in more) else request_id
    path = chance.choice(("/v1/chat/completions",) * 3 + ("/v1/audio/transcriptions", "/v1/models", "/health"))
    method = b"GET" if path in _READS else b"POST"
    data = request(path, b"" if method == b"GET" else _HELLO, *lines, method=method)
    return Case(number, "headers", data, path, known, answered=False, sick=True)


def _paths(chance: random.Random, number: int, request_id: str, token: str) -> Case:
    name = chance.choice(
        (
            "../../../etc/passwd",
            "%2e%2e%2f",
            "a%2fb",
            "a%00b",
            "%ff%fe",
            "a%0d%0ax-evil:%201",
            "//",
            ".",
            "..%5c",
            "m-1%20",
            "x" * 4000,
            quote("模型"),
            "a?b",
            "a#b",
            "%",
            "%zz",
            "m-1/",
            "m-1;v=1",
            "%0a2030-01-01T00:00:00Z",
            "..;/",
        )
    )
    path: bytes = chance.choice(
        (
            f"/v1/models/{name}",
            f"/models/{name}",
            f"/{name}",
            f"/v1/{name}",
            f"//v1//chat/completions/{name}",
            f"/v1/chat/completions/../{name}",
            f"/v1/realtime/{name}",
            "/V1/CHAT/COMPLETIONS",
            "/v1/chat/completions/",
            f"/v1/models?{'a=b&' * 2000}",
            f"/health?{name}",
            "*",
            "http://evil.example/v1/models",
            "evil.example:443",
            "/\\..",
            f"/openapi.json/{name}",
            "/docs",
            "/.env",
            "/metrics/../v1/usage",
            "/v1/v1/models",
            f"/%76%31/models/{name}",
            "?",
            "",
        )
    ).encode()
    if chance.random() < 0.1:
        path = chance.choice((b"/\xff\xfe", b"/v1/models/\xe2\x82", b"/a b", b"/\x00", b"/\t", "/é".encode()))
    method = chance.choice((b"GET", b"GET", b"GET", b"POST", b"HEAD", b"OPTIONS", b"DELETE"))
    data = request(path, b"", *_auth(token, request_id), method=method, length=None)
    return Case(number, "paths", data, request_id="", answered=False, head_only=method == b"HEAD")


def _methods(chance: random.Random, number: int, request_id: str, token: str) -> Case:
    method = chance.choice(
        (
            b"GET",
            b"HEAD",
            b"PUT",
            b"PATCH",
            b"DELETE",
            b"OPTIONS",
            b"TRACE",
            b"CONNECT",
            b"PROPFIND",
            b"M-SEARCH",
            b"BREW",
            b"post",
            b"POST\x00",
            b"\xff",
            b"G" * 300,
            b"PRI",
            b"SOURCE",
            b"QUERY",
        )
    )
    path = chance.choice([*SURFACES, *_READS, "/v1/realtime", "/nowhere"])
    data = request(path, chance.choice((b"", b"{}", _HELLO)), *_auth(token, request_id), method=method)
    return Case(number, "methods", data, path, answered=False, head_only=method == b"HEAD")


# What is no request


def _framing(chance: random.Random, number: int, request_id: str, token: str) -> Case:
    headers = _auth(token, request_id)
    good = request("/v1/chat/completions", _HELLO, *headers)
    chunked = [*headers, ("transfer-encoding", "chunked")]
    head = request("/v1/chat/completions", b"", *chunked, length=None)
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (_HELLO[:9], _HELLO[9:30], _HELLO[30:]))
    what = chance.randrange(12)
    many = 1
    match what:
        case 0:
            data = good[: chance.randrange(1, len(good))]
        case 1:
            many = chance.choice((2, 3, 12))
            data = good * many
        case 2:
            data = request("/v1/chat/completions", _HELLO, *headers, length=len(_HELLO) + 50)
        case 3:
            data = request("/v1/chat/completions", _HELLO, *headers, length=len(_HELLO) - 5)
        case 4:
            data = (
                head
                + pieces
                + b"0\r\n"
                + chance.choice((b"\r\n", b"authorization: x\r\n\r\n", b"a: b\r\n" * 900 + b"\r\n"))
            )
        case 5:
            data = head + chance.choice(
                (b"zz\r\n", b"-1\r\n\r\n", b"f" * 20 + b"\r\n", b"5;" + b"e" * 5000 + b"\r\n", b"5\r\nab")
            )
        case 6:
            data = request("/v1/chat/completions", pieces + b"0\r\n\r\n", *chunked, length=4)
        case 7:
            data = chance.randbytes(chance.choice((1, 50, 3000)))
        case 8:
            data = good.replace(
                b"HTTP/1.1", chance.choice((b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.9", b"HTTZ/1.1", b""))
            )
        case 9:
            data = good.replace(b"\r\n", chance.choice((b"\n", b"\r", b"\r\n\r\n", b"\n\r")), 3)
        case 10:
            data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" if chance.random() < 0.5 else b"\x16\x03\x01\x02\x00\x01\x00"
        case _:
            data = b"\r\n" * chance.choice((3, 5000)) + good
    return Case(number, "framing", data, answered=False, cut=what in {0, 7, 9}, many=many)


def _websockets(chance: random.Random, number: int, request_id: str, token: str) -> Case:
    path = chance.choice(
        (
            "/v1/realtime?model=rt-1",
            "/realtime",
            "/openai/realtime?deployment=x&api-version=2025-04-01-preview",
            "/v1/realtime?model=" + "x" * 3000,
            "/v1/realtime?model=%0d%0a%00",
            "/nowhere",
            "/v1/chat/completions",
            "/v1/realtime?model=zzz&call_id=../x",
            "/v1/realtime?model=rt-1&model=b&intent=transcription",
        )
    )
    lines: list[tuple[str, str]] = [
        ("connection", chance.choice(("upgrade", "Upgrade", "keep-alive, Upgrade"))),
        ("upgrade", chance.choice(("websocket",) * 5 + ("WebSocket", "h2c"))),
        ("sec-websocket-key", chance.choice((base64.b64encode(bytes(16)).decode(),) * 5 + ("x", "", "\xff" * 9))),
        ("sec-websocket-version", chance.choice(("13",) * 6 + ("8", "99", ""))),
    ]
    if chance.random() < 0.5:
        lines.append(
            (
                "sec-websocket-protocol",
                chance.choice(
                    (
                        "realtime",
                        "realtime, openai-insecure-api-key.x",
                        "," * 500,
                        "\xff",
                        "openai-insecure-api-key.mrb_" + "x" * 600,
                        "realtime, openai-insecure-api-key.ek_nope",
                    )
                ),
            )
        )
    if chance.random() < 0.3:
        lines.append(("origin", chance.choice(("https://evil.example", "null", "http://localhost"))))
    chance.shuffle(lines)
    key = chance.random() < 0.7
    data = request(path, b"", *lines, *_auth(token if key else "", request_id), method=b"GET", length=None)
    mask = chance.randbytes(4)
    said = chance.choice((b'{"type": "session.update"}', b"\xff\xfe", b"[]", b"", b"{" * 200, b"\x00" * 120))[:120]
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(said))
    frames = chance.choice(
        (
            b"\x81" + bytes([0x80 | len(said)]) + mask + masked,
            b"\x82" + bytes([0x80 | len(said)]) + mask + masked,
            b"\x81\xff" + b"\x7f" * 8 + mask,
            b"\x88\x80" + mask,
            b"\x89\xfe\x7f\xff" + mask,
            chance.randbytes(40),
            b"\xf1\x00",
            b"\x01\x80" + mask + b"\x81\x80" + mask,
            b"",
        )
    )
    return Case(number, "websocket", data, "/v1/realtime", answered=False, then=frames, sick=True)


Maker = Callable[[random.Random, int, str, str], Case]
_KINDS: tuple[tuple[Maker, int], ...] = (
    (_json, 46),
    (_good, 8),
    (_multipart, 11),
    (_headers, 12),
    (_paths, 9),
    (_methods, 3),
    (_framing, 7),
    (_websockets, 4),
)
