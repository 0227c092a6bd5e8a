"""What a client has received of each reply: audio per stream, words per item, and what is no longer wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.notices import AudioKey
from mrblue_cli.protocol.session import BYTES_PER_MS


@dataclass(slots=True)
class _Stream:
    received_bytes: int = 0
    carry: bytes = b""
    finished: bool = False
    settled: bool = False
    """Truncated or played out: nothing more is to be said about it."""
    broken: bool = False
    """The connection was lost in the middle of it."""


@dataclass(slots=True)
class ReplyLedger:
    """Received audio and text of the replies of one session."""

    _streams: dict[AudioKey, _Stream] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _items: dict[str, dict[str, None]] = field(default_factory=dict)
    """Message items by response, in order."""
    _written: set[str] = field(default_factory=set)
    """Items whose words are read, not heard."""
    _stale_responses: set[str] = field(default_factory=set)
    _stale_items: set[str] = field(default_factory=set)

    def add_audio(self, key: AudioKey, chunk: bytes) -> bytes:
        """Count a chunk and return whole 16-bit samples; an odd byte waits for the next chunk.

        Streams come one after the other: where the next one of a response begins, the one before is finished.
        """
        if key not in self._streams:
            self.finish_response(key.response_id)
        stream = self._streams.setdefault(key, _Stream())
        data = stream.carry + chunk
        whole = len(data) - len(data) % 2
        stream.carry = data[whole:]
        stream.received_bytes += whole
        return data[:whole]

    def finish_audio(self, key: AudioKey) -> None:
        """No more audio will come for this stream."""
        self._streams.setdefault(key, _Stream()).finished = True

    def received_ms(self, key: AudioKey) -> int:
        """Milliseconds of audio received for this stream, floored."""
        stream = self._streams.get(key)
        return stream.received_bytes // BYTES_PER_MS if stream else 0

    def is_finished(self, key: AudioKey) -> bool:
        """True when no more audio will come for this stream."""
        stream = self._streams.get(key)
        return stream.finished if stream else False

    def unsettled(self) -> tuple[AudioKey, ...]:
        """Streams that may still be unplayed, oldest first."""
        return tuple(key for key, stream in self._streams.items() if stream.received_bytes and not stream.settled)

    def settle(self, key: AudioKey) -> None:
        """This stream was played out or cut: its end is known."""
        if key in self._streams:
            self._streams[key].settled = True

    def break_off(self, response_id: str) -> tuple[AudioKey, ...]:
        """Nothing more will come for the streams of this response that are not finished; returns them."""
        streams = [
            (key, stream)
            for key, stream in self._streams.items()
            if key.response_id == response_id and stream.received_bytes and not stream.finished
        ]
        for _, stream in streams:
            stream.finished = stream.broken = True
        return tuple(key for key, _ in streams)

    def is_broken(self, key: AudioKey) -> bool:
        """True when the connection was lost in the middle of this stream."""
        return key in self._streams and self._streams[key].broken

    def was_played(self, response_id: str) -> bool:
        """Some audio of this response was played to its end."""
        return any(key.response_id == response_id and one.settled for key, one in self._streams.items())

    def whole_items(self, response_id: str) -> tuple[str, ...]:
        """Items of a response whose audio came to its end."""
        streams = [(key, stream) for key, stream in self._streams.items() if key.response_id == response_id]
        cut = {key.item_id for key, stream in streams if stream.broken or not stream.finished}
        return tuple(dict.fromkeys(key.item_id for key, _ in streams if key.item_id not in cut))

    def written_words(self, response_id: str) -> tuple[str, ...]:
        """Items of a response of which words to be read came."""
        items = self._items.get(response_id, {})
        return tuple(item_id for item_id in items if item_id in self._written and self._texts.get(item_id))

    def words(self, response_id: str) -> tuple[str, ...]:
        """Items of a response of which any words came."""
        return tuple(item_id for item_id in self._items.get(response_id, {}) if self._texts.get(item_id))

    def finish_response(self, response_id: str) -> None:
        """Close every stream of a finished response."""
        for key, stream in self._streams.items():
            if key.response_id == response_id:
                stream.finished = True

    def list_item(self, response_id: str, item: Item) -> None:
        """A message item belongs to this response."""
        if item.type == "message" and item.key:
            self._items.setdefault(response_id, {})[item.key] = None

    def list_part(self, response_id: str, item_id: str, *, written: bool = False) -> None:
        """A part of a message item came; `written`: its words are read, not heard."""
        self._items.setdefault(response_id, {})[item_id] = None
        if written:
            self._written.add(item_id)

    def unheard_words(self, response_id: str) -> tuple[str, ...]:
        """Items of which words came, and no audio yet."""
        return tuple(item_id for item_id in self._unheard(response_id) if self._texts.get(item_id))

    def never_heard(self, response_id: str) -> tuple[str, ...]:
        """Items of an interrupted response of which the person got nothing: they must leave the conversation."""
        return self._unheard(response_id) if response_id in self._stale_responses else ()

    def _unheard(self, response_id: str) -> tuple[str, ...]:
        sounded = {key.item_id for key, stream in self._streams.items() if stream.received_bytes}
        items = self._items.get(response_id, {})
        return tuple(item_id for item_id in items if item_id not in sounded and item_id not in self._written)

    def add_text(self, item_id: str, delta: str) -> str:
        """Append words of a reply item and return all of them so far."""
        self._texts[item_id] = self._texts.get(item_id, "") + delta
        return self._texts[item_id]

    def set_text(self, item_id: str, text: str) -> str:
        """Replace the words of a reply item."""
        self._texts[item_id] = text
        return text

    def text(self, item_id: str) -> str:
        """The words of a reply item so far."""
        return self._texts.get(item_id, "")

    def drop_response(self, response_id: str) -> None:
        """Ignore whatever else arrives for this response."""
        self._stale_responses.add(response_id)

    def drop_item(self, item_id: str) -> None:
        """Ignore whatever else arrives for this item."""
        self._stale_items.add(item_id)

    def is_stale(self, response_id: str, item_id: str) -> bool:
        """True for late arrivals of an interrupted reply."""
        return response_id in self._stale_responses or item_id in self._stale_items
