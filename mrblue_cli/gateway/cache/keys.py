"""The names under which answers are kept: an exact key, a hard partition, and the question in it. PURE."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from mrblue_cli.gateway.cache.normal import Refused, question_of
from mrblue_cli.gateway.cache.shapes import READERS
from mrblue_cli.gateway.model import Json, Surface

LONGEST_QUESTION = 2000
"""Characters. Embedders read the beginning of a text only: two long ones may differ where nobody looked."""

_encode = msgspec.json.Encoder(order="sorted").encode


class RequestKey(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may be answered from the cache."""

    exact: str
    """SHA-256 over owner, surface and the normalised request; hex."""
    partition: str = ""
    """SHA-256 over all of that but the text of the last user message; empty: exact tier only."""
    question: str = ""
    """The text of the last user message; empty: exact tier only."""
    exact_only: str = ""
    """Why the semantic tier is closed to it, a word for the header."""


class Uncacheable(msgspec.Struct, frozen=True):
    """A request that goes past the cache."""

    reason: str


def request_key(surface: Surface, body: Json, owner: str = "", *, semantic: bool = True) -> RequestKey | Uncacheable:
    """The key of a request, or why it has none.

    `owner` separates tenants (the virtual key's id; "" when all share). `semantic=False` saves the second hash.
    Different JSON spellings of one request have one key; what could change the answer changes it (see `normal`).
    """
    reader = READERS.get(surface)
    if reader is None:
        return Uncacheable("surface")
    if type(body.get("model")) is not str:
        return Uncacheable("malformed")
    try:
        reading = reader(body)
        exact = _digest("exact", surface, owner, reading.fields, reading.turns)
        if not semantic or reading.exact_only:
            return RequestKey(exact=exact, exact_only=reading.exact_only)
        asked = question_of(reading.turns)
        if asked is None:
            return RequestKey(exact=exact, exact_only="no-question")
        question, rest = asked
        if why := _unfit(question):
            return RequestKey(exact=exact, exact_only=why)
        partition = _digest("partition", surface, owner, reading.fields, [*reading.turns[:-1], rest])
        return RequestKey(exact=exact, partition=partition, question=question)
    except Refused as refused:
        return Uncacheable(refused.reason)
    except (RecursionError, TypeError, ValueError, OverflowError):
        # Lone surrogates, numbers beyond 64 bits, nesting without end: legal JSON that has no canonical form here.
        return Uncacheable("unreadable")


def _unfit(question: str) -> str:
    """Why a question's meaning is not in its embedding."""
    if len(question) > LONGEST_QUESTION:
        return "long-question"
    if "```" in question:
        return "code"  # one character can be the whole difference
    return ""


def _digest(*parts: Any) -> str:
    return hashlib.sha256(_encode(parts)).hexdigest()
