"""What models cost: a dated table, and the one sum that turns counts into money. Both the talk screen and the gateway
use it.

Money is whole nano-dollars. Prices are kept as nano-dollars per million tokens, so that a cost is an exact fraction
until it is rounded, once, half up. The table (`data/prices.json`) is read when the first price is asked for.

A model is found by its exact name, by its name without a dated suffix, or by an alias of its provider; never by the
beginning of its name, because `gpt-4o-mini` is not `gpt-4o`.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

NANO = 1_000_000_000
_MILLION = 1_000_000
_HOUR_MICROS = 3_600_000_000
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{6}|\d{4}|\d{3})$")
"""-2024-08-06 (OpenAI), -08-2024 (Cohere), -20250514 (Anthropic), -0125, -2411, -001."""


class Rates(NamedTuple):
    """Nano-dollars per million tokens; None: priced as the plainer part (cached as input, audio as text)."""

    input: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    output: int | None = None
    audio_input: int | None = None
    audio_cached: int | None = None
    audio_output: int | None = None
    image_input: int | None = None
    image_cached: int | None = None


class Prices(NamedTuple):
    """The prices of one model from one day on."""

    rates: Rates
    hour: int | None = None
    """Nano-dollars per hour of audio."""
    characters: int | None = None
    """Nano-dollars per million characters to speak."""
    least_micros: int = 0
    """Shortest audio that is billed, in microseconds."""
    long_above: int | None = None
    """Requests with more input tokens cost `long`, all of their tokens."""
    long: Rates | None = None
    peak_hours: tuple[tuple[int, int], ...] = ()
    """UTC hours, [from, to), in which `peak` holds."""
    peak: Rates | None = None
    since: str = ""
    """First day of these prices, `2026-07-30`; empty: since the model came out."""


class Counts(NamedTuple):
    """What is billed. Every part is inside its whole: cached, written, audio and image tokens inside the input."""

    input: int = 0
    output: int = 0
    cached: int = 0
    """Of the input, audio included."""
    cache_write: int = 0
    audio_input: int = 0
    cached_audio: int = 0
    image_input: int = 0
    audio_output: int = 0
    micros: int = 0
    """Length of audio in microseconds."""
    characters: int = 0


FREE = Prices(Rates(input=0, output=0))


def cost_nano(prices: Prices, counts: Counts, hour: int | None = None) -> int | None:
    """Cost in nano-dollars; None when the model is billed by something that was not counted.

    `hour` is the UTC hour of the call, for models that cost more at some; None: the dearer of the two. Counts that
    contradict each other (more cached than input) are cut to what fits, so a cost is never negative.
    """
    counts = Counts(*(max(0, count) for count in counts))
    tokens = counts.input > 0 or counts.output > 0
    if tokens and prices.rates.input is not None:
        return _rounded(_tokens(_rates(prices, counts, hour), counts), _MILLION)
    if counts.micros and prices.hour is not None:
        return _rounded(max(counts.micros, prices.least_micros) * prices.hour, _HOUR_MICROS)
    if counts.characters and prices.characters is not None:
        return _rounded(counts.characters * prices.characters, _MILLION)
    return None if tokens or counts.micros or counts.characters else 0


def _rates(prices: Prices, counts: Counts, hour: int | None) -> Rates:
    if prices.long is not None and prices.long_above is not None and counts.input > prices.long_above:
        return prices.long
    if prices.peak is not None and (hour is None or any(first <= hour < end for first, end in prices.peak_hours)):
        return prices.peak
    return prices.rates


def _tokens(rates: Rates, counts: Counts) -> int:
    """Nano-dollars times a million."""
    plain = rates.input or 0
    output = rates.output or 0
    audio_rate = _first(rates.audio_input, plain)
    image_rate = _first(rates.image_input, plain)
    cached_rate = _first(rates.cached, plain)
    audio = min(counts.audio_input, counts.input)
    image = min(counts.image_input, counts.input - audio)
    text = counts.input - audio - image
    cached_audio = min(counts.cached_audio, audio)
    # What is said to be cached but not which part of it: text first, then images, then audio.
    left = min(counts.cached, counts.input) - cached_audio
    cached_text = min(max(0, left), text)
    cached_image = min(max(0, left - cached_text), image)
    cached_audio += min(max(0, left - cached_text - cached_image), audio - cached_audio)
    written = min(counts.cache_write, text - cached_text)
    spoken = min(counts.audio_output, counts.output)
    return (
        (text - cached_text - written) * plain
        + cached_text * cached_rate
        + written * _first(rates.cache_write, plain)
        + (audio - cached_audio) * audio_rate
        + cached_audio * _first(rates.audio_cached, audio_rate if rates.audio_input is not None else cached_rate)
        + (image - cached_image) * image_rate
        + cached_image * _first(rates.image_cached, image_rate if rates.image_input is not None else cached_rate)
        + (counts.output - spoken) * output
        + spoken * _first(rates.audio_output, output)
    )


def _first(price: int | None, otherwise: int) -> int:
    return otherwise if price is None else price


def _rounded(amount: int, divisor: int) -> int:
    """Half up."""
    return (2 * amount + divisor) // (2 * divisor)


class PriceTable:
    """Prices by kind of provider and model."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Take the table as JSON has it, decimals as `Decimal`."""
        self.dated: str = data["dated"]
        self._like: Mapping[str, str] = data["priced_like"]
        self._free = frozenset(data["free"])
        self._vendors: Mapping[str, str] = data["vendors"]
        self._aliases: Mapping[str, Mapping[str, str]] = data["aliases"]
        self._rows: dict[tuple[str, str], list[Prices]] = {}
        for row in data["rows"]:
            self._rows.setdefault((row["kind"], row["model"]), []).append(_prices(row))
        for prices in self._rows.values():
            prices.sort(key=lambda one: one.since)

    def find(self, kind: str, model: str, day: str) -> Prices | None:
        """The prices of a model on a day (`2026-11-21`); None when none is known."""
        kind = self._like.get(kind, kind)
        if kind in self._free:
            return FREE
        if kind == "openrouter":
            return self._of_vendor(model, day)
        if kind == "gemini":
            model = model.removeprefix("models/")
        if model.startswith("ft:"):
            # A model fine-tuned by a customer: ft:BASE:ORGANISATION::ID.
            model = ":".join(model.split(":")[:2])
        for name in self._names(kind, model):
            rows = self._rows.get((kind, name))
            if rows:
                valid = [prices for prices in rows if prices.since <= day]
                return valid[-1] if valid else rows[0]
        return None

    def models(self) -> list[tuple[str, str]]:
        """Every (kind, model) with a price."""
        return list(self._rows)

    def _of_vendor(self, model: str, day: str) -> Prices | None:
        """OpenRouter's names are `vendor/model`, at the vendor's price; `:free` says so."""
        if model.endswith(":free"):
            return FREE
        vendor, _, name = model.partition("/")
        kind = self._vendors.get(vendor)
        if kind is None or ":" in name:
            return None
        return self.find(kind, name.replace(".", "-") if kind == "anthropic" else name, day)

    def _names(self, kind: str, model: str) -> list[str]:
        aliases = self._aliases.get(kind, {})
        undated = _DATED.sub("", model)
        unlatest = undated.removesuffix("-latest")
        names = [model, undated, unlatest]
        return [name for one in names for name in (one, aliases.get(one, one))]


