"""Options of the talk session."""

from __future__ import annotations

from dataclasses import dataclass

from mrblue_cli.audio.gate import EchoChoice, Route
from mrblue_cli.voice.events import TurnMode


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """How to hold the conversation."""

    turn_mode: TurnMode = TurnMode.HANDS_FREE
    threshold: float = 0.5
    silence_ms: int = 500
    prefix_ms: int = 300
    route: Route | None = None
    """None: guess from the speaker's name."""
    echo: EchoChoice = EchoChoice.AUTO
    """What to do about a loudspeaker's echo."""
    reply_timeout_seconds: float = 60.0
    """A reply that does not come within this ends the wait with an error line."""
    max_cost_usd: float = 0.0
    """The talk ends politely when this is spent; 0: no limit."""
