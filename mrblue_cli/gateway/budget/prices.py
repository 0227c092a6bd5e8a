"""Prices and costs in the gateway's terms: a call's usage, and what the configuration says over the table."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from mrblue_cli.core import prices as table
from mrblue_cli.gateway.budget.calendar import DAY, day_of
from mrblue_cli.gateway.model import Surface, Usage
from mrblue_cli.gateway.options import ModelOptions, ProviderOptions

_MICROS = 1_000_000
_LARGEST = 1 << 53


def cost_nano(
    provider_kind: str, model: str, usage: Usage, override: ModelOptions | None = None, *, at: float | None = None
) -> int | None:
    """What a call costs, in nano-dollars; None when no price is known.

    `at` is the Unix time of the call (None: now), for prices that change. A provider that says itself what a call
    cost (OpenRouter) is believed.
    """
    if usage.reported_nano is not None:
        return max(0, usage.reported_nano)
    when = time.time() if at is None else at
    prices = prices_of(provider_kind, model, override, at=when)
    return None if prices is None else table.cost_nano(prices, _counts(usage), int(when % DAY // 3600))


def prices_of(
    provider_kind: str, model: str, override: ModelOptions | None = None, *, at: float | None = None
) -> table.Prices | None:
    """The prices of a model, with the configuration's in the place of the table's."""
    known = table.find(provider_kind, model, day_of(time.time() if at is None else at))
    if override is None or (override.input_price, override.cached_price, override.output_price) == (None, None, None):
        return known
    before = known.rates if known is not None else table.Rates(input=0, output=0)
    given = {
        "input": override.input_price,
        "cached": override.cached_price,
        "output": override.output_price,
    }
    rates = {name: table.nano(price) for name, price in given.items() if price is not None}
    if "input" in rates:
        # The table's discounts belong to the table's price.
        before = before._replace(cached=None, cache_write=None)
    changed = before._replace(**rates)
    # A price of one's own is a contract of one's own: no dearer hours, no dearer length.
    return (known or table.Prices(changed))._replace(rates=changed, long=None, peak=None)


def is_free(provider_kind: str) -> bool:
    """Whether calls there never cost anything."""
    return table.find(provider_kind, "", "") is table.FREE


def cheapest_chat_model(providers: Iterable[ProviderOptions], *, at: float | None = None) -> str | None:
    """Where a throttled chat request goes: the configured chat model whose typical call costs least.

    A typical call reads three tokens for each it writes. Models without a price, and patterns, cannot be it.
    """
    best: tuple[int, str] | None = None
    for provider in providers:
        for model in provider.models:
            if model.name == "*" or (model.surfaces and Surface.CHAT not in model.surfaces):
                continue
            cost = cost_nano(
                provider.kind, model.upstream or model.name, Usage(input_tokens=3000, output_tokens=1000), model, at=at
            )
            prices = prices_of(provider.kind, model.upstream or model.name, model, at=at)
            # Embeddings are cheap and answer nothing; so are audio models.
            if cost is None or prices is None or prices.rates.output is None or prices.rates.audio_input is not None:
                continue
            if best is None or cost < best[0]:
                best = (cost, model.name)
    return best[1] if best else None


def _counts(usage: Usage) -> table.Counts:
    seconds = usage.seconds if math.isfinite(usage.seconds) else 0.0
    counts = (
        usage.input_tokens, usage.output_tokens, usage.cached_input_tokens, usage.cache_write_tokens,
        usage.audio_input_tokens, usage.cached_audio_input_tokens, usage.image_input_tokens,
        usage.audio_output_tokens, round(min(max(0.0, seconds), 1e9) * _MICROS), usage.characters,
    )  # fmt: skip
    return table.Counts(*(min(count, _LARGEST) for count in counts))
