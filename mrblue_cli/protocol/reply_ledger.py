"""What a client has received of each reply: audio per stream, words per item, and what is no longer wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrblue_cli.protocol.notices import AudioKey
from mrblue_cli.protocol.session import BYTES_PER_MS


@dataclass(slots=True)
class _Stream:
    received_bytes: int = 0
    carry: bytes = b""
    finished: bool = False
    settled: bool = False
    """Truncated or played out: nothing more is to be said about it."""


@dataclass(slots=True)
class ReplyLedger:
    """Received audio and text of the replies of one session."""

    _streams: dict[AudioKey, _Stream] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _stale_responses: set[str] = field(default_factory=set)
    _stale_items: set[str] = field(default_factory=set)

    def add_audio(self, key: AudioKey, chunk: bytes) -> bytes:
        """Count a chunk and return whole 16-bit samples; an odd byte waits for the next chunk."""
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

    def finish_response(self, response_id: str) -> None:
        """Close every stream of a finished response."""
        for key, stream in self._streams.items():
            if key.response_id == response_id:
                stream.finished = True

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