@lru_cache(maxsize=1)
def table() -> PriceTable:
    """The table that comes with mrblue."""
    data = pkgutil.get_data("mrblue_cli", "data/prices.json")
    return PriceTable(json.loads(data or b"{}", parse_float=Decimal))


@lru_cache(maxsize=2048)
def find(kind: str, model: str, day: str) -> Prices | None:
    """`PriceTable.find` of mrblue's table, remembered."""
    return table().find(kind, model, day)


def nano(dollars: Decimal | float) -> int:
    """Dollars (per million tokens, per hour…) as nano-dollars. A float is taken as the decimal it is written as."""
    return int((Decimal(str(dollars)) * NANO).to_integral_value())


def _prices(row: Mapping[str, Any]) -> Prices:
    long, peak = row.get("long"), row.get("peak")
    return Prices(
        rates=_row_rates(row),
        hour=nano(row["hour"]) if "hour" in row else None,
        characters=nano(row["characters"]) if "characters" in row else None,
        least_micros=row.get("least_seconds", 0) * _MILLION,
        long_above=long["above"] if long else None,
        long=_row_rates(long) if long else None,
        peak_hours=tuple((first, end) for first, end in peak["hours"]) if peak else (),
        peak=_row_rates(peak) if peak else None,
        since=row.get("from", ""),
    )


def _row_rates(row: Mapping[str, Any]) -> Rates:
    return Rates(**{name: nano(row[name]) for name in Rates._fields if name in row})
