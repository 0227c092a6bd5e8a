"""OpenAI's own API; also the base of the providers that are compatible with it.

Bodies pass as they are but for the model's name, the configured defaults, and what the newer models renamed.
Source: OpenAI API reference (chat, responses, embeddings, audio).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping

from mrblue_cli.gateway.model import Call, Fault, HttpRequest, Json, Part, Reply, Surface, Target
from mrblue_cli.gateway.providers.base import StreamDecoder, Traits
from mrblue_cli.gateway.providers.faults import classify
from mrblue_cli.gateway.providers.openai_reply import (
    chat_reply,
    embeddings_reply,
    speech_reply,
    spoken,
    transcription_reply,
)
from mrblue_cli.gateway.providers.openai_stream import BytesStream, ChatStream, MediaStream
from mrblue_cli.gateway.providers.wire import (
    address,
    bad_request,
    bearer,
    bounded,
    decode_table,
    encode,
    headers,
    option,
    table,
    unsupported,
)
from mrblue_cli.gateway.surfaces.base import Translator

PATHS: Mapping[Surface, str] = {
    Surface.CHAT: "chat/completions",
    Surface.RESPONSES: "responses",
    Surface.EMBEDDINGS: "embeddings",
    Surface.TRANSCRIPTION: "audio/transcriptions",
    Surface.SPEECH: "audio/speech",
}
_REASONING = re.compile(r"(?:^|/)(?:o\d|gpt-(?:[5-9]|\d\d)|codex)")
_SAMPLES = re.compile(r"(?:^|/)gpt-(?:5\.[1-9]|[6-9]|\d\d)")
"""Models that accept sampling parameters while their reasoning is switched off."""
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias")


def translator(surface: Surface) -> Translator:
    """The surface's translator; looked up late, since surfaces know providers' contracts and not the reverse."""
    found: Translator = importlib.import_module("mrblue_cli.gateway.surfaces").TRANSLATORS[surface]
    return found


class OpenAI:
    """The adapter; subclasses replace the small steps."""

    kind = "openai"
    traits = Traits(native=frozenset(PATHS), base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY")

    def request(self, call: Call, target: Target) -> HttpRequest:
        """The call over HTTP."""
        if call.surface not in self.traits.native or call.surface not in PATHS:
            raise unsupported(f"{target.provider} has no {call.surface.value} endpoint")
        url = self.url(call, target)
        auth = self.auth(target)
        if call.surface in {Surface.SPEECH, Surface.TRANSCRIPTION}:
            auth["accept"] = "*/*"  # sound, subtitles, events: what the body asks for
        if call.surface is Surface.TRANSCRIPTION:
            parts = self.form(call, target)
            return HttpRequest(
                url=url, headers=headers(target, auth, json=False, stream=call.stream), body=b"", parts=parts
            )
        body = {**call.body, "model": target.model}
        if call.surface is Surface.CHAT:
            body = self.chat(body, call, target)
        elif call.surface is Surface.RESPONSES:
            body = self.responses(body, call, target)
        elif call.surface is Surface.EMBEDDINGS:
            body = self.embeddings(body)
        return HttpRequest(url=url, headers=headers(target, auth, stream=call.stream), body=encode(body))

    def reply(self, call: Call, headers: Mapping[str, str], body: bytes) -> Reply:
        """A complete answer."""
        match call.surface:
            case Surface.SPEECH:
                return speech_reply(call, headers, body)
            case Surface.TRANSCRIPTION:
                return transcription_reply(call, headers, body)
            case Surface.RESPONSES:
                return translator(call.surface).native_reply(body)
            case Surface.EMBEDDINGS:
                return embeddings_reply(decode_table(body))
            case _:
                return chat_reply(decode_table(body))

    def stream(self, call: Call) -> StreamDecoder:
        """A decoder for one streamed answer."""
        match call.surface:
            case Surface.SPEECH:
                return (
                    MediaStream("speech.audio")
                    if call.body.get("stream_format") == "sse"
                    else BytesStream(spoken(call))
                )
            case Surface.TRANSCRIPTION:
                return MediaStream("transcript.text")
            case Surface.RESPONSES:
                return translator(call.surface).native_stream()
            case _:
                return self.chat_stream(call)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """What an error means."""
        return classify(status, headers, body)

    # The steps that compatible providers do otherwise.

    def url(self, call: Call, target: Target) -> str:
        """Where the call goes."""
        return address(target, self.traits.base_url, PATHS[call.surface])

    def auth(self, target: Target) -> dict[str, str]:
        """The headers that carry the key, and the account where it is configured."""
        return {
            **bearer(target.api_key),
            "openai-organization": option(target, "organization"),
            "openai-project": option(target, "project"),
        }

    def chat(self, body: Json, call: Call, target: Target) -> Json:
        """The body of a chat call; `body` is ours to change at its top level."""
        if call.prefill:
            raise unsupported(f"{target.provider} does not go on from a broken answer")
        fill_chat(body, call, target, reasoning=bool(_REASONING.search(self.family(target))))
        if _REASONING.search(self.family(target)):
            self.without_sampling(body, self.family(target))
        return body

    def responses(self, body: Json, call: Call, target: Target) -> Json:
        """The body of a call to the responses endpoint."""
        limit = bounded(body.get("max_output_tokens"), target)
        if limit is not None:
            body["max_output_tokens"] = max(16, limit)  # the endpoint's own minimum
        reasoning = bool(_REASONING.search(self.family(target)))
        if target.temperature is not None and body.get("temperature") is None and not reasoning:
            body["temperature"] = target.temperature
        if reasoning and table(body.get("reasoning")).get("effort") != "none":
            body.pop("temperature", None)
            body.pop("top_p", None)
        body["stream"] = call.stream
        return body

    def embeddings(self, body: Json) -> Json:
        """The body of an embeddings call."""
        body.pop("stream", None)
        return body

    def family(self, target: Target) -> str:
        """The name that tells what the model accepts; Azure's deployments have names of their own."""
        return option(target, "base_model") or target.model

    def chat_stream(self, call: Call) -> StreamDecoder:  # noqa: ARG002 - others look at the call
        """A decoder for chat chunks."""
        return ChatStream()

    def form(self, call: Call, target: Target) -> tuple[Part, ...]:
        """The multipart form of a transcription: plain fields first, files after them."""
        if not any(part.filename for part in call.parts):
            raise bad_request("a transcription needs a file", "file")
        fields = {**call.body, "model": target.model}
        if target.temperature is not None:
            fields.setdefault("temperature", target.temperature)
        if call.stream:
            fields["stream"] = True
        else:
            fields.pop("stream", None)
        return (*(part for name, value in fields.items() for part in _field(name, value)), *call.parts)

    @staticmethod
    def without_sampling(body: Json, model: str) -> None:
        """Leaves out what reasoning models refuse, so that a request for another model can fall back to them."""
        if "-chat" in model or (_SAMPLES.search(model) and body.get("reasoning_effort") == "none"):
            return
        for name in _SAMPLING:
            body.pop(name, None)


