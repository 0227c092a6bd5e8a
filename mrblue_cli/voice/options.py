"""Options of the talk session."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mrblue_cli.audio.gate import EchoChoice, Route
from mrblue_cli.voice.events import TurnMode


class TurnEnd(StrEnum):
    """What ends the person's turn where the server hears it."""

    SILENCE = "silence"
    """`silence_ms` without speech."""
    MEANING = "meaning"
    """Less silence after what sounds complete, more after what does not."""


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """How to hold the conversation."""

    turn_mode: TurnMode = TurnMode.HANDS_FREE
    threshold: float = 0.5
    silence_ms: int = 500
    prefix_ms: int = 300
    route: Route | None = None
    """None: guess from the speaker's name."""
    greeting: str = ""
    """Said first; empty: the person begins."""
    echo: EchoChoice = EchoChoice.AUTO
    """What to do about a loudspeaker's echo."""
    false_interruption: bool = True
    """Speech over a reply holds it first, and stops it only when it is meant; False: stops it at once."""
    turn_end: TurnEnd = TurnEnd.SILENCE
    reply_timeout_seconds: float = 60.0
    """A reply that does not come within this ends the wait with an error line."""
    max_cost_usd: float = 0.0
    """The talk ends politely when this is spent; 0: no limit."""
