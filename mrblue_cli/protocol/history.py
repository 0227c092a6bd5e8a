"""The server's list of conversation items: order, audio lengths, truncation."""

from __future__ import annotations

import base64
import binascii

import msgspec

from mrblue_cli.protocol.codec import EventFault
from mrblue_cli.protocol.interruption import heard_text
from mrblue_cli.protocol.items import ContentPart, Item

MAX_ITEMS = 2000
"""A bound against hostile clients; the oldest items fall out, as the service's own truncation does."""
_USER_PARTS = {"input_text", "input_audio", "input_image"}
_ASSISTANT_PARTS = {"output_text", "text"}


class ItemHistory:
    """Items in order. Audio lengths are kept for the spoken replies, in ms."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._audio_ms: dict[str, int] = {}
        self._cut: set[str] = set()

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, oldest first."""
        return tuple(self._items)

    @property
    def last_id(self) -> str | None:
        """The newest item's id."""
        return self._items[-1].key if self._items else None

    def find(self, item_id: str, code: str = "item_not_found") -> Item:
        """The item with this id; raises `EventFault` with `code`."""
        for item in self._items:
            if item.key == item_id:
                return item
        raise EventFault(code, f"Item with item_id '{item_id[:80]}' does not exist.", param="item_id")

    def insert(self, item: Item, previous_item_id: str | None = None) -> str | None:
        """Put an item behind another (`root`: first; None: last) and return the id before it."""
        if previous_item_id == "root":
            self._items.insert(0, item)
            return None
        if previous_item_id is None:
            before = self.last_id
            self._items.append(item)
            if len(self._items) > MAX_ITEMS:
                del self._items[0]
            return before
        index = self._items.index(self.find(previous_item_id, "invalid_value"))
        self._items.insert(index + 1, item)
        return previous_item_id

    def before(self, item_id: str) -> str | None:
        """The id of the item before this one."""
        previous = None
        for item in self._items:
            if item.key == item_id:
                return previous
            previous = item.key
        return self.last_id

    def settle(self, item: Item, audio_ms: int | None) -> bool:
        """Write a reply's item down, with the length of its audio (None: a written one).

        An item that was deleted while the reply went on stays deleted (then the answer is False), a cut one stays cut.
        """
        if item.key in self._cut:
            return True
        if not self._replace(item):
            return False
        if audio_ms is not None:
            self._audio_ms[item.key] = audio_ms
        return True

    def delete(self, item_id: str) -> None:
        """Remove an item; raises `EventFault`."""
        self._items.remove(self.find(item_id, "item_delete_invalid_item_id"))
        self._audio_ms.pop(item_id, None)
        self._cut.discard(item_id)

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut a spoken reply to what was heard, words included; raises `EventFault`."""
        item = self.find(item_id, "item_truncate_invalid_item_id")
        length = self._audio_ms.get(item_id)
        if length is None or content_index != 0 or not item.parts or item.parts[0].type != "output_audio":
            message = "Only model output audio messages can be truncated."
            raise EventFault("unsupported_content_type", message, param="item_id")
        if audio_end_ms < 0:
            message = f"Invalid 'audio_end_ms': expected a value >= 0, but got {audio_end_ms} instead."
            raise EventFault("integer_below_min_value", message, param="audio_end_ms")
        if audio_end_ms > length:
            message = f"Audio content of {length}ms is already shorter than {audio_end_ms}ms"
            raise EventFault("invalid_value", message, param="audio_end_ms")
        words = heard_text(item.parts[0].transcript or "", played_ms=audio_end_ms, received_ms=length)
        part = ContentPart(type="output_audio", transcript=words)
        self._replace(msgspec.structs.replace(item, content=(part,), status="incomplete"))
        self._audio_ms[item_id] = audio_end_ms
        self._cut.add(item_id)

    def _replace(self, item: Item) -> bool:
        """Put an item in the place of the one with its id; the newest are looked at first."""
        for index in range(len(self._items) - 1, -1, -1):
            if self._items[index].key == item.key:
                self._items[index] = item
                return True
        return False

    def transcribed(self, item_id: str, transcript: str) -> None:
        """Write what the person said into their item."""
        try:
            item = self.find(item_id)
        except EventFault:
            return  # deleted meanwhile
        self._replace(msgspec.structs.replace(item, content=(ContentPart(type="input_audio", transcript=transcript),)))


def check_item(item: Item) -> None:
    """Refuse items that a client may not create; raises `EventFault`."""
    if item.type == "message":
        allowed = {"user": _USER_PARTS, "assistant": _ASSISTANT_PARTS, "system": {"input_text"}}.get(str(item.role))
        if allowed is None:
            raise EventFault("invalid_value", "Invalid value for 'item.role'.", param="item.role")
        if not item.parts:
            raise EventFault("missing_required_parameter", "Missing 'item.content'.", param="item.content")
        for index, part in enumerate(item.parts):
            _check_part(f"item.content[{index}]", part, allowed)
    elif item.type == "function_call_output":
        if not isinstance(item.call_id, str) or not isinstance(item.output, str):
            raise EventFault("missing_required_parameter", "Missing 'item.call_id' or 'item.output'.", param="item")
    elif item.type != "function_call":
        raise EventFault("invalid_value", f"Invalid value: '{item.type[:40]}' for 'item.type'.", param="item.type")


def _check_part(where: str, part: ContentPart, allowed: set[str]) -> None:
    if part.type not in allowed:
        message = f"Invalid value: '{part.type[:40]}'. Supported values are: {', '.join(sorted(allowed))}."
        raise EventFault("invalid_value", message, param=f"{where}.type")
    field = {"input_audio": "audio", "input_image": "image_url"}.get(part.type, "text")
    value = getattr(part, field)
    if not isinstance(value, str):
        name = f"{where}.{field}"
        raise EventFault("missing_required_parameter", f"Missing required parameter: '{name}'.", param=name)
    if field == "audio":
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            message = f"Invalid '{where}.audio': not valid base64."
            raise EventFault("invalid_value", message, param=f"{where}.audio") from None
