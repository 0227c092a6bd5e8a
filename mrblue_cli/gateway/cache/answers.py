"""Whether two answers say the same: how a withheld hit is judged when the fresh answer arrives. PURE.

No language model is asked. Answers that cannot be compared count as different: that costs a hit, never a wrong one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from mrblue_cli.gateway.model import Surface

SAME_WORDS = 0.85
"""F1 of the words from which two longer answers with the same numbers, names and denials count as the same."""
SAME_MEANING = 0.95
"""Cosine of the answers' embeddings from which they count as the same, if they also share enough words."""
FEWEST_WORDS = 0.4
LONGEST = 2000
"""Characters of an answer that are embedded."""

_WORD = re.compile(r"\w+", re.UNICODE)
_NAME = re.compile(r"(?<![.!?:] )(?<!^)\b[^\W\d_a-z]\w+", re.UNICODE | re.MULTILINE)
"""A capital that does not begin a sentence or line."""
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NOT = frozenset(("no", "not", "never", "none", "cannot", "without", "neither", "nor", "false", "t"))
"""Words that deny; "t" is what is left of "don't"."""


class Said(msgspec.Struct, frozen=True):
    """What an answer says, without ids and counts."""

    text: str
    calls: tuple[tuple[str, str], ...] = ()
    """Tool calls: name, and arguments in one spelling."""


def said(surface: Surface, body: bytes) -> Said | None:
    """Visible text and tool calls of a complete answer; None when it has neither or cannot be read."""
    try:
        answer = msgspec.json.decode(body)
        match surface:
            case Surface.CHAT:
                message = answer["choices"][0]["message"]
                calls = [call["function"] for call in message.get("tool_calls") or ()]
                found = Said(message.get("content") or "", tuple((c["name"], _plain(c["arguments"])) for c in calls))
            case Surface.RESPONSES:
                items = answer["output"]
                found = Said(
                    "".join(
                        part.get("text", "") for item in items if item["type"] == "message" for part in item["content"]
                    ),
                    tuple((i["name"], _plain(i["arguments"])) for i in items if i["type"] == "function_call"),
                )
            case Surface.MESSAGES:
                blocks = answer["content"]
                found = Said(
                    "".join(block["text"] for block in blocks if block["type"] == "text"),
                    tuple((b["name"], _plain(b["input"])) for b in blocks if b["type"] == "tool_use"),
                )
            case _:
                return None
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return None
    return found if isinstance(found.text, str) and (found.text.strip() or found.calls) else None


def agree(fresh: Said, kept: Said, closeness: Callable[[], float | None]) -> bool:
    """Whether two answers say the same.

    `closeness` gives the cosine of their embeddings, or None without an embedder; it is asked only when words leave
    it open.
    """
    if fresh.calls != kept.calls:
        return False
    ours, theirs = _words(fresh.text), _words(kept.text)
    if ours == theirs:
        return True
    if _telling(fresh.text, ours) != _telling(kept.text, theirs):
        return False
    if not _names(fresh.text) <= set(theirs) or not _names(kept.text) <= set(ours):
        return False
    shared = _f1(ours, theirs)
    if shared >= SAME_WORDS and len(ours) + len(theirs) >= 30:
        return True  # in a short answer the one word that differs is the answer
    if shared < FEWEST_WORDS:
        return False
    close = closeness()
    return close is not None and close >= SAME_MEANING


def undecided(fresh: Said, kept: Said) -> bool:
    """Whether `agree` would need the embeddings."""
    asked = []

    def ask() -> float:
        asked.append(True)
        return 0.0

    agree(fresh, kept, ask)
    return bool(asked)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _telling(text: str, words: list[str]) -> tuple[list[str], int]:
    """What turns a sentence round: its numbers, and how often it denies."""
    return sorted(_NUMBER.findall(text)), sum(word in _NOT for word in words)


def _names(text: str) -> set[str]:
    return {name.casefold() for name in _NAME.findall(text)}


def _f1(ours: list[str], theirs: list[str]) -> float:
    if not ours or not theirs:
        return 0.0
    common = (Counter(ours) & Counter(theirs)).total()
    return 2 * common / (len(ours) + len(theirs))


def _plain(arguments: Any) -> str:
    """Arguments of a tool call, whether a JSON text or a table, in one spelling."""
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments)
        except (msgspec.DecodeError, RecursionError):
            return str(arguments)
    return msgspec.json.encode(arguments, order="sorted").decode()