def _field(name: str, value: object) -> list[Part]:
    """A form's field; a list is a field for each of its values, named with brackets as OpenAI has it."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        label = name if name.endswith("[]") else f"{name}[]"
        return [Part(name=label, data=_text(item)) for item in value]
    return [Part(name=name, data=_text(value))]


def _text(value: object) -> bytes:
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, dict):
        return encode(value)
    return str(value).encode("utf-8", "replace")


def fill_chat(body: Json, call: Call, target: Target, *, reasoning: bool = False) -> None:
    """Puts the configured defaults and bounds, and what streaming needs, into a chat body."""
    names = ("max_completion_tokens", "max_tokens")
    asked = next((body[name] for name in names if body.get(name) is not None), None)
    name = "max_completion_tokens" if reasoning or body.get("max_completion_tokens") is not None else "max_tokens"
    for old in names:
        body.pop(old, None)
    limit = bounded(asked, target) if asked is None or isinstance(asked, int) else asked
    if limit is not None:
        body[name] = limit
    if target.temperature is not None and body.get("temperature") is None:
        body["temperature"] = target.temperature
    if call.stream:
        body["stream"] = True
        # Always asked for, so that what the call used is known; the pipeline hides it from clients that did not ask.
        body["stream_options"] = {**table(body.get("stream_options")), "include_usage": True}
    else:
        body.pop("stream", None)
        body.pop("stream_options", None)
