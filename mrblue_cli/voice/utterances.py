"""What the person said and no server has answered for yet. Pure; time is samples. Source: voice-craft section 12.

A server that was cut off may or may not have heard the end of a sentence. So everything spoken is kept until its words
are back: it can be said again to the next session. Bounded: 150 kB of PCM16 at 24 kHz, the newest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

LIMIT_BYTES = 150_000
BYTES_PER_MS = 48
PREROLL_MS = 500
HOLD_MS = 900
"""Silence kept behind speech, so that the next server notices the end of the turn as well."""
MARGIN_MS = 2000
"""A server may take this long to tell that it hears speech."""
STALE_MS = 45_000
"""Longer than a dead connection can go unnoticed: the server heard this and took it for noise."""
MIN_UTTERANCE_MS = 100
"""Servers refuse a commit of less."""
_START_MARGIN_MS = 300


@dataclass(slots=True)
class _Block:
    pcm: bytes
    speech: bool
    idle: bool
    heard_at: int
    """Milliseconds of microphone, for its age."""
    wire_end: int | None = None
    """Where it ends in the audio of the present connection, in bytes; None: not sent there."""


@dataclass(slots=True)
class Utterance:
    """A turn that was completed and whose words are not back."""

    pcm: bytes
    item_id: str | None = None
    """The server's name for it, once it is known."""
    shown: str | None = None
    """The name under which it stands in the transcript."""
    again: bool = False
    """It was said to an earlier server before."""


