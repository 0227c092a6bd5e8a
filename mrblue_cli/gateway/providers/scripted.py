"""The built-in provider that needs no key and no network: `mrblue gateway --demo` runs on it.

It answers in OpenAI's wire shape, so everything behind it (decoding, failover, cache, budget) is the real thing. The
upstream shell asks `play` instead of opening a connection for any provider that is a `LocalProvider`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from mrblue_cli.gateway.model import Call, Json, Surface, Target
from mrblue_cli.gateway.providers import scripted_media as media
from mrblue_cli.gateway.providers import scripted_text as say
from mrblue_cli.gateway.providers.base import Traits
from mrblue_cli.gateway.providers.openai import OpenAI, fill_chat
from mrblue_cli.gateway.providers.wire import DONE, bad_request, encode, option, short_hash, string
from mrblue_cli.gateway.sse import frame

_JSON = {"content-type": "application/json"}
_EVENTS = {"content-type": "text/event-stream"}
Steps = tuple[tuple[float, bytes], ...]


class ScriptedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a local provider answers."""

    status: int = 200
    headers: dict[str, str] = msgspec.field(default_factory=lambda: dict(_JSON))
    """Names in lower case."""
    steps: Steps = ()
    """(seconds to wait before it, bytes) in order."""
    cut: bool = False
    """After the steps the connection breaks, instead of ending. Without steps: it breaks before any answer."""


@runtime_checkable
class LocalProvider(Protocol):
    """A provider that answers without a network. It also has everything that `Provider` has."""

    def play(self, call: Call, target: Target) -> ScriptedAnswer:
        """The answer to a call that `request` accepted. The caller waits and sends; this only decides."""
        ...


class Scripted(OpenAI):
    """The adapter. Options of a target: fail, slow, pace, cut, … as in messages; `steady=true`: heed no commands."""

    kind = "scripted"
    traits = Traits(
        native=frozenset({Surface.CHAT, Surface.EMBEDDINGS, Surface.TRANSCRIPTION, Surface.SPEECH}),
        prefill=True,
        base_url="scripted://demo",
        keyless=True,
    )

    def chat(self, body: Json, call: Call, target: Target) -> Json:
        """The body with the configured defaults. A prefill stays with the call."""
        if not isinstance(body.get("messages"), list) or not body["messages"]:
            raise bad_request("messages must be a list of at least one message", "messages")
        fill_chat(body, call, target)
        return body

    def play(self, call: Call, target: Target) -> ScriptedAnswer:
        """The answer."""
        asked = (
            say.question(call.body.get("messages")) if call.surface is Surface.CHAT else string(call.body.get("input"))
        )
        obeys = not call.prefill and option(target, "steady") != "true"
        base = _configured(target)
        given, text = say.orders(asked, target.provider, base)
        todo = given if obeys else base
        if call.prefill:
            todo = say.Orders(pace=base.pace)
        refusal = _refusal(todo)
        if refusal is not None:
            return refusal
        match call.surface:
            case Surface.EMBEDDINGS:
                return _embeddings(call, target, todo)
            case Surface.TRANSCRIPTION:
                return _transcription(call, todo)
            case Surface.SPEECH:
                return _speech(call, text, todo)
            case _:
                return _chat(call, target, text, todo)


def _configured(target: Target) -> say.Orders:
    """The orders in the target's options; what is no number is left out."""
    words = [f"/{name} {value}" for name, value in target.options if name in say.Orders.__struct_fields__]
    return say.orders(" ".join(words), target.provider, say.Orders())[0]


def _refusal(todo: say.Orders) -> ScriptedAnswer | None:
    """The answer of a fault that comes instead of any other."""
    if todo.reset:
        return ScriptedAnswer(cut=True)
    if todo.filter:
        return _error(400, "The demo refuses this content, as it was told to.", "content_filter", todo)
    if todo.long:
        return _error(400, "This is more than the maximum context length of the demo.", "context_length_exceeded", todo)
    if todo.fail:
        head = {**_JSON, "retry-after": "1"} if todo.fail == 429 else _JSON
        code = "rate_limit_exceeded" if todo.fail == 429 else None
        return _error(todo.fail, f"The demo fails with {todo.fail}, as it was told to.", code, todo, head)
    return None


def _error(
    status: int, message: str, code: str | None, todo: say.Orders, headers: dict[str, str] = _JSON
) -> ScriptedAnswer:
    kind = "invalid_request_error" if status < 429 else "server_error"
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return ScriptedAnswer(status=status, headers=headers, steps=((todo.slow, encode(body)),))


