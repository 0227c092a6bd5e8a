"""What the server's side asks of the engine behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.session import Session, TurnDetection


@dataclass(frozen=True, slots=True)
class AudioArrived:
    """More of the person's audio: PCM16 little-endian mono 24 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class AudioForgotten:
    """Throw away what was appended since the last commit; the turn detector starts anew."""


@dataclass(frozen=True, slots=True)
class TurnClosed:
    """The client committed by hand: everything appended since the last commit is the user item `item_id`."""

    item_id: str


@dataclass(frozen=True, slots=True)
class TurnsConfigured:
    """Who detects turns changed; None: the client commits by hand."""

    detection: TurnDetection | None


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """The effective configuration changed."""

    session: Session


@dataclass(frozen=True, slots=True)
class StartReply:
    """Make a reply; feed it back with `reply_text`, `reply_audio`, `reply_call`, then `reply_finished` or `_failed`."""

    response_id: str
    instructions: str
    spoken: bool
    """False: text only."""
    history: tuple[Item, ...] | None
    """Items to answer instead of the conversation (out-of-band with `input`); None: the conversation."""
    in_conversation: bool
    tools: tuple[dict[str, Any], ...] = ()
    """What may be called, as the client declared it: `{type, name, description, parameters}`."""


@dataclass(frozen=True, slots=True)
class StopReply:
    """Stop making this reply at once; nothing more is accepted for it."""

    response_id: str


Command = AudioArrived | AudioForgotten | TurnClosed | TurnsConfigured | SessionChanged | StartReply | StopReply