class Utterances:
    """Keeps audio for the next connection.

    Where the server decides about turns, feed it `hear` with everything and the server's marks. Where we decide, feed
    it `begin`, `more`, `commit`, `discard`.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._blocks: deque[_Block] = deque()
        self._size = 0
        self._heard_ms = 0
        self._spoke_ms: int | None = None
        self._wire = 0
        self._server_from: int | None = None
        """Where the turn began that the server hears, in bytes of the connection."""
        self._server_item: str | None = None
        self._ended_at: int | None = None
        self._open: bytearray | None = None
        self._waiting: deque[Utterance] = deque()

    # The server decides -----------------------------------------------------------------------------------------

    def hear(self, pcm: bytes, *, speech: bool, sent: bool) -> None:
        """A block of the microphone; `sent`: it goes to the server as well."""
        self._heard_ms += len(pcm) // BYTES_PER_MS
        if speech:
            self._spoke_ms = self._heard_ms
        quiet = self._spoke_ms is None or self._heard_ms - self._spoke_ms > HOLD_MS
        block = _Block(pcm, speech, quiet and self._server_from is None, self._heard_ms)
        if sent:
            self._wire += len(pcm)
            block.wire_end = self._wire
        self._blocks.append(block)
        self._size += len(pcm)
        self._trim()

    def sent_besides(self, count: int) -> None:
        """This many bytes of audio were sent that are no part of what `hear` was given."""
        self._wire += count

    def server_began(self, item_id: str, at_ms: int) -> None:
        """The server hears a turn that began `at_ms` into all audio of this connection."""
        self._server_from = max(0, at_ms - _START_MARGIN_MS) * BYTES_PER_MS
        self._server_item, self._ended_at = item_id, None

    def server_stopped(self, at_ms: int) -> None:
        """The server heard the turn end."""
        self._ended_at = at_ms * BYTES_PER_MS

    def server_alive(self) -> None:
        """The server says something, so it heard what was sent a while ago: speech it did not tell of was noise."""
        if self._server_from is None:
            past = self._wire - MARGIN_MS * BYTES_PER_MS
            self._drop(lambda block: block.wire_end is not None and block.wire_end <= past)

    def server_committed(self, item_id: str) -> None:
        """The server closed a turn."""
        end = self._ended_at
        if end is None or (self._server_from is not None and end <= self._server_from) or end > self._wire:
            end = self._wire
        start = self._server_from or 0
        said = [block.pcm for block in self._blocks if block.wire_end is not None and start < block.wire_end <= end]
        self._drop(lambda block: block.wire_end is not None and block.wire_end <= end)
        self._server_from = self._server_item = self._ended_at = None
        self._wait(Utterance(b"".join(said), item_id))

    def server_forgot(self) -> None:
        """The turn the server heard came to nothing."""
        self._server_from = self._server_item = self._ended_at = None
        self._drop(lambda _: True)

    # We decide --------------------------------------------------------------------------------------------------

    def begin(self, pcm: bytes) -> None:
        """A turn of ours begins."""
        self._open = bytearray(pcm)

    def more(self, pcm: bytes) -> None:
        """It goes on; of a long one the newest is kept."""
        if self._open is not None:
            self._open += pcm
            del self._open[: max(0, len(self._open) - self._limit)]

    def commit(self) -> None:
        """It is complete; the server will tell its name."""
        if self._open is not None:
            said, self._open = bytes(self._open), None
            if len(said) >= MIN_UTTERANCE_MS * BYTES_PER_MS:
                self._wait(Utterance(said))

    def discard(self) -> None:
        """It came to nothing."""
        self._open = None

    # Both -------------------------------------------------------------------------------------------------------

    def named(self, item_id: str) -> Utterance | None:
        """The server named the oldest nameless turn."""
        for one in self._waiting:
            if one.item_id is None:
                one.item_id = item_id
                return one
        return None

    def transcribed(self, item_id: str) -> None:
        """Its words are back (or cannot be had): nothing to keep."""
        self._waiting = deque(one for one in self._waiting if one.item_id != item_id)

    @property
    def speaking(self) -> bool:
        """Somebody spoke within the last moment, as far as this machine can tell."""
        return self._spoke_ms is not None and self._heard_ms - self._spoke_ms <= HOLD_MS

    @property
    def begun_item(self) -> str | None:
        """The server's name of the turn in progress."""
        return self._server_item

    @property
    def is_open(self) -> bool:
        """A turn of ours is being recorded."""
        return self._open is not None

    @property
    def completed(self) -> tuple[Utterance, ...]:
        """Completed turns whose words are not back, oldest first."""
        return tuple(self._waiting)

    def cut(self) -> None:
        """The connection is gone: names and positions mean nothing any more."""
        if self._server_from is not None:
            begun = self._server_from
            self._drop(lambda block: block.wire_end is not None and block.wire_end <= begun)
        for block in self._blocks:
            block.wire_end = None
        self._wire = 0
        self._server_from = self._server_item = self._ended_at = None
        for one in self._waiting:
            one.shown = one.shown or one.item_id
            one.item_id = None
        self._waiting = deque(one for one in self._waiting if len(one.pcm) >= MIN_UTTERANCE_MS * BYTES_PER_MS)

    def in_progress(self) -> bytes:
        """What to say again to the next server: the turn of ours, or all that is kept of the microphone."""
        if self._open is not None:
            return bytes(self._open)
        return b"".join(block.pcm for block in self._blocks)

    def flushed(self) -> None:
        """All that `in_progress` gave was sent."""
        for block in self._blocks:
            if block.wire_end is None:
                self._wire += len(block.pcm)
                block.wire_end = self._wire

    def forget(self) -> None:
        """Nobody will listen: keep nothing."""
        self._drop(lambda _: True)
        self._waiting.clear()
        self._open = self._spoke_ms = None

    def _wait(self, said: Utterance) -> None:
        self._waiting.append(said)
        size = sum(len(one.pcm) for one in self._waiting)
        for one in self._waiting:
            # The newest is what the person is waiting for an answer to.
            less = min(len(one.pcm), max(0, size - self._limit)) // 2 * 2
            one.pcm = one.pcm[less:]
            size -= less

    def _trim(self) -> None:
        run = 0
        for block in reversed(self._blocks):
            if not block.idle:
                break
            run += len(block.pcm)
        while run > PREROLL_MS * BYTES_PER_MS:
            at = next(i for i in range(len(self._blocks) - 1, -1, -1) if i == 0 or not self._blocks[i - 1].idle)
            run -= len(self._blocks[at].pcm)
            self._size -= len(self._blocks[at].pcm)
            del self._blocks[at]
        while self._blocks and self._size > self._limit:
            self._size -= len(self._blocks.popleft().pcm)
        if self._server_from is None and self._blocks and self._blocks[-1].wire_end is not None:
            oldest = self._heard_ms - STALE_MS
            while self._blocks and self._blocks[0].heard_at < oldest:
                self._size -= len(self._blocks.popleft().pcm)

    def _drop(self, unwanted: Callable[[_Block], bool]) -> None:
        self._blocks = deque(block for block in self._blocks if not unwanted(block))
        self._size = sum(len(block.pcm) for block in self._blocks)
