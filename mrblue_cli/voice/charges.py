"""What one reply, or one transcription, used and cost. A value that travels with the `Spent` event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mrblue_cli.core.prices import NANO


class ChargeKind(StrEnum):
    """What was paid for."""

    REPLY = "reply"
    TRANSCRIPTION = "transcription"


@dataclass(frozen=True, slots=True)
class Charge:
    """Use of one model, counted once: tokens by kind that add up to all tokens, and their price.

    Cached tokens are inside the input (voice-craft section 15), reasoning is inside the written output.
    """

    kind: ChargeKind
    model: str
    text_input: int = 0
    audio_input: int = 0
    image_input: int = 0
    cached_input: int = 0
    """Of the three above."""
    text_output: int = 0
    audio_output: int = 0
    seconds: float = 0.0
    """Length of sound, for models that are billed by time."""
    characters: int = 0
    """Length of text, for voices that are billed by it."""
    cost_nano: int | None = None
    """Nano-dollars; None: the price is not known, and none is made up."""
    engine: str = ""
    rung: str = ""

    @property
    def input_tokens(self) -> int:
        """All input, cached or not."""
        return self.text_input + self.audio_input + self.image_input

    @property
    def output_tokens(self) -> int:
        """All output, reasoning included."""
        return self.text_output + self.audio_output

    @property
    def cost_usd(self) -> float | None:
        """US dollars, None when the price is not known."""
        return None if self.cost_nano is None else self.cost_nano / NANO
