"""What a reply cost, from the usage the server reported and a dated price table.

Prices are US dollars per million tokens as OpenAI's model pages listed them on 2026-09-30. An unknown model has no
price: tokens are reported, a cost is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PRICES_DATED = "2026-09-30"


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """US dollars per million tokens of one modality."""

    fresh_input: float
    cached_input: float
    output: float


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """The prices of one Realtime model."""

    text: TokenPrices
    audio: TokenPrices


_LARGE_AUDIO = TokenPrices(32.0, 0.40, 64.0)
_MINI = ModelPrices(text=TokenPrices(0.60, 0.06, 2.40), audio=TokenPrices(10.0, 0.30, 20.0))
_PRICES = {
    "gpt-realtime-2.1": ModelPrices(text=TokenPrices(4.0, 0.40, 24.0), audio=_LARGE_AUDIO),
    "gpt-realtime-2": ModelPrices(text=TokenPrices(4.0, 0.40, 24.0), audio=_LARGE_AUDIO),
    "gpt-realtime-1.5": ModelPrices(text=TokenPrices(4.0, 0.40, 16.0), audio=_LARGE_AUDIO),
    "gpt-realtime-2.1-mini": _MINI,
}


def reply_cost_usd(model: str, usage: Mapping[str, object] | None) -> float | None:
    """Cost of one response, or None when the model has no known price or the server reported no usage.

    Cached tokens are part of the input tokens. Where the server does not say which modality they belong to, they are
    counted as text first.
    """
    prices = _PRICES.get(model)
    if prices is None or not usage:
        return None
    given = _table(usage.get("input_token_details"))
    made = _table(usage.get("output_token_details"))
    text_in, audio_in = _count(given, "text_tokens"), _count(given, "audio_tokens")
    cached_text, cached_audio = _cached(given, text_in, audio_in)
    total = (
        (text_in - cached_text) * prices.text.fresh_input
        + cached_text * prices.text.cached_input
        + (audio_in - cached_audio) * prices.audio.fresh_input
        + cached_audio * prices.audio.cached_input
        + _count(made, "text_tokens") * prices.text.output
        + _count(made, "audio_tokens") * prices.audio.output
    )
    return total / 1_000_000


def _cached(given: Mapping[str, object], text_in: int, audio_in: int) -> tuple[int, int]:
    details = _table(given.get("cached_tokens_details"))
    if details:
        text, audio = _count(details, "text_tokens"), _count(details, "audio_tokens")
    else:
        cached = _count(given, "cached_tokens")
        text = min(cached, text_in)
        audio = cached - text
    return min(text, text_in), min(audio, audio_in)


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _count(table: Mapping[str, object], key: str) -> int:
    value = table.get(key)
    return max(0, value) if isinstance(value, int) else 0
