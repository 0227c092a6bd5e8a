"""Conversation items and the parts they hold.

One open struct each: servers add item kinds and fields, and a client must survive them. What our server accepts is
checked where it is accepted (`protocol/server.py`).
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class ContentPart(msgspec.Struct, frozen=True, kw_only=True):
    """`input_text`, `input_audio`, `input_image`, `output_text`, `output_audio`; in reply parts `text`, `audio`."""

    type: str
    text: str | UnsetType | None = UNSET
    transcript: str | UnsetType | None = UNSET
    audio: str | UnsetType | None = UNSET
    """Base64 of wire audio."""
    image_url: str | UnsetType | None = UNSET
    detail: str | UnsetType | None = UNSET


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A message, a function call, its output, or a kind we do not know."""

    type: str
    id: str | UnsetType = UNSET
    object: str | UnsetType = UNSET
    status: str | UnsetType | None = UNSET
    """in_progress, completed, incomplete."""
    role: str | UnsetType = UNSET
    content: tuple[ContentPart, ...] | UnsetType = UNSET
    call_id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET
    output: str | UnsetType = UNSET

    @property
    def key(self) -> str:
        """The id, or an empty string where a peer left it out."""
        return "" if self.id is UNSET else self.id

    @property
    def parts(self) -> tuple[ContentPart, ...]:
        """The content, empty where there is none."""
        return () if self.content is UNSET else self.content

    @property
    def text(self) -> str:
        """All words of the item, spoken or written."""
        words = (part.text or part.transcript or "" for part in self.parts)
        return " ".join(word for word in words if word).strip()


ITEM_FIELDS = frozenset(Item.__struct_fields__) | {"approval_request_id", "approve", "reason", "server_label"}
"""What a client may write into an item; the last four belong to kinds that our server refuses by their type."""


def user_text(text: str, item_id: str) -> Item:
    """A typed message of the person."""
    return Item(type="message", id=item_id, role="user", content=(ContentPart(type="input_text", text=text),))
