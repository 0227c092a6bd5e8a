"""What the adapters share: addresses, headers, JSON in and out, the parts of a message and chat completion chunks."""

from __future__ import annotations

import base64
import binascii
import email.utils
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json, Piece, Target, Usage

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[\w-]+=[^;,]*)*;base64,(?P<data>[A-Za-z0-9+/=_\s-]*)\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
DONE = b"data: [DONE]\n\n"


def refuse(kind: FaultKind, message: str, param: str | None = None) -> CallError:
    """An error to raise: the request cannot go to this provider."""
    return CallError(Fault(kind=kind, message=message, type="invalid_request_error", param=param))


def unsupported(message: str, param: str | None = None) -> CallError:
    """This provider cannot say it; another may."""
    return refuse(FaultKind.UNSUPPORTED, message, param)


def bad_request(message: str, param: str | None = None) -> CallError:
    """Malformed, whoever the provider is."""
    return refuse(FaultKind.BAD_REQUEST, message, param)


def broken(message: str) -> Fault:
    """The answer cannot be read, or ended too early."""
    return Fault(kind=FaultKind.BROKEN, message=message, type="upstream_error")


def address(target: Target, default: str, path: str) -> str:
    """Where a call goes: the target's endpoint as it is, else its base (or the adapter's own) and the path."""
    if target.endpoint:
        return target.url
    base = (target.url or default).rstrip("/")
    if not base:
        raise bad_request(f"provider {target.provider} has no base_url; set it in the configuration")
    return f"{base}/{path}"


def segment(name: str) -> str:
    """A model's name as one segment of a path: nothing in it can reach another path or add a query."""
    if not name.strip("."):
        raise bad_request("the model's name is empty or made of dots", "model")
    return quote(name, safe="", errors="replace")


def headers(target: Target, auth: Mapping[str, str], *, json: bool = True, stream: bool = False) -> dict[str, str]:
    """Request headers; what the configuration adds wins over ours, whatever the case of its letters."""
    made = {"accept": "text/event-stream" if stream else "application/json"}
    if json:
        made["content-type"] = "application/json"
    made.update({name: value for name, value in auth.items() if value})
    made.update({name.lower(): value for name, value in target.headers})
    for name, value in made.items():
        if _CONTROL.search(value) or _CONTROL.search(name):
            # Never the value: it may be the key.
            raise refuse(FaultKind.AUTH, f"header {_CONTROL.sub('?', name)} of {target.provider} has a line break")
    return made


def bearer(key: str) -> dict[str, str]:
    """The usual authorization header; none without a key."""
    return {"authorization": f"Bearer {key}"} if key else {}


def encode(body: Json) -> bytes:
    """JSON bytes. Raises `CallError` for what JSON cannot hold."""
    try:
        return _encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise bad_request("the request cannot be written as JSON") from error


def decode(data: bytes) -> Any:
    """Any JSON value. Raises `CallError` (BROKEN)."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallError(broken("the provider's answer is not JSON")) from error


def decode_table(data: bytes) -> Json:
    """A JSON object. Raises `CallError` (BROKEN)."""
    value = decode(data)
    if not isinstance(value, dict):
        raise CallError(broken("the provider's answer is not a JSON object"))
    return value


def table(value: Any) -> Json:
    """`value` when it is an object, else an empty one: a missing part of a hostile answer reads as absent."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Json]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def string(value: Any) -> str:
    """`value` when it is text, else empty."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int:
    """A count of tokens: whole and not negative, whatever came."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return 0
    return int(value)


def option(target: Target, name: str) -> str:
    """A provider-specific setting, empty when it is not set."""
    return next((value for key, value in target.options if key == name), "")


def bounded(asked: Any, target: Target) -> int | None:
    """The number of tokens to ask for: the request's, within the target's bound; the bound when it names none."""
    if isinstance(asked, int) and not isinstance(asked, bool):
        return asked if target.max_tokens is None else min(asked, target.max_tokens)
    return target.max_tokens


