"""The stock SDKs' own models as judges: what they parse in strict mode is what their users get."""

from __future__ import annotations

import functools
import typing
from typing import Any

import pydantic
from anthropic.types import Message, RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent

from mrblue_cli.gateway.model import Json


def _members(union: Any) -> list[Any]:
    """The models of an annotated union."""
    while typing.get_origin(union) is typing.Annotated:
        union = typing.get_args(union)[0]
    return list(typing.get_args(union))


@functools.cache
def _by_type(union_name: str) -> dict[str, Any]:
    union = {"openai": ResponseStreamEvent, "anthropic": RawMessageStreamEvent}[union_name]
    table: dict[str, Any] = {}
    for model in _members(union):
        for name in typing.get_args(model.model_fields["type"].annotation):
            table[name] = model
    return table


@functools.cache
def _adapter(model: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(model)


def response(body: Json) -> Response:
    return _adapter(Response).validate_python(body)


def response_event(event: Json) -> Any:
    return _adapter(_by_type("openai")[event["type"]]).validate_python(event)


def message(body: Json) -> Message:
    return _adapter(Message).validate_python(body)


def message_event(event: Json) -> Any:
    return _adapter(_by_type("anthropic")[event["type"]]).validate_python(event)


def chat(body: Json) -> ChatCompletion:
    return _adapter(ChatCompletion).validate_python(body)


def chat_chunk(body: Json) -> ChatCompletionChunk:
    return _adapter(ChatCompletionChunk).validate_python(body)
