"""What the client side of a conversation tells its application. Neutral: the same for every dialect and server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Dialect(StrEnum):
    """The two shapes of the protocol (realtime-protocol section 0)."""

    GA = "ga"
    BETA = "beta"


class Ownership(StrEnum):
    """Who decides when a turn ends and a reply stops. One flag true and one false is not offered: the server would
    cancel while the client thinks that it decides (livekit realtime_model.py)."""

    SERVER = "server"
    """Server VAD with create_response and interrupt_response both true."""
    CLIENT = "client"
    """turn_detection null: the client commits, creates and cancels."""
    SHARED = "shared"
    """Server VAD with both flags false: the server hears where turns begin and end, the client asks for replies and
    stops them. Only this way (or with client-owned turns) can a cough be judged before the reply is lost."""


@dataclass(frozen=True, slots=True)
class AudioKey:
    """Names one stream of reply audio. Played time is counted per (item, content index)."""

    response_id: str
    item_id: str
    content_index: int


@dataclass(frozen=True, slots=True)
class Played:
    """What the player knows of one stream of reply audio when it is interrupted."""

    key: AudioKey
    played_ms: int
    """Floor of samples really handed to the DAC, minus output latency, in ms; never wall clock."""
    complete: bool
    """True when every received sample has been played."""


@dataclass(frozen=True, slots=True)
class SessionReady:
    """`session.created` arrived: the connection is real."""

    session_id: str
    model: str
    dialect: Dialect
    expires_at: int | None
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class SessionConfigured:
    """`session.updated` arrived: the server took our settings."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The server heard speech begin. `item_id` is the user item that will hold it."""

    item_id: str
    audio_start_ms: int
    """Offset into all audio appended this session."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The server heard speech end."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """The person's turn became item `item_id`."""

    item_id: str


@dataclass(frozen=True, slots=True)
class TurnTooShort:
    """Under 100 ms were captured: nothing was sent."""


@dataclass(frozen=True, slots=True)
class UserText:
    """What the person said, whole so far. `final` replaces everything before it."""

    item_id: str
    text: str
    final: bool
    failed: bool = False
    """True when the server could not transcribe; `text` is then empty."""


@dataclass(frozen=True, slots=True)
class TranscriptUsage:
    """What the transcription of the person's turn used; billed apart from the reply, at its own model's rate."""

    item_id: str
    usage: dict[str, object]
    """As the server sent it: tokens, or `{type: duration, seconds}`."""


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """`response.created` arrived."""

    response_id: str


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """Audio of the reply: PCM16 little-endian mono 24 kHz, whole samples (odd bytes are carried over)."""

    key: AudioKey
    pcm: bytes


@dataclass(frozen=True, slots=True)
class ReplyAudioDone:
    """No more audio will come for this stream."""

    key: AudioKey


@dataclass(frozen=True, slots=True)
class ReplyText:
    """Words of the reply (its transcript, or its text), whole so far."""

    item_id: str
    text: str
    final: bool
    heard_ms: int | None = None
    """Set after an interruption: the text is cut to what was heard in this many ms."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a function; emitted once per call_id, only from a completed response."""

    call_id: str
    name: str
    arguments: str
    """JSON text as the model wrote it: hostile until parsed."""


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """The reply ended: exactly one per `ReplyStarted`."""

    response_id: str
    status: str
    """completed, cancelled, failed, incomplete."""
    reason: str | None
    usage: dict[str, object] | None
    """As the server sent it (realtime-protocol section 8); None when absent."""


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Silence the speaker now: the person spoke over the reply. Answer with `ClientConversation.interrupted`."""


@dataclass(frozen=True, slots=True)
class RateLimited:
    """`rate_limits.updated`: `remaining` of `limit` is left for `name`, until `reset_seconds` have passed."""

    name: str
    limit: int
    remaining: int
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class ProtocolFailure:
    """An `error` event worth telling (benign ones are swallowed: realtime-protocol section 8)."""

    code: str
    message: str
    fatal: bool


Notice = (
    SessionReady
    | SessionConfigured
    | SpeechStarted
    | SpeechStopped
    | TurnCommitted
    | TurnTooShort
    | UserText
    | TranscriptUsage
    | ReplyStarted
    | ReplyAudio
    | ReplyAudioDone
    | ReplyText
    | ToolCall
    | ReplyDone
    | StopPlayback
    | RateLimited
    | ProtocolFailure
)