def limit_of(body: Json, target: Target) -> int | None:
    """`bounded` for a chat request, under whichever of its two names it sets a limit."""
    asked = body.get("max_completion_tokens")
    return bounded(asked if asked is not None else body.get("max_tokens"), target)


def stop_words(body: Json) -> list[Any]:
    """A chat request's stop words as a list, whether it has one or several."""
    stops = body.get("stop")
    return [stops] if isinstance(stops, str) else stops if isinstance(stops, list) else []


def text_of(content: Any) -> str:
    """The text of a message's content, whether it is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(string(part.get("text")) for part in rows(content) if "text" in part)


def split_data_url(url: str) -> tuple[str, str] | None:
    """(media type, base64 data) of a data URL; None for any other address. Raises `CallError` for a broken one."""
    if not url.startswith("data:"):
        return None
    found = _DATA_URL.match(url)
    if found is None:
        raise bad_request("an image's data URL is not base64")
    data = re.sub(r"\s", "", found["data"]).replace("-", "+").replace("_", "/")
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise bad_request("an image's data URL is not base64") from error
    return found["type"] or "application/octet-stream", data


def short_hash(*parts: str, length: int = 24) -> str:
    """A name that depends on the parts alone: the same in each run."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:length]


def date_of(head: Mapping[str, str]) -> int:
    """When the provider answered, by its `date` header (RFC 9110, 6.6.1), in Unix seconds; 0 when it does not say."""
    try:
        return int(email.utils.parsedate_to_datetime(head.get("date", "")).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0


def usage_table(usage: Usage) -> Json:
    """Usage in the shape of chat completions."""
    made: Json = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    if usage.cached_input_tokens or usage.cache_write_tokens:
        made["prompt_tokens_details"] = {"cached_tokens": usage.cached_input_tokens}
        if usage.cache_write_tokens:
            made["prompt_tokens_details"]["cache_write_tokens"] = usage.cache_write_tokens
    if usage.reasoning_tokens:
        made["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return made


def completion(
    *, ident: str, model: str, created: int, choices: Iterable[tuple[Json, str]], usage: Usage | None
) -> Json:
    """A chat completion from (message, finish reason) pairs."""
    made: Json = {
        "id": ident,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [
            {"index": index, "message": {"role": "assistant", **message}, "logprobs": None, "finish_reason": finish}
            for index, (message, finish) in enumerate(choices)
        ],
    }
    if usage is not None:
        made["usage"] = usage_table(usage)
    return made


class ChunkMaker:
    """Makes chat completion chunks for providers that stream otherwise.

    `created` is 0: an adapter has no clock, and these wires carry no time; the server stamps it.
    """

    def __init__(self) -> None:
        self.ident = ""
        self.model = ""
        self._begun: set[int] = set()

    def _chunk(self, choices: list[Json], **more: Any) -> Json:
        head = {"id": self.ident, "object": "chat.completion.chunk", "created": 0, "model": self.model}
        return {**head, "choices": choices, **more}

    def delta(self, delta: Json, *, index: int = 0, finish: str = "", token: bool = True) -> Piece:
        """One chunk of one choice; the first of each carries the role."""
        if index not in self._begun:
            self._begun.add(index)
            delta = {"role": "assistant", **delta}
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish or None}
        text = string(delta.get("content")) if index == 0 else ""
        return Piece(data=self._chunk([choice]), text=text, token=token, finish=finish if index == 0 else "")

    def finish(self, reason: str, *, index: int = 0) -> Piece:
        """The chunk that says why a choice stopped."""
        return self.delta({}, index=index, finish=reason, token=False)

    def usage(self, usage: Usage) -> Piece:
        """The chunk without choices that carries usage."""
        return Piece(data=self._chunk([], usage=usage_table(usage)), usage=usage)


def end() -> Piece:
    """The end marker of a chat stream."""
    return Piece(raw=DONE, end=True)
