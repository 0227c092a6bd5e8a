"""Requests in one spelling, so that two spellings of the same request are the same. PURE.

Everything that is not known to be without influence on the answer stays in, unknown fields included: a miss too many
costs money, a wrong answer costs trust. In particular an absent `temperature` or `top_p` is NOT taken for 1: the
gateway's configuration fills them in per model, and providers have other defaults (Ollama 0.8, Cohere 0.3).
The order of `properties` in a JSON schema is kept: models write their fields in that order, and think in it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from mrblue_cli.gateway.model import Json

Turn = Any
"""A message or item in its settled spelling."""

_MAX_EXACT_INT = 2.0**53
_TEXT_TYPES = frozenset(("text", "input_text", "output_text"))
_ORDERED = "\0ordered"


class Refused(Exception):
    """This request cannot be answered from a cache; the reason is a word for the header."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Reading:
    """What a request comes down to, filled in while it is read."""

    __slots__ = ("exact_only", "fields", "turns")

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        """Model, tools, sampling and the rest, settled."""
        self.turns: list[Turn] = []
        """The conversation, settled, in order."""
        self.exact_only = ""
        """Why a similar question may not have the same answer; empty: it may."""

    def only_exact(self, why: str) -> None:
        """Keep this request out of the semantic tier. The first reason stands."""
        self.exact_only = self.exact_only or why


def settle(value: Any) -> Any:
    """A JSON value in one spelling: 1.0 is 1, texts are NFC, `properties` keep their order. Keys are sorted later."""
    kind = type(value)
    if kind is str:
        return nfc(value)
    if kind is dict:
        return {key: _properties(item) if key == "properties" else settle(item) for key, item in value.items()}
    if kind is list:
        return [settle(item) for item in value]
    if kind is float and value.is_integer() and abs(value) < _MAX_EXACT_INT:
        return int(value)
    return value


def _properties(value: Any) -> Any:
    if type(value) is dict:
        return {_ORDERED: [[name, settle(item)] for name, item in value.items()]}
    return settle(value)


def nfc(text: str) -> str:
    """Canonical composition; plain ASCII is passed through."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def trim_start(text: str) -> str:
    """Without leading white space, but with the indentation of the first line when others follow (it may be code)."""
    return text.lstrip("\r\n") if "\n" in text else text.lstrip()


def trim(text: str) -> str:
    """NFC without white space at the ends."""
    return trim_start(nfc(text).rstrip())


def keep_fields(reading: Reading, body: Json, ignored: frozenset[str], defaults: dict[str, Any]) -> None:
    """Settle the fields outside the conversation. null means absent, and so does a value that is the default."""
    for name, value in body.items():
        if value is None or name in ignored:
            continue
        settled = settle(value)
        if name in defaults:
            default = defaults[name]
            if settled == default and type(settled) is type(default):
                continue
        reading.fields[name] = settled


def keep_turn(reading: Reading, message: Json) -> None:
    """Settle one message. Assistant text keeps its ends: it may be a prefill to be continued."""
    turn = {name: settle(value) for name, value in message.items() if value is not None and name != "content"}
    content = message.get("content")
    if content is not None:
        turn["content"] = keep_content(reading, content, trimmed=message.get("role") != "assistant")
    reading.turns.append(turn)


def keep_content(reading: Reading, content: Any, *, trimmed: bool = True) -> Any:
    """Settle a message's content: a text, or a list of parts. A single text part is the same as the text."""
    if type(content) is str:
        return trim(content) if trimmed else nfc(content)
    if type(content) is not list:
        raise Refused("malformed")
    parts = [_part(reading, part) for part in content]
    if len(parts) == 1 and _is_plain_text(parts[0]):
        text = parts[0]["text"]
        return trim(text) if trimmed else text
    if trimmed and parts:
        # Only the outer ends: parts are joined, and a blank between two of them separates words.
        if _is_plain_text(parts[0]):
            parts[0] = {**parts[0], "text": trim_start(parts[0]["text"])}
        if _is_plain_text(parts[-1]):
            parts[-1] = {**parts[-1], "text": parts[-1]["text"].rstrip()}
    return parts


def _part(reading: Reading, part: Any) -> Any:
    if type(part) is not dict:
        raise Refused("malformed")
    kind = part.get("type")
    if kind in _TEXT_TYPES:
        # Marks for the provider's prompt cache change the price, not the answer. Answers fed back carry empty lists.
        kept = {
            name: settle(value) for name, value in part.items() if name != "cache_control" and value not in (None, [])
        }
        return {**kept, "type": "text"}
    reading.only_exact("tool-results" if kind == "tool_result" else "not-text")
    return {name: settle(value) for name, value in part.items() if name != "cache_control" and value is not None}


def _is_plain_text(part: Any) -> bool:
    return part.keys() == {"type", "text"} and part["type"] == "text" and type(part["text"]) is str


def tool_choice(reading: Reading, automatic: Any) -> None:
    """Drop a tool choice that says what holds anyway: `automatic` with tools, "none" without."""
    choice = reading.fields.get("tool_choice")
    if choice == (automatic if "tools" in reading.fields else "none"):
        reading.fields.pop("tool_choice", None)


def tables(value: Any) -> Iterable[Json]:
    """The value as a list of tables. Raises `Refused` when it is something else."""
    if type(value) is not list or any(type(item) is not dict for item in value):
        raise Refused("malformed")
    return value


def question_of(turns: list[Turn]) -> tuple[str, Turn] | None:
    """Text of the last user message, and that message without it; None when the last turn is no user's text."""
    last = turns[-1] if turns else None
    if type(last) is not dict or last.get("role") != "user":
        return None
    content = last.get("content")
    if type(content) is list:
        if not all(_is_plain_text(part) for part in content):
            return None
        content = "\n".join(part["text"] for part in content).strip()
    if type(content) is not str or not content:
        return None
    return content, {**last, "content": None}
