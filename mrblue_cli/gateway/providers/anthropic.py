"""Anthropic: chat turned into its Messages API, and that API's own bodies as they are."""

from __future__ import annotations

from collections.abc import Mapping

from mrblue_cli.gateway.model import Call, Fault, HttpRequest, Json, Reply, Surface, Target
from mrblue_cli.gateway.providers import anthropic_stream
from mrblue_cli.gateway.providers.anthropic_models import claude
from mrblue_cli.gateway.providers.anthropic_request import chat_body, go_on
from mrblue_cli.gateway.providers.base import StreamDecoder, Traits
from mrblue_cli.gateway.providers.faults import classify
from mrblue_cli.gateway.providers.openai import translator
from mrblue_cli.gateway.providers.wire import address, bad_request, bounded, encode, headers, option, unsupported

VERSION = "2023-06-01"


class Anthropic:
    """The adapter."""

    kind = "anthropic"
    traits = Traits(
        native=frozenset({Surface.CHAT, Surface.MESSAGES}),
        prefill=True,
        base_url="https://api.anthropic.com/v1",
        key_variable="ANTHROPIC_API_KEY",
    )

    def takes_prefill(self, model: str) -> bool:
        """Whether this model goes on from a broken answer; the newer ones do not."""
        return claude(model).prefill

    def request(self, call: Call, target: Target) -> HttpRequest:
        """The call over HTTP."""
        if call.surface is Surface.CHAT:
            body = chat_body(call, target)
        elif call.surface is Surface.MESSAGES:
            body = self._messages(call, target)
        else:
            raise unsupported(f"{target.provider} has no {call.surface.value} endpoint")
        auth = {
            "x-api-key": target.api_key,
            "anthropic-version": option(target, "version") or VERSION,
            "anthropic-beta": option(target, "beta"),
        }
        url = address(target, self.traits.base_url, "messages")
        return HttpRequest(url=url, headers=headers(target, auth, stream=call.stream), body=encode(body))

    def _messages(self, call: Call, target: Target) -> Json:
        """The client's own body with our model, defaults and bounds."""
        model = claude(target.model)
        body: Json = {**call.body, "model": target.model}
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(item, dict) for item in messages):
            raise bad_request("messages must be a list of at least one message", "messages")
        limit = bounded(body.get("max_tokens"), target)
        body["max_tokens"] = limit if limit is not None else model.output
        if not model.sampling:
            for name in ("temperature", "top_p", "top_k"):
                body.pop(name, None)
        elif target.temperature is not None and body.get("temperature") is None and "thinking" not in body:
            body["temperature"] = target.temperature
        body.pop("stream", None)
        if call.stream:
            body["stream"] = True
        go_on(body, call, model)
        return body

    def reply(self, call: Call, headers: Mapping[str, str], body: bytes) -> Reply:
        """A complete answer."""
        if call.surface is Surface.MESSAGES:
            return translator(call.surface).native_reply(body)
        return anthropic_stream.reply(headers, body)

    def stream(self, call: Call) -> StreamDecoder:
        """A decoder for one streamed answer."""
        if call.surface is Surface.MESSAGES:
            return translator(call.surface).native_stream()
        return anthropic_stream.MessageStream(call)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """What an error means."""
        return classify(status, headers, body)
