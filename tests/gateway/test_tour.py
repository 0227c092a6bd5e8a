"""The tour of docs/gateway.md and the demo do what the page says, read from the page itself."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from mrblue_cli.core.errors import UsageError
from mrblue_cli.gateway.access.keys import KeyStore
from mrblue_cli.gateway.options import GatewayOptions
from mrblue_cli.settings.gateway import demo_gateway, load_gateway
from tests.gateway.running import RunningGateway, running_gateway

PAGE = Path(__file__).parents[2] / "docs" / "gateway.md"


class Tourist:
    """Asks as the page does: `ask QUESTION [true]`."""

    def __init__(self, running: RunningGateway, session: aiohttp.ClientSession) -> None:
        self.running, self._session = running, session

    async def ask(self, question: str, *, stream: bool = False, model: str = "demo") -> tuple[int, Any, str]:
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": question}]}
        async with self._session.post(self.running.chat, json=body) as answer:
            return answer.status, answer.headers, await answer.text()


@contextlib.asynccontextmanager
async def visiting(options: GatewayOptions) -> AsyncIterator[Tourist]:
    quick = msgspec.structs.replace(
        options,
        caching=msgspec.structs.replace(options.caching, embedder="none"),
        failover=msgspec.structs.replace(options.failover, retry_delay=0.001, max_delay=0.01),
    )
    async with running_gateway(quick) as running, aiohttp.ClientSession() as session:
        yield Tourist(running, session)


def tour(folder: Path) -> tuple[GatewayOptions, list[str]]:
    """The configuration and the questions printed on the page."""
    text = PAGE.read_text()
    part = text[text.index("### See it fail over") : text.index("## What it serves")]
    toml, commands = re.findall(r"```(?:toml)?\n(.*?)```", part, re.DOTALL)
    file = folder / "two.toml"
    file.write_text(toml)
    loaded = load_gateway(file, environment={}, overrides={"state_folder": str(folder)})
    assert loaded.notes == ()
    return loaded.options, re.findall(r'^ask "(.*?)"', commands, re.MULTILINE)


async def test_the_tour_shows_what_the_page_promises(tmp_path: Path) -> None:
    options, asked = tour(tmp_path)
    sky, again, rain, snow, hail = asked
    async with visiting(options) as tourist:
        _, head, _ = await tourist.ask(sky)
        assert (head["x-mrblue-provider"], head["x-mrblue-cache"][:5]) == ("first", "miss;")
        _, head, _ = await tourist.ask(again)
        assert (head["x-mrblue-cache"][:9], float(head["x-mrblue-cost-usd"])) == ("hit-exact", 0)
        status, head, _ = await tourist.ask(rain)
        assert (status, head["x-mrblue-attempts"], head["x-mrblue-provider"]) == (200, "2", "second")
        _, head, text = await tourist.ask(snow, stream=True)
        assert head["x-mrblue-provider"] == "first"
        assert text.rstrip().endswith("data: [DONE]")
        assert len(re.findall('"content":"[^"]', text)) > 60
        status, head, text = await tourist.ask(hail)
        assert (status, head["x-mrblue-attempts"]) == (503, "4")
        assert "The demo fails with 503" in text
        for number in range(5):
            _, head, _ = await tourist.ask(f"storm {number} /fail 500 @first")
            assert head["x-mrblue-provider"] == "second"
        assert tourist.running.breaker("first") == "open"
        log = tourist.running.log.getvalue()
        assert "first/demo failed 5 times in a row: left alone for 20 s, then tried with one request" in log


async def test_five_cents_come_to_an_end(tmp_path: Path) -> None:
    options, _ = tour(tmp_path)
    async with visiting(options) as tourist:
        for number in range(200):
            status, _, text = await tourist.ask(f"question {number}")
            if status != 200:
                break
    assert status == 429
    assert "the daily budget is $0.0500" in text


async def test_the_demo_answers_whatever_model_an_application_asks_for(tmp_path: Path) -> None:
    async with visiting(demo_gateway(environment={}, overrides={"state_folder": str(tmp_path)})) as tourist:
        status, head, text = await tourist.ask("hello", model="gpt-4o-mini")
        assert (status, head["x-mrblue-model"]) == (200, "gpt-4o-mini")
        assert "gpt-4o-mini is a script on this machine" in text


async def test_a_request_that_is_turned_away_does_not_speak_of_a_cache_that_is_off(tmp_path: Path) -> None:
    options, _ = tour(tmp_path)
    async with visiting(options) as tourist:
        status, head, _ = await tourist.ask("hello", model="nobody-has-this")
        assert (status, head["x-mrblue-cache"]) == (404, "bypass;reason=refused")
    off = msgspec.structs.replace(options, caching=msgspec.structs.replace(options.caching, enabled=False))
    async with visiting(off) as tourist:
        _, head, _ = await tourist.ask("hello")
        assert head["x-mrblue-cache"] == "bypass;reason=disabled"


def test_a_key_that_ended_is_told_from_one_that_never_was(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "gateway.sqlite3")
    store.create("laptop")
    store.revoke("laptop")
    with pytest.raises(UsageError, match="'laptop' is revoked or expired already"):
        store.revoke("laptop")
    with pytest.raises(UsageError, match="there is no key 'phone'"):
        store.revoke("phone")
