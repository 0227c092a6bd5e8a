"""From the items of a conversation to the question that a brain is asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from mrblue_cli.assistant.brain import CallTool, Exchange, ToolSpec
from mrblue_cli.protocol.items import Item

MAX_TOOL_ROUNDS = 5
"""After so many rounds of calls to one question no tool is offered any more: then there must be an answer."""

_MOST_PARTS = 3
"""So many unanswered pieces are put before the newest one at most."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands to be answered in a conversation, oldest items first."""

    item: Item | None
    """What the person said last, None when nobody said anything."""
    before: tuple[Exchange, ...]
    after: tuple[Exchange, ...]
    """What came since, when tools have answered and the next word is the assistant's; else empty."""
    rounds: int
    """How often tools were called for this question."""
    earlier: tuple[str, ...] = ()
    """What was said just before and got no word of an answer, because the person went on: part of the question."""


def asked_of(items: Sequence[Item]) -> Asked:
    """Find what stands to be answered: the person's last words, or the outputs of tools that were called for them."""
    place = next((index for index in range(len(items) - 1, -1, -1) if items[index].role == "user"), None)
    if place is None:
        return Asked(None, exchanges(items), (), 0)
    since = items[place + 1 :]
    answering = bool(since) and since[-1].type == "function_call_output"
    after = exchanges(since, items) if answering else ()
    first, earlier = _unanswered(items, place)
    before = exchanges(items[:first], items)
    if not after and before and before[-1].role == "tool":
        # The reply to these outputs was never begun: new words are to be answered, not they.
        before += (Exchange("assistant", ""),)
    return Asked(items[place], before, after, _rounds(since) if answering else 0, earlier)


def _unanswered(items: Sequence[Item], place: int) -> tuple[int, tuple[str, ...]]:
    """Where the person's unanswered speech before `place` begins, and its texts; oldest first."""
    first, texts = place, list[str]()
    for index in range(place - 1, -1, -1):
        item = items[index]
        spoken = item.role == "user" and any(part.type == "input_audio" for part in item.parts)
        cut_unheard = item.role == "assistant" and not item.text
        if not (spoken or cut_unheard) or len(texts) == _MOST_PARTS:
            break
        if spoken:
            first = index
            texts.insert(0, item.text)
    return first, tuple(texts)


def exchanges(items: Iterable[Item], known: Iterable[Item] | None = None) -> tuple[Exchange, ...]:
    """What was said, as a brain reads it; calls without an output are left out. `known` may hold the calls."""
    items = tuple(items)
    calls = {item.call_id: item for item in (items if known is None else known) if item.type == "function_call"}
    return tuple(exchange for item in items for exchange in _exchange(item, calls))


def specs_of(tools: Iterable[dict[str, Any]]) -> tuple[ToolSpec, ...]:
    """The functions among a session's tools; other kinds are not ours to run."""
    found = []
    for tool in tools:
        name, parameters = tool.get("name"), tool.get("parameters")
        if tool.get("type") == "function" and isinstance(name, str) and name:
            description = tool.get("description")
            text = description if isinstance(description, str) else ""
            found.append(ToolSpec(name, text, parameters if isinstance(parameters, dict) else {"type": "object"}))
    return tuple(found)


def _exchange(item: Item, calls: dict[Any, Item]) -> list[Exchange]:
    if item.type == "message" and item.text:
        return [Exchange(str(item.role), item.text)]
    if item.type != "function_call_output" or item.output is UNSET:
        return []
    call_id = "" if item.call_id is UNSET else item.call_id
    asked = calls.get(item.call_id)
    if asked is None:
        return [Exchange("tool", item.output, call_id=call_id)]
    name = "" if asked.name is UNSET else asked.name
    return [Exchange("tool", item.output, CallTool(name, "" if asked.arguments is UNSET else asked.arguments), call_id)]


def _rounds(items: Iterable[Item]) -> int:
    """Replies that called tools: each run of calls is one."""
    kinds = [item.type for item in items]
    return sum(
        kind == "function_call" and (index == 0 or kinds[index - 1] != "function_call")
        for index, kind in enumerate(kinds)
    )
