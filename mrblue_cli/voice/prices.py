"""What a reply or a transcription cost, from the usage that the server reported and the dated price table.

A model that the table (`core.prices`) does not know has no price: tokens are counted, a cost is never guessed. Usage
comes from strangers: whatever is null, negative, absurdly large or of the wrong type counts as absent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mrblue_cli.core import prices
from mrblue_cli.voice.charges import Charge, ChargeKind

MOST_TOKENS = 10**9
"""Per reply; a larger count is a mistake or an attack, not a conversation."""
_MOST_SECONDS = 86_400.0 * 7
_MOST_MODELS = 16
_NEWEST = "9999"
"""Replies are priced as they come in: the newest prices known."""
_NO_PARTS: Mapping[str, object] = {}


def reply_charges(model: str, usage: object, *, free: bool = False) -> tuple[Charge, ...]:
    """What one reply used; empty when the server did not say.

    `usage` is that of `response.done`. Where several models worked on one reply (chat and voice as single requests),
    it holds a list `models` with a table for each, and those are what is billed; a table that holds a name alone was
    billed, and nobody knows how much. `free`: what this machine made itself.
    """
    return _charges(ChargeKind.REPLY, model, _table(usage), free=free)


def transcription_charges(model: str, usage: object, *, free: bool = False) -> tuple[Charge, ...]:
    """What one transcription used: tokens, or seconds of sound, or `models` as for a reply."""
    return _charges(ChargeKind.TRANSCRIPTION, model, _table(usage), free=free)


def as_input_nano(model: str, *, text_tokens: int, audio_tokens: int) -> int:
    """Nano-dollars for tokens that a model reads for the first time; 0 when the price is not known."""
    known = prices.find("openai", model, _NEWEST)
    if known is None:
        return 0
    counts = prices.Counts(input=text_tokens + audio_tokens, audio_input=audio_tokens)
    return prices.cost_nano(known, counts) or 0


def _charges(kind: ChargeKind, model: str, usage: Mapping[str, object], *, free: bool) -> tuple[Charge, ...]:
    several = usage.get("models")
    if isinstance(several, Sequence) and not isinstance(several, str | bytes) and several:
        rows = [_table(row) for row in several[:_MOST_MODELS]]
        return tuple(_row_charge(kind, str(row.get("model") or model)[:200], row) for row in rows if row)
    charge = _charge(kind, model, usage, free=free)
    return (charge,) if _counted(charge) else ()


def _row_charge(kind: ChargeKind, model: str, row: Mapping[str, object]) -> Charge:
    charge = _charge(kind, model, row, free=False)
    return charge if _counted(charge) else replace(charge, cost_nano=None)


def _counted(charge: Charge) -> bool:
    return bool(charge.input_tokens or charge.output_tokens or charge.seconds or charge.characters)


def _charge(kind: ChargeKind, model: str, usage: Mapping[str, object], *, free: bool) -> Charge:
    given = _table(usage.get("input_token_details"))
    made = _table(usage.get("output_token_details"))
    text_in, audio_in, image_in = (_count(given, f"{part}_tokens") for part in ("text", "audio", "image"))
    text_out, audio_out = _count(made, "text_tokens"), _count(made, "audio_tokens")
    split = bool(text_in or audio_in or image_in)
    # What the details leave out is text, unless there are none and the model listens: then it is sound.
    # Reasoning is in the written part already (PageSpace#2391, litellm#39850).
    left = max(0, _count(usage, "input_tokens") - text_in - audio_in - image_in)
    if kind is ChargeKind.TRANSCRIPTION and not split:
        audio_in, split = left, True
    else:
        text_in += left
    text_out += max(0, _count(usage, "output_tokens") - text_out - audio_out)
    parts = _table(given.get("cached_tokens_details"))
    cached_audio = min(_count(parts, "audio_tokens"), audio_in)
    if parts:
        cached = (
            cached_audio + min(_count(parts, "text_tokens"), text_in) + min(_count(parts, "image_tokens"), image_in)
        )
    else:
        cached = min(_count(given, "cached_tokens") or _count(usage, "cached_tokens"), text_in + audio_in + image_in)
    seconds = _seconds(usage.get("seconds"))
    counts = prices.Counts(
        input=text_in + audio_in + image_in,
        output=text_out + audio_out,
        cached=cached,
        audio_input=audio_in,
        cached_audio=cached_audio,
        image_input=image_in,
        audio_output=audio_out,
        micros=round(seconds * 1_000_000),
        characters=_count(usage, "characters"),
    )
    return Charge(
        kind=kind,
        model=model,
        text_input=text_in,
        audio_input=audio_in,
        image_input=image_in,
        cached_input=cached,
        text_output=text_out,
        audio_output=audio_out,
        seconds=seconds,
        characters=counts.characters,
        cost_nano=0 if free else _cost_nano(model, counts, split=split),
    )


def _cost_nano(model: str, counts: prices.Counts, *, split: bool) -> int | None:
    known = prices.find("openai", model, _NEWEST)
    if known is None:
        return None
    dearer_sound = known.rates.audio_input not in {None, known.rates.input}
    if counts.input and not split and dearer_sound:
        # Sound or text? The two differ by up to eight times, so only time or characters can tell the price.
        return prices.cost_nano(known, counts._replace(input=0, output=0)) or None
    return prices.cost_nano(known, counts)


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else _NO_PARTS


def _count(table: Mapping[str, object], key: str) -> int:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return int(value) if 0 < value <= MOST_TOKENS else 0


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return float(value) if 0 < value <= _MOST_SECONDS else 0.0
