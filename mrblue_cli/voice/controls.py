"""What a person can do to a running conversation. Views send these; the session acts."""

from __future__ import annotations

from dataclasses import dataclass

from mrblue_cli.voice.events import TurnMode


@dataclass(frozen=True, slots=True)
class TalkKey:
    """The talk key. Push-to-talk: down starts (and interrupts), up sends. Hands-free: interrupts a reply."""

    down: bool


@dataclass(frozen=True, slots=True)
class Say:
    """Typed text instead of speech; interrupts a reply in progress."""

    text: str


@dataclass(frozen=True, slots=True)
class StopReply:
    """Esc: silence the reply now; the transcript keeps what was heard. Discards an open recording."""


@dataclass(frozen=True, slots=True)
class SetMuted:
    """Close or open the microphone; closing also ends an open turn."""

    muted: bool


@dataclass(frozen=True, slots=True)
class SetTurnMode:
    """Change the way to take turns, from the next turn on."""

    mode: TurnMode


@dataclass(frozen=True, slots=True)
class RetryEngine:
    """Try the best way to talk again, now, after the talk had to go on with another one."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Say goodbye: close the connection and the devices, then emit `Ended('quit')`."""


Control = TalkKey | Say | StopReply | SetMuted | SetTurnMode | RetryEngine | Quit
