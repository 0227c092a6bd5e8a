"""A question as the messages of the chat completions API, tool calls included, and calls read from a stream. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from mrblue_cli.assistant.brain import CallTool, Exchange, Question

HISTORY_TURNS = 12
Message = dict[str, Any]


def messages_of(question: Question, system: str) -> list[Message]:
    """System, what was said before, the question, and what tools have answered since."""
    split = len(question.history) - question.after
    past, since = question.history[max(0, split - HISTORY_TURNS) : split], question.history[split:]
    asked: list[Message] = [{"role": "user", "content": question.text}] if question.text else []
    told = bool(question.tools)
    return [
        {"role": "system", "content": system},
        *_told(past, as_calls=told),
        *asked,
        *_told(since, as_calls=told),
    ]


def tools_of(question: Question) -> list[Message]:
    """What may be called, as the API wants it declared."""
    return [
        {
            "type": "function",
            "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters},
        }
        for spec in question.tools
    ]


class CallsRead:
    """Puts tool calls together from the pieces in which they are streamed."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._arguments: dict[int, str] = {}

    def feed(self, deltas: Iterable[Any] | None) -> None:
        """Take the `tool_calls` of one chunk; fields may be missing anywhere."""
        for delta in deltas or ():
            function = getattr(delta, "function", None)
            name, arguments = getattr(function, "name", None), getattr(function, "arguments", None)
            index = getattr(delta, "index", None)
            if not isinstance(index, int):
                # Some servers number nothing: a name begins a call, what has none goes on with the last.
                index = len(self._names) if name else max(len(self._names) - 1, 0)
            if name and not self._names.get(index):
                self._names[index] = str(name)
            self._arguments[index] = self._arguments.get(index, "") + (arguments or "")

    @property
    def calls(self) -> tuple[CallTool, ...]:
        """The calls, in their order."""
        return tuple(CallTool(name, self._arguments.get(index) or "{}") for index, name in sorted(self._names.items()))


def _told(exchanges: Iterable[Exchange], *, as_calls: bool) -> list[Message]:
    found: list[Message] = []
    for is_tool, group in groupby((turn for turn in exchanges if turn.text), key=lambda turn: turn.role == "tool"):
        turns = list(group)
        if not is_tool:
            found += [{"role": turn.role, "content": turn.text} for turn in turns]
        elif as_calls and all(turn.call is not None for turn in turns):
            found += _called(turns)
        else:
            # Where nothing may be called, some services refuse messages that speak of calls.
            found += [{"role": "system", "content": _as_words(turn)} for turn in turns]
    return found


def _called(turns: list[Exchange]) -> list[Message]:
    """Calls next to each other count as made at once: their outputs are all there."""
    ids = [turn.call_id or f"call_{number}" for number, turn in enumerate(turns)]
    calls = [
        {"id": key, "type": "function", "function": {"name": turn.call.name, "arguments": _json(turn.call.arguments)}}
        for key, turn in zip(ids, turns, strict=True)
        if turn.call is not None
    ]
    outputs = [
        {"role": "tool", "tool_call_id": key, "content": turn.text} for key, turn in zip(ids, turns, strict=True)
    ]
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *outputs]


def _as_words(turn: Exchange) -> str:
    asked = f"{turn.call.name}({turn.call.arguments})" if turn.call is not None else "A tool"
    return f"{asked} answered: {turn.text}"


def _json(arguments: str) -> str:
    """What a model wrote as arguments; services refuse a history in which they are no JSON object."""
    try:
        return arguments if isinstance(json.loads(arguments), dict) else "{}"
    except ValueError:
        return "{}"
