"""What the history holds: conversations and their lines, as values. Light: nothing here loads sound or screens."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Speaker = Literal["user", "assistant", "tool", "note"]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Id = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]{1,40}$")]
"""Also the name of a recording, so never a path."""
MAX_TEXT = 20_000
"""Characters of one line that are kept; of a longer one (a pasted log), the beginning and the end."""
MAX_TITLE = 60
ID_LETTERS = "23456789bcdfghjkmnpqrstvwxz"
"""Nothing that is mistaken for something else, and no vowels: ids never spell words (or `last`)."""
ID_LENGTH = 7


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation, over all its sittings (a resumed one has several). Times are seconds since 1970."""

    id: Id
    started: float
    updated: float
    """When something was kept last."""
    ended: float | None = None
    """None: still going on, or its process was killed."""
    profile: str = ""
    engine: str = ""
    model: str = ""
    language: str = ""
    title: str = ""
    """The first words of the person."""
    turns: Count = 0
    cost_usd: float | None = None
    """None: the model has no known price, or nothing was billed."""
    sittings: Count = 1
    recorded: bool = False
    """Sound was kept as well."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing said, or a note between."""

    sitting: Count
    """Counts from 1; each `--resume` begins another."""
    seq: Count
    """The order in which things began to be said, within the sitting, from 1."""
    item_id: str
    who: Speaker
    text: str
    cut: bool = False
    """A reply that was cut off (`text` is the heard part), or words under way when the process was killed."""
    at_ms: Count = 0
    """When it began, in milliseconds since the sitting did."""
    at: float = 0.0
    """The same in seconds since 1970."""


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """A line that a search found."""

    conversation: Conversation
    line: Line


def storable(text: str) -> str:
    """The text as the file can hold it: no lone surrogates, no NUL, no novels."""
    clean = text.encode("utf-8", "replace").decode().replace("\x00", "�")
    if len(clean) <= MAX_TEXT:
        return clean
    head, tail = MAX_TEXT * 3 // 5, MAX_TEXT * 2 // 5
    return f"{clean[:head]}\n[… {len(clean) - head - tail:,} characters left out …]\n{clean[-tail:]}"


def title_of(text: str) -> str:
    """The first words of a text, on one line."""
    words = " ".join(text[: 8 * MAX_TITLE].split())
    if len(words) <= MAX_TITLE:
        return words
    head, _, rest = words[:MAX_TITLE].rpartition(" ")
    return f"{head or rest}…"
