"""Faults in any mix, many at once: whatever happens, an answer is whole, or says that it is not; the books agree.

The mixes are drawn from seeds, so that a failure comes back when it is run again.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import aiohttp
import pytest

from mrblue_cli.gateway.options import BreakerOptions, DeadlineOptions
from tests.fakes import upstream_behaviours as does
from tests.fakes.upstream import Said, Upstream
from tests.fakes.upstream_wires import text
from tests.gateway.asking import Heard, ask, question
from tests.gateway.running import ledger, nano_reserved, running_gateway
from tests.gateway.test_faults import gateway, provider

REQUESTS, AT_ONCE = 60, 8
WHOLE = does.answer(60, prefill="continue")
MIX = (
    [WHOLE] * 16
    + [does.answer(60, prefill="reject"), does.rate_limited(), does.rate_limited(0.05), does.failing(500)]
    + [does.failing(503), does.failing(404), does.failing(401), does.reset(), does.context_too_long()]
    + [does.content_filter(), does.cut(0), does.cut(1), does.cut(59), does.cut(40, how="reset"), does.stall(10)]
    + [does.broken_chunk(0), does.broken_chunk(33), does.no_end(), does.no_end(25), does.no_end(stopped=True)]
    + [does.error_event(0), does.error_event(45)]
)


def drawn(seed):
    """A function of the call that draws its behaviour."""
    chance = random.Random(seed)
    return lambda asked: chance.choice(MIX)


@pytest.mark.parametrize("seed", range(4))
async def test_any_mix_of_faults_ends_whole_or_says_so(seed, tmp_path):
    kinds = ("openai-compatible", "openai-compatible", "anthropic")
    deadlines = DeadlineOptions(connect=1.0, first_token=1.0, idle=0.1, answer=0.3, total=5.0)
    breaker = BreakerOptions(failure_threshold=8, reset_timeout=0.02)
    upstreams = [Upstream(choose=drawn(seed * 10 + n)) for n in range(len(kinds))]
    async with upstreams[0], upstreams[1], upstreams[2]:
        providers = [
            provider(f"p{n}", kind, upstream, n // 2, "sk-secret-000000")
            for n, (kind, upstream) in enumerate(zip(kinds, upstreams, strict=True))
        ]
        options = gateway(tmp_path, *providers, deadlines=deadlines, breaker=breaker, max_retries=3, max_delay=0.05)
        async with (
            running_gateway(options, chance=random.Random(seed).random) as running,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as client,
        ):
            asked = [ask(client, running.chat, question(stream=n % 3 > 0, said=f"{n}?")) for n in range(REQUESTS)]
            heard = await asyncio.gather(*asked)
            running.nobody_waits()
    kinds_of_end = Counter(end_of(one) for one in heard)
    assert kinds_of_end["whole"] > REQUESTS // 3
    lines = ledger(tmp_path)
    for n, upstream in enumerate(upstreams):
        mine = [line for line in lines if line.provider == f"p{n}"]
        exact = Counter(Said(line.input, line.output) for line in mine if not line.estimated)
        assert exact == Counter(upstream.reported)
    assert sum(line.outcome == "ok" for line in lines) == kinds_of_end["whole"]
    assert nano_reserved(tmp_path) == 0


def end_of(heard: Heard) -> str:
    """`whole`, `half` or `refused`; anything else fails here."""
    assert heard.broken == ""
    if heard.status != 200:
        assert not heard.streamed
        assert heard.error["message"]
        return "refused"
    whole = text(60)
    if heard.error is not None:
        assert heard.streamed
        assert whole.startswith(heard.text)
        assert heard.text, "a stream that failed before its first token could have been an error status"
        assert not heard.done
        assert heard.finish is None
        return "half"
    assert heard.text == whole
    assert heard.finish == "stop"
    assert heard.done or not heard.streamed
    return "whole"
