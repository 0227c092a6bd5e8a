"""One step of visible reasoning: what is really happening, never theatre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["heard", "type", "candidates", "answer", "tool", "note"]


@dataclass(frozen=True, slots=True)
class Thought:
    """A line of the thinking panel. The time is added by whoever emits it."""

    stage: Stage
    text: str
    confidence: float | None = None
    """0..1 where the step has one."""
