"""One step of visible reasoning: what is really happening, never theatre."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

Stage = Literal["understanding", "analysing", "generating", "validating", "tool", "note"]
STAGES: dict[str, str] = {
    "understanding": "understanding context",
    "analysing": "analysing intent",
    "generating": "generating the response",
    "validating": "validating quality",
    "tool": "using a tool",
    "note": "note",
}
"""Stage to what is shown for it."""


class Level(StrEnum):
    """How sure a step is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


def level_of(confidence: float) -> Level:
    """0..1 in a word: high from 0.8, medium from 0.5."""
    if confidence >= 0.8:
        return Level.HIGH
    return Level.MEDIUM if confidence >= 0.5 else Level.LOW


class Thought(NamedTuple):
    """A line of the thinking panel. The time is added by whoever emits it."""

    stage: Stage
    text: str
    confidence: float | None = None
    """0..1 where the step has one."""

    @property
    def level(self) -> Level | None:
        """The confidence in a word."""
        return None if self.confidence is None else level_of(self.confidence)