def _plain(body: Json | bytes, todo: say.Orders, headers: dict[str, str] = _JSON) -> ScriptedAnswer:
    data = body if isinstance(body, bytes) else encode(body)
    if todo.cut:
        return ScriptedAnswer(headers=headers, steps=((todo.slow, data[: len(data) // 2]),), cut=True)
    if todo.garble:
        data = b"{" + data
    return ScriptedAnswer(headers=headers, steps=((todo.slow, data),))


def _chat(call: Call, target: Target, asked: str, todo: say.Orders) -> ScriptedAnswer:
    body = call.body
    tools = say.tool_calls(body, asked)
    text = "" if tools else say.json_answer(body, asked, say.answer(body.get("messages"), asked, target.model))
    if call.prefill:
        text = text.removeprefix(call.prefill)
    words = say.tokens(text)
    sent: Json = {**body}
    fill_chat(sent, call, target)
    limit = sent.get("max_tokens", sent.get("max_completion_tokens"))
    finish = "tool_calls" if tools else "stop"
    if isinstance(limit, int) and 0 <= limit < len(words):
        words, finish = words[:limit], "length"
    inputs = say.words_in(body.get("messages"))
    outputs = len(words) + sum(len(call["function"]["arguments"]) // 4 + 1 for call in tools)
    usage = {"prompt_tokens": inputs, "completion_tokens": outputs, "total_tokens": inputs + outputs}
    ident = f"chatcmpl-demo-{short_hash(target.model, encode({'': body.get('messages')}).decode('utf-8', 'replace'))}"
    head: Json = {"id": ident, "created": 0, "model": target.model}
    if call.stream:
        return _chat_stream(head, words, tools, finish, usage, todo)
    message: Json = {"role": "assistant", "content": "".join(words) if not tools else None, "refusal": None}
    if tools:
        message["tool_calls"] = tools
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return _plain({**head, "object": "chat.completion", "choices": [choice], "usage": usage}, todo)


def _chat_stream(
    head: Json, words: list[str], tools: list[Json], finish: str, usage: Json, todo: say.Orders
) -> ScriptedAnswer:
    def chunk(delta: Json, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return frame({**head, "object": "chat.completion.chunk", "choices": [choice], "usage": None})

    steps: list[tuple[float, bytes]] = [(todo.slow, chunk({"role": "assistant", "content": "", "refusal": None}))]
    for count, word in enumerate(words):
        if todo.cut and count >= todo.cut:
            return ScriptedAnswer(headers=_EVENTS, steps=tuple(steps), cut=True)
        if todo.garble and count == todo.garble:
            steps.append((todo.pace, b'data: {"choices": [{"delta": {"conte\n\n'))
        stall = todo.stall if todo.stall and count == len(words) // 2 else 0.0
        steps.append((todo.pace + stall, chunk({"content": word})))
    for index, call in enumerate(tools):
        function = call["function"]
        opening = {**call, "index": index, "function": {"name": function["name"], "arguments": ""}}
        steps.append((todo.pace, chunk({"tool_calls": [opening]})))
        rest = {"index": index, "function": {"arguments": function["arguments"]}}
        steps.append((todo.pace, chunk({"tool_calls": [rest]})))
    if todo.unended:
        return ScriptedAnswer(headers=_EVENTS, steps=tuple(steps))
    last = frame({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    steps += [(0.0, chunk({}, finish)), (0.0, last), (0.0, DONE)]
    return ScriptedAnswer(headers=_EVENTS, steps=tuple(steps))


def _embeddings(call: Call, target: Target, todo: say.Orders) -> ScriptedAnswer:
    texts = media.texts_to_embed(call.body.get("input"))
    size = call.body.get("dimensions", media.DIMENSIONS)
    if texts is None:
        return _error(400, "input must be a text or a list of texts.", "invalid_input", todo)
    if not isinstance(size, int) or not 1 <= size <= media.MAX_DIMENSIONS:
        return _error(400, f"dimensions must be between 1 and {media.MAX_DIMENSIONS}.", "invalid_dimensions", todo)
    packs = call.body.get("encoding_format") == "base64"
    vectors = [media.vector(text, size) for text in texts]
    data = [
        {"object": "embedding", "index": index, "embedding": media.packed(values) if packs else values}
        for index, values in enumerate(vectors)
    ]
    used = sum(len(say.tokens(text)) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return _plain({"object": "list", "data": data, "model": target.model, "usage": usage}, todo)


def _transcription(call: Call, todo: say.Orders) -> ScriptedAnswer:
    sound = next((part.data for part in call.parts if part.filename), b"")
    seconds = media.wav_seconds(sound)
    text = media.transcript(len(sound), seconds)
    usage = {"type": "duration", "seconds": seconds or 0.0}
    form = string(call.body.get("response_format")) or "json"
    if call.stream:
        steps = [(todo.slow, frame({"type": "transcript.text.delta", "delta": word})) for word in say.tokens(text)]
        return ScriptedAnswer(
            headers=_EVENTS,
            steps=(*steps, (0.0, frame({"type": "transcript.text.done", "text": text, "usage": usage}))),
        )
    if form == "text":
        return _plain(f"{text}\n".encode(), todo, {"content-type": "text/plain; charset=utf-8"})
    if form in {"srt", "vtt"}:
        return _plain(media.timed(text, form, seconds or 0.0), todo, {"content-type": "text/plain; charset=utf-8"})
    body: Json = media.verbose(text, seconds or 0.0) if form == "verbose_json" else {"text": text}
    return _plain({**body, "usage": usage}, todo)


def _speech(call: Call, text: str, todo: say.Orders) -> ScriptedAnswer:
    """A WAV whatever was asked for, except bare PCM: the content type says so, and players look at the bytes."""
    if not text:
        return _error(400, "input must be a text.", "invalid_input", todo)
    pcm = media.beeps(text)
    bare = call.body.get("response_format") == "pcm"
    head = {"content-type": "audio/pcm" if bare else "audio/wav"}
    data = pcm if bare else media.wav(pcm)
    if call.stream and call.body.get("stream_format") == "sse":
        import base64

        usage = {"input_tokens": len(say.tokens(text)), "output_tokens": 0, "total_tokens": len(say.tokens(text))}
        audio = frame({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})
        done = frame({"type": "speech.audio.done", "usage": usage})
        return ScriptedAnswer(headers=_EVENTS, steps=((todo.slow, audio), (0.0, done)))
    if not call.stream:
        return _plain(data, todo, head)
    step = media.SPEECH_RATE * 2 // 10  # a tenth of a second
    blocks = [data[start : start + step] for start in range(0, len(data), step)]
    return ScriptedAnswer(headers=head, steps=tuple((todo.slow if not at else 0.0, b) for at, b in enumerate(blocks)))
