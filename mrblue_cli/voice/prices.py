"""What a reply cost, from the usage the server reported and the dated price table (`core.prices`).

An unknown model has no price: tokens are reported, a cost is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping

from mrblue_cli.core import prices

_NEWEST = "9999"
"""Replies are priced as they come in: the newest prices known."""


def reply_cost_usd(model: str, usage: Mapping[str, object] | None) -> float | None:
    """Cost of one response, or None when the model has no known price or the server reported no usage.

    Cached tokens are part of the input tokens. Where the server does not say which modality they belong to, they are
    counted as text first.
    """
    if not usage:
        return None
    known = prices.find("openai", model, _NEWEST)
    if known is None:
        return None
    given = _table(usage.get("input_token_details"))
    made = _table(usage.get("output_token_details"))
    parts = _table(given.get("cached_tokens_details"))
    text_in, audio_in, image_in = (_count(given, f"{part}_tokens") for part in ("text", "audio", "image"))
    audio_out = _count(made, "audio_tokens")
    cached_audio = _count(parts, "audio_tokens")
    if parts:
        cached = sum(
            min(_count(parts, f"{part}_tokens"), _count(given, f"{part}_tokens")) for part in ("text", "audio", "image")
        )
    else:
        cached = _count(given, "cached_tokens")
    cost = prices.cost_nano(
        known,
        prices.Counts(
            input=text_in + audio_in + image_in,
            output=_count(made, "text_tokens") + audio_out,
            cached=cached,
            audio_input=audio_in,
            cached_audio=cached_audio,
            image_input=image_in,
            audio_output=audio_out,
        ),
    )
    return None if cost is None else cost / prices.NANO


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _count(table: Mapping[str, object], key: str) -> int:
    value = table.get(key)
    return max(0, value) if isinstance(value, int) else 0
